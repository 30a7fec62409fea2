"""The parts of docs/architecture.md that are made from the code: the table of packages, and the picture.

PYTHONPATH=workflow/scripts:tests python -m support.architecture     # writes them into the page
"""

import ast
import re

from support.workspace import ROOT

LIBRARY = ROOT / "workflow/scripts/optical"
PAGE = ROOT / "docs/architecture.md"
# Nearly every package imports some of these: the table names them, the picture would not be readable with them.
GROUND = {"errors", "disk", "seals", "files", "zips", "program", "config", "runtime", "text"}
# The way of the data: who writes which folder of results/, and who reads it.
WAY = [
    ("fetch", "data", "corpora"),
    ("fetch", "data", "bitext"),
    ("atlas", "atlas", "corpora"),
    ("atlas", "atlas", "bitext"),
    ("bitext", "bitext", "text"),
    ("corpora", "training_sets", "text"),
    ("text", "tokens", "training"),
    ("text", "tokens", "translation"),
    ("corpora", "collections", "search"),
    ("training", "students", "search"),
    ("translation", "translations", "search"),
    ("search", "runs", "evaluation"),
    ("evaluation", "tables", "report"),
]


def members():
    """Return the packages and the modules beside them, with their files: the first one says what it is."""
    folders = {path.parent.name: [path, *sorted(path.parent.rglob("*.py"))] for path in LIBRARY.glob("*/__init__.py")}
    modules = {path.stem: [path] for path in LIBRARY.glob("*.py") if path.stem != "__init__"}
    return dict(sorted((modules | folders).items()))


def imports_of(path):
    """Return the packages, and modules beside them, that a file imports from the library."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {module.split(".")[1] for module in modules if module.startswith("optical.")}


def package_imports():
    """Return what each package imports from others."""
    return {name: {other for path in paths for other in imports_of(path)} - {name} for name, paths in members().items()}


def package_table():
    """Return a row for each package, below those that it imports: its name, what it says of itself, its imports."""
    rows = ["| package | what it holds | imports |", "|---|---|---|"]
    imports = package_imports()

    def height(name):
        return max((1 + height(other) for other in imports[name]), default=0)

    for name, paths in sorted(members().items(), key=lambda member: (height(member[0]), member[0])):
        text = ast.get_docstring(ast.parse(paths[0].read_text(encoding="utf-8"))).splitlines()[0]
        rows.append(f"| `{name}` | {text} | {', '.join(f'`{other}`' for other in sorted(imports[name]))} |")
    return "\n".join(rows)


def arrows():
    """Return the imports that the picture shows: those among the packages above the ground."""
    return sorted(
        (name, other) for name, others in package_imports().items() for other in others if not GROUND & {name, other}
    )


def picture():
    """Return the picture: thick arrows for the way of the data, thin ones for imports."""
    way = [f'    {source} ==>|"{folder}/"| {target}' for source, folder, target in WAY]
    thin = [f"    {name} --> {other}" for name, other in arrows()]
    return "\n".join(["```mermaid", "flowchart TD", *way, *thin, "```"])


PARTS = {"packages": package_table, "picture": picture}


def shown(part):
    """Return a part as the page shows it, between its two marks."""
    page = PAGE.read_text(encoding="utf-8")
    return re.search(f"<!-- {part} -->\n(.*?)<!-- /{part} -->", page, re.DOTALL)[1].strip()


def write():
    """Write every part into the page."""
    page = PAGE.read_text(encoding="utf-8")
    for part, make in PARTS.items():
        before, rest = page.split(f"<!-- {part} -->\n")
        page = f"{before}<!-- {part} -->\n{make()}\n<!-- /{part} -->{rest.partition(f'<!-- /{part} -->')[2]}"
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write()
