"""How the library is laid out: packages in an order, absolute imports, nothing in an `__init__.py`."""

import ast

import pytest

from support.workspace import ROOT

LIBRARY = sorted((ROOT / "workflow/scripts/optical").rglob("*.py"))
# A package, or a module beside the packages, imports from the floors below its own only.
FLOORS = [
    {"errors"},
    {"disk"},
    {"seals"},
    {"files"},
    {"zips"},
    {"config", "runtime"},
    {"atlas", "fetch", "losses", "program", "text"},
    {"corpora"},
    {"bitext", "plan"},
    {"models"},
    {"evaluation", "search"},
    {"report", "training", "web"},
    {"cli", "translation"},
]
FLOOR_OF = {name: number for number, floor in enumerate(FLOORS) for name in floor}


def module_of(path):
    """Return a library file's place in the library, such as `losses/transport`."""
    return path.relative_to(ROOT / "workflow/scripts/optical").with_suffix("").as_posix()


def imports_of(path):
    """Yield (module, name of what is taken from it, level) of every import of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, "", 0) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", name.name, node.level) for name in node.names)


@pytest.mark.parametrize("path", LIBRARY, ids=module_of)
def test_the_library_knows_neither_snakemake_nor_the_command_line(path):
    modules = {module.split(".")[0] for module, _, _ in imports_of(path)}
    assert "snakemake" not in modules
    assert "argparse" not in modules or module_of(path) == "program" or module_of(path).startswith("cli/")


@pytest.mark.parametrize("path", LIBRARY, ids=module_of)
def test_a_package_imports_only_packages_below_it(path):
    own = module_of(path).split("/")[0]
    assert own in FLOOR_OF or own == "__init__", "add it to FLOORS"
    for module, name, level in imports_of(path):
        assert level == 0, "imports are absolute"
        words = [*module.split("."), name]
        if words[0] == "optical" and words[1] not in (own, "__version__"):
            assert FLOOR_OF[words[1]] < FLOOR_OF[own], f"{own} imports {words[1]}"


def test_every_folder_of_the_library_is_a_package_that_says_what_it_holds_and_nothing_else():
    for folder in {path.parent for path in LIBRARY} - {ROOT / "workflow/scripts/optical"}:
        [docstring] = ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body
        assert isinstance(docstring, ast.Expr) and isinstance(docstring.value.value, str), folder.name
        assert "\n" not in docstring.value.value, folder.name
