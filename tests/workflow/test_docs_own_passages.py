"""docs/own-passages.md: its commands and its Python run in their order, on small random models."""

import os
import re
import shlex
import shutil

import pytest

from optical.cli.main import main
from optical.files import write_jsonl, write_lines
from optical.search.runs import read_run
from support.toy_results import DOCUMENTS, make_results
from support.workspace import ROOT, packaged_encoder

PAGE = (ROOT / "docs/own-passages.md").read_text(encoding="utf-8")


def make_project(folder):
    """Link the workflow and copy its config, in which `optical new` writes, beside files of a person's own."""
    for name in ("workflow", "rules", "envs"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "config", folder / "config")
    packaged_encoder(folder, folder / "results/teacher")
    write_lines(folder / "data/en.txt", (f"the river is {number} miles long" for number in range(400)))
    write_lines(folder / "data/zu.txt", (f"umfula umude ngamamayela angu-{number}" for number in range(400)))
    write_jsonl(folder / "data/passages.jsonl", DOCUMENTS)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    make_results(tmp_path / "results")
    make_project(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'packages'}:{os.environ.get('PYTHONPATH', '')}")
    write_jsonl(tmp_path / "passages.jsonl", DOCUMENTS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_run_one_after_the_other(folder, capsys):
    commands = re.findall(r"^\$ optical (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 16
    for command in commands:
        assert main(shlex.split(command)) == 0, command
        output, error = capsys.readouterr()
        assert output and not error


def test_five_lines_of_python_do_the_same(folder, capsys):
    first, later, changes, run, measured, again = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in first.splitlines() if line]) == 5
    names = {}
    exec(first, names)
    assert len(capsys.readouterr().out.splitlines()) == 3
    exec(later, names)
    assert [len(hits) for hits in names["answers"]] == [3, 3]
    exec(changes, names)
    assert names["hits"] == [] and names["retriever"].index_now().size == len(DOCUMENTS)
    exec(run, names)
    assert {query: len(hits) for query, hits in read_run("run.trec").items()} == dict.fromkeys(
        ["q1", "q2"], len(DOCUMENTS)
    )
    write_lines("qrels.txt", [f"q1 0 {DOCUMENTS[0]['id']} 1"])
    exec(measured, names)
    assert re.fullmatch(r"q1 AP [\d.]+\nq1 nDCG@10 [\d.]+\n", capsys.readouterr().out)
    exec(again, names)
    assert {hit.id for hit in names["hits"]} == {"0", "1"}
