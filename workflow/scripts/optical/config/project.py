"""Where the project lies, and its config: for commands that a person runs anywhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optical.errors import ConfigError
from optical.files import open_text

if TYPE_CHECKING:
    import yaml

TABLE = "config/languages.tsv"
CLONE = "this needs the workflow: run it in a clone of the repository, which has config/"


def code_folder() -> Path:
    """Return the clone that this code lies in: the folder that holds config/ and workflow/."""
    return Path(__file__).resolve().parents[4]


def project_folder() -> Path:
    """Return the folder that holds config/ and workflow/: the current one, else the one that this file lies in."""
    for folder in (Path.cwd(), code_folder()):
        if (folder / TABLE).is_file():
            return folder
    raise ConfigError("not in the project's folder", where=Path.cwd(), hint=CLONE)


def read_config(paths: Sequence[str | Path]) -> dict[str, Any]:
    """Read config files; each overrides single keys of those before it, as Snakemake's --configfile does."""
    config: dict = {}
    for path in paths:
        config = merged(config, _read_yaml(path))
    return config


def _read_yaml(path: str | Path) -> dict:
    import yaml

    with open_text(path) as file:
        try:
            loader = yaml.SafeLoader(file)
            node = loader.get_single_node()
            _refuse_repeated(node, path)
            values = (loader.construct_document(node) if node else None) or {}
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f" in line {mark.line + 1}" if mark else ""
            raise ConfigError(f"not YAML{place}", where=path, hint="check indentation and quotes") from error
        except UnicodeError:
            raise
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
            raise ConfigError("not a config", where=path, hint="is it the right file?") from error
    if not isinstance(values, dict):
        raise ConfigError("no keys", where=path, hint="key: value, as in config/config.yaml")
    return values


def _refuse_repeated(node: "yaml.Node | None", path: str | Path) -> None:
    """Refuse a key that comes twice in a block: YAML would take the last one, and say nothing of the others."""
    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen or isinstance(node.value, str):  # an alias leads to a node again
            continue
        seen.add(id(node))
        keys: set[str] = set()
        for item in node.value:
            if isinstance(item, tuple):
                key, item = item
                if key.value != "<<" and str(key.value) in keys:
                    what = f"the key {key.value!r} comes twice in a block, in line {key.start_mark.line + 1} again"
                    raise ConfigError(what, where=path, hint="join the two, or remove one")
                keys.add(str(key.value))
            waiting.append(item)


def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return `before` overridden by `after`, blocks within blocks.

    >>> merged({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    """
    both = dict(before)
    for key, value in after.items():
        nested = isinstance(value, Mapping) and isinstance(both.get(key), Mapping)
        both[key] = merged(both[key], value) if nested else value
    return both


def nested(values: Mapping[str, object]) -> dict[str, Any]:
    """Return dotted keys as blocks within blocks.

    >>> nested({"student.steps": 100, "student.sides": ["query"], "vocabulary.pieces": 0})
    {'student': {'steps': 100, 'sides': ['query']}, 'vocabulary': {'pieces': 0}}
    """
    blocks: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        block = blocks
        for name in path:
            block = block.setdefault(name, {})
        block[last] = value
    return blocks
