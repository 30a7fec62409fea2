"""What every block of the config is made of: the base class, the types of its values, and its faults in one line.

A block is a class, a key a field: its type, default, constraint and meaning stand there and nowhere else. The JSON
schema, the tables of config/README.md and the settings of every program come from these classes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self, get_args

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo

from optical.config.names import nearest
from optical.errors import ConfigError


class Settings(BaseModel):
    """A block of the config: its keys are the fields, and the text below a field is its meaning.

    >>> class Search(Settings):
    ...     '''How documents are searched.'''
    ...
    ...     top_k: Count = 1000
    >>> Search.read({"top_k": "10"}).top_k
    10
    >>> Search.read({"topk": 10}, "search")
    Traceback (most recent call last):
    optical.errors.ConfigError: unknown key 'topk' [search]. Hint: did you mean top_k?
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, defer_build=True, regex_engine="python-re"
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Let a key that a subclass gives another default keep its meaning, and put every meaning on one line."""
        for name, field in cls.model_fields.items():
            known = [base.model_fields.get(name) for base in cls.__mro__ if issubclass(base, Settings)]
            described = next((one.description for one in known if one and one.description), None)
            block = settings_in([field.annotation])
            described = described or (block[0].__doc__ if len(block) == 1 else None)
            field.description = " ".join(described.split()) if described else None

    @model_validator(mode="before")
    @classmethod
    def _read_null(cls, values: Any) -> Any:
        """Take the text `null` for null where a key admits that: on the command line everything is text."""
        if not isinstance(values, Mapping):
            return values
        nullable = {name for name, field in cls.model_fields.items() if type(None) in get_args(field.annotation)}
        return {key: None if value == "null" and key in nullable else value for key, value in values.items()}

    @classmethod
    def read(cls, values: object, where: str = "config") -> Self:
        """Return the settings that a piece of config holds; text counts as a number where a number is asked for.

        Args:
            values: the block, as YAML or JSON has it; or settings of this class, which stay as they are.
            where: the block's key, for messages.

        Raises:
            ConfigError: a key is unknown, or a value has the wrong type or leaves its bounds.
        """
        if isinstance(values, cls):
            return values
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise explain(error, cls, values, where) from None

    def changed(self, **changes: object) -> Self:
        """Return a copy with other values, checked as at first."""
        return self.read(self.model_dump() | changes)


def _refuse_boolean(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are no numbers")
    return value


Integer = Annotated[int, BeforeValidator(_refuse_boolean)]
Number = Annotated[float, BeforeValidator(_refuse_boolean)]
AtLeastZero = Annotated[Integer, Ge(0)]
Count = Annotated[Integer, Ge(1)]
Positive = Annotated[Number, Gt(0)]
NotNegative = Annotated[Number, Ge(0)]
Share = Annotated[Number, Ge(0), Le(1)]


class IsFile:
    """Marks a key whose value names files: paths, or rows of config/datasets.tsv, to be resolved in planning."""


File = Annotated[str, IsFile]
Files = Annotated[str | list[str], IsFile]
FilesByLanguage = Annotated[str | dict[str, str | list[str]], IsFile]


def _each_once(values: object) -> object:
    if isinstance(values, Sequence) and not isinstance(values, str) and len(set(map(str, values))) < len(values):
        raise ValueError("has non-unique elements")
    return values


EachOnce = BeforeValidator(_each_once)

# --- faults in one line

REQUIRED, UNKNOWN_KEY, UNKNOWN_TAG = "missing", "extra_forbidden", "union_tag_invalid"
SHOWN = 60  # signs of a value that a message repeats


def explain(error: ValidationError, settings: type[Settings], values: object, where: str) -> ConfigError:
    """Return the first fault of a block as an error that names the key as one writes it in the config."""
    faults = error.errors(include_url=False)
    fault = next((one for one in faults if one["type"] == UNKNOWN_KEY), faults[0])  # a misspelt key is also missing
    keys = _keys_in(fault["loc"], values)
    block, field = _place(settings, fault["loc"])
    kind = fault["type"]
    if kind == UNKNOWN_KEY:
        known = block.model_fields if block else []
        return ConfigError(
            f"unknown key {keys[-1]!r}", where=_dotted(where, keys[:-1]), hint=nearest(str(keys[-1]), known)
        )
    if kind == REQUIRED:
        return ConfigError(f"{fault['loc'][-1]!r} is missing", where=_dotted(where, keys), hint="see config/README.md")
    if kind in (UNKNOWN_TAG, "union_tag_not_found"):
        return _unknown_tag(fault, keys, where)
    message = re.sub("^(Value error, |(Input|String|List|Dictionary) )", "", fault["msg"])
    if kind == "string_pattern_mismatch":
        message = "has not the form that is asked for"  # a pattern says less than the meaning of its key
    hint = field.description if field and field.description else "see config/README.md"
    return ConfigError(f"{shortened(fault['input'])} {message}", where=_dotted(where, keys), hint=hint)


def _unknown_tag(fault: Any, keys: list[str | int], where: str) -> ConfigError:
    """Return the error of a block that begins with a word which no kind of block answers to: `reader: palin`."""
    key = fault["ctx"]["discriminator"].strip("'")
    if fault["type"] != UNKNOWN_TAG:
        return ConfigError(f"{key!r} is missing", where=_dotted(where, keys), hint="see config/README.md")
    known = re.findall(r"'([^']+)'", fault["ctx"]["expected_tags"])
    tag = fault["ctx"]["tag"]
    return ConfigError(f"unknown {tag!r}", where=_dotted(where, [*keys, key]), hint=nearest(tag, known))


def shortened(value: object) -> str:
    """Return a value as a message repeats it.

    >>> shortened("a" * 99)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."
    """
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 20].rstrip()}..."


def _dotted(where: str, keys: Sequence[str | int]) -> str:
    """Return a key as one writes it.

    >>> _dotted("config", ["bitext", "sw", 0, "pairs"])
    'bitext.sw[0].pairs'
    """
    text = where + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.removeprefix("config.")


def _keys_in(loc: Sequence[str | int], values: object) -> list[str | int]:
    """Return the part of a fault's place that the config has; the rest names kinds of types.

    A key that is missing has no place but the block's.
    """
    keys: list[str | int] = []
    for key in loc:
        if isinstance(values, Mapping) and key in values or isinstance(values, list) and isinstance(key, int):
            values = values[key]  # type: ignore[index]
            keys.append(key)
    return keys


def _place(settings: type[Settings], loc: Sequence[str | int]) -> tuple[type[Settings] | None, FieldInfo | None]:
    """Return the innermost block that a fault lies in, and the field of it or of one around it."""
    block: type[Settings] | None = settings
    kinds: list[type[Settings]] = [settings]
    field: FieldInfo | None = None
    for key in loc:
        named = [kind for kind in kinds if key in kind.model_fields]
        tagged = [kind for kind in kinds if len(kinds) > 1 and key in tags_of(kind)]
        if named:
            block, field = named[0], named[0].model_fields[str(key)]
            kinds = settings_in([field.annotation, *field.metadata])
            block = kinds[0] if len(kinds) == 1 else block
        elif tagged:
            kinds, block = tagged, tagged[0]
    return (kinds[0] if len(kinds) == 1 else block), field


def tags_of(kind: type[Settings]) -> list[str]:
    """Return the words that name a kind of block: those that its key with fixed words and no default admits."""
    fixed = [field for field in kind.model_fields.values() if field.is_required() and _is_literal(field.annotation)]
    return [word for field in fixed for word in get_args(field.annotation)]


def _is_literal(annotation: object) -> bool:
    return getattr(annotation, "__origin__", None) is Literal


def settings_in(parts: Sequence[object]) -> list[type[Settings]]:
    """Return the blocks that an annotation mentions, at any depth."""
    found: list[type[Settings]] = []
    for part in parts:
        if isinstance(part, type) and issubclass(part, Settings):
            found.append(part)
        elif isinstance(part, Changes):
            found.append(part.of)
        else:
            found += settings_in(get_args(part))
    return list(dict.fromkeys(found))


class Changes:
    """Marks a block that gives some keys of another and leaves the rest: `Annotated[dict[str, Any], Changes(Student)]`.

    What is given is checked as in that block; the value is a dict of just these keys.
    """

    def __init__(self, of: type[Settings]):
        self.of = of

    def __get_pydantic_core_schema__(self, source: object, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_wrap_validator_function(self._given, handler.generate_schema(self.of))

    @staticmethod
    def _given(values: Any, check: Any) -> dict[str, object]:
        checked = check(values).model_dump()
        return {key: checked[key] for key in values}

    def __get_pydantic_json_schema__(self, core_schema: object, handler: Any) -> dict:
        schema = handler(self.of.__pydantic_core_schema__)
        return handler.resolve_ref_schema(schema) | {"$comment": "changes"}
