"""Files of scores: one row per query and measure, so that later tests can use every query."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, dropwhile, takewhile
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
AGAIN = "delete the file and run again"
NOTE = "# "  # what lines before the header begin with


def write_scores(path: str | Path, scores: Iterable[Score], notes: Iterable[str] = ()) -> int:
    """Write notes, a header and scores; values have six decimals. Return the number of scores."""
    head = [*(NOTE + note for note in notes), "\t".join(SCORE_COLUMNS)]
    lines = ("\t".join([*map(str, score[:-1]), f"{score[-1]:.6f}"]) for score in scores)
    return write_lines(path, chain(head, lines), sealed=True) - len(head)


def read_notes(path: str | Path) -> list[str]:
    """Return the notes of a file of scores."""
    return [line.removeprefix(NOTE) for line in takewhile(_is_note, read_lines(path))]


def _is_note(line: str) -> bool:
    return line.startswith(NOTE)


def read_scores(paths: Iterable[str | Path]) -> Iterator[Score]:
    """Yield the scores of files, one file after the other."""
    for path in paths:
        lines = dropwhile(lambda numbered: _is_note(numbered[1]), enumerate(read_lines(path), start=1))
        if tuple(next(lines, (0, ""))[1].split("\t")) != SCORE_COLUMNS:
            raise DataError("not a file of scores", where=path, hint=f"its header must be {' '.join(SCORE_COLUMNS)}")
        for number, line in lines:
            *names, cell = line.split("\t")
            try:
                value = float(cell)
            except ValueError as error:
                what = f"line {number} does not end in a number: {line!r}"
                raise DataError(what, where=path, hint=AGAIN) from error
            if len(names) + 1 != len(SCORE_COLUMNS):
                what = f"line {number} has {len(names) + 1} columns, not {len(SCORE_COLUMNS)}: {line!r}"
                raise DataError(what, where=path, hint=AGAIN)
            if not math.isfinite(value):
                raise DataError(f"line {number}: the value is {cell}", where=path, hint=AGAIN)
            yield Score._make([*names, value])
