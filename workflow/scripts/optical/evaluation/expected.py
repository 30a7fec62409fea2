"""Compare the figures of a run with published or earlier ones.

A row of `config/expected.tsv` names its cell by collection, method, language and measure. Two notations go beyond one
cell: `sw+so` as language is the mean over these languages; `optical/nmt` as method is the relative gain of the first
over the second, averaged over the languages.
"""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from optical.errors import DataError
from optical.evaluation.comparison import DONE, NOT_RUN
from optical.files import read_table

EXPECTED_COLUMNS = ("config", "collection", "method", "lang", "measure", "value", "tolerance", "source")
COMPARED_COLUMNS = (*EXPECTED_COLUMNS[:-1], "ours", "status", "source")
DIFFERS = "DIFFERS"

Means = Mapping[tuple[str, str, str, str], float]  # (collection, method, lang, measure) -> mean


def read_expected(path: str | Path) -> list[dict[str, str]]:
    """Read `config/expected.tsv` as one dict of text a row; each needs a figure, a tolerance and a source."""
    rows = read_table(path, EXPECTED_COLUMNS)
    for number, row in enumerate(rows, start=2):
        try:
            for column in ("value", "tolerance"):
                float(row[column])
        except ValueError as error:
            raise DataError(f"line {number}: {error}", where=path, hint="value and tolerance are numbers") from error
        if not row["source"]:
            raise DataError(f"line {number} has no source", where=path, hint="say where the figure is from")
    return rows


def means_of(rows: Iterable[Mapping[str, str]]) -> dict[tuple[str, str, str, str], float]:
    """Return the means of the long table's rows (`map_table.read_cells`); what was not run is left out."""
    return {
        (row["collection"], row["method"], row["lang"], row["measure"]): float(row["mean"])
        for row in rows
        if row["status"] == DONE
    }


def our_figure(expected: Mapping[str, str], means: Means) -> float | None:
    """Return our figure for an expected one, or None where a run that it needs is missing.

    >>> means = {("c", "a", "sw", "AP"): 0.6, ("c", "b", "sw", "AP"): 0.5}
    >>> round(our_figure({"collection": "c", "method": "a/b", "lang": "sw", "measure": "AP"}, means), 3)
    0.2
    """
    figures = []
    for lang in expected["lang"].split("+"):
        keys = [(expected["collection"], method, lang, expected["measure"]) for method in expected["method"].split("/")]
        if not all(key in means for key in keys):
            return None
        first, *second = (means[key] for key in keys)
        figures.append(_relative_gain(first, *second) if second else first)
    return sum(figures) / len(figures)


def _relative_gain(mean: float, base: float) -> float:
    return (mean - base) / base if base else math.inf


def compare(expected: Iterable[Mapping[str, str]], means: Means) -> list[list[str]]:
    """Return rows of `COMPARED_COLUMNS`: the expected figure, ours, and OK, DIFFERS or NOT RUN."""
    compared = []
    for row in expected:
        ours = our_figure(row, means)
        if ours is None:
            shown, status = "", NOT_RUN
        else:
            near = abs(ours - float(row["value"])) <= float(row["tolerance"]) + 1e-9
            shown, status = f"{ours:.4f}", DONE if near else DIFFERS
        compared.append([*(row[column] for column in EXPECTED_COLUMNS[:-1]), shown, status, row["source"]])
    return compared
