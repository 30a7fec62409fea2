"""Faults of a config that can be told before any job runs, each as one line: what, where, and how to mend it."""

import ast
import contextlib
import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

from optical.errors import ConfigError

OWN = "results/"  # what lies below it, some rule makes


TRUTH = {"true": True, "false": False}


def typed(value: object, part: Mapping, schema: Mapping) -> object:
    """Return a piece of config with text read as a number, truth value or null where its part of the schema wants that.

    Within blocks that the command line gives everything is text, and YAML takes 5e-5 for text in files, too.

    >>> schema = {"properties": {"rate": {"type": "number"}, "name": {"type": "string"}}}
    >>> typed({"rate": "5e-5", "name": "1"}, schema, schema)
    {'rate': 5e-05, 'name': '1'}
    """
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")] | part
    if isinstance(value, Mapping):
        others = part.get("additionalProperties")
        parts = dict.fromkeys(value, others if isinstance(others, Mapping) else {}) | part.get("properties", {})
        return {key: typed(item, parts[key], schema) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item, part.get("items", {}), schema) for item in value]
    wanted = part.get("type", "string")
    if value == "null" and "null" in wanted:
        return None
    if not isinstance(value, str) or "string" in wanted:
        return value
    return TRUTH[value] if value in TRUTH else _number(value)


def _number(text: str) -> object:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


class SchemaFault(Protocol):
    """What `jsonschema.ValidationError` tells of the first place where a config leaves its schema."""

    message: str
    absolute_path: Iterable[str | int]
    validator: str
    instance: object
    schema: Mapping


def explain(fault: SchemaFault) -> ConfigError:
    """Return a fault that the schema found as an error that names the key as one writes it in the config."""
    where = "config" + "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in fault.absolute_path)
    where = where.removeprefix("config.")
    known = list(fault.schema.get("properties", {}))
    if fault.validator == "additionalProperties" and isinstance(fault.instance, Mapping):
        unknown = next(key for key in fault.instance if key not in known)
        return ConfigError(f"unknown key {unknown!r}", where=where, hint=nearest(str(unknown), known))
    if fault.validator == "required":
        return ConfigError(fault.message, where=where, hint="see config/README.md")
    described = fault.schema.get("description", "")
    return ConfigError(_shortened(fault.message), where=where, hint=described or "see config/README.md")


def _shortened(message: str) -> str:
    """Return a message without the long value that it may begin with, and without a long pattern.

    >>> _shortened("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18] is not of type 'string'")
    "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,... is not of type 'string'"
    >>> _shortened(f"'nDGC@10' does not match '^({'|'.join(['nDCG', 'AP'] * 20)})$'")
    "'nDGC@10' does not match"
    >>> _shortened("['AP', 'nDCG@10', 'R@100', 'RR', 'P@10', 'P@20', 'P@100', 'AP'] has non-unique elements")
    "['AP', 'nDCG@10', 'R@100', 'RR', 'P@10',... has non-unique elements"
    """
    value, verb, rest = [*re.split("( is | has | does not match )", message, maxsplit=1), "", ""][:3]
    if verb == " does not match " and len(rest) > 60:
        rest = ""  # a long pattern says less than the description of its key
    value = value if len(value) <= 60 else f"{value[:40].rstrip()}..."
    return " ".join(f"{value}{verb}{rest}".split())


def check_names(names: Iterable[str], key: str, known: Collection[str], remedy: str) -> None:
    """Raise `ConfigError` for a name that leads nowhere."""
    for name in names:
        if name not in known:
            raise ConfigError(f"unknown {name!r}", where=key, hint=f"{remedy}; {nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return which of the known names was meant, or all of them.

    >>> nearest("langauges", ["results", "languages"])
    'did you mean languages?'
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"


@cache
def objective_names() -> list[str]:
    """Return the names of the objectives, the keys of `OBJECTIVES`, from the source of that table.

    Its module imports torch, which is slow to load, and need not be there where an experiment is planned.
    """
    source = Path(__file__).parents[1] / "losses/objectives.py"
    module = ast.parse(source.read_text(encoding="utf-8"))
    named = {ast.unparse(node.target): node.value for node in module.body if isinstance(node, ast.AnnAssign)}
    return [ast.literal_eval(key) for key in named["OBJECTIVES"].keys]


def check_file(path: str, made: Collection[str]) -> str:
    """Return a path that the config names if it is there or some rule makes it; `made` are the bundled files."""
    if path.startswith(f"{OWN}atlas/") and path not in made:
        what = f"the bundled collection has no {path.removeprefix(f'{OWN}atlas/')}"
        raise ConfigError(what, where=path, hint="it is in eight languages; give files of your own for another")
    if not path.startswith(OWN) and not Path(path).exists():
        hint = "give a path from the project's folder, or a name of config/datasets.tsv"
        raise ConfigError("no such file", where=path, hint=hint)
    return path
