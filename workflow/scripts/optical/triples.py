"""Training triples as row numbers in a file that can be memory-mapped; it needs no torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from optical.errors import DataError
from optical.files import atomic_folder, read_json, read_rows, write_json

MISSING = -1  # fills a triple that has fewer negatives than the longest


def write_triples(
    folder: str | Path, path: str | Path, queries: Mapping[str, int], documents: Mapping[str, int]
) -> int:
    """Turn triples of ids into row numbers in a file that can be memory-mapped, in constant memory.

    Args:
        folder: receives `triples.int32`, rows of (query, positive, negatives...), and `meta.json`.
        path: `query_id positive_id [negative_id ...]`, tab-separated; the first line's width is that of all.
        queries, documents: id -> row number.
    """
    count = width = 0
    with atomic_folder(folder) as temporary:
        with (temporary / "triples.int32").open("wb") as file:
            for count, row in enumerate(read_rows(path, columns=2), start=1):
                width = width or len(row)
                numbers = [_row_of(queries, row[0], "query", path, count)]
                numbers += [_row_of(documents, name, "document", path, count) for name in row[1:width]]
                numbers += [MISSING] * (width - len(numbers))
                file.write(np.array(numbers, dtype=np.int32).tobytes())
        if not count:
            raise DataError("no training triples", where=path, hint="give at least one line: query_id positive_id")
        write_json(temporary / "meta.json", {"triples": count, "width": width})
    return count


def _row_of(rows: Mapping[str, int], name: str, kind: str, path: str | Path, line: int) -> int:
    if name not in rows:
        raise DataError(f"line {line} names the {kind} {name}, which does not exist", where=path)
    return rows[name]


def open_triples(folder: Path) -> np.ndarray:
    """Memory-map the rows that `write_triples` wrote, int32 of shape (triples, width)."""
    width = read_json(folder / "meta.json")["width"]
    return np.memmap(folder / "triples.int32", np.int32, "r").reshape(-1, width)
