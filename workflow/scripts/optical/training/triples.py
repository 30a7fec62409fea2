"""Training triples, and scores of their pairs, in files that can be memory-mapped; it needs no torch."""

import logging
from array import array
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np

from optical.errors import DataError
from optical.files import atomic_folder, atomic_path, read_rows
from optical.seals import check_file

log = logging.getLogger("optical")

MISSING = -1  # fills a triple that has fewer negatives than the longest
CHUNK = 100_000  # triples that are looked at together

Scores = tuple[np.ndarray, np.ndarray]  # numbers of pairs, rising, int64; the score of each, float32


def write_triples(out: str | Path, path: str | Path, queries: Mapping[str, int], documents: Mapping[str, int]) -> int:
    """Write triples of ids as row numbers, into a file that can be memory-mapped, in constant memory.

    Args:
        out: file for `numpy.load`, int32, with rows of (query, positive, negatives..., `MISSING`...).
        path: `query_id positive_id [negative_id ...]`, tab-separated; it is read twice, first for its size.
        queries: id -> row number.
        documents: id -> row number.

    Returns:
        The number of triples.

    Raises:
        DataError: a line names an unknown id, or the file is empty.
    """
    count = width = 0
    for row in read_rows(path, columns=2):
        count, width = count + 1, max(width, len(row))
    if not count:
        raise DataError("no training triples", where=path, hint="give at least one line: query_id positive_id")
    with atomic_path(out) as temporary, temporary.open("wb") as file:
        header = {"descr": "<i4", "fortran_order": False, "shape": (count, width)}
        np.lib.format.write_array_header_1_0(file, header)
        for line, row in enumerate(read_rows(path, columns=2), start=1):
            numbers = [_row_of(queries, row[0], "query", path, line)]
            numbers += [_row_of(documents, name, "document", path, line) for name in row[1:]]
            numbers += [MISSING] * (width - len(numbers))
            file.write(np.array(numbers, dtype=np.int32).tobytes())
    return count


def _row_of(rows: Mapping[str, int], name: str, kind: str, path: str | Path, line: int) -> int:
    if name not in rows:
        hint = "the files of a training set must belong together"
        raise DataError(f"line {line} names the {kind} {name}, which does not exist", where=path, hint=hint)
    return rows[name]


def write_scores(
    folder: str | Path,
    scores: Iterable[tuple[str, str, float]],
    queries: Mapping[str, int],
    documents: Mapping[str, int],
) -> int:
    """Write the scores of pairs, sorted for lookup; return the number of pairs.

    Args:
        folder: receives `pairs.npy` and `scores.npy`, see `Scores`.
        scores: query id, document id, score; the first one of a pair counts. Some 55 bytes a pair are in memory.
        queries: id -> row number.
        documents: id -> row number.
    """
    pairs, scores_of_pairs = array("q"), array("f")
    for query_id, document_id, score in scores:
        pairs.append(queries[query_id] * len(documents) + documents[document_id])
        scores_of_pairs.append(score)
    numbers, first = np.unique(np.frombuffer(pairs, np.int64), return_index=True)
    if len(numbers) < len(pairs):
        log.warning("%d scores repeat a pair: its first score counts", len(pairs) - len(numbers))
    with atomic_folder(folder) as temporary:
        np.save(temporary / "pairs.npy", numbers)
        np.save(temporary / "scores.npy", np.frombuffer(scores_of_pairs, np.float32)[first])
    return len(numbers)


def open_scores(folder: Path) -> Scores:
    """Memory-map what `write_scores` wrote."""
    for name in ("pairs.npy", "scores.npy"):
        check_file(folder / name)
    return np.load(folder / "pairs.npy", mmap_mode="r"), np.load(folder / "scores.npy", mmap_mode="r")


def pair_numbers(queries: np.ndarray, documents: np.ndarray, count: int) -> np.ndarray:
    """Return one number for each pair of a query's and a document's row, where there are `count` documents."""
    return np.asarray(queries, dtype=np.int64) * count + documents


def places_among(rising: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where numbers are in a rising array, and whether they are there at all, both of the numbers' shape.

    `np.isin` would sort the whole array each time: with the 500,000 positives of MS MARCO, .4 s for each step.

    >>> places, found = places_among(np.array([2, 5]), np.array([5, 3]))
    >>> places[found].tolist(), found.tolist()
    ([1], [True, False])
    """
    places = np.minimum(np.searchsorted(rising, numbers), len(rising) - 1)
    return places, rising[places] == numbers


def scores_of(scores: Scores, numbers: np.ndarray) -> np.ndarray:
    """Return the scores of pairs, float32 of the same shape, NaN for a pair that has none.

    >>> scores_of((np.array([2, 5]), np.array([0.5, 9.0], dtype=np.float32)), np.array([[5, 2], [3, 7]])).tolist()
    [[9.0, 0.5], [nan, nan]]
    """
    pairs, scores_of_pairs = scores
    places, found = places_among(pairs, numbers)
    return np.where(found, scores_of_pairs[places], np.float32(np.nan))


def check_scores(triples: np.ndarray, scores: Scores, count: int, path: str | Path) -> None:
    """Refuse a triple with a document that has no score for its query.

    Args:
        triples: rows of the file that `write_triples` made.
        scores: what `open_scores` gives.
        count: number of documents.
        path: the file of triples; the message names its line.

    Raises:
        DataError: there is such a triple.
    """
    for start in range(0, len(triples), CHUNK):
        rows = triples[start : start + CHUNK]
        scores_of_rows = scores_of(scores, pair_numbers(rows[:, :1], rows[:, 1:], count))
        unscored = np.argwhere(np.isnan(scores_of_rows) & (rows[:, 1:] != MISSING))
        if len(unscored):
            row, column = unscored[0]
            query_id, *ids = next(islice(read_rows(path, columns=2), start + row, None))
            what = f"line {start + row + 1}: query {query_id} and document {ids[column]} have no score"
            hint = "the training set's file of scores needs one for every document of a triple"
            raise DataError(what, where=path, hint=hint)
