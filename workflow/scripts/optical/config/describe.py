"""What the blocks of the config say about their keys: the meaning, and the type in words.

Faults, the JSON schema and the page of keys all read it here.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from optical.config.base import Changes, Settings, Shorthand

NAMES = {NoneType: "null", bool: "true or false", int: "whole number", float: "number", str: "text", dict: "map"}
BOUNDS = {Ge: ("ge", "from {}"), Gt: ("gt", "above {}"), Le: ("le", "to {}"), Lt: ("lt", "below {}")}


class Kind(NamedTuple):
    """One of the types that a value may have, with the marks and bounds that its annotation adds."""

    type: Any
    marks: tuple[object, ...]


def kinds_of(annotation: object, marks: Sequence[object] = ()) -> list[Kind]:
    """Return the types that an annotation admits.

    >>> [kind.type for kind in kinds_of(Annotated[int, Ge(0)] | None)]
    [<class 'int'>, <class 'NoneType'>]
    """
    if get_origin(annotation) is Annotated:
        inner, *own = get_args(annotation)
        return kinds_of(inner, [*_flat(own), *marks])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in kinds_of(part, marks)]
    return [Kind(annotation, tuple(marks))]


def kinds_of_field(field: FieldInfo) -> list[Kind]:
    """Return the types that a key of a block admits."""
    return kinds_of(field.annotation, _flat(field.metadata))


def _flat(marks: Iterable[object]) -> list[object]:
    """Return marks, with those of a `Field(...)` in its place, and itself for its description."""
    return [one for mark in marks for one in ([mark, *mark.metadata] if isinstance(mark, FieldInfo) else [mark])]


# --- types in words


def words(kinds: Sequence[Kind], quote: str = "") -> str:
    """Return what a value may be, in words; `quote` goes around the words of a list to choose from.

    >>> words(kinds_of(Annotated[float, Gt(0), Le(1)] | None))
    'number above 0 to 1 or null'
    >>> words(kinds_of(list[Literal["query", "document"]]), quote="`")
    'list of one of `query`, `document`'
    >>> words(kinds_of(list[int]))
    'list of whole numbers'
    """
    return " or ".join(dict.fromkeys(_words_of(kind, quote) for kind in kinds))


def _words_of(kind: Kind, quote: str) -> str:
    if is_block(kind.type) and (short := shorthand(kind)):
        return f"{words(kinds_of_field(kind.type.model_fields[short]), quote)} or map"
    if choices := choices_of(kind):
        return "one of " + ", ".join(f"{quote}{choice}{quote}" for choice in choices)
    if get_origin(kind.type) is list:
        return "list of " + re.sub(r"\b(number|map)\b", r"\1s", words(kinds_of(*get_args(kind.type)), quote))
    if is_block(kind.type) or get_origin(kind.type) is dict:
        return "map"
    bounds = [
        form.format(getattr(mark, name))
        for mark in kind.marks
        for bound, (name, form) in BOUNDS.items()
        if isinstance(mark, bound)
    ]
    return " ".join([NAMES.get(kind.type, "any value"), *bounds])


def shorthand(kind: Kind) -> str | None:
    """Return the key of a block that a single value stands for."""
    return next((mark.key for mark in kind.marks if isinstance(mark, Shorthand)), None)


def choices_of(kind: Kind) -> tuple[object, ...]:
    """Return the values that a key chooses from, where they are fixed."""
    return get_args(kind.type) if get_origin(kind.type) is Literal else ()


def note_of(kinds: Sequence[Kind]) -> str:
    """Return what the types themselves say of a value, where they do: the description of a `Field(...)`."""
    notes = [mark.description for kind in kinds for mark in kind.marks if isinstance(mark, FieldInfo)]
    return next((note for note in notes if note), "")


# --- blocks


def is_block(kind: object) -> bool:
    """Return whether a type is a block of the config."""
    return isinstance(kind, type) and issubclass(kind, Settings)


def blocks_in(kinds: Sequence[Kind]) -> list[type[Settings]]:
    """Return the blocks that a value may be, or change."""
    changed = [mark.of for kind in kinds for mark in kind.marks if isinstance(mark, Changes)]
    return list(dict.fromkeys([*changed, *(kind.type for kind in kinds if is_block(kind.type))]))


def items_of(kinds: Sequence[Kind], container: type) -> list[Kind]:
    """Return the types of what a value holds where it is a list, or a map with names of the user's."""
    holders = [kind.type for kind in kinds if get_origin(kind.type) is container]
    return [kind for holder in holders for kind in kinds_of(get_args(holder)[-1])]


def keys_of(kinds: Sequence[Kind]) -> list[Kind]:
    """Return the types of the names in a map where the user gives them."""
    return [part for kind in kinds if get_origin(kind.type) is dict for part in kinds_of(get_args(kind.type)[0])]


def reader_of(block: type[Settings]) -> str | None:
    """Return the `reader` that a block's keys belong to: the only word that this key of it admits."""
    field = block.model_fields.get("reader")
    choices = choices_of(kinds_of_field(field)[0]) if field else ()
    return str(choices[0]) if len(choices) == 1 else None


# --- meanings


@cache
def meanings(block: type[Settings]) -> Mapping[str, str]:
    """Return the meaning of every key of a block, on one line.

    It is the text below the field, of this class or of the nearest that it comes from. Without one it is what the
    type says, or for a block its first docstring's.
    """
    own: dict[str, str] = {}
    for base in reversed(block.__mro__):
        if is_block(base):
            own |= _texts_in(base.__module__).get(base.__qualname__, {})
    return {name: own.get(name) or _own_meaning(field) for name, field in block.model_fields.items()}


def _own_meaning(field: FieldInfo) -> str:
    kinds = kinds_of_field(field)
    blocks = blocks_in([*kinds, *items_of(kinds, dict)])
    return field.description or (summary(blocks[0]) if len(blocks) == 1 else "")


def summary(block: type[Settings]) -> str:
    """Return what a block is for, on one line."""
    return " ".join((block.__doc__ or "").split("\n\n")[0].split()).removesuffix(".")


@cache
def _texts_in(module: str) -> dict[str, dict[str, str]]:
    """Return class -> field -> the text below it, for the classes of a module; nothing where it has no source."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError):
        return {}
    return {node.name: dict(_texts_below(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _texts_below(node: ast.ClassDef) -> Iterable[tuple[str, str]]:
    for field, text in zip(node.body, node.body[1:], strict=False):
        named = isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if named and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield field.target.id, " ".join(str(text.value.value).split())
