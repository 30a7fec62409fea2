"""Errors that a user can fix. Each says in one line what is wrong, where, and how to fix it."""

import contextlib
from collections.abc import Iterator


class OpticalError(Exception):
    """An error with a place and a remedy.

    >>> print(DataError("the file is empty", where="qrels.txt", hint="give at least one judgement"))
    the file is empty [qrels.txt]. Hint: give at least one judgement
    """

    def __init__(self, what: str, where: object = "", hint: str = ""):
        self.what, self.where, self.hint = what, str(where), hint
        place = f" [{where}]" if str(where) else ""
        remedy = f". Hint: {hint}" if hint else ""
        super().__init__(f"{what}{place}{remedy}")


class ConfigError(OpticalError):
    """The configuration asks for something that does not exist or does not fit together."""


class DataError(OpticalError):
    """A file does not hold what it should."""


class ResourceError(OpticalError):
    """The machine, the network or the time does not suffice."""


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
