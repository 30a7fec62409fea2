"""The API reference shows examples as code, and is not made from a docstring that says what is not so."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from support.workspace import ROOT

RIGHT = """
    Args:
        count: of words.

    >>> double(2)
    4

    Raises:
        ValueError: too many.
"""


def build(folder, docstring):
    """Run the command of `make reference` on a library of one function."""
    for name in ("reference.yml", "reference_examples.py"):
        (folder / "docs").mkdir(exist_ok=True)
        shutil.copy(ROOT / "docs" / name, folder / "docs")
    settings = (ROOT / "docs/reference.yml").read_text(encoding="utf-8")
    (folder / "docs/reference.yml").write_text(re.sub(r"nav: .*", "nav: [index.md]", settings), encoding="utf-8")
    (folder / "docs/reference").mkdir()
    (folder / "docs/reference/index.md").write_text("# Words\n\n::: words\n", encoding="utf-8")
    (folder / "workflow/scripts").mkdir(parents=True)
    code = (
        f'"""Words."""\n\n\ndef double(count: int) -> int:\n    """Double.\n{docstring}    """\n    return 2 * count\n'
    )
    (folder / "workflow/scripts/words.py").write_text(code, encoding="utf-8")
    command = re.search(r"^reference:\n\tpython (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    arguments = [sys.executable, *shlex.split(command[1])]
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)


def test_arguments_errors_and_examples_are_shown(tmp_path):
    done = build(tmp_path, RIGHT)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "results/reference/index.html").read_text(encoding="utf-8")
    for part in ("<code>count</code>", "of words.", "ValueError", "&gt;&gt;&gt; double(2)\n4\n</code>"):
        assert part in page
    assert "<blockquote>" not in page


@pytest.mark.parametrize("wrong", ["count: of", "ValueError: too"])
def test_a_warning_is_an_error(tmp_path, wrong):
    done = build(tmp_path, RIGHT.replace(wrong, "number without a colon"))
    assert done.returncode != 0 and "WARNING" in done.stderr
