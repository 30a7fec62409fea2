"""Turn scores per query into one cell per method, language and measure: mean, spread, and test against a reference.

Beside the languages each method gets the columns `low`, `high` (means over the languages of a resource level) and
`gap` (high - low), tested like a language. A group is a weighted sum of languages, and its unit is again the query: a
topic that was asked in four languages is one topic, not four independent ones.

Shapes: Q queries, S seeds, C cells (methods of one column and measure), N random draws.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from optical.errors import DataError
from optical.evaluation.scores import Score, Seeds
from optical.evaluation.significance import (
    bootstrap_means,
    effect_size,
    holm,
    paired_t_test,
    percentile_interval,
    sd_over_seeds,
    share_as_far,
    signed_sums,
)

DONE, NOT_RUN = "OK", "NOT RUN"
NAN = float("nan")
DRAWS = 10_000

Scores = dict[tuple[str, str, str], dict[str, dict[str, float]]]  # (method, lang, measure) -> seed -> query id -> value
Figures = dict[str, Any]  # some of a cell's figures, by their names


@dataclass
class Cell:
    """One cell of the long table; what was not run or not tested is NaN, never 0.

    `mean_low` and `mean_high` bound the mean, `interval_low` and `interval_high` the difference to the reference.
    `relative_gain` is that difference divided by the reference's mean; of a resource level, the mean of the gains of
    its languages. `p_holm` is corrected over languages; over the groups for the groups.
    """

    collection: str
    method: str
    lang: str
    measure: str
    status: str = NOT_RUN
    mean: float = NAN
    sd: float = NAN
    seeds: int = 0
    queries: int = 0
    mean_low: float = NAN
    mean_high: float = NAN
    reference: str = ""
    difference_to_reference: float = NAN
    interval_low: float = NAN
    interval_high: float = NAN
    relative_gain: float = NAN
    effect: float = NAN
    p_t: float = NAN
    p_randomisation: float = NAN
    p_holm: float = NAN


CELL_COLUMNS = tuple(field.name for field in fields(Cell))


def group_scores(scores: Iterable[Score], collection: str) -> Scores:
    """Sort the scores of one collection into (method, lang, measure) -> seed -> query id -> value."""
    grouped: dict[tuple[str, str, str], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row_collection, method, lang, seed, query_id, measure, value in scores:
        if row_collection != collection:
            continue
        queries = grouped[method, lang, measure][seed]
        if query_id in queries:
            what = f"{method}, {lang}, seed {seed}: query {query_id} has two scores for {measure}"
            raise DataError(what, hint="the same scores file was given twice")
        queries[query_id] = value
    return {key: dict(seeds) for key, seeds in grouped.items()}


def group_weights(levels: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Return each group's weight per language: means over the resource levels, and the gap between them.

    >>> group_weights({"low": ["sw", "so"], "high": ["de"]})["gap"]
    {'sw': -0.5, 'so': -0.5, 'de': 1.0}
    """
    groups = {level: dict.fromkeys(langs, 1 / len(langs)) for level, langs in levels.items() if langs}
    if {"low", "high"} <= groups.keys():
        groups["gap"] = {lang: -weight for lang, weight in groups["low"].items()} | groups["high"]
    return groups


def compare_methods(
    rows: Iterable[Score],
    collection: str,
    methods: Sequence[str],
    langs: Sequence[str],
    measures: Sequence[str],
    reference: str,
    levels: Mapping[str, Sequence[str]],
    draws: int = DRAWS,
) -> list[Cell]:
    """Return the cells of `methods` x (`langs` and groups) x `measures`; an expected run without scores says NOT RUN.

    A method gets the cell of a group only if all its languages were run, because means over different languages cannot
    be compared. Holm's correction takes the p-values of the randomisation test.

    Args:
        rows: the scores; those of other collections are left out.
        collection: the one that is compared on.
        methods: the expected methods.
        langs: the expected languages.
        measures: the measures, in the order of the cells.
        reference: the method that the others are tested against.
        levels: the languages of `low` and `high`; those not among `langs` are left out.
        draws: the number of random draws of the bootstrap and of the randomisation test.
    """
    [cells] = _compare(rows, collection, methods, langs, measures, [reference], levels, draws)
    return cells


def compare_with_each(
    rows: Iterable[Score],
    collection: str,
    methods: Sequence[str],
    langs: Sequence[str],
    measures: Sequence[str],
    references: Sequence[str],
    levels: Mapping[str, Sequence[str]],
    draws: int = DRAWS,
) -> list[Cell]:
    """Return the cells of `compare_methods` for one reference after the other, without those not run."""
    tables = _compare(rows, collection, methods, langs, measures, references, levels, draws)
    return [cell for cells in tables for cell in cells if cell.status == DONE]


def _compare(
    rows: Iterable[Score],
    collection: str,
    methods: Sequence[str],
    langs: Sequence[str],
    measures: Sequence[str],
    references: Sequence[str],
    levels: Mapping[str, Sequence[str]],
    draws: int,
) -> list[list[Cell]]:
    """Return the cells of `compare_methods` for each reference."""
    scores = group_scores(rows, collection)
    groups = group_weights({level: [lang for lang in langs if lang in members] for level, members in levels.items()})
    columns = [*langs, *groups]
    tables: dict[str, list[Cell]] = {reference: [] for reference in references}
    for measure in measures:
        compared = {
            column: _weighted_figures(scores, methods, measure, groups.get(column, {column: 1.0}), references, draws)
            for column in columns
        }
        for reference, cells in tables.items():
            figures = {
                (method, column): of_method
                for column, of_references in compared.items()
                for method, of_method in of_references[reference].items()
            }
            for method in methods:
                _add_p_holm([figures.get((method, lang), {}) for lang in langs])
                _add_p_holm([figures.get((method, group), {}) for group in groups])
            _average_gains(figures, groups)
            cells += [
                Cell(collection, method, column, measure, **figures.get((method, column), {}))
                for method in methods
                for column in columns
            ]
    return list(tables.values())


def _weighted_figures(
    scores: Scores,
    methods: Sequence[str],
    measure: str,
    weights: Mapping[str, float],
    references: Sequence[str],
    draws: int,
) -> dict[str, dict[str, Figures]]:
    """Return, by reference, the figures of a weighted sum of languages, of each method that was run in all of them."""
    per_method = {}
    strata: dict[str, str] = {}
    for method in methods:
        if all((method, lang, measure) in scores for lang in weights):
            per_lang = {lang: scores[method, lang, measure] for lang in weights}
            per_method[method] = weigh(per_lang, weights)
            if not strata:  # once, as all methods answer the same queries
                strata = strata_of(per_lang)
    return compare_column(per_method, references, draws, strata)


def _average_gains(figures: Mapping[tuple[str, str], Figures], groups: Mapping[str, Mapping[str, float]]) -> None:
    """Set the relative gain of each method on a resource level to the mean of its gains on the level's languages."""
    for (method, column), of_method in figures.items():
        if column in groups and column != "gap":
            gains = [figures[method, lang].get("relative_gain", NAN) for lang in groups[column]]
            of_method["relative_gain"] = sum(gains) / len(gains)


def weigh(per_lang: Mapping[str, Seeds], weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Make one value per seed and query id whose mean over queries is the weighted sum of the languages' means.

    A query's value is the number of queries times what it contributes to the sum, over all languages that ask it.
    Only seeds that every language has are kept.

    >>> weigh({"sw": {"0": {"q1": 0.2, "q2": 0.4}}, "so": {"0": {"q1": 1.0}}}, {"sw": 0.5, "so": 0.5})
    {'0': {'q1': 1.1, 'q2': 0.2}}
    """
    shared_seeds = set.intersection(*(set(seeds) for seeds in per_lang.values()))
    weighted: dict[str, dict[str, float]] = {}
    for seed in sorted(shared_seeds):
        ids = dict.fromkeys(query_id for seeds in per_lang.values() for query_id in seeds[seed])
        weighted[seed] = dict.fromkeys(ids, 0.0)
        for lang, seeds in per_lang.items():
            for query_id, value in seeds[seed].items():
                weighted[seed][query_id] += weights[lang] * value * len(ids) / len(seeds[seed])
    return weighted


def strata_of(per_lang: Mapping[str, Seeds]) -> dict[str, str]:
    """Return query id -> the languages that ask it: queries of one stratum are draws from the same topics.

    >>> strata_of({"sw": {"0": {"q1": 0.2, "q2": 0.4}}, "so": {"0": {"q1": 1.0}}})
    {'q1': 'sw so', 'q2': 'sw'}
    """
    asked: dict[str, list[str]] = {}
    for lang, seeds in per_lang.items():
        for query_id in next(iter(seeds.values()), {}):
            asked.setdefault(query_id, []).append(lang)
    return {query_id: " ".join(langs) for query_id, langs in asked.items()}


def compare_column(
    per_method: Mapping[str, Seeds],
    references: Sequence[str],
    draws: int,
    strata: Mapping[str, str],
) -> dict[str, dict[str, Figures]]:
    """Return the figures of each method of one column (language or group) and measure, by reference.

    Args:
        per_method: the scores of each method; all methods and seeds must have the same query ids.
        references: the methods that the others are tested against, each in turn.
        draws: the number of random draws.
        strata: tells which queries are draws from the same topics.
    """
    scored = {method: seeds for method, seeds in per_method.items() if seeds}
    if not scored:
        return {reference: {} for reference in references}
    ids = sorted(next(iter(next(iter(scored.values())).values())))
    scores_SQ = {method: _as_array(method, seeds, ids) for method, seeds in scored.items()}
    values_QC = np.stack([array_SQ.mean(axis=0) for array_SQ in scores_SQ.values()], axis=1)
    strata_Q = np.array([strata[query_id] for query_id in ids])
    drawn_NC = bootstrap_means(values_QC, draws, strata_Q=strata_Q)
    signed_NC = signed_sums(values_QC, draws)
    low_C, high_C = percentile_interval(drawn_NC)
    means = {"mean": values_QC.mean(axis=0), "mean_low": low_C, "mean_high": high_C}
    figures: dict[str, dict[str, Figures]] = {}
    for reference in references:
        tests = {}
        if reference in scored:
            tests = _test_against(list(scored).index(reference), values_QC, drawn_NC, signed_NC, strata_Q)
        figures[reference] = {}
        for column, (method, array_SQ) in enumerate(scores_SQ.items()):
            tested = means if method == reference else means | tests
            figures[reference][method] = {name: float(values_C[column]) for name, values_C in tested.items()} | {
                "status": DONE,
                "sd": sd_over_seeds(array_SQ),
                "seeds": len(array_SQ),
                "queries": len(ids),
                "reference": reference if reference in scored else "",
            }
    return figures


def _test_against(
    reference: int, values_QC: np.ndarray, drawn_NC: np.ndarray, signed_NC: np.ndarray, strata_Q: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the figures of the differences to one column by their names in `Cell`, float (C,) each.

    `drawn_NC` are the means of the values over draws of queries, `signed_NC` their sums under random signs.
    """
    differences_QC, drawn_differences_NC, signed_differences_NC = (
        array_C - array_C[:, [reference]] for array_C in (values_QC, drawn_NC, signed_NC)
    )
    low_C, high_C = percentile_interval(drawn_differences_NC)
    difference_C, reference_mean = differences_QC.mean(axis=0), values_QC[:, reference].mean()
    return {
        "difference_to_reference": difference_C,
        "interval_low": low_C,
        "interval_high": high_C,
        "relative_gain": difference_C / reference_mean if reference_mean else np.full_like(difference_C, NAN),
        "effect": effect_size(differences_QC, strata_Q),
        "p_t": paired_t_test(differences_QC, strata_Q),
        "p_randomisation": share_as_far(differences_QC, signed_differences_NC),
    }


def _as_array(method: str, seeds: Seeds, ids: Sequence[str]) -> np.ndarray:
    """Return the scores of a method as (S, Q), with the queries in the order of `ids`."""
    for seed, queries in seeds.items():
        odd = set(queries) ^ set(ids)
        if odd:
            raise DataError(
                f"{method}, seed {seed}: {len(odd)} queries differ from the other methods', e.g. {min(odd)}",
                hint="score all methods of a language on the same queries file and qrels",
            )
    return np.array([[queries[query_id] for query_id in ids] for _, queries in sorted(seeds.items())])


def _add_p_holm(cells: Sequence[Figures]) -> None:
    """Add the p-value with Holm's correction to the cells that were tested."""
    tested = [cell for cell in cells if "p_t" in cell]
    for cell, p_holm in zip(tested, holm([cell["p_randomisation"] for cell in tested]), strict=True):
        cell["p_holm"] = float(p_holm)


def cell_rows(cells: Iterable[Cell]) -> list[list[str]]:
    """Write cells as rows of text: numbers with six significant decimals, NaN as an empty cell."""
    return [[as_text(value) for value in asdict(cell).values()] for cell in cells]


def as_text(value: object) -> str:
    """Return a value of a table as text: numbers with six significant decimals, NaN as an empty cell."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value + 0.0:.6g}"
    return str(value)
