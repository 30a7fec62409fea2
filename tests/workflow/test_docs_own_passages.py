"""docs/own-passages.md: its commands and its Python run in their order, on small random models."""

import re
import shlex

import pytest

from optical.cli.main import main
from optical.files import write_jsonl
from support.toy_results import DOCUMENTS, make_results
from support.workspace import ROOT

PAGE = (ROOT / "docs/own-passages.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    make_results(tmp_path / "results")
    write_jsonl(tmp_path / "passages.jsonl", DOCUMENTS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_run_one_after_the_other(folder, capsys):
    commands = re.findall(r"^\$ optical (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 5
    for command in commands:
        assert main(shlex.split(command)) == 0, command
        output, error = capsys.readouterr()
        assert output and not error


def test_five_lines_of_python_do_the_same(folder, capsys):
    first, later = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in first.splitlines() if line]) == 5
    names = {}
    exec(first, names)
    assert len(capsys.readouterr().out.splitlines()) == 3
    exec(later, names)
    assert [len(hits) for hits in names["answers"]] == [3, 3]
