"""The JSON schema of a config file, by which editors complete and check keys.

It says less than the classes: any file may change single keys of another, so no key is required here.
"""

import json
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic.fields import FieldInfo

from optical.config.base import Changes, EachOnce, Settings
from optical.config.describe import (
    Kind,
    choices_of,
    is_block,
    kinds_of,
    kinds_of_field,
    meanings,
    reader_of,
    shorthand,
    summary,
)
from optical.config.experiment import Config

Schema = dict[str, object]
TYPES = {NoneType: "null", bool: "boolean", int: "integer", float: "number", str: "string"}
BOUNDS = {
    Ge: ("minimum", "ge"),
    Gt: ("exclusiveMinimum", "gt"),
    Le: ("maximum", "le"),
    Lt: ("exclusiveMaximum", "lt"),
    MinLen: ("minItems", "min_length"),
}


def json_schema() -> Schema:
    """Return the schema of a config file, draft 2020-12."""
    definitions: dict[str, Schema] = {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "made by `make docs` from workflow/scripts/optical/config; do not edit",
        "title": "configuration of an experiment",
        **_block(Config, definitions),
        "$defs": dict(sorted(definitions.items())),
    }


def schema_lines() -> list[str]:
    """Return the lines of the schema's file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False).split("\n")


def _block(block: type[Settings], definitions: dict[str, Schema], defaults: bool = True) -> Schema:
    nullable = reader_of(block) is not None  # null stands for the default there
    properties = {
        name: _field(field, meanings(block)[name], definitions, defaults, nullable and not field.is_required())
        for name, field in block.model_fields.items()
    }
    others: object = {"type": "string"} if block.model_config.get("extra") == "allow" else False
    return {
        "type": "object",
        "description": summary(block),
        "additionalProperties": others,
        "properties": properties,
    }


def _field(field: FieldInfo, meaning: str, definitions: dict[str, Schema], defaults: bool, nullable: bool) -> Schema:
    kinds = kinds_of_field(field)
    if nullable and not any(kind.type is NoneType for kind in kinds):
        kinds = [*kinds, Kind(NoneType, ())]
    schema = _value(kinds, definitions) | {"description": meaning}
    if defaults and not field.is_required() and field.default_factory is None:
        schema["default"] = field.default
    return schema


def _value(kinds: Sequence[Kind], definitions: dict[str, Schema]) -> Schema:
    """Return what one of some types is: their common schema where they differ in the type alone, else any of theirs."""
    schemas = [_kind(kind, definitions) for kind in kinds]
    schemas += [{"type": "number"} for kind in kinds if is_block(kind.type) and shorthand(kind)]
    if len(schemas) == 1:
        return schemas[0]
    if all(schema.keys() == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def _kind(kind: Kind, definitions: dict[str, Schema]) -> Schema:
    changed = next((mark.of for mark in kind.marks if isinstance(mark, Changes)), None)
    if changed:
        return _reference(changed, f"{changed.__name__}Changes", definitions, defaults=False)
    if is_block(kind.type):
        return _reference(kind.type, kind.type.__name__, definitions)
    schema = _plain(kind, definitions)
    for mark in kind.marks:
        named = next((pair for bound, pair in BOUNDS.items() if isinstance(mark, bound)), None)
        if named:
            schema[named[0]] = getattr(mark, named[1])
        elif pattern := getattr(mark, "pattern", None):
            schema["pattern"] = pattern
        elif mark is EachOnce:
            schema["uniqueItems"] = True
        elif isinstance(mark, FieldInfo) and isinstance(mark.json_schema_extra, Mapping):
            schema |= mark.json_schema_extra
    return schema


def _plain(kind: Kind, definitions: dict[str, Schema]) -> Schema:
    if choices := choices_of(kind):
        return {"enum": list(choices)}
    if get_origin(kind.type) is list:
        return {"type": "array", "items": _value(kinds_of(get_args(kind.type)[0]), definitions)}
    if get_origin(kind.type) is dict:
        keys, values = (_value(kinds_of(part), definitions) for part in get_args(kind.type))
        names = {} if keys == {"type": "string"} else {"propertyNames": keys}
        return {"type": "object", **names, "additionalProperties": values}
    return {"type": TYPES[kind.type]} if kind.type in TYPES else {}


def _reference(block: type[Settings], name: str, definitions: dict[str, Schema], defaults: bool = True) -> Schema:
    if name not in definitions:
        definitions[name] = {}  # a block may hold itself
        definitions[name] = _block(block, definitions, defaults)
    return {"$ref": f"#/$defs/{name}"}
