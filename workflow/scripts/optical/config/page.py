"""The tables of keys in config/README.md, made from the classes so that they cannot disagree with them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from types import NoneType
from typing import NamedTuple

from pydantic.fields import FieldInfo

from optical.config.base import Changes, FromEncoder, Settings
from optical.config.collections import COLLECTION_KINDS, CollectionBlock
from optical.config.describe import (
    Kind,
    blocks_in,
    items_of,
    keys_of,
    kinds_of_field,
    meanings,
    reader_of,
    summary,
    words,
)
from optical.config.experiment import Config
from optical.config.objectives import Objective, Objectives
from optical.config.training_sets import TRAINING_SET_KINDS, TrainingSetBlock
from optical.errors import DataError

BEGIN, END = "<!-- keys -->", "<!-- end of keys -->"
REQUIRED = "required"


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
    """Return the tables as Markdown: one of the plain keys, one for each block, reader and set of objectives."""
    fields = Config.model_fields
    blocks = {name: meanings(Config)[name] for name, field in fields.items() if _blocks_below(field)}
    plain = [_row(name, Config, name) for name in fields if name not in blocks]
    sections = [_section("The experiment", "The plain keys.", plain)]
    for name, meaning in blocks.items():
        sections.append(_section(f"`{name}`", meaning, _rows_of(name, Config, name)))
        sections += _FURTHER.get(name, list)()
    return "\n".join(sections)


def keys(block: type[Settings], path: str = "") -> Iterator[Key]:
    """Yield every key of a block that holds a value, also within its blocks.

    >>> from optical.config.experiment import Search
    >>> [key.path for key in keys(Search, "search.")][-1]
    'search.pruned.candidates'
    """
    for name in _own_first(block):
        yield from _rows_of(f"{path}{name}", block, name)


def _own_first(block: type[Settings]) -> list[str]:
    """Return the keys of a block: those that it adds itself, then those of the blocks that it extends."""
    bases = [base for base in block.__mro__ if issubclass(base, Settings)]
    first = {name: place for place, base in enumerate(bases) for name in base.__annotations__}
    return sorted(block.model_fields, key=lambda name: first[name])


# --- what a block holds


def _blocks_below(field: FieldInfo) -> list[type[Settings]]:
    """Return the blocks that a key holds, itself or as the items of a map or list."""
    kinds = kinds_of_field(field)
    while inner := [*items_of(kinds, dict), *items_of(kinds, list)]:
        if blocks := blocks_in(inner):
            return blocks
        kinds = inner
    return blocks_in(kinds_of_field(field))


def _rows_of(path: str, block: type[Settings], name: str) -> Iterator[Key]:
    """Yield the rows of one key: those of the block that it holds, or its own."""
    field = block.model_fields[name]
    inner = _blocks_below(field)
    if any(isinstance(mark, Changes) for mark in field.metadata) or inner == [Objectives]:
        yield _row(path, block, name)  # explained in a section of its own
    elif len(inner) > 1:
        yield from _rows_of_readers(path, block, name, inner)
    elif inner:
        kinds = kinds_of_field(field)
        if any(kind.type is NoneType for kind in kinds):
            yield _row(path, block, name)
        yield from keys(inner[0], f"{path}{_steps(kinds)}.")
    else:
        yield _row(path, block, name)


def _rows_of_readers(path: str, block: type[Settings], name: str, kinds: Sequence[type[Settings]]) -> Iterator[Key]:
    """Yield the keys that every reader has where they are the block's own, else one row that leads to the section."""
    common = next(base for base in (CollectionBlock, TrainingSetBlock) if issubclass(kinds[0], base))
    if common is TrainingSetBlock:
        yield _row(path, block, name)
        return
    path = f"{path}.<name>."
    yield _reader_row(path, kinds)
    yield from keys(common, path)


def _steps(kinds: Sequence[Kind]) -> str:
    """Return what stands between a key and those of its items: a name of the user's, a place in a list."""
    steps = ""
    while inner := [*items_of(kinds, dict), *items_of(kinds, list)]:
        named = [mark.title for kind in keys_of(kinds) for mark in kind.marks if isinstance(mark, FieldInfo)]
        steps += f".<{named[0] or 'name'}>" if named else "[]"
        kinds = inner
    return steps


# --- sections of readers and of objectives


def _collections() -> list[str]:
    return list(_readers("Collection", COLLECTION_KINDS, CollectionBlock))


def _training_sets() -> list[str]:
    intro = (
        "The keys of `teacher.training_set`, and of `method_table.<name>.training_set`, whose files and ids may hold"
        " {lang}. All readers take these two"
    )
    common = [_reader_row("", TRAINING_SET_KINDS), *keys(TrainingSetBlock)]
    return [
        _section("Training sets", intro, common),
        *_readers("Training set", TRAINING_SET_KINDS, TrainingSetBlock),
    ]


def _readers(what: str, kinds: Iterable[type[Settings]], common: type[Settings]) -> Iterator[str]:
    for kind in kinds:
        own = [name for name in _own_first(kind) if name != "reader" and name not in common.model_fields]
        rows = [row for name in own for row in _rows_of(name, kind, name)]
        yield _section(f"{what}: `{reader_of(kind)}`", summary(kind), rows, level=4)


def _reader_row(path: str, kinds: Iterable[type[Settings]]) -> Key:
    readers = ", ".join(f"`{reader_of(kind)}`" for kind in kinds)
    return Key(
        f"{path}reader", f"one of {readers}", REQUIRED, "the form of the files; decides the other keys, see below"
    )


def _objectives() -> list[str]:
    rows = [_row("<objective>.weight", Objective, "weight")]
    for name, field in Objectives.model_fields.items():
        rows.append(_row(name, Objectives, name)._replace(default=""))
        own = blocks_in(kinds_of_field(field))[0]
        rows += [_row(f"{name}.{key}", own, key) for key in own.model_fields if key not in Objective.model_fields]
    intro = f"{summary(Objectives)}. These are the keys of `method_table.<name>.objectives`."
    return [_section("Objectives", intro, rows)]


_FURTHER = {"collection_table": _collections, "teacher": _training_sets, "method_table": _objectives}

# --- Markdown


def _section(title: str, intro: str, rows: Iterable[Key], level: int = 3) -> str:
    lines = [f"{'#' * level} {title}", "", _sentence(intro), ""]
    lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += [f"| `{row.path}` | {row.kind} | {row.default} | {_cell(row.meaning)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _row(path: str, block: type[Settings], name: str) -> Key:
    field = block.model_fields[name]
    return Key(path, words(kinds_of_field(field), quote="`"), _default(field), meanings(block)[name])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return REQUIRED
    if field.default is None and FromEncoder in field.metadata:
        return "from the encoder"
    return f"`{_as_yaml(field.default)}`"


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
    return text[:1].upper() + text[1:] + ("" if text[-1] in ".?" else ".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<TAB>", "`<TAB>`")
