"""Files of scores: one row per query and measure, so that later tests can use every query."""

import math
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from optical.errors import DataError
from optical.files import read_lines, write_lines

Seeds = Mapping[str, Mapping[str, float]]  # seed -> query id -> value


class Score(NamedTuple):
    """What a measure gives a query of a method, language and seed."""

    collection: str
    method: str
    lang: str
    seed: str
    query_id: str
    measure: str
    value: float


SCORE_COLUMNS = Score._fields


def write_scores(path: str | Path, scores: Iterable[Score]) -> int:
    """Write scores with a header; values have six decimals. Return the number of rows."""
    lines = ("\t".join([*map(str, score[:-1]), f"{score[-1]:.6f}"]) for score in scores)
    return write_lines(path, chain(["\t".join(SCORE_COLUMNS)], lines), sealed=True) - 1


def read_scores(paths: Iterable[str | Path]) -> Iterator[Score]:
    """Yield the scores of files, one file after the other."""
    for path in paths:
        lines = read_lines(path)
        if tuple(next(lines, "").split("\t")) != SCORE_COLUMNS:
            raise DataError("not a file of scores", where=path, hint=f"its header must be {' '.join(SCORE_COLUMNS)}")
        for number, line in enumerate(lines, start=2):
            *names, cell = line.split("\t")
            try:
                value = float(cell)
            except ValueError as error:
                raise DataError(f"line {number} does not end in a number: {line!r}", where=path) from error
            if len(names) + 1 != len(SCORE_COLUMNS):
                what = f"line {number} has {len(names) + 1} columns, not {len(SCORE_COLUMNS)}: {line!r}"
                raise DataError(what, where=path)
            if not math.isfinite(value):
                raise DataError(f"line {number}: the value is {cell}", where=path, hint="delete the file and run again")
            yield Score._make([*names, value])


def merge_scores(scores: Iterable[Score], untrained: Container[str]) -> list[Score]:
    """Return the scores of runs with different seeds, each once.

    Args:
        scores: of all runs.
        untrained: methods without a seed of their own: each run has them again, under its first seed.

    Raises:
        DataError: a query has two values, so that something else than the seeds differs between the runs.
    """
    merged: dict[tuple[str, ...], Score] = {}
    first: dict[str, str] = {}  # seed of an untrained method
    for score in scores:
        if score.method in untrained:
            score = score._replace(seed=first.setdefault(score.method, score.seed))
        known = merged.setdefault(score[:-1], score)
        if known.value != score.value:
            what = f"{score.method}, {score.lang}, seed {score.seed}: query {score.query_id} has two values"
            hint = "merge runs with one teacher, the same files and different seeds"
            raise DataError(f"{what} of {score.measure}, {known.value:g} and {score.value:g}", hint=hint)
    return list(merged.values())
