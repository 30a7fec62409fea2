"""The tables of keys in config/README.md, made from the classes so that they cannot disagree with them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import yaml

from optical.config.base import FROM_ENCODER
from optical.config.describe import NULL, Schema, described, options, words
from optical.config.experiment import Config
from optical.config.fitting import DEFAULTS
from optical.errors import DataError

BEGIN, END = "<!-- keys -->", "<!-- end of keys -->"
BY_ENCODER = "#defaults-that-fit-the-encoder"
READER = "which reader reads the files; a separate table below lists the other keys of each reader"


class Key(NamedTuple):
    """One row: dotted path, type in words, default as YAML, meaning."""

    path: str
    kind: str
    default: str
    meaning: str


def page_with_tables(page: str) -> str:
    """Return the page with new tables between its two markers; raise `DataError` where it does not have them."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise DataError("the page has no place for the tables", hint=f"put {BEGIN} and {END} on lines of their own")
    return f"{head}{BEGIN}\n\n{tables()}\n{END}{tail}"


def tables() -> str:
    """Return the tables as Markdown: one of the plain keys, one for each block and each reader."""
    plain, sections = [], []
    for name, part in described(Config)["properties"].items():
        rows = list(keys(part, name))
        if rows[0].path == name:
            plain += rows
        else:
            sections.append(_section(f"### `{name}`", part["description"], rows))
        if name == "collection_table":
            sections += _readers("Collection", part)
        if name == "teacher":
            sections += _readers("Training set", part["properties"]["training_set"])
    return "\n".join([_section("### The experiment", "The plain keys", plain), *sections])


def keys(part: Schema, path: str) -> Iterator[Key]:
    """Yield a row for every key that holds a value, at a path and in the blocks there.

    >>> from optical.config.experiment import Search
    >>> [key.path for key in keys(described(Search), "search")][-1]
    'search.pruned.candidates'
    """
    steps, blocks = _blocks_in(part)
    if not blocks or NULL in options(part):
        waits = part.get("$comment") == FROM_ENCODER  # its null is its default, of which the table says more
        kind = words(part, quote="`")
        yield Key(path, kind.removesuffix(" or null") if waits else kind, _default(part, path), part["description"])
    for name, key in _common(blocks).items():
        yield from keys(key, f"{path}{steps}.{name}")


def _readers(what: str, part: Schema) -> Iterator[str]:
    """Yield a section for each reader, with the keys that not all of them have."""
    _, blocks = _blocks_in(part)
    for block in blocks:
        own = [name for name in block["properties"] if name not in _common(blocks)]
        rows = [row for name in own for row in keys(block["properties"][name], name)]
        yield _section(f"#### {what}: `{block['properties']['reader']['const']}`", block["description"], rows)


def _blocks_in(part: Schema) -> tuple[str, list[Schema]]:
    """Return the blocks that a key holds, and what stands before their keys: names of the user's, places in a list."""
    for option in options(part):
        inner = option.get("items") or "propertyNames" in option and option["additionalProperties"]
        if inner:
            step = "[]" if "items" in option else f".<{option['propertyNames'].get('title', 'name')}>"
            steps, blocks = _blocks_in(inner)
            return step + steps, blocks
    return "", [option for option in options(part) if "properties" in option and "$changes" not in option]


def _common(blocks: list[Schema]) -> Schema:
    """Return the keys that all of some blocks have."""
    inner = [block["properties"] for block in blocks]
    common = {name: inner[0][name] for name in inner[0] if all(name in keys for keys in inner)} if inner else {}
    if "reader" in common:
        common["reader"] = {"enum": [keys["reader"]["const"] for keys in inner], "description": READER}
    return common


# --- Markdown


def _section(title: str, intro: str, rows: Iterable[Key]) -> str:
    sentence = intro[:1].upper() + intro[1:] + ("" if intro.endswith("?") else ".")
    lines = [title, "", sentence, "", "| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.path}` | {row.kind} | {row.default} | {row.meaning} |" for row in rows]
    return "\n".join(lines).replace("<TAB>", "`<TAB>`") + "\n"


def _default(part: Schema, path: str) -> str:
    if path in DEFAULTS:
        return f"by [encoder]({BY_ENCODER}): " + ", ".join(f"`{_as_yaml(value)}`" for value in DEFAULTS[path])
    if part.get("$comment") == FROM_ENCODER:
        return FROM_ENCODER
    return f"`{_as_yaml(part['default'])}`" if "default" in part else "required"


def _as_yaml(value: object) -> str:
    """Return a value as one writes it in a config, on one line.

    >>> _as_yaml([True, "fp32", {"rate": 0.0001}])
    '[true, fp32, {rate: 0.0001}]'
    """
    return yaml.safe_dump([value], default_flow_style=True, sort_keys=False, width=1000).strip()[1:-1]
