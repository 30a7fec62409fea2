"""The best point of a grid over keys of the config, judged by one method's mean on a collection for development.

Every language counts the same, however many queries it has: the mean over queries and seeds comes first.
"""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

import yaml

from optical.config.project import nested
from optical.errors import DataError
from optical.evaluation.gains import query_means
from optical.evaluation.scores import read_scores


class Point(TypedDict):
    """A combination of the grid's values: dotted key -> value, and the files of the scores that it led to."""

    values: Mapping[str, object]
    scores: Sequence[str]


class Trial(NamedTuple):
    """What a point of the grid led to: its values, the mean of each language, and how many queries were scored."""

    values: Mapping[str, object]
    means: Mapping[str, float]
    queries: int

    @property
    def mean(self) -> float:
        """The mean over the languages, by which points are compared."""
        return sum(self.means.values()) / len(self.means)


def trials_of(points: Sequence[Point], method: str, measure: str) -> list[Trial]:
    """Return what each point of the grid led to, the best first; of equals, the first in the grid.

    Raises:
        DataError: a point has no scores of the method and measure, or not in the languages of the others.
    """
    trials = [_trial(point, method, measure) for point in points]
    if not trials:
        raise DataError("the grid has no points", where="tuning.grid", hint="name a key and the values to try")
    for point, trial in zip(points, trials, strict=True):
        if trial.means.keys() != trials[0].means.keys():
            what = f"scores in {', '.join(trial.means)}, and in {', '.join(trials[0].means)} at the grid's first point"
            raise DataError(what, where=", ".join(point["scores"]), hint="remove these files, and run again")
    return sorted(trials, key=lambda trial: -trial.mean)  # sorting keeps the order of equals


def _trial(point: Point, method: str, measure: str) -> Trial:
    scored = query_means(read_scores(point["scores"]), measure)
    queries = {lang: of_lang for (name, lang), of_lang in scored.items() if name == method}
    if not queries:
        what = f"no score of {method} by {measure}"
        raise DataError(what, where=", ".join(point["scores"]), hint="name a method and a measure of the experiment")
    means = {lang: sum(of_lang.values()) / len(of_lang) for lang, of_lang in queries.items()}
    return Trial(point["values"], means, sum(map(len, queries.values())))


def tuning_rows(trials: Sequence[Trial]) -> list[list[str]]:
    """Return the rows of `tuning.tsv`, header first: the values of a point, the mean of each language, the mean.

    >>> tuning_rows([Trial({"student.steps": 200}, {"sw": 0.5, "so": 0.25}, 180)])
    [['student.steps', 'sw', 'so', 'mean'], ['200', '0.500000', '0.250000', '0.375000']]
    """
    first = trials[0]
    rows = [
        [
            *map(_as_text, trial.values.values()),
            *(f"{trial.means[lang]:.6f}" for lang in first.means),
            f"{trial.mean:.6f}",
        ]
        for trial in trials
    ]
    return [[*first.values, *first.means, "mean"], *rows]


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def config_lines(trials: Sequence[Trial], method: str, measure: str) -> list[str]:
    """Return the values of the best point as the lines of a config file, with a comment that says what they led to."""
    best = trials[0]
    points = "1 point" if len(trials) == 1 else f"{len(trials)} points"
    comment = (
        f"# best of {points} of the grid: {method} has a mean {measure} of {best.mean:.4f} over {best.queries} queries "
        f"({', '.join(best.means)})"
    )
    text = yaml.safe_dump(nested(best.values), sort_keys=False, allow_unicode=True)
    return [comment, *text.splitlines()]
