"""The first fault of a block in one line: which key, which value, and what would be right."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from optical.config.base import Refused
from optical.config.describe import Schema, described, options, words
from optical.config.names import nearest
from optical.errors import ConfigError

UNKNOWN, MISSING, NAME = ("extra_forbidden", "invalid_key"), "missing", "[key]"
# For these faults, the type in words would not say what is wrong.
FORMS = {"string_pattern_mismatch": "{} does not have the right form", "too_short": "the list is empty"}
PAGE = "see config/README.md"
QUOTES = 'put quotes around text that YAML reads as something else, such as "no" or "1"'
SHOWN = 60  # signs of a value that a message repeats


class Place(NamedTuple):
    """Where a fault lies: the keys, what they lead to, its keys where it is a block, and the nearest meaning."""

    keys: list[str | int]
    part: Schema
    block: Schema
    meaning: str


def explain(error: ValidationError, kind: Any, values: object, where: str) -> ConfigError:
    """Return the first fault of a block as an error that names the key as one writes it in the config.

    An unknown key comes before a missing one, which it may be a misspelling of. If a value may have several types,
    each type has its own faults; the deepest ones belong to the type that was meant.

    Args:
        error: what pydantic found.
        kind: the class of the block, or the type of a block whose class its `reader` tells.
        values: the block as it was given.
        where: the block's key.
    """
    faults = [(fault, _place(fault, described(kind), values)) for fault in error.errors(include_url=False)]
    fault, place = max(faults, key=lambda found: (found[0]["type"] in UNKNOWN, len(found[1].keys)))
    what, hint = _what_and_hint(fault, place)
    keys = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place.keys)
    return ConfigError(what, where=f"{where}{keys}".removeprefix("config."), hint=hint or PAGE)


def _what_and_hint(fault: ErrorDetails, place: Place) -> tuple[str, str]:
    part, meaning, refused = place.part, place.meaning, fault.get("ctx", {}).get("error")
    if isinstance(refused, Refused):
        return refused.args[0], (*refused.args, meaning)[1]
    if fault["type"] in UNKNOWN:
        return f"unknown key {shown(fault['loc'][-1])}", nearest(str(fault["loc"][-1]), place.block)
    if fault["type"] == MISSING:
        part = place.block[str(fault["loc"][-1])]
        return f"{fault['loc'][-1]!r} is missing", f"{words(part) if 'enum' in part else part['description']}; {PAGE}"
    if NAME in fault["loc"]:
        part = next(option["propertyNames"] for option in options(part) if "propertyNames" in option)
        meaning = part.get("description", meaning)
    if fault["type"] in FORMS:
        return FORMS[fault["type"]].format(shown(fault["input"])), meaning
    wanted = words(part)
    article = "a " if re.match("whole|number|list|map", wanted) else ""
    quotes = f"{QUOTES}; " if "text" in wanted and isinstance(fault["input"], bool | int | float) else ""
    return f"{shown(fault['input'])} is not {article}{wanted}", quotes + meaning


def _place(fault: ErrorDetails, part: Schema, values: Any) -> Place:
    """Return where a fault lies: that of an unknown or missing key, or of a name of the user's, in the block around."""
    around = 2 if NAME in fault["loc"] else int(fault["type"] in (*UNKNOWN, MISSING))
    keys, meaning = [], part.get("description", "")
    for key in fault["loc"][: -around or None]:
        with suppress(LookupError, TypeError):  # of a step that names a type, or a kind of block
            part, values = _inside(part, key, values), values[key]
            meaning = part.get("description", meaning)
            keys.append(key)
    return Place(keys, part, _block(part, values), meaning)


def _inside(part: Schema, key: str | int, values: object) -> Schema:
    others = [option.get("items") or option.get("additionalProperties") for option in options(part)]
    return _block(part, values).get(str(key)) or next(filter(None, others), {})


def _block(part: Schema, values: object) -> Schema:
    """Return the keys of a block: where there are several kinds, of that which its `reader` names."""
    blocks = [option["properties"] for option in options(part) if "properties" in option]
    if len(blocks) > 1 and isinstance(values, Mapping):
        blocks = [block for block in blocks if values.get("reader") == block["reader"]["const"]]
    return blocks[0] if blocks else {}


def shown(value: Any) -> str:
    """Return a value as a message repeats it.

    >>> shown("a" * 99)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    >>> shown(None), shown(True)
    ('null', 'true')
    """
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 20].rstrip()}..."
