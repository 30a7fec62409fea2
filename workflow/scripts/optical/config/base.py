"""What every block of the config is made of: the base class, and the types of its values.

A block is a class and a key is a field. Its type, default, constraint and meaning stand there and nowhere else: the
JSON schema, the tables of config/README.md and the settings of every program come from these classes.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Self, TypeVar, get_args

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetPydanticSchema, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic.functional_validators import AfterValidator, BeforeValidator, model_validator
from pydantic_core import core_schema

from optical.config.scripts import SCRIPTS, script_hint
from optical.files import is_encoding

Item = TypeVar("Item")
adapter = cache(TypeAdapter)  # of a class, or of a type of `by_reader`


class Settings(BaseModel):
    """A block of the config: its keys are the fields, and the text below a field is its meaning.

    `optical.config.describe` reads the meanings from the source, where something asks for them: pydantic would read
    them at every start of every program, which takes longer than all else in these modules.

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
        frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True, regex_engine="python-re"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_null(cls, values: Any) -> Any:
        """Take the text `null` for null where a key admits that: on the command line everything is text."""
        if not isinstance(values, Mapping):
            return values
        nullable = {name for name, field in cls.model_fields.items() if _admits_null(field)}
        return {key: None if value == "null" and key in nullable else value for key, value in values.items()}

    @classmethod
    def read(cls, values: object, where: str = "config") -> Self:
        """Return the settings that a piece of config holds; text counts as a number where a number is asked for.

        Args:
            values: the block, as YAML or JSON has it; or settings of this class, which stay as they are.
            where: the block's key, for messages.

        Raises:
            ConfigError: a key is unknown or missing, or a value has the wrong type or is out of bounds.
        """
        return checked(cls, values, where)

    def given(self, settings: type["Settings"], **more: object) -> dict[str, object]:
        """Return the values that this block has for another class of settings, and those in `more`.

        A key is left out if its default depends on the encoder and nothing is given. The program fills it in.
        """
        values = self.model_dump(mode="json", include=set(settings.model_fields))
        waiting = {name for name, field in type(self).model_fields.items() if FromEncoder in field.metadata}
        return {name: value for name, value in values.items() if value is not None or name not in waiting} | more

    def changed(self, **changes: object) -> Self:
        """Return a copy with other values, checked as at first."""
        return self.read(self.model_dump() | changes)


def _admits_null(field: FieldInfo) -> bool:
    return type(None) in get_args(field.annotation) or FromEncoder in field.metadata


def checked(kind: Any, values: object, where: str) -> Any:
    """Return the settings that a piece of config holds: of a class, or of one that its `reader` tells."""
    try:
        return adapter(kind).validate_python(values)
    except ValidationError as error:
        from optical.config.faults import explain

        raise explain(error, kind, values, where) from None


class Refused(ValueError):
    """A fault that a check of ours finds: what is wrong and, where the key's meaning does not tell, what to do."""


# --- types of values

LARGEST = 10**18  # what computes with a number has 64 bits for it


def _refuse_no_number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise Refused(f"a number of {len(str(value))} digits", "give one of at most 18")
    return value


def _read_truth_value(value: object) -> object:
    return value == "true" if value in ("true", "false") else value


# Goes after the bounds of a number: the JSON schema knows only those that stand before it.
Numeric = BeforeValidator(_refuse_no_number)
Integer = Annotated[int, Numeric]
Number = Annotated[float, Numeric]
AtLeastZero = Annotated[int, Ge(0), Numeric]
Count = Annotated[int, Ge(1), Numeric]
Positive = Annotated[float, Gt(0), Numeric]
NotNegative = Annotated[float, Ge(0), Numeric]
Share = Annotated[float, Ge(0), Le(1), Numeric]
ShareBelowOne = Annotated[float, Ge(0), Lt(1), Numeric]
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_read_truth_value)]
Language = Annotated[
    str, Field(title="lang", pattern="^[a-z]{2,3}$", description="a code of two or three small letters, such as sw")
]


def _known_script(script: str) -> str:
    if script not in SCRIPTS:
        raise Refused(f"unknown script {script!r}", script_hint(script))
    return script


Script = Annotated[str, AfterValidator(_known_script), Field(json_schema_extra={"pattern": "^[A-Z][a-z]{3}$"})]


def _known_encoding(name: str) -> str:
    if not is_encoding(name):
        raise Refused(f"unknown encoding {name!r}", "give one that Python knows, such as utf-8 or iso-8859-1")
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]


def _each_once(values: list[Any]) -> list[Any]:
    for place, value in enumerate(values):
        if value in values[:place]:
            raise Refused(f"{value!r} is in the list twice")
    return values


Unique = Annotated[list[Item], AfterValidator(_each_once), Field(json_schema_extra={"uniqueItems": True})]

# --- marks of fields


class IsFile:
    """Marks a key whose value names files: paths, or rows of config/datasets.tsv. The plan turns both into paths."""


File = Annotated[str, IsFile]
Files = Annotated[str | list[str], IsFile]
FileByLanguage = Annotated[str | dict[str, str], IsFile]
FilesByLanguage = Annotated[str | dict[str, str | list[str]], IsFile]


def _nullable(source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    return core_schema.nullable_schema(handler(source))


# Marks a key of a block whose default depends on the encoder, by the table of `optical.config.fitting`: null until a
# program knows the encoder. To the type checker it is never null, because no program computes with it before.
FROM_ENCODER = "from the encoder"
FromEncoder = GetPydanticSchema(_nullable, lambda source, handler: handler(source) | {"$comment": FROM_ENCODER})
NOT_GIVEN: Any = None


def Shorthand(key: str) -> GetPydanticSchema:
    """Mark a block that a single value may stand for: with `Shorthand("weight")`, 0.5 means {weight: 0.5}."""

    def whole(value: object) -> object:
        return value if value is None or isinstance(value, Mapping | Settings) else {key: value}

    return GetPydanticSchema(
        lambda source, handler: core_schema.no_info_before_validator_function(whole, handler(source)),
        lambda schema, handler: {"anyOf": [{"type": "number"}, handler(schema)]},
    )


def Changes(of: type[Settings]) -> GetPydanticSchema:
    """Mark a block that gives some keys of another and leaves the rest: `Annotated[dict[str, Any], Changes(Student)]`.

    What is given is checked as in that block; the value is a dict of just these keys.
    """

    def given(values: Any, check: Any) -> dict[str, object]:
        return {key: value for key, value in check(values).model_dump().items() if key in values}

    as_dict = core_schema.plain_serializer_function_ser_schema(dict)
    return GetPydanticSchema(
        lambda source, handler: core_schema.no_info_wrap_validator_function(given, handler(of), serialization=as_dict),
        lambda schema, handler: handler(schema) | {"$changes": True},
    )
