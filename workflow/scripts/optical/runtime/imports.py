"""The library files that a program depends on, found by reading the imports. An edit of them reruns its jobs."""

import ast
from collections.abc import Collection
from functools import cache
from pathlib import Path


def library_files(program: str | Path, unused: Collection[str] = ()) -> list[str]:
    """Return the files of the modules `optical.*` that a program beside them imports anywhere, directly or not.

    A module of the library may stand for the program. `unused` are modules to leave out, such as
    `training.encoder_pairs`, with what they alone import.
    """
    parents = Path(program).parents
    folder = next((parent for parent in parents if (parent / "optical").is_dir()), parents[0])
    left_out = {str((folder / "optical").joinpath(*module.split(".")).with_suffix(".py")) for module in unused}
    files: set[str] = set()
    waiting = [str(program)]
    while waiting:
        new = _imported(waiting.pop(), str(folder)) - files - left_out
        files |= new
        waiting += new
    return sorted(files)


@cache
def _imported(path: str, folder: str) -> set[str]:
    modules = {"optical.__init__"}
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("optical"):
            modules.add(node.module)
            modules.update(f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            modules.update(name.name for name in node.names if name.name.startswith("optical"))
    library = Path(folder, "optical")
    files = {Path(folder, *module.split(".")).with_suffix(".py") for module in modules}
    folders = {parent for file in files for parent in file.parents if parent.is_relative_to(library)}
    packages = {parent / "__init__.py" for parent in folders}
    return {str(file) for file in files | packages if file.is_file()}
