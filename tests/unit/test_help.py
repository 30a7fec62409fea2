"""What `--help` of every program shows: an example that can be copied, and the defaults that say something."""

import argparse
import ast

import pytest

from optical.program import Help
from support.workspace import ROOT

PROGRAMS = sorted((ROOT / "workflow/scripts").glob("*.py"))


def name_of(path):
    """Return the name of a program, which tells its tests apart."""
    return path.stem


@pytest.mark.parametrize("path", PROGRAMS, ids=name_of)
def test_every_program_shows_an_example_that_can_be_copied(path):
    text = path.read_text(encoding="utf-8")
    page = ast.get_docstring(ast.parse(text))
    assert "program(__doc__)" in text
    lines = page.splitlines()
    first = next(place for place, line in enumerate(lines) if f"python workflow/scripts/{path.name} --" in line)
    last = next(place for place in range(first, len(lines)) if not lines[place].endswith("\\"))
    example = " ".join(line.removesuffix("\\") for line in lines[first : last + 1])
    options = {word for word in example.split() if word.startswith("--")}
    library = (ROOT / "workflow/scripts/optical/program.py").read_text(encoding="utf-8")
    assert all(f'"{option}"' in text + library for option in options)
    assert "%" not in page.replace("%%", ""), "argparse formats the description"


def test_help_keeps_lines_and_shows_the_defaults_that_say_something():
    parser = argparse.ArgumentParser(
        prog="p", description="What it does.\n\n  p --a 1 \\\n    --b 2", formatter_class=Help
    )
    parser.add_argument("--a", required=True, help="must be given")
    parser.add_argument("--b", type=int, default=0, help="a number")
    parser.add_argument("--c", action="store_true", help="a switch")
    parser.add_argument("--d", default={}, help="an empty map")
    text = parser.format_help()
    assert "\n  p --a 1 \\\n    --b 2\n" in text
    assert [line.split("(default: ")[1] for line in text.splitlines() if "(default" in line] == ["0)"]
