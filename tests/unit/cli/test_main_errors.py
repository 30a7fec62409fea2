"""Bad input to every command of `optical`: one line that says what, where and how to fix it, and the exit code."""

import io
import shutil
import subprocess
import sys

import pytest

from optical.cli.main import main
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.runtime.provenance import write_provenance
from optical.search.encoding import encode_documents
from support.tiny_models import save_encoder
from support.toy_results import DOCUMENTS, student_of
from support.workspace import ROOT


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["align", "one sentence"],
        ["align", "--model", "MODEL", "a", "b", "--regularisation", "much"],
        ["align", "--model", "MODEL", "a", "b", "--regularisation", "-1"],
        ["align", "--model", "MODEL", "a", "b", "--regularisation", "inf"],
        ["align", "--model", "MODEL", "a", "caf\udce9"],
        ["search", "word"],
        ["search", "--collection", "atlas", "--lang", "sw", "swali", "--top", "many"],
        ["search", "--collection", "atlas", "--lang", "sw", "swali", "--top", "0"],
        ["search", "--collection", "atlas", "--lang", "sw", "swali", "--top", "-3"],
        ["search", "--collection", "atlas", "--lang", "sw", "swali", "--threads", "0"],
        ["search", "--collection", "atlas", "--lang", "sw", "swali", "--device", "gpu"],
        ["search", "--collection", "atlas", "--lang", "sw", "caf\udce9"],
        ["search", "--collection", "atlas", "--lang", "sw"],
        ["search", "--collection", "atlas", "--lang", "sw", "   "],
        ["search", "--collection", "atlas", "--lang", "sw", "--queries", "x"],
        ["search", "--collection", "atlas", "--queries", "x", "swali"],
        *(["search", place, "", "--lang", "sw", "swali"] for place in ("--index", "--documents", "--collection")),
        ["index", "build", "x", "--model", "MODEL", "--to", ""],
        ["merge", "x", "--to", ""],
        ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "x", "--format", "floppy"],
        ["export", "--model", "MODEL", "--to", "x"],
        ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", ""],
        ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "x", "--lang", "Kiswahili"],
        ["languages", "sw"],
        ["doctor", "--cure"],
    ],
)
def test_wrong_arguments_are_one_line_with_a_hint_and_code_2(optical, arguments):
    code, _, error = optical(*arguments)
    assert code == 2
    assert error.count("\n") == 1 and "Hint: " in error


def test_every_command_refuses_a_student_beside_what_another_teacher_made(optical, results, tmp_path):
    student = shutil.copytree(student_of(results), tmp_path / "student")
    write_provenance(student, {}, {"teacher": save_encoder(tmp_path / "teacher", seed=5)}, 0.0)
    encode_documents(load_encoder(results / "teacher"), DOCUMENTS, DOCUMENT, tmp_path / "vectors/atlas", made_by="1a2b")
    shutil.copytree(results / "collections", tmp_path / "collections")
    model, teacher = ["--model", student], ["--teacher", results / "teacher"]
    for arguments in (
        ["align", *model, *teacher, "mto", "river"],
        ["export", *model, *teacher, "--to", tmp_path / "out"],
        ["search", *model, "--results", tmp_path, "--collection", "atlas", "mto"],
    ):
        code, output, error = optical(*arguments)
        assert (code, output, error.count("\n")) == (1, "", 1)
        assert f"{student} was made from another model" in error
    assert optical("align", *model, "--teacher", tmp_path / "teacher", "mto", "river")[0] == 0


def test_a_student_is_no_teacher(optical, results, tmp_path):
    model, teacher = ["--model", student_of(results)], ["--teacher", student_of(results)]
    (tmp_path / "docs.tsv").write_text("d1\tthe river\n")
    for arguments in (
        ["align", *model, *teacher, "mto", "river"],
        ["export", *model, *teacher, "--to", tmp_path / "out"],
        ["index", "build", tmp_path / "docs.tsv", *model, *teacher, "--to", tmp_path / "index"],
    ):
        code, output, error = optical(*arguments)
        assert (code, output, error.count("\n")) == (1, "", 1)
        assert "a student that has learnt to read queries alone" in error


def test_an_interrupted_command_ends_quietly(optical, monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("optical.cli.languages.run", interrupted)
    assert optical("languages") == (130, "", "")


@pytest.mark.parametrize(
    ("place", "code", "error"),
    [
        ("| true", 0, ""),
        ("> /dev/full", 1, "optical languages: No space left on device [output]. Hint: check the path, and who may"),
    ],
)
def test_output_that_goes_nowhere_is_noticed(place, code, error):
    program = 'import sys; from optical.cli.main import main; sys.exit(main(["languages"]))'
    command = f"{sys.executable} -c '{program}' {place}"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (code, bool(error))
    assert done.stderr.startswith(error)


SEARCH = ["search", "--results", "RESULTS", "--collection", "atlas", "--lang", "sw"]
BAD_INPUT = {
    "no model": ["align", "--model", "nowhere", "a", "b"],
    "no teacher": ["align", "--model", "MODEL", "--teacher", "nowhere", "a", "b"],
    "no words": ["align", "--model", "MODEL", "moon", "  "],
    "unknown solver": ["align", "--model", "MODEL", "moon", "moon", "--solver", "magic"],
    "no picture format": ["align", "--model", "MODEL", "moon", "moon", "--png", "picture.docx"],
    "another size": ["align", "--model", "MODEL", "--teacher", "OTHER", "moon", "moon"],
    "no collection": ["search", "--results", "RESULTS", "--collection", "nowhere", "--lang", "sw", "swali"],
    "no student": ["search", "--results", "RESULTS", "--collection", "atlas", "--lang", "so", "swali"],
    "no results": ["search", "--results", "nowhere", "--collection", "atlas", "--lang", "sw", "swali"],
    "no such seed": [*SEARCH, "--seed", "9", "swali"],
    "no such method": [*SEARCH, "--method", "magic", "swali"],
    "another model's folder": [*SEARCH, "--model", "RESULTS", "swali"],
    "a model of another size": [*SEARCH, "--model", "OTHER", "swali"],
    "no such GPU": [*SEARCH, "--device", "cuda:99", "swali"],
    "no queries file": [*SEARCH, "--queries", "x", "--json"],
    "queries in a folder": [*SEARCH, "--queries", "RESULTS", "--json"],
    "a run over a folder": [*SEARCH, "--queries", "DAMAGED/good.tsv", "--out", "RESULTS"],
    "a run below a file": [*SEARCH, "--queries", "DAMAGED/good.tsv", "--out", "SCORES/run.trec"],
    "export of nothing": ["export", "--model", "nowhere", "--teacher", "MODEL", "--to", "OUT"],
    "export over files": ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "RESULTS"],
    "export of two sizes": ["export", "--model", "MODEL", "--teacher", "OTHER", "--to", "OUT"],
    "scores of others": ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "OUT", "--scores", "SCORES"],
    "no scores": ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "OUT", "--scores", "MODEL/config.json"],
    "no report": [
        "export",
        "--model",
        "MODEL",
        "--teacher",
        "MODEL",
        "--to",
        "OUT",
        "--bitext-report",
        "MODEL/config.json",
    ],
    "a report without sources": [
        *["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "OUT"],
        *["--bitext-report", "DAMAGED/report.json"],
    ],
    "a damaged config of a model": ["align", "--model", "DAMAGED/config", "moon", "moon"],
    "damaged weights": ["align", "--model", "DAMAGED/weights", "moon", "moon"],
    "a damaged tokeniser": ["align", "--model", "DAMAGED/tokeniser", "moon", "moon"],
    "an export of damaged weights": ["export", "--model", "DAMAGED/weights", "--teacher", "MODEL", "--to", "OUT"],
    "a picture below a file": ["align", "--model", "MODEL", "moon", "moon", "--png", "SCORES/picture.png"],
    "an export below a file": ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "SCORES/export"],
    "queries of another encoding": [*SEARCH, "--queries", "DAMAGED/latin.tsv", "--json"],
    "queries without ids": [*SEARCH, "--queries", "DAMAGED/plain.tsv", "--json"],
    "queries of nothing": [*SEARCH, "--queries", "DAMAGED/nothing.tsv", "--json"],
    "a query without words": [*SEARCH, "--queries", "DAMAGED/wordless.tsv", "--json"],
    "a query without an id": [*SEARCH, "--queries", "DAMAGED/nameless.tsv", "--json"],
    "an id of two words": [*SEARCH, "--queries", "DAMAGED/words.tsv", "--out", "OUT/run.trec"],
    "queries of one id": [*SEARCH, "--queries", "DAMAGED/twice.tsv", "--out", "OUT/run.trec"],
    "languages that are no list": ["languages", "--config", "DAMAGED/number.yaml"],
    "an unknown language": ["languages", "--config", "DAMAGED/language.yaml"],
    "an unknown collection": ["languages", "--config", "DAMAGED/collection.yaml"],
    "bitext that is no map": ["languages", "--config", "DAMAGED/bitext.yaml"],
    "a config that is no map": ["languages", "--config", "DAMAGED/plain.tsv"],
    "no config": ["languages", "--config", "nowhere.yaml"],
    "no YAML": ["languages", "--config", "BROKEN"],
}


FILES = {
    "good.tsv": "q1\tswali\n",
    "plain.tsv": "where is the river\n",
    "twice.tsv": "q1\tswali\nq1\tmto\n",
    "nothing.tsv": "\n\n",
    "wordless.tsv": "q1\t \n",
    "nameless.tsv": "\tswali\n",
    "words.tsv": "q 1\tswali\n",
    "report.json": '{"train": 5, "sources": 5}',
    "number.yaml": "languages: 5\n",
    "language.yaml": "languages: [xx]\n",
    "collection.yaml": "collections: [nowhere]\n",
    "bitext.yaml": "bitext: {sw: [5]}\n",
}


@pytest.fixture(scope="module")
def damaged(results, tmp_path_factory):
    """Return a folder with models and files of which one part each is broken."""
    folder = tmp_path_factory.mktemp("damaged")
    for name, file in (("config", "config.json"), ("weights", "model.safetensors"), ("tokeniser", "tokenizer.json")):
        shutil.copytree(student_of(results), folder / name)
        whole = folder / name / file
        whole.write_bytes(whole.read_bytes()[:20])
    (folder / "latin.tsv").write_bytes("q1\tcafé\n".encode("latin1"))
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("arguments", BAD_INPUT.values(), ids=BAD_INPUT)
def test_bad_input_is_one_line_with_a_hint_and_code_1(optical, results, damaged, tmp_path, arguments):
    other = save_encoder(tmp_path / "other", dimension=8)
    (tmp_path / "broken.yaml").write_text("a: [1\nb: }", encoding="utf-8")
    scores = tmp_path / "scores.tsv"
    scores.write_text("collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue\nc\tmse\tsw\t1\tq\tAP\t0.5\n")
    places = {"MODEL": student_of(results), "OTHER": other, "RESULTS": results, "OUT": tmp_path / "out"}
    places |= {"SCORES": scores, "BROKEN": tmp_path / "broken.yaml", "DAMAGED": damaged}
    for word, path in places.items():
        arguments = [argument.replace(word, str(path)) for argument in arguments]
    code, output, error = optical(*arguments)
    assert (code, output) == (1, "")
    assert error.count("\n") == 1 and "Hint: " in error, error
    assert not (tmp_path / "out").exists()


def test_a_traceback_comes_only_when_asked_for(results):
    with pytest.raises(Exception, match="no such model"):
        main(["align", "--traceback", "--model", str(results), "a", "b"])


@pytest.mark.parametrize(
    "arguments",
    [["align", "a", "b"], ["export", "--teacher", "TEACHER", "--to", "OUT"], [*SEARCH, "swali"]],
    ids=lambda arguments: arguments[0],
)
def test_a_model_that_is_not_trained_is_told_with_those_there_are(optical, results, tmp_path, arguments):
    places = {"TEACHER": results / "teacher", "OUT": tmp_path / "out", "RESULTS": results}
    arguments = [str(places.get(argument, argument)) for argument in arguments]
    for model, hint in (("students/sw/mse/3", "of sw there are (method, seed): optical 1"), ("teacher2", "is such as")):
        code, _, error = optical(*arguments, "--model", results / model)
        assert code == 1
        assert f"no such model [{results / model}]" in error and hint in error
        assert "encoder.source" not in error


def test_a_package_that_is_missing_is_named(optical, results, monkeypatch):
    monkeypatch.setitem(sys.modules, "optical.models.encoder", None)
    code, _, error = optical("align", "--model", student_of(results), "a", "b")
    assert code == 1
    assert "optical.models.encoder" in error and "pip install" in error


def test_an_output_that_has_not_the_signs_is_one_line_too(optical, results, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    code, _, error = optical("align", "--model", student_of(results), "mto", "the river")
    assert code == 1
    assert error == "optical align: ascii cannot write what is to be printed. Hint: set PYTHONIOENCODING=utf-8\n"


def test_an_output_that_is_closed_is_one_line():
    command = f"{sys.executable} -m optical.cli.main languages >&-"
    done = subprocess.run(command, shell=True, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "the output is closed. Hint: " in done.stderr
