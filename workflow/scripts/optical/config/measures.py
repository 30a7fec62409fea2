"""The measures that a config may name: those that the packages here compute, in each of their forms.

ir_measures knows more names. Some need a program that is not installed (gdeval's Perl for ERR), and some need
judgements of subtopics. Some have no average over queries, and AP@0 and similar names crash the process. All of these
are refused here, before any job. A test computes every form below.
"""

_RELEVANT, _JUDGED = "rel=[1-9][0-9]?", "judged_only=True"
# What may stand in brackets behind a name.
RELEVANT = f"({_RELEVANT})"
JUDGED = f"({_JUDGED})"
EITHER = f"({_RELEVANT}|{_JUDGED}|{_RELEVANT}, ?{_JUDGED})"
# What stands behind "@".
CUTOFF = "@[1-9][0-9]{0,5}"
RECALL = "@(0[.][0-9]{1,2}|1[.]0)"  # trec_eval has two decimals

# Names, what may stand in brackets or None, what must stand behind them.
FORMS = (
    (("AP", "MAP"), EITHER, f"({CUTOFF})?"),
    (("nDCG", "NDCG"), JUDGED, f"({CUTOFF})?"),
    (("P", "Precision", "R", "Recall", "Success"), EITHER, CUTOFF),
    (("RR", "MRR"), EITHER, ""),
    (("RR", "MRR"), RELEVANT, CUTOFF),
    (("Rprec", "RPrec", "SetP", "SetRelP", "SetF", "SetAP"), EITHER, ""),
    (("Bpref", "BPref", "infAP", "SetR", "NumRelRet"), RELEVANT, ""),
    (("IPrec",), EITHER, RECALL),
    (("Judged",), None, f"({CUTOFF})?"),
    (("Compat", "NumRel"), None, ""),
)


def _pattern(names: tuple[str, ...], brackets: str | None, end: str) -> str:
    return f"({'|'.join(names)})" + (f"([(]{brackets}[)])?" if brackets else "") + end


MEASURE = f"^({'|'.join(_pattern(*form) for form in FORMS)})$"
MEANING = (
    "a measure of ir_measures that can be computed here, such as AP, nDCG@10, P@10, R@100, RR, RR@10, AP(rel=2), "
    "Success@5, Rprec, Bpref, infAP, IPrec@0.1, Judged@10 or SetF"
)
