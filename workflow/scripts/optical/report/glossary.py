"""The glossary of the report: what its methods do, what its measures say, and the words of its tables."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from optical.report.html import Section
from optical.report.sections import Report

OBJECTIVES = {
    "contrastive": "finding each sentence's own translation in the batch",
    "greedy_mse": "a greedy one-to-one match of tokens",
    "optimal_transport": "optimal transport between tokens",
    "score_kd": "the teacher's scores over the sentences of the batch",
    "sentence_mse": "the squared distance between sentence means",
    "token_contrast": "finding each token's English tokens, by the transport plan, among those of the batch",
}
KINDS = {
    "english": "The teacher reads the human English wording of the query. This is the upper bound.",
    "teacher": "The teacher reads the foreign query, with no training on the language.",
    "extended": "The teacher reads the foreign query with added subwords of the language, and no distillation.",
    "distilled": "A student reads the foreign query. It learnt from the teacher, on sentence pairs, by ",
    "retrained": "A student reads the foreign query. It was trained to rank English passages, as the teacher was.",
    "dense": "The encoder turns a text into one vector, as its authors use it. It was not trained here.",
    "dense-distilled": "A student turns the foreign query into one vector. It learnt on sentence pairs, by ",
    "lexical": "BM25 compares the words of the foreign query with those of the passages.",
    "structured": "BM25 looks each word up in a table of translations, made from the sentence pairs.",
    "translated": "A translator trained on the sentence pairs translates the query. The teacher reads the translation.",
    "translated-lexical": "A translator trained on the sentence pairs translates the query. BM25 searches with it.",
    "fused": "The ranks of other methods are joined by reciprocal rank fusion: ",
}
AVERAGE_PRECISION = (
    "Average precision: the mean of the precision at each relevant passage; its mean over queries is MAP"
)
RECIPROCAL_RANK = "Reciprocal rank: 1 divided by the rank of the first relevant passage"
MEASURES = {
    "AP": AVERAGE_PRECISION,
    "MAP": AVERAGE_PRECISION,
    "RR": RECIPROCAL_RANK,
    "MRR": RECIPROCAL_RANK,
    "nDCG": "Gain of the relevant passages, discounted by rank, as a share of that of the best ranking",
    "NDCG": "Gain of the relevant passages, discounted by rank, as a share of that of the best ranking",
    "P": "Precision: the share of the passages found that are relevant",
    "Precision": "Precision: the share of the passages found that are relevant",
    "R": "Recall: the share of the relevant passages that are found",
    "Recall": "Recall: the share of the relevant passages that are found",
    "Success": "1 if a relevant passage is found, else 0",
    "Judged": "The share of the passages found that were judged at all",
}
TERMS = {
    "teacher": "The English retriever. It reads passages, and queries that are in English.",
    "student": "A copy of the teacher that learnt to read one other language.",
    "low, high": "The mean over low-resource and over high-resource languages.",
    "gap": "The mean over high-resource languages minus that over low-resource ones.",
    "±": "The standard deviation over seeds of training.",
    "⁺, ⁻": "Significantly better or worse than the method that is compared with.",
    "interval": "The 95 % bootstrap interval over queries. Another teacher or encoder would move a mean further.",
    "p": "The p-value of a paired randomisation test over queries, with Holm's correction for several languages.",
}


def glossary_section(report: Report) -> Section:
    """Return the glossary of the report's methods and measures, and of the words of its tables."""
    table = report.settings.get("method_table")
    blocks: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
    methods = {method: meaning_of_method(blocks[method]) for method in report.methods if method in blocks}
    measures = {measure: meaning_of_measure(measure) for measure in report.measures}
    return Section("glossary", "Glossary", "".join(map(_definitions, (methods, measures, TERMS))))


def meaning_of_method(block: Mapping[str, Any]) -> str:
    """Return what a method of this block of the config does.

    >>> meaning_of_method({"kind": "distilled", "objectives": {"optimal_transport": {"weight": 1.0}}})[-37:]
    ' by optimal transport between tokens.'
    """
    meaning = KINDS.get(block["kind"], f"A method of the kind {block['kind']}.")
    if block["kind"] == "fused":
        return f"{meaning}{' and '.join(block['fusion']['methods'])}."
    if block["kind"] not in ("distilled", "dense-distilled"):
        return meaning
    names = [OBJECTIVES.get(name, name) for name, objective in block["objectives"].items() if objective is not None]
    return f"{meaning}{' and '.join(names)}."


def meaning_of_measure(name: str) -> str:
    """Return what a measure says, by its name in ir_measures.

    >>> meaning_of_measure("Success@5")
    '1 if a relevant passage is found, else 0; only the first 5 passages count.'
    """
    base, cutoff = re.match(r"\w+", name), re.search(r"@(\d+)$", name)
    meaning = MEASURES.get(base[0] if base else name, "A measure of ir_measures; its documentation has the definition")
    return meaning + (f"; only the first {cutoff[1]} passages count." if cutoff else ".")


def _definitions(meanings: Mapping[str, str]) -> str:
    pairs = (f"<dt>{escape(name)}</dt><dd>{escape(meaning)}</dd>" for name, meaning in meanings.items())
    return f"<dl>{''.join(pairs)}</dl>"
