"""Files of scores: one row per query and measure, so that nothing that is compared later was averaged before."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from optical.errors import DataError
from optical.files import read_lines, write_lines

SCORE_COLUMNS = ("collection", "method", "lang", "seed", "query_id", "measure", "value")


def write_scores(path: str | Path, rows: Iterable[Sequence]) -> int:
    """Write score rows (`SCORE_COLUMNS`) with a header; values have six decimals. Return the number of rows."""
    lines = ("\t".join([*map(str, row[:-1]), f"{row[-1]:.6f}"]) for row in rows)
    return write_lines(path, _with_header(lines)) - 1


def _with_header(lines: Iterable[str]) -> Iterator[str]:
    yield "\t".join(SCORE_COLUMNS)
    yield from lines


def read_scores(paths: Iterable[str | Path]) -> Iterator[tuple]:
    """Yield the rows (`SCORE_COLUMNS`, the last a number) of score files."""
    for path in paths:
        lines = read_lines(path)
        if tuple(next(lines, "").split("\t")) != SCORE_COLUMNS:
            raise DataError("not a file of scores", where=path, hint=f"its header must be {' '.join(SCORE_COLUMNS)}")
        for number, line in enumerate(lines, start=2):
            *names, score = line.split("\t")
            try:
                row = (*names, float(score))
            except ValueError as error:
                raise DataError(f"line {number} ends in no number: {line!r}", where=path) from error
            if len(row) != len(SCORE_COLUMNS):
                raise DataError(f"line {number} has {len(row)} columns, not {len(SCORE_COLUMNS)}: {line!r}", where=path)
            yield row
