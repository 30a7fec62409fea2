"""How well descent and script explain a matrix of languages: rank correlations with a permutation test.

A cell says how well a target language is learned from a source language. Each source has its own teacher and documents,
so cells are ranked within their source. Cells that share a language depend on each other, so the test permutes
languages and not cells (Mantel 1967), in all ways. A few languages have few permutations: `p` is at least `least_p`,
the share of permutations that leave every distance unchanged.

Shapes: C cells, P ways to exchange the languages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import permutations

import numpy as np
from scipy.stats import rankdata

from optical.errors import DataError

COLUMNS = ("collection", "method", "measure", "distance", "cells", "rho", "p", "least_p")
# Family and branch.
LINEAGES = {
    "de": ("Indo-European", "Germanic"),
    "en": ("Indo-European", "Germanic"),
    "es": ("Indo-European", "Romance"),
    "fr": ("Indo-European", "Romance"),
    "hi": ("Indo-European", "Indo-Aryan"),
    "th": ("Kra-Dai", "Tai"),
}
TIE = 1e-9

Cell = tuple[str, str]  # source, target


def descent(one: str, other: str) -> int:
    """Return 1 for languages of one branch, 2 for those of one family, 3 for others.

    >>> descent("fr", "es"), descent("fr", "hi"), descent("fr", "th")
    (1, 2, 3)
    """
    (family, branch), (other_family, other_branch) = LINEAGES[one], LINEAGES[other]
    return 3 if family != other_family else 2 if branch != other_branch else 1


def distance_rows(table: Iterable[Mapping[str, str]], axis: str, scripts: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the correlations with each distance as rows of `COLUMNS`.

    Only rows with all sentence pairs count. Distances are `descent`, `script` (1 for different scripts, else 0), and
    `descent, one script`: descent between languages of one script, permuting only these.

    Args:
        table: of a study of source languages.
        axis: the column of the sources.
        scripts: of each language.
    """
    matrices = matrices_of(table, axis)
    langs = sorted({lang for matrix in matrices.values() for cell in matrix for lang in cell})
    if unknown := [lang for lang in langs if lang not in LINEAGES]:
        raise DataError(
            f"descent of {unknown[0]!r} is not known",
            where="optical/evaluation/language_distances.py",
            hint="add it there",
        )
    ways = [dict(zip(langs, order, strict=True)) for order in permutations(langs)]
    within = [way for way in ways if all(scripts[lang] == scripts[other] for lang, other in way.items())]

    def script(one: str, other: str) -> int:
        return int(scripts[one] != scripts[other])

    rows = []
    for key, matrix in matrices.items():
        alike = {cell: value for cell, value in matrix.items() if not script(*cell)}
        for name, distance, cells, exchanges in (
            ("descent", descent, matrix, ways),
            ("script", script, matrix, ways),
            ("descent, one script", descent, alike, within),
        ):
            figures = (*key, name, len(cells), *explained(cells, distance, exchanges))
            rows.append(dict(zip(COLUMNS, figures, strict=True)))
    return rows


def matrices_of(table: Iterable[Mapping[str, str]], axis: str) -> dict[tuple[str, str, str], dict[Cell, float]]:
    """Return (collection, method, measure) -> (source, target) -> mean with all sentence pairs."""
    matrices: dict[tuple[str, str, str], dict[Cell, float]] = {}
    for row in table:
        if row["lang"] not in ("low", "high", "gap") and row["share"] == "100":
            matrix = matrices.setdefault((row["collection"], row["method"], row["measure"]), {})
            matrix[row[axis], row["lang"]] = float(row["mean"])
    return matrices


def explained(
    cells: Mapping[Cell, float], distance: Callable[[str, str], int], ways: Sequence[Mapping[str, str]]
) -> tuple[float, float, float]:
    """Return Spearman's correlation of cells and distances within sources, its two-sided p, and the least p there is.

    `ways` are permutations of the languages, the first the identity. NaN if all cells or distances of a source agree.
    """
    sources = np.array([source for source, _ in cells])
    distances_PC = np.array([[distance(way[one], way[other]) for one, other in cells] for way in ways], dtype=float)
    x_PC, y_C = centred_ranks(distances_PC, sources), centred_ranks(np.array([list(cells.values())]), sources)[0]
    scale_P = np.sqrt((x_PC**2).sum(axis=1) * (y_C**2).sum())
    if not scale_P[0]:
        return np.nan, np.nan, np.nan
    rho_P = np.divide(x_PC @ y_C, scale_P, out=np.zeros(len(ways)), where=scale_P > 0)
    as_extreme_P = np.abs(rho_P) >= abs(rho_P[0]) - TIE
    unchanged_P = (distances_PC == distances_PC[0]).all(axis=1)
    return float(rho_P[0]), float(as_extreme_P.mean()), float(unchanged_P.mean())


def centred_ranks(values_PC: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Return the ranks of each row's values within their source, minus their mean.

    >>> centred_ranks(np.array([[0.1, 0.3, 0.9, 0.5]]), np.array(["en", "en", "de", "de"]))
    array([[-0.5,  0.5,  0.5, -0.5]])
    """
    ranks_PC = np.empty(values_PC.shape)
    for source in np.unique(sources):
        of_source = sources == source
        ranks_PC[:, of_source] = rankdata(values_PC[:, of_source], axis=1) - (of_source.sum() + 1) / 2
    return ranks_PC
