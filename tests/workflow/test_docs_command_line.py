"""Every `optical` line of the documentation and of the commands' help runs, on small random models."""

import os
import re
import shlex
from pathlib import Path

import pytest

from optical import Retriever
from optical.cli.export import FORMATS
from optical.cli.main import COMMANDS, main
from optical.evaluation.scores import Score, write_scores
from optical.files import write_jsonl, write_lines
from support.prepared import write_beir
from support.toy_results import DOCUMENTS, make_results, student_of
from support.workspace import ROOT, make_workspace, packaged_encoder

PAGE = ROOT / "docs/command-line.md"
IN_DOCS = re.findall(r"^\$ optical (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
ELSEWHERE = [
    line
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("config/**/*.md")]
    for line in re.findall(r"^ {4,}optical (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
]
IN_HELP = [line for module in COMMANDS.values() for line in re.findall(r"^  optical (.*)$", module.__doc__, re.M)]


def write_own_files(folder):
    """Write what a person brings: sentence pairs, passages, a query and a judgement."""
    english, foreign = ["the river is long", "where is the moon"], ["umfula mude", "inyanga iphi"]
    files = {
        "en.txt": english,
        "zu.txt": foreign,
        "zu.tsv": map("\t".join, zip(english, foreign, strict=True)),
        "pairs.csv": ["English,Zulu", *map(",".join, zip(english, foreign, strict=True))],
        "docs.tsv": ["d1\tthe moon is far"],
        "passages.csv": ["id,text", "d1,the moon is far"],
        "q.tsv": ["q1\tinyanga iphi"],
        "qrels.txt": ["q1 0 d1 1"],
    }
    for name, lines in files.items():
        write_lines(folder / name, lines)
    write_jsonl(folder / "passages.jsonl", DOCUMENTS)
    write_beir(folder / "scifact")


@pytest.fixture
def workspace(tmp_path_factory, monkeypatch):
    """A folder with config/ and the results of an experiment."""
    folder = tmp_path_factory.getbasetemp() / "documentation"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    if not folder.exists():
        results = make_results(folder / "results")
        for place, seed in (("scores", "1"), ("second/scores", "2")):
            scores = [Score("atlas", "optical", "sw", seed, f"q{number}", "AP", number / 8) for number in range(8)]
            write_scores(results / place / "atlas/sw.tsv", scores)
        write_jsonl(folder / "passages.jsonl", DOCUMENTS)
        write_scores(folder / "seed-1.tsv.gz", scores)
        Retriever.load(student_of(results)).index(DOCUMENTS, folder / "passages.index")
        make_workspace(folder)
        write_own_files(folder / "data")
        packaged_encoder(folder)
    monkeypatch.syspath_prepend(folder / "packages")
    monkeypatch.setenv("PYTHONPATH", f"{folder / 'packages'}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("line", dict.fromkeys([*IN_DOCS, *ELSEWHERE, *IN_HELP]))
def test_the_example_runs(workspace, line, capsys, monkeypatch):
    arguments = shlex.split(line)
    if arguments[0] == "serve":  # all but to wait for requests
        monkeypatch.setattr("uvicorn.Server.run", lambda server, sockets: None)
    if "--push" in arguments:  # all but the upload
        monkeypatch.setenv("HF_TOKEN", "hf_write")
        monkeypatch.setattr("optical.cli.export.push_folder", lambda folder, repository, public: repository)
    if arguments[0] == "distil" and "--settings" not in arguments:  # not a thousand steps
        arguments += ["--settings", "{steps: 2}"]
    if arguments[0] == "new":  # not into the project's own folder
        arguments += ["--to", ""]
    if "--to" in arguments:
        place = arguments.index("--to") + 1
        arguments[place] = str(workspace / re.sub(r"\W", "-", line))
    assert main(arguments) in ((0, 1) if line == "doctor" else (0,))
    output, error = capsys.readouterr()
    assert error == "" and output
    for option in {"--out", "--png", "--to"} & set(arguments):
        assert Path(arguments[arguments.index(option) + 1]).exists(), option


def test_the_page_names_every_command_and_format():
    text = PAGE.read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"| `optical {command}` |" in text
    for form in FORMATS:
        assert f"| `{form}` |" in text
    assert len(IN_DOCS) > 10 and len(IN_HELP) >= len(COMMANDS)
