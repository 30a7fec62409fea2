"""JSON of known data sets, checked against the form that its reader takes: a class whose fields are the keys."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from optical.errors import DataError
from optical.files import numbered_jsonl, parse_json, read_json
from optical.zips import files_in, open_zip, read_member


class Row(BaseModel):
    """A JSON object; keys that no reader needs are ignored, and a number stands for its text."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]  # null is an empty text
AnyRow = TypeVar("AnyRow", bound=Row)


def read_jsonl_rows(path: str, kind: type[AnyRow], what: str) -> list[AnyRow]:
    """Return the objects of a JSON Lines file.

    Args:
        path: the file.
        kind: the class of its objects.
        what: what the file should be, for messages.
    Raises:
        DataError: it has no objects, or one is of another form.
    """
    return _some(_checked(numbered_jsonl(path), kind, path, what, "line"), path, what)


def read_zipped_rows(path: str, pattern: str, kind: type[AnyRow], what: str) -> list[AnyRow]:
    """Return the objects of a JSON Lines file in a zip file, the first of a name of the pattern; raises as above."""
    with open_zip(Path(path)) as archive:
        names = {Path(member).name: member for member in reversed(files_in(archive))}
        name = next((member for base, member in names.items() if re.fullmatch(pattern, base)), None)
        if name is None:
            hint = f"it has {', '.join(sorted(names))}"
            raise DataError(f"not {what}: no such file in it", where=path, hint=hint)
        place = f"{path}: {name}"
        lines = enumerate(read_member(archive, name), start=1)
        values = ((number, parse_json(line, place, number)) for number, line in lines if line.strip())
        return _some(_checked(values, kind, place, what, "line"), place, what)


def _some(rows: Iterable[AnyRow], where: str, what: str) -> list[AnyRow]:
    found = list(rows)
    if not found:
        raise DataError(f"not {what}: it is empty", where=where, hint="is it the right file?")
    return found


def read_json_rows(path: str, kind: type[AnyRow], what: str) -> list[AnyRow]:
    """Return the objects of a JSON file that is a list of them; raises as `read_jsonl_rows` does."""
    values = read_json(path)
    if not isinstance(values, list) or not values:
        raise DataError(f"not {what}: a list of objects is needed", where=path, hint="is it the right file?")
    return list(_checked(enumerate(values, start=1), kind, path, what, "item"))


def read_json_object(path: str, kind: type[AnyRow], what: str) -> AnyRow:
    """Return the object of a JSON file; raises as `read_jsonl_rows` does."""
    return next(_checked([(1, read_json(path))], kind, path, what, "item"))


def _checked(
    values: Iterable[tuple[int, object]], kind: type[AnyRow], path: str, what: str, unit: str
) -> Iterator[AnyRow]:
    for number, value in values:
        try:
            yield kind.model_validate(value)
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join(map(str, fault["loc"])) or "the whole"
            message = f"not {what}: {unit} {number}, {key}: {fault['msg'].lower()}"
            keys = ", ".join(name for name, field in kind.model_fields.items() if field.is_required())
            raise DataError(message, where=path, hint=f"each {unit} needs {keys}") from None
