"""Files of arguments: how settings and long lists reach a program without a long command.

A program takes `@FILE` for the lines of a file, an option or a value each (see `optical.program.Parser`). The file's
name is a digest of its content: the same arguments are the same file, and others make the job run again.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from optical.config.base import Settings
from optical.files import write_lines

FOLDER = "results/arguments"


def command_words(
    files: Mapping[str, str | Sequence[str]], options: Mapping[str, object], folder: str | Path = FOLDER
) -> list[str]:
    """Return the options of a program as words of a command: `@FILE` for those in a file of arguments, and the others.

    Args:
        files: name of the option -> a path or a list of paths; several stand in the file, and none is left out.
        options: what stands in the file, see `argument_file`.
    """
    paths = {name: [value] if isinstance(value, str) else value for name, value in files.items()}
    listed = dict(options) | {name: several for name, several in paths.items() if len(several) > 1}
    words = [word for name, single in paths.items() if len(single) == 1 for word in (_option(name), str(single[0]))]
    return [*([argument_file(listed, folder)] if listed else []), *words]


def argument_file(options: Mapping[str, object], folder: str | Path = FOLDER) -> str:
    """Write options into a file, unless it is there, and return its name as a program takes it: `@FILE`.

    Args:
        options: name of the option -> its value; a list of plain values stands a value a line, a map or a list of maps
            is JSON; True is the option alone; one whose value is None, False or an empty list is left out.
    """
    words = [word for name, value in options.items() for word in _words(_option(name), value)]
    lines = [word if word.isprintable() and not word.startswith('"') else json.dumps(word) for word in words]
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
    path = Path(folder, f"{digest}.txt")
    _write_once(path, tuple(lines))
    return f"@{path}"


@cache
def _write_once(path: Path, lines: tuple[str, ...]) -> None:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_lines(path, lines)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _words(option: str, value: object) -> list[str]:
    value = as_json(value)
    if value is None or value is False or value == []:
        return []
    if value is True:
        return [option]
    if isinstance(value, list) and not isinstance(value[0], dict | list):
        return [option, *map(str, value)]
    return [f"{option}={json.dumps(value) if isinstance(value, dict | list) else value}"]


def as_json(value: object) -> object:
    """Return a value as JSON values: settings as maps, maps and lists of them too."""
    if isinstance(value, Settings):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value
