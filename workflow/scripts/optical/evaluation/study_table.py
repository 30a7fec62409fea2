"""The table of a study: the main table's comparison, made for every condition of the study, as one long table.

A condition is a variant of the experiment (another teacher, other sentence pairs) and a share of its sentence pairs.
Either the methods are compared within each condition, or the variants with each other, method by method.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from optical.errors import DataError
from optical.evaluation.comparison import DONE, NAN, Cell, Statistics, compare_methods, group_scores
from optical.evaluation.power import exact_interval, queries_needed
from optical.evaluation.scores import read_scores
from optical.files import read_rows

COLUMNS = (
    "collection",
    "lang",
    "pairs",
    "method",
    "measure",
    "mean",
    "mean_low",
    "mean_high",
    "sd",
    "seeds",
    "queries",
    "exact_low",
    "exact_high",
    "reference",
    "difference",
    "difference_low",
    "difference_high",
    "p",
    "p_holm",
    "queries_needed",
)
STATISTICS = Statistics()
METHODS, VARIANTS = "methods", "variants"


class Condition(NamedTuple):
    """The scores of one variant and share on one collection, with the sentence pairs of each language."""

    variant: str
    share: float
    collection: str
    rows: list[tuple]
    pairs: dict[str, int]


def read_conditions(jobs: Iterable[Mapping]) -> list[Condition]:
    """Read the conditions from jobs `{variant, repeat, share, collection, lang, scores, bitext}`, a job a language.

    Repeats of a variant are one condition: a seed of theirs counts as one of its own.
    """
    found: dict[tuple, Condition] = {}
    for job in jobs:
        key = (job["variant"], job["share"], job["collection"])
        condition = found.setdefault(key, Condition(*key, [], {}))
        repeat = job.get("repeat")
        for row in read_scores([job["scores"]]):
            condition.rows.append(row if repeat is None else (*row[:3], f"{repeat}.{row[3]}", *row[4:]))
        if job["bitext"]:
            condition.pairs[job["lang"]] = sum(1 for _ in read_rows(job["bitext"], columns=2))
    return list(found.values())


def study_rows(
    conditions: Sequence[Condition],
    compare: str,
    reference: str,
    measures: Sequence[str],
    levels: Mapping[str, Sequence[str]],
    statistics: Statistics = STATISTICS,
) -> list[dict]:
    """Return the rows of a study's table, as dicts of `variant` and `COLUMNS`.

    `compare` is `methods` (each against `reference` within its condition) or `variants` (each against the variant
    `reference`, method by method). `levels` gives the languages of `low` and `high`, whose means and gap are rows where
    a condition has languages of both.
    """
    if compare == METHODS:
        blocks = [([(c, "")], c.rows, methods_of(c.rows)) for c in conditions]
    else:
        blocks = variant_blocks(conditions)
    rows = []
    for members, scores, names in blocks:
        condition = members[0][0]
        langs = list(dict.fromkeys(row[2] for row in scores))
        both = all(any(lang in level for lang in langs) for level in levels.values())
        cells = compare_methods(
            scores, condition.collection, names, langs, measures, reference, levels if both else {}, statistics
        )
        groups = group_scores(scores, condition.collection)
        differences = differences_to(groups, reference)
        for cell in cells:
            if cell.status == DONE:
                variant, method = cell.method, members[0][1]
                if compare == METHODS:
                    variant, method = condition.variant, cell.method
                pairs = {c.variant: c.pairs for c, _ in members}[variant].get(cell.lang, "")
                needed = needed_queries(cell, differences)
                exact = exact_bounds(groups.get((cell.method, cell.lang, cell.measure), {}), cell)
                rows.append(as_row(cell, variant, method, pairs, exact, needed))
    if not rows:
        raise DataError("no scores", hint="check the measures and collections of the study")
    return rows


def methods_of(rows: Iterable[tuple]) -> list[str]:
    """Return the methods of score rows, in their order."""
    return list(dict.fromkeys(row[1] for row in rows))


def variant_blocks(conditions: Sequence[Condition]) -> list[tuple]:
    """Return, for each share, collection and method, its conditions and their scores with the variant as the method."""
    blocks: dict[tuple, tuple] = {}
    for condition in conditions:
        for method in methods_of(condition.rows):
            key = (condition.share, condition.collection, method)
            members, scores, names = blocks.setdefault(key, ([], [], []))
            members.append((condition, method))
            names.append(condition.variant)
            scores.extend(
                (row[0], condition.variant, *row[2:]) for row in condition.rows if row[1] == method
            )  # collection, method, lang, ...
    return list(blocks.values())


def differences_to(scores: Mapping, reference: str) -> dict[tuple, np.ndarray]:
    """Return (method, lang, measure) -> differences_Q to the reference, each query averaged over the seeds."""
    means = {
        key: {query: np.mean([seed[query] for seed in seeds.values()]) for query in next(iter(seeds.values()))}
        for key, seeds in scores.items()
    }
    bases = {key[1:]: values for key, values in means.items() if key[0] == reference}
    return {
        (method, *place): np.array([value - bases[tuple(place)][query] for query, value in own.items()])
        for (method, *place), own in means.items()
        if method != reference and tuple(place) in bases
    }


def needed_queries(cell: Cell, differences: Mapping[tuple, np.ndarray]) -> int | str:
    """Return how many queries would show a difference that these do not; "" where they do, or none could tell."""
    differences_Q = differences.get((cell.method, cell.lang, cell.measure))
    if differences_Q is None or not cell.p_randomisation > 0.05:
        return ""
    return queries_needed(differences_Q) or ""


def exact_bounds(seeds: Mapping[str, Mapping[str, float]], cell: Cell) -> tuple[float, float]:
    """Return the exact binomial interval of an accuracy, a measure that is 0 or 1 for every query; else NaN.

    Args:
        seeds: seed -> query -> value of that cell; none for a mean over languages. Over several seeds the number of
            right answers is their mean, rounded.
    """
    values = {value for queries in seeds.values() for value in queries.values()}
    if not values or not values <= {0.0, 1.0}:
        return NAN, NAN
    return exact_interval(round(cell.mean * cell.queries), cell.queries)


def as_row(cell: Cell, variant: str, method: str, pairs: object, exact: tuple, needed: object) -> dict:
    """Return a cell as a row of the study's table."""
    values = (
        cell.collection,
        cell.lang,
        pairs,
        method,
        cell.measure,
        cell.mean,
        cell.mean_low,
        cell.mean_high,
        cell.sd,
        cell.seeds,
        cell.queries,
        *exact,
        cell.reference,
        cell.difference_to_reference,
        cell.interval_low,
        cell.interval_high,
        cell.p_randomisation,
        cell.p_holm,
        needed,
    )
    return {"variant": variant} | dict(zip(COLUMNS, values, strict=True))
