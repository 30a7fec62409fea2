"""The table of a study: the main table's comparison, made for every condition of the study, as one long table.

A condition is a variant of the experiment (another teacher, other sentence pairs) and a share of its sentence pairs.
Either the methods are compared within each condition, or the variants with each other, method by method.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np

from optical.errors import DataError
from optical.evaluation.comparison import DONE, DRAWS, NAN, Cell, Scores, compare_methods, group_scores
from optical.evaluation.power import exact_interval, queries_needed
from optical.evaluation.scores import Score, Seeds, read_scores
from optical.files import read_rows

METHODS, VARIANTS = "methods", "variants"


StudyRow = dict[str, object]  # column -> value, see `as_row`
Differences = dict[tuple[str, str, str], np.ndarray]  # (method, lang, measure) -> of each query


class StudyJob(TypedDict):
    """A variant, repeat, share and collection in one language, with the files of its scores and sentence pairs.

    `methods` are those in the table, all if it is not given.
    """

    variant: str
    repeat: NotRequired[int | None]
    methods: NotRequired[Sequence[str]]
    share: float
    collection: str
    lang: str
    scores: str
    bitext: str


class Condition(NamedTuple):
    """The scores of one variant and share on one collection, with the sentence pairs of each language."""

    variant: str
    share: float
    collection: str
    scores: list[Score]
    pairs: dict[str, int]


class Block(NamedTuple):
    """What is compared: the methods of one condition, or one method in several conditions.

    Attributes:
        conditions: one, or one for each variant.
        method: that of all conditions; "" where methods are compared.
        scores: of what is compared, with the compared names (methods or variants) as their methods.
        names: the compared names.
    """

    conditions: list[Condition]
    method: str
    scores: list[Score]
    names: list[str]


def read_conditions(jobs: Iterable[StudyJob]) -> list[Condition]:
    """Read the conditions of a study, a job a language.

    Repeats of a variant form one condition; each of their seeds counts as a seed of it.
    """
    conditions: dict[tuple[str, float, str], Condition] = {}
    for job in jobs:
        key = (job["variant"], job["share"], job["collection"])
        condition = conditions.setdefault(key, Condition(*key, [], {}))
        repeat = job.get("repeat")
        for score in read_scores([job["scores"]]):
            if score.method in job.get("methods", [score.method]):
                condition.scores.append(score if repeat is None else score._replace(seed=f"{repeat}.{score.seed}"))
        if job["bitext"]:
            condition.pairs[job["lang"]] = sum(1 for _ in read_rows(job["bitext"], columns=2))
    return list(conditions.values())


def study_rows(
    conditions: Sequence[Condition],
    compare: str,
    reference: str,
    measures: Sequence[str],
    levels: Mapping[str, Sequence[str]],
    draws: int = DRAWS,
) -> list[StudyRow]:
    """Return the rows of a study's table.

    Args:
        conditions: all of them.
        compare: `methods` (each against `reference` within its condition) or `variants` (each against the variant
            `reference`, method by method).
        reference: what the others are tested against.
        measures: in the order of the rows.
        levels: the languages of `low` and `high`, whose means and gap are rows where a condition has languages of both.
        draws: the number of random draws of intervals and tests.
    """
    if compare == METHODS:
        blocks = [Block([condition], "", condition.scores, methods_of(condition.scores)) for condition in conditions]
    else:
        blocks = variant_blocks(conditions)
    rows = []
    for block in blocks:
        rows += _block_rows(block, reference, measures, levels, draws)
    if not rows:
        raise DataError("no scores", hint="check the measures and collections of the study")
    return rows


def _block_rows(
    block: Block, reference: str, measures: Sequence[str], levels: Mapping[str, Sequence[str]], draws: int
) -> list[StudyRow]:
    """Return the rows of one block: a row for each cell that was run."""
    collection = block.conditions[0].collection
    langs = list(dict.fromkeys(score.lang for score in block.scores))
    if not all(any(lang in level for lang in langs) for level in levels.values()):
        levels = {}
    cells = compare_methods(block.scores, collection, block.names, langs, measures, reference, levels, draws)
    grouped = group_scores(block.scores, collection)
    differences = differences_to(grouped, reference)
    pairs_of_variant = {condition.variant: condition.pairs for condition in block.conditions}
    rows = []
    for cell in cells:
        if cell.status != DONE:
            continue
        variant, method = block.conditions[0].variant, cell.method
        if block.method:
            variant, method = cell.method, block.method
        pairs = pairs_of_variant[variant].get(cell.lang, "")
        labels = {"variant": variant, "share": block.conditions[0].share, "pairs": pairs, "method": method}
        exact = exact_bounds(grouped.get((cell.method, cell.lang, cell.measure), {}), cell)
        rows.append(as_row(cell, labels, exact, needed_queries(cell, differences)))
    return rows


def methods_of(scores: Iterable[Score]) -> list[str]:
    """Return the methods of scores, in their order."""
    return list(dict.fromkeys(score.method for score in scores))


def variant_blocks(conditions: Sequence[Condition]) -> list[Block]:
    """Return, for each share, collection and method, its conditions and their scores with the variant as the method."""
    blocks: dict[tuple[float, str, str], Block] = {}
    for condition in conditions:
        for method in methods_of(condition.scores):
            block = blocks.setdefault((condition.share, condition.collection, method), Block([], method, [], []))
            block.conditions.append(condition)
            block.names.append(condition.variant)
            of_method = [score for score in condition.scores if score.method == method]
            block.scores.extend(score._replace(method=condition.variant) for score in of_method)
    return list(blocks.values())


def differences_to(scores: Scores, reference: str) -> Differences:
    """Return (method, lang, measure) -> differences_Q to the reference, each query averaged over the seeds."""
    means = {
        key: {query: np.mean([seed[query] for seed in seeds.values()]) for query in next(iter(seeds.values()))}
        for key, seeds in scores.items()
    }
    bases = {(lang, measure): queries for (method, lang, measure), queries in means.items() if method == reference}
    return {
        (method, lang, measure): np.array([mean - bases[lang, measure][query] for query, mean in queries.items()])
        for (method, lang, measure), queries in means.items()
        if method != reference and (lang, measure) in bases
    }


def needed_queries(cell: Cell, differences: Differences) -> int | str:
    """Return how many queries would make a difference significant; "" if it is already, or if no number would."""
    differences_Q = differences.get((cell.method, cell.lang, cell.measure))
    if differences_Q is None or not cell.p_randomisation > 0.05:
        return ""
    return queries_needed(differences_Q) or ""


def exact_bounds(seeds: Seeds, cell: Cell) -> tuple[float, float]:
    """Return the exact binomial interval of an accuracy, a measure that is 0 or 1 for every query; else NaN.

    Args:
        seeds: seed -> query -> value of that cell; none for a mean over languages. Over several seeds the number of
            right answers is their mean, rounded.
    """
    values = {value for queries in seeds.values() for value in queries.values()}
    if not values or not values <= {0.0, 1.0}:
        return NAN, NAN
    return exact_interval(round(cell.mean * cell.queries), cell.queries)


def as_row(cell: Cell, labels: Mapping[str, object], exact: tuple[float, float], needed: object) -> StudyRow:
    """Return a cell as a row of the study's table; `labels` are variant, share, pairs and method."""
    return {
        "variant": labels["variant"],
        "collection": cell.collection,
        "lang": cell.lang,
        "share": labels["share"],
        "pairs": labels["pairs"],
        "method": labels["method"],
        "measure": cell.measure,
        "mean": cell.mean,
        "mean_low": cell.mean_low,
        "mean_high": cell.mean_high,
        "sd": cell.sd,
        "seeds": cell.seeds,
        "queries": cell.queries,
        "exact_low": exact[0],
        "exact_high": exact[1],
        "reference": cell.reference,
        "difference": cell.difference_to_reference,
        "difference_low": cell.interval_low,
        "difference_high": cell.interval_high,
        "p": cell.p_randomisation,
        "p_holm": cell.p_holm,
        "queries_needed": needed,
    }
