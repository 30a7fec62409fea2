"""What the classes of the config say of their keys, as a JSON schema: messages, page and editors' schema read it.

Only this module reads the meanings of keys from the source, because that is too slow for the start of a program.
"""

import ast
import os
import re
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from optical.config.base import Settings, adapter

Schema = dict[str, Any]
NULL = {"type": "null"}
TYPES = {"boolean": "true or false", "integer": "whole number", "string": "text", "object": "map"}
BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}


@cache
def described(kind: Any) -> Schema:
    """Return the schema of a block, or of a type of `by_reader`; a block within it stands where it is used."""
    schema = adapter(kind).json_schema(schema_generator=_Generator)
    blocks = {f"#/$defs/{name}": block for name, block in schema.pop("$defs", {}).items()}
    return every(schema, lambda part: blocks[part.pop("$ref")] | part if "$ref" in part else part)


def every(part: Any, change: Callable[[Schema], Schema]) -> Any:
    """Return a schema with a change made in all its parts, from the whole to the smallest."""
    if isinstance(part, list):
        return [every(item, change) for item in part]
    return {key: every(item, change) for key, item in change(dict(part)).items()} if isinstance(part, dict) else part


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with the meanings of keys."""

    def model_schema(self, schema: Any) -> Schema:
        """Return a block with the meanings of its keys: its own first, then those of the blocks that it extends."""
        block = super().model_schema(schema)
        bases = [base for base in schema["cls"].__mro__ if issubclass(base, Settings)]
        texts = ChainMap(*(_texts_in(base.__module__).get(base.__name__, {}) for base in bases))
        place = {name: number for number, base in enumerate(bases) for name in base.__annotations__}
        names = sorted(block["properties"], key=place.__getitem__)
        block["properties"] = {name: block["properties"][name] | texts.get(name, {}) for name in names}
        block["description"] = " ".join(block.get("description", "").split("\n\n")[0].split()).removesuffix(".")
        del block["title"]
        return block

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Set no title that repeats the name of a key."""
        return False

    def tagged_union_schema(self, schema: Any) -> Schema:
        """Return the blocks to choose from; a part of a block may fit several, which pydantic's `oneOf` refuses."""
        return {"anyOf": [self.generate_inner(choice) for choice in schema["choices"].values()]}

    def dict_schema(self, schema: Any) -> Schema:
        """Return a map that refuses names of another form; pydantic's own schema admits them."""
        names, values = (self.generate_inner(schema[part]) for part in ("keys_schema", "values_schema"))
        return {"type": "object", "propertyNames": names, "additionalProperties": values}


@cache
def _texts_in(module: str) -> dict[str, dict[str, Schema]]:
    """Return class -> key -> the text below it, for the classes of a module; nothing where it has no source."""
    file = getattr(sys.modules.get(module), "__file__", None) or os.devnull
    nodes = ast.parse(Path(file).read_text(encoding="utf-8")).body
    return {node.name: dict(_texts_below(node.body)) for node in nodes if isinstance(node, ast.ClassDef)}


def _texts_below(fields: list[ast.stmt]) -> Iterator[tuple[str, Schema]]:
    for field, text in pairwise(fields):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield ast.unparse(field.target), {"description": " ".join(str(text.value.value).split())}


def options(part: Schema) -> list[Schema]:
    """Return what a value may be, each as a schema of its own."""
    return [inner for option in part["anyOf"] for inner in options(option)] if "anyOf" in part else [part]


def words(part: Schema, quote: str = "") -> str:
    """Return what a value may be, in words; `quote` goes around the words of a list to choose from.

    >>> words({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, {"type": "null"}]})
    'number above 0 to 1 or null'
    >>> words({"type": "array", "items": {"enum": ["query", "document"]}}, quote="`")
    'list of one of `query`, `document`'
    """
    return " or ".join(dict.fromkeys(_words_of(option, quote) for option in options(part)))


def _words_of(option: Schema, quote: str) -> str:
    if "enum" in option:
        return "one of " + ", ".join(f"{quote}{choice}{quote}" for choice in option["enum"])
    if "items" in option:
        return "list of " + re.sub(r"\b(number|map)\b", r"\1s", words(option["items"], quote))
    kind = str(option.get("type", "any value"))
    return " ".join([TYPES.get(kind, kind), *(f"{BOUNDS[key]} {option[key]}" for key in BOUNDS if key in option)])
