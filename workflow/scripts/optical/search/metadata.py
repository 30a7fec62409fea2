"""The metadata of passages (language, source and date), and conditions that select passages by them.

A condition is a field, `=`, `>=` or `<=`, and a value. A date is compared with the precision of the condition:
`date=2024` selects every day of that year. A passage without the field is never selected.
"""

import functools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from optical.corpora.passages import METADATA, Document, text_of
from optical.errors import ConfigError, DataError
from optical.files import read_rows
from optical.text.detection import detect_languages

DETECT = "detect"
DETECTED_AT_ONCE = 4096
DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])([T ]\S+)?)?)?", re.ASCII)
COMPARE: dict[str, Callable[[str, str], bool]] = {"=": operator.eq, ">=": operator.ge, "<=": operator.le}
CONDITION = re.compile(rf"({'|'.join(METADATA)})\s*(>=|<=|=)\s*([^\s=].*)")


class Metadata(NamedTuple):
    """The metadata of passages without their own; "" for none."""

    language: str = ""
    source: str = ""
    date: str = ""


NO_METADATA = Metadata()


class Condition(NamedTuple):
    """A field, how it is compared, and the value that it is compared with."""

    field: str
    comparison: str
    value: str

    def holds(self, value: str) -> bool:
        """Return whether a passage with this value of the field is selected.

        >>> condition("date>=2024").holds("2024-02-29"), condition("date<=2024").holds("")
        (True, False)
        """
        known = value[: len(self.value)] if self.field == "date" else value
        return bool(known) and COMPARE[self.comparison](known, self.value)


def condition(text: str) -> Condition:
    """Read a condition.

    >>> condition("language=sw")
    Condition(field='language', comparison='=', value='sw')

    Raises:
        ConfigError: it has another form, an unknown field, or an invalid date.
    """
    found = CONDITION.fullmatch(" ".join(text.split()))
    if not found:
        hint = f"write language=sw or 'date>=2024'; the fields are {', '.join(METADATA)}"
        raise ConfigError(f"{text!r} is not a condition", where="where", hint=hint)
    asked = Condition(*found.groups())
    if asked.field == "date" and not DATE.fullmatch(asked.value):
        raise ConfigError(f"{asked.value!r} is not a date", where="where", hint="write 2024, 2024-05 or 2024-05-31")
    return asked


def selected(files: Sequence[Path], where: str) -> np.ndarray:
    """Return which passages fulfil a condition: bool, a passage each, in the order of the files and of their rows.

    Args:
        files: tables with the columns id, language, source and date.
        where: the condition.
    """
    asked = condition(where)
    return np.concatenate([_holds(file, asked) for file in files])


@functools.lru_cache(maxsize=64)
def _holds(file: Path, asked: Condition) -> np.ndarray:
    """Return which rows of a table fulfil a condition; a table of an index never changes."""
    column = 1 + METADATA.index(asked.field)
    return np.fromiter((asked.holds(row[column]) for row in read_rows(file, 1 + len(METADATA))), bool)


def rows_of(documents: Iterable[Document]) -> Iterator[list[str]]:
    """Yield id, language, source and date of passages; refuse what the index could not store or compare."""
    for document in documents:
        row = [document["id"], *(document.get(field) or "" for field in METADATA)]
        date = row[-1]
        if date and not DATE.fullmatch(date):
            what = f"the date of passage {document['id']} is {date!r}"
            raise DataError(what, where="date", hint="write 2024, 2024-05 or 2024-05-31")
        yield row


def metadata_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the metadata that a passage has, with single spaces, as the tables of an index and conditions have them.

    >>> metadata_of({"id": "d1", "text": "mto", "language": "sw", "source": " the  Nation "})
    {'language': 'sw', 'source': 'the Nation'}
    """
    return {field: value for field in METADATA if (value := " ".join((document.get(field) or "").split()))}


def with_defaults(documents: Iterable[Document], defaults: Metadata) -> Iterator[Document]:
    """Yield passages with values for the fields that they lack.

    Args:
        documents: the passages.
        defaults: the values; the language "detect" looks at the text of each passage.
    """
    if defaults.language == DETECT:
        documents, defaults = _with_detected_languages(documents), defaults._replace(language="")
    given = metadata_of(defaults._asdict())
    for document in documents:
        yield {**document, **given, **metadata_of(document)}  # type: ignore[typeddict-item]


def _with_detected_languages(documents: Iterable[Document]) -> Iterator[Document]:
    source = iter(documents)
    while some := list(islice(source, DETECTED_AT_ONCE)):
        found = iter(detect_languages([text_of(document) for document in some if not document.get("language")]))
        for document in some:
            yield document if document.get("language") else {**document, "language": next(found)}
