"""Quality of translations: BLEU and chrF by sacrebleu, with the signatures that make them comparable."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from optical.errors import DataError
from optical.files import write_rows


class TranslationScore(NamedTuple):
    """Scores of one set of translations, 0 to 100, and the sacrebleu signatures that say how they were counted."""

    bleu: float
    chrf: float
    sentences: int
    bleu_signature: str
    chrf_signature: str


COLUMNS = ("lang", "method", *TranslationScore._fields)


def score_translations(references: Sequence[str], translations: Sequence[str]) -> TranslationScore:
    """Score translations against one reference each, ignoring case as retrieval does.

    >>> score = score_translations(["The moon is far away."], ["the moon is far away."])
    >>> round(score.bleu), round(score.chrf), score.bleu_signature
    (100, 100, 'nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:...')
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    if not references:
        raise DataError("no sentences to score", hint="let bitext_cleaning.dev_pairs be at least 1")
    bleu, chrf = BLEU(lowercase=True), CHRF(lowercase=True)
    bleu_score, chrf_score = (
        metric.corpus_score(list(translations), [list(references)]).score for metric in (bleu, chrf)
    )
    signatures = str(bleu.get_signature()), str(chrf.get_signature())
    return TranslationScore(bleu_score, chrf_score, len(references), *signatures)


def write_translation_scores(path: str | Path, rows: Iterable[tuple[str, str, TranslationScore]]) -> int:
    """Write rows of (language, method, score) under a header, two decimals; return how many."""
    table = ((lang, method, f"{score.bleu:.2f}", f"{score.chrf:.2f}", *score[2:]) for lang, method, score in rows)
    return write_rows(path, [COLUMNS, *table], sealed=True) - 1
