"""Errors that a user can fix. Each says in one line what is wrong, where, and how to fix it."""

import contextlib
import re
from collections.abc import Iterator

LONGEST = 1000  # characters of a message
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")


class OpticalError(Exception):
    """An error with a place and a remedy.

    >>> print(DataError("the file is empty", where="qrels.txt", hint="give at least one judgement"))
    the file is empty [qrels.txt]. Hint: give at least one judgement
    """

    def __init__(self, what: str, where: object = "", hint: str = ""):
        self.what, self.where, self.hint = (in_one_line(without_password(text)) for text in (what, str(where), hint))
        what, place = self.what, f" [{self.where}]" if self.where else ""
        remedy = f". Hint: {self.hint}" if hint else ""
        super().__init__(f"{what}{place}{remedy}")


class ConfigError(OpticalError):
    """The configuration asks for something that does not exist or does not fit together."""


class DataError(OpticalError):
    """A file does not hold what it should."""


class ResourceError(OpticalError):
    """The machine, the network or the time does not suffice."""


def in_one_line(text: str) -> str:
    """Return a text as one line of bearable length that a terminal shows as it is: control signs are escaped.

    >>> in_one_line("a\\nb\\u202e")
    'a\\\\nb\\\\u202e'
    """
    text = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 4 :]}"
    return _CONTROL.sub(lambda sign: ascii(sign[0])[1:-1], text)


def without_password(text: str) -> str:
    """Return a text without the name and password that an address may hold: logs are shared.

    >>> without_password("HTTP 403 of https://me:secret@example.org/a@b")
    'HTTP 403 of https://example.org/a@b'
    """
    return re.sub(r"(\w://)[^/\s@]+@", r"\1", text)


@contextlib.contextmanager
def within(place: str) -> Iterator[None]:
    """Say of errors that come from inside in which block of the config they arose.

    >>> with within("collection_table.mine"):
    ...     raise DataError("no such file", where="qrels.txt")
    Traceback (most recent call last):
    optical.errors.DataError: no such file [collection_table.mine: qrels.txt]
    """
    try:
        yield
    except OpticalError as error:
        where = f"{place}: {error.where}" if error.where else place
        raise type(error)(error.what, where=where, hint=error.hint) from error
