"""Every `optical` command of the documentation and of the commands' help runs, on small random models.

`NOT_RUN` lists the commands that no test runs as they stand, those of other programs too, and says why. The commands of
`snakemake`, `make` and `python` are those of test_docs_commands.
"""

import os
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
import torch

from optical import Retriever
from optical.cli.export import FORMATS
from optical.cli.main import COMMANDS, main
from optical.evaluation.scores import Score, write_scores
from optical.files import write_jsonl, write_lines
from optical.models.changes import save_changes
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.runtime.provenance import content_hash
from optical.search.encoding import encode_documents
from support.pages import PAGES, commands_in
from support.prepared import write_beir
from support.toy_results import DOCUMENTS, make_results, student_of
from support.workspace import ROOT, make_workspace, packaged_encoder

PAGE = ROOT / "docs/command-line.md"
IN_DOCS = re.findall(r"^\$ optical (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
IN_HELP = [
    shlex.join(shlex.split(line))
    for module in COMMANDS.values()
    for line in re.findall(r"^  optical (.*)$", module.__doc__, re.M)
]
# Pages whose `$ optical` lines need each other, and the test that runs them in their order.
IN_ORDER = {"docs/own-passages.md": "test_docs_own_passages", "docs/your-language.md": "test_docs_your_language"}
BUILD = "optical index build passages.jsonl --model results/students/sw/optical/1 --to large.index --engine lancedb"
# Commands that are not run, by their beginning: what they need, and the test that tries something like it.
NOT_RUN = {
    "optical --help": "prints the help: test_main",
    "optical COMMAND --help": "stands for every command: test_main",
    "optical check config/paper.yaml": "files that the reader downloads: test_check",
    "optical export --push": "names an option: test_export",
    "optical index build --engine lancedb": "names an option: test_engine",
    f"{BUILD} --store": "a bucket: test_engine",
    "optical merge docs/scores/": "some seconds each: test_merge",
    "optical new --encoder": "names an option: test_new",
    "optical search --lang so": "names an option: test_search",
    "pip install": "a network",
    "pip wheel": "a minute: test_wheel",
    "pre-commit install": "another program",
    "git clone": "a network",
    "apptainer build": "another program, and a network",
    "jq ": "another program",
    "awk ": "another program",
    "rsync ": "another program, and another machine",
    "curl ": "another program, and a server",
    "moto_server ": "a server: test_engine",
    "benchmarks/gpu.sh": "ten minutes, and a GPU",
    "cp results/": "what a run of some minutes has written",
    "export AWS_": "the reader's shell",
    "cd ": "the reader's shell",
    ". .venv/bin/activate": "the reader's shell",
}
WITH_OWN_TESTS = ("snakemake", "make", "python")  # test_docs_commands


def documented():
    """Return the commands of the pages, each once, without what only names one, as `optical new` does."""
    found = {}
    for page, text in PAGES.items():
        for words in commands_in(text):
            prose = words[0].startswith("--") or words[0].endswith(":") or page.endswith(".yaml")
            name = shlex.join(words) not in ("optical doctor", "optical languages") and all(map(str.isalpha, words))
            if words[0] == "optical" and not name or words[0] not in ("optical", *WITH_OWN_TESTS) and not prose:
                found.setdefault(as_typed(words), page)
    return found


def as_typed(words):
    """Return the words of a command as a line; what the shell reads stays bare."""
    return " ".join(word if word in (">", "&") else shlex.quote(word) for word in words)


DOCUMENTED = documented()
RUN_IN_ORDER = {
    as_typed(["optical", *shlex.split(line)])
    for page in IN_ORDER
    for line in re.findall(r"^\$ optical (.*)$", PAGES[page], re.MULTILINE)
}
RUN_HERE = [
    line.removeprefix("optical ")
    for line in DOCUMENTED
    if line.startswith("optical ") and not line.startswith(tuple(NOT_RUN)) and line not in RUN_IN_ORDER
]


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


def write_experiments(results):
    """Write the experiments that pages name: of the reader's own language, of real data, of several languages."""
    own, real, several = results / "zu", results / "open", results / "any_to_any"
    shutil.copytree(student_of(make_results(own, "mine")), own / "students/zu/token-contrast/1")
    shutil.rmtree(own / "students/sw")

    student = student_of(make_results(real, "flores"))
    encoder = load_encoder(real / "teacher")
    shutil.rmtree(student.parents[1])
    (changed := student.parents[1] / "token-contrast/1").mkdir(parents=True)
    save_changes(encoder, torch.tensor([3, 8]), changed, real / "teacher")
    (results.parent / "moved").mkdir()
    (real / "teacher").rename(results.parent / "moved/teacher")
    write_scores(real / "scores/flores/sw.tsv", scores_of("flores", "1"))

    student = student_of(make_results(several, "flores-sw"))
    shutil.copytree(student, several / "students/so/optical/1")
    read = several / "model_vectors/flores-sw/students/sw/optical/1"
    encode_documents(load_encoder(student), DOCUMENTS, DOCUMENT, read, made_by=content_hash(student))


def scores_of(collection, seed):
    """Return the scores of eight queries."""
    return [Score(collection, "optical", "sw", seed, f"q{number}", "AP", number / 8) for number in range(8)]


@pytest.fixture
def workspace(tmp_path_factory, monkeypatch):
    """A folder with config/ and the results of an experiment."""
    folder = tmp_path_factory.getbasetemp() / "documentation"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    if not folder.exists():
        results = make_results(folder / "results")
        for place, seed in (("scores", "1"), ("second/scores", "2")):
            write_scores(results / place / "atlas/sw.tsv", scores_of("atlas", seed))
        write_jsonl(folder / "passages.jsonl", DOCUMENTS)
        write_scores(folder / "seed-1.tsv.gz", scores_of("atlas", "2"))
        write_lines(results / "lexical_tables/sw.tsv", ["mto\triver\t1.0"])
        write_experiments(results)
        Retriever.load(student_of(results)).index(DOCUMENTS, folder / "passages.index")
        make_workspace(folder)
        write_own_files(folder / "data")
        packaged_encoder(folder)
    monkeypatch.syspath_prepend(folder / "packages")
    monkeypatch.setenv("PYTHONPATH", f"{folder / 'packages'}:{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("line", dict.fromkeys([*RUN_HERE, *IN_HELP]))
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


def test_a_command_runs_or_is_listed():
    untried = [line for line in DOCUMENTED if not line.startswith(("optical ", *NOT_RUN))]
    assert untried == [], "add them to NOT_RUN with the reason"
    assert {"README.md", "docs/any-to-any.md", "docs/own-passages.md", "docs/open-data.md"} <= set(DOCUMENTED.values())


def test_what_is_listed_is_documented_and_the_tests_named_exist():
    assert [part for part in NOT_RUN if not any(line.startswith(part) for line in DOCUMENTED)] == []
    named = set(re.findall(r"test_\w+", " ".join([*NOT_RUN.values(), *IN_ORDER.values()])))
    assert named <= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.parametrize("line", [line for line in DOCUMENTED if line.split()[1:2] and line.split()[1] in COMMANDS])
def test_a_command_has_the_options_that_a_page_names(line, capsys):
    words = shlex.split(line)[1:]
    with pytest.raises(SystemExit):
        main([*(words[:2] if words[0] == "index" else words[:1]), "--help"])
    options = {word for word in words if word.startswith("--")}
    assert options <= set(re.findall(r"--[\w-]+", capsys.readouterr().out))


def test_what_pip_installs_with_the_project_is_there():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = {extra for line in DOCUMENTED for extra in re.findall(r"\.\[(\w+)\]", line)}
    assert {"open", "test"} <= named <= set(extras)


def test_the_page_names_every_command_and_format():
    text = PAGE.read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"| `optical {command}` |" in text
    for form in FORMATS:
        assert f"| `{form}` |" in text
    assert len(IN_DOCS) > 10 and len(IN_HELP) >= len(COMMANDS)
