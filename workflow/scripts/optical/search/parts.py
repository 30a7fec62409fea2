"""A collection in parts, which several machines encode and search at the same time."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from optical.files import read_jsonl, read_lines

if TYPE_CHECKING:  # `optical --help` needs none of what it imports
    from optical.corpora.passages import Document


def part_from(text: str) -> tuple[int, int]:
    """Read the number of a part and the number of all parts from their name.

    >>> part_from("2-of-8")
    (2, 8)
    """
    number, count = map(int, text.split("-of-"))
    if not 1 <= number <= count:
        raise ValueError(text)
    return number, count


def read_part(path: str | Path, part: tuple[int, int]) -> Iterator["Document"]:
    """Yield the documents of one part (its number from 1, and how many there are), as many in each, in file order."""
    number, count = part
    lines = sum(1 for _ in read_lines(path))
    return islice(read_jsonl(path), lines * (number - 1) // count, lines * number // count)
