"""The tables of keys in config/README.md, made from the JSON schema so that they cannot disagree with it."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from optical.errors import DataError

BEGIN, END = "<!-- keys -->", "<!-- end of keys -->"
TYPES = {
    "null": "null",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "map",
    "array": "list",
}
BOUNDS = {"minimum": "from {}", "exclusiveMinimum": "above {}", "maximum": "to {}"}


class Key(NamedTuple):
    """One row: dotted path, type in words, default as YAML, description."""

    path: str
    kind: str
    default: str
    description: str


def page_with_tables(page: str, schema: dict) -> str:
    """Return the page with the tables between its two markers made anew; raise `DataError` where it has no markers."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise DataError("the page has no place for the tables", hint=f"put {BEGIN} and {END} on lines of their own")
    return f"{head}{BEGIN}\n\n{tables(schema)}\n{END}{tail}"


def tables(schema: dict) -> str:
    """Return the tables as Markdown: one of the plain keys, one for each block of keys."""
    plain, blocks = [], []
    for name, part in schema["properties"].items():
        part = _with_reference(part, schema)
        if part.get("type") == "object":
            blocks.append((name, part))
        else:
            plain.append(_row(name, part))
    sections = [("The experiment", "Plain keys.", plain)]
    sections += [(f"`{name}`", part["description"], list(_keys(name, part, schema))) for name, part in blocks]
    return "\n".join(_section(*section) for section in sections)


def keys(schema: dict) -> list[Key]:
    """Return every key of the schema that holds a value, also within blocks.

    >>> [key.path for key in keys({"properties": {"search": {"type": "object", "properties": {"top_k": {}}}}})]
    ['search.top_k']
    """
    return [key for name, part in schema["properties"].items() for key in _keys(name, part, schema)]


def _section(title: str, description: str, rows: list[Key]) -> str:
    lines = [f"### {title}", "", _sentence(description), ""]
    lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.path}` | {row.kind} | {row.default} | {_cell(row.description)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _keys(path: str, part: dict, schema: dict) -> Iterator[Key]:
    if path.startswith("method_table.") and "$ref" in part:  # described where it stands first
        yield _row(path, _with_reference(part, schema))
        return
    part = _with_reference(part, schema)
    inner = dict(part.get("properties", {}))
    defaults = part.get("default") or {}
    for name, below in inner.items():
        given = {"default": defaults[name]} if name in defaults else {}
        yield from _keys(f"{path}.{name}", below | given, schema)
    further, items = part.get("additionalProperties"), part.get("items", {})
    if isinstance(further, dict) and (further.get("properties") or further.get("type") == "array"):
        yield from _keys(f"{path}.<name>", further, schema)
    elif items.get("properties"):
        yield from _keys(f"{path}[]", items, schema)
    elif not inner:
        yield _row(path, part)


def _with_reference(part: dict, schema: dict) -> dict:
    if "$ref" not in part:
        return part
    return schema["$defs"][part["$ref"].removeprefix("#/$defs/")] | part


def _row(path: str, part: dict) -> Key:
    default = f"`{_as_yaml(part['default'])}`" if "default" in part else ""
    return Key(path, _kind(part), default, part.get("description", ""))


def _kind(part: dict) -> str:
    if "enum" in part:
        return "one of " + ", ".join(f"`{value}`" for value in part["enum"])
    names = part.get("type", [])
    words = " or ".join(TYPES[name] for name in ([names] if isinstance(names, str) else names))
    if part.get("type") == "array":
        words = f"list of {_kind(part['items'])}" if part.get("items") else words
    bounds = [form.format(part[bound]) for bound, form in BOUNDS.items() if bound in part]
    return " ".join([words or "text, list or map", *bounds])


def _as_yaml(value: object) -> str:
    """Return a value as one writes it in a config, on one line.

    >>> _as_yaml([True, "fp32", 0.0001])
    '[true, fp32, 1.0e-4]'
    """
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_yaml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_as_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, float) and 0 < abs(value) < 0.01:
        digits, _, exponent = f"{value:.6e}".partition("e")
        return f"{float(digits)}e{int(exponent)}"
    if isinstance(value, str) and value.replace("_", "").replace("-", "").isalnum():
        return value
    return json.dumps(value)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<TAB>", "`<TAB>`")
