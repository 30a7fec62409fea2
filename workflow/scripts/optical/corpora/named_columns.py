"""Tables whose first row names the columns: CSV as spreadsheets save it, and the header of a tab-separated file."""

import csv
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from optical.errors import DataError
from optical.files import numbered_rows, open_text, read_lines

SEPARATORS = ",;\t"  # spreadsheets write the second one in many countries
LOOKED_AT = 20  # rows by which the separator is told
ID_NAMES = frozenset(["id", "_id", "docid", "doc_id", "pid", "passage_id", "qid", "query_id", "query-id"])
WITHOUT_TABS = (
    """; number lines that have no id: awk '{print NR "\\t" $0}' FILE > NEW_FILE; cells with line breaks need CSV"""
)
csv.field_size_limit(1 << 26)  # characters; a cell may hold a long document


def is_csv(path: str | Path) -> bool:
    """Return whether a file is named as CSV.

    >>> is_csv("pairs.CSV.gz"), is_csv("pairs.tsv")
    (True, False)
    """
    return Path(path).name.lower().removesuffix(".gz").endswith(".csv")


def read_csv(path: str | Path, delimiter: str = ",", strict: bool = False) -> Iterator[list[str]]:
    """Yield the rows of a CSV file; where `strict`, refuse one with a stray quotation mark, which would join rows."""
    with open_text(path) as file:
        rows = csv.reader(file, delimiter=delimiter, strict=strict)
        try:
            yield from rows
        except csv.Error as error:
            hint = "write a quotation mark within a cell twice, in double quotes; or write the table as .tsv"
            raise DataError(f"line {rows.line_num} is not CSV: {error}", where=path, hint=hint) from error


def separator_of(path: str | Path) -> str:
    """Return what parts the cells of a CSV file: the sign that cuts the first rows into equal numbers of cells.

    Of several the comma is the last choice, because sentences have commas.
    """
    for sign in reversed(SEPARATORS):
        widths = {len(row) for row in islice(read_csv(path, sign), LOOKED_AT) if any(map(str.strip, row))}
        if len(widths) == 1 and widths != {1}:
            return sign
    head = next(filter(str.strip, read_lines(path)), "")
    return max(SEPARATORS, key=head.count)


def numbered_cells(path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a CSV file with their numbers from 1; rows without text are skipped.

    Raises:
        DataError: it is no CSV, or a row has another number of cells than the first one.
    """
    separator = separator_of(path)
    width = 0
    for number, row in enumerate(read_csv(path, separator, strict=True), start=1):
        if not any(map(str.strip, row)) or (number == 1 and separator.join(row).lower() == f"sep={separator}"):
            continue
        width = width or len(row)
        if len(row) != width:
            what = f"row {number} has {len(row)} cells, the first one {width}"
            raise DataError(what, where=path, hint=f"put cells that hold a {separator!r} in double quotes")
        yield number, row


def named_cells(path: str | Path, needed: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and cells of the rows of a CSV file, by the names in its first row, in small letters.

    Raises:
        DataError: as `numbered_cells` does, or the first row does not name each of the needed columns once.
    """
    rows = numbered_cells(path)
    _, first = next(rows, (1, []))
    names = ["id" if (name := cell.strip().lower()) in ID_NAMES else name for cell in first]
    if lost := [name for name in needed if names.count(name) != 1]:
        what = f"not one column {lost[0]}: the first row is {', '.join(first)[:100] or 'empty'}"
        raise DataError(what, where=path, hint=f"name the columns in the first row; needed are {', '.join(needed)}")
    for number, row in rows:
        yield number, dict(zip(names, row, strict=True))


def ids_and_texts(path: str | Path, hint: str) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield number, id and text of the rows of a table: CSV with both columns, or two columns with a tab between them.

    A header of the latter is skipped.

    Args:
        path: the table.
        hint: what to do where there are more columns, which nobody would read.
    """
    if is_csv(path):
        yield from ((number, (cells["id"], cells["text"])) for number, cells in named_cells(path, ("id", "text")))
        return
    rows = enumerate(numbered_rows(path, 2, WITHOUT_TABS))
    for place, (number, (name, text, *more)) in rows:
        if place == 0 and name.strip().lower() in ID_NAMES:
            continue
        if more:
            raise DataError(f"line {number} has {2 + len(more)} columns, not two", where=path, hint=hint)
        yield number, (name, text)
