"""Blocks that name a `reader`, which decides their other keys: collections and training sets."""

from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args

from pydantic import BeforeValidator, Field

from optical.config.base import Refused, Settings
from optical.config.names import nearest

Ids = str | dict[str, str]


def reader_of(kind: type[Settings]) -> str:
    """Return the reader whose blocks a class describes."""
    return str(get_args(kind.model_fields["reader"].annotation)[0])


def by_reader(kinds: tuple[type[Settings], ...]) -> Any:
    """Return the type of a block that its `reader` tells, one of these kinds.

    If a config changes the reader of a block, the keys of the previous reader are left out, and so are null values.
    """
    keys = {reader_of(kind): kind.model_fields.keys() for kind in kinds}
    known = {key for fields in keys.values() for key in fields}

    def own(values: object) -> object:
        if not isinstance(values, Mapping):
            return values
        reader = str(values.get("reader") or "")
        if reader not in keys:
            raise Refused(f"unknown reader {reader!r}" if reader else "'reader' is missing", nearest(reader, keys))
        foreign = known - keys[reader]
        return {key: value for key, value in values.items() if key not in foreign and value not in (None, "null")}

    return Annotated[Union[*kinds], Field(discriminator="reader"), BeforeValidator(own)]


def require_ids(block: Any, keys: tuple[str, ...]) -> None:
    """Refuse a block of ir_datasets that names neither the whole by `id` nor each part by its own id."""
    missing = [key for key in keys if block.id is None and getattr(block, key) is None]
    if missing:
        raise Refused(f"neither 'id' nor {missing[0]!r} is given", f"give id, or {', '.join(keys)}")
