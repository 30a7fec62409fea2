"""Blocks that name a `reader`, which decides their other keys: collections and training sets."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from optical.config.base import Refused, Settings

Ids = str | dict[str, str]


def by_reader(kinds: tuple[type[Settings], ...]) -> Any:
    """Return the type of a block that its `reader` tells, one of these kinds.

    A config that changes the reader of a block inherits the keys of the reader before: those are left out, and so is
    what is null.
    """
    keys = {get_args(kind.model_fields["reader"].annotation)[0]: kind.model_fields.keys() for kind in kinds}
    known = {key for fields in keys.values() for key in fields}

    def own(values: object) -> object:
        if not isinstance(values, Mapping) or str(values.get("reader")) not in keys:
            return values
        foreign = known - keys[values["reader"]]
        return {key: value for key, value in values.items() if key not in foreign and value not in (None, "null")}

    return Annotated[reduce(or_, kinds), Field(discriminator="reader"), BeforeValidator(own)]


def read_block(kinds: Any, values: object, where: str) -> Any:
    """Return a block of the class that its `reader` tells; `kinds` is a type of `by_reader`.

    Raises:
        ConfigError: a key is unknown or missing, or a value is wrong.
    """
    if isinstance(values, Settings):
        return values
    try:
        return TypeAdapter(kinds).validate_python(values)
    except ValidationError as error:
        from optical.config.faults import explain

        raise explain(error, kinds, values, where) from None


def require_ids(block: Any, keys: tuple[str, ...]) -> None:
    """Refuse a block of ir_datasets that names neither the whole by `id` nor each part by its own id."""
    missing = [key for key in keys if block.id is None and getattr(block, key) is None]
    if missing:
        raise Refused(f"neither 'id' nor {missing[0]!r} is given", f"give id, or {', '.join(keys)}")
