"""The first fault of a block in one line: which key, which value, and what would be right."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from optical.config.base import Refused, Settings
from optical.config.describe import (
    Kind,
    blocks_in,
    choices_of,
    is_block,
    items_of,
    keys_of,
    kinds_of,
    kinds_of_field,
    meanings,
    note_of,
    reader_of,
    summary,
    words,
)
from optical.config.names import nearest
from optical.errors import ConfigError

MISSING, INVALID_KEY, UNKNOWN_KEY = "missing", "invalid_key", "extra_forbidden"
NO_TAG, UNKNOWN_TAG = "union_tag_not_found", "union_tag_invalid"
PAGE = "see config/README.md"
QUOTES = 'put quotes around a word that YAML reads as something else, such as "no"'
SHOWN = 60  # signs of a value that a message repeats
Key = str | int


class Place(NamedTuple):
    """Where a fault lies: its keys, what is asked for there, the block around it, and what the config's page says."""

    keys: list[Key]
    kinds: list[Kind]
    block: type[Settings] | None
    meaning: str


def explain(error: ValidationError, settings: Any, values: object, where: str) -> ConfigError:
    """Return the first fault of a block as an error that names the key as one writes it in the config.

    Args:
        error: what pydantic found.
        settings: the class of the block, or the type of a block whose class its `reader` tells.
        values: the block as it was given.
        where: the block's key.
    """
    fault = _first(error.errors(include_url=False), values)
    kind, loc = fault["type"], fault["loc"]
    if kind == INVALID_KEY or "[key]" in loc:
        around = loc[: loc.index("[key]") - 1] if "[key]" in loc else loc[:-1]
        return _refused_name(fault["input"], _place(settings, around, values), where)
    place = _place(settings, loc[:-1] if kind == MISSING else loc, values)
    if kind == UNKNOWN_KEY:
        *around, key = place.keys
        known = place.block.model_fields if place.block else []
        return ConfigError(f"unknown key {key!r}", where=_dotted(where, around), hint=nearest(str(key), known))
    if kind == MISSING:
        return _missing(str(loc[-1]), place, where)
    if kind in (NO_TAG, UNKNOWN_TAG):
        return _unknown_reader(fault, place, where)
    refused = fault.get("ctx", {}).get("error")
    if isinstance(refused, Refused):
        return ConfigError(refused.what, where=_dotted(where, place.keys), hint=refused.hint or place.meaning)
    return ConfigError(_wrong(fault, place), where=_dotted(where, place.keys), hint=_hint(fault, place))


def _first(faults: Sequence[ErrorDetails], values: object) -> ErrorDetails:
    """Return an unknown key, else the first fault, and of those inside it the one that names the most keys.

    A misspelt key is also missing; and where a value has one of several types, each of them has its own faults.
    """
    unknown = next((fault for fault in faults if fault["type"] == UNKNOWN_KEY), None)
    if unknown:
        return unknown
    beginning = _keys_in(faults[0]["loc"], values)
    inside = [fault for fault in faults if _keys_in(fault["loc"], values)[: len(beginning)] == beginning]
    return max(inside, key=lambda fault: len(_keys_in(fault["loc"], values)))


def _missing(key: str, place: Place, where: str) -> ConfigError:
    meaning = ""
    if place.block:
        kinds = kinds_of_field(place.block.model_fields[key])
        meaning = words(kinds) if any(map(choices_of, kinds)) else meanings(place.block)[key]
    return ConfigError(f"{key!r} is missing", where=_dotted(where, place.keys), hint=f"{meaning}; {PAGE}")


def _unknown_reader(fault: ErrorDetails, place: Place, where: str) -> ConfigError:
    """Return the error of a block with a reader that does not exist, or without one."""
    readers = [reader for block in blocks_in(place.kinds) if (reader := reader_of(block))]
    if fault["type"] == NO_TAG:
        hint = f"one of {', '.join(readers)}; {PAGE}"
        return ConfigError("'reader' is missing", where=_dotted(where, place.keys), hint=hint)
    reader = fault["ctx"]["tag"]
    return ConfigError(
        f"unknown {reader!r}", where=_dotted(where, [*place.keys, "reader"]), hint=nearest(reader, readers)
    )


def _refused_name(name: object, place: Place, where: str) -> ConfigError:
    """Return the error of a name that the user gave: of a collection, a method, a language."""
    kinds = keys_of(place.kinds)
    hint = note_of(kinds) or place.meaning or PAGE
    if not isinstance(name, str):
        what, hint = f"{shown(name)} is not text", f"{QUOTES}; {hint}"
    elif any(map(choices_of, kinds)):
        what = f"{shown(name)} is not {words(kinds)}"
    else:
        what = f"{shown(name)} does not have the right form"
    return ConfigError(what, where=_dotted(where, place.keys), hint=hint)


def _wrong(fault: ErrorDetails, place: Place) -> str:
    if fault["type"] == "string_pattern_mismatch":  # the pattern says less than the meaning of its key
        return f"{shown(fault['input'])} does not have the right form"
    if fault["type"] == "too_short":
        return "the list is empty" if isinstance(fault["input"], list) else f"{shown(fault['input'])} is too short"
    wanted = words(place.kinds)
    article = "a " if re.match("whole|number|list|map", wanted) else ""
    return f"{shown(fault['input'])} is not {article}{wanted}"


def _hint(fault: ErrorDetails, place: Place) -> str:
    if isinstance(fault["input"], bool) and "text" in words(place.kinds):
        return f'put quotes around a word that YAML reads as true or false, such as "no"; {place.meaning}'
    return place.meaning or PAGE


# --- places


def _place(settings: Any, loc: Sequence[Key], values: object) -> Place:
    """Return the place in the config that a fault's `loc` leads to."""
    block = settings if is_block(settings) else None
    place = Place([], kinds_of(settings), block, summary(block) if block else "")
    for key in loc:
        if not _has(values, key):
            continue  # the name of a type, or of a kind of block
        place = _step(place, key, values)
        values = values[key]  # type: ignore[index]
    inner = _block(place.kinds, values)
    return place._replace(block=inner or place.block)


def _step(place: Place, key: Key, values: object) -> Place:
    block = _block(place.kinds, values)
    keys = [*place.keys, key]
    if block is None:
        kinds = items_of(place.kinds, list if isinstance(key, int) else dict)
        return Place(keys, kinds, place.block, note_of(kinds) or place.meaning)
    if key not in block.model_fields:  # unknown, or a further column of a language
        return Place(keys, kinds_of(str), block, summary(block))
    kinds = kinds_of_field(block.model_fields[str(key)])
    return Place(keys, kinds, block, meanings(block)[str(key)])


def _block(kinds: Sequence[Kind], values: object) -> type[Settings] | None:
    """Return the block that a value is: where there are several, the one of its reader."""
    blocks = blocks_in(kinds)
    if len(blocks) > 1:
        reader = values.get("reader") if isinstance(values, Mapping) else None
        blocks = [block for block in blocks if reader_of(block) == reader]
    return blocks[0] if blocks else None


def _keys_in(loc: Sequence[Key], values: object) -> list[Key]:
    """Return the part of a fault's `loc` that the config has."""
    keys: list[Key] = []
    for key in loc:
        if _has(values, key):
            values = values[key]  # type: ignore[index]
            keys.append(key)
    return keys


def _has(values: object, key: Key) -> bool:
    if isinstance(values, Mapping):
        return key in values
    return isinstance(values, list) and isinstance(key, int) and key < len(values)


def _dotted(where: str, keys: Sequence[Key]) -> str:
    """Return a key as one writes it.

    >>> _dotted("config", ["bitext", "sw", 0, "pairs"])
    'bitext.sw[0].pairs'
    """
    text = where + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix("config.")


def shown(value: Any) -> str:
    """Return a value as a message repeats it.

    >>> shown("a" * 99)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    >>> shown(None), shown(True)
    ('null', 'true')
    """
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 20].rstrip()}..."
