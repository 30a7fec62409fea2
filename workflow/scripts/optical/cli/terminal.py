"""Text on a terminal: how wide it is, padding, tables, bold words."""

import json
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence

_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

BOLD, PLAIN = "\033[1m", "\033[0m"


def width(text: str) -> int:
    """Return the number of columns of a text: none for combining marks, two for wide characters.

    >>> width("moon"), width("चंद्र"), width("月")
    (4, 3, 2)
    """
    return sum(_width_of_sign(sign) for sign in text)


def _width_of_sign(sign: str) -> int:
    if unicodedata.category(sign) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(sign) in "WF" else 1


def pad(text: str, columns: int, right: bool = False) -> str:
    """Pad a text with spaces to a width; `right` aligns it to the right.

    >>> pad("चंद्र", 5, right=True)
    '  चंद्र'
    """
    spaces = " " * (columns - width(text))
    return spaces + text if right else text + spaces


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows of cells out in columns of equal width.

    >>> print(table([("code", "name"), ("sw", "Swahili")]))
    code  name
    sw    Swahili
    """
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(pad(cell, columns) for cell, columns in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def columns_of_terminal() -> int:
    """Return the width of the terminal, or 100 without one."""
    return shutil.get_terminal_size((100, 24)).columns


def printable(text: str) -> str:
    """Return a text that cannot control the terminal: control and direction characters become boxes.

    >>> printable("the\\x1b]0;title\\x07 moon\\u202e")
    'the�]0;title� moon�'
    """
    return _OBEYED.sub("\N{REPLACEMENT CHARACTER}", text)


def mark_words(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text with some spans bold on a terminal, in square brackets elsewhere; spans must not overlap."""
    before, after = (BOLD, PLAIN) if sys.stdout.isatty() else ("[", "]")
    parts, end = [], 0
    for start, stop in sorted(spans):
        parts += [text[end:start], before, text[start:stop], after]
        end = stop
    return "".join([*parts, text[end:]])


def print_json(value: object) -> None:
    """Print a value as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False))
