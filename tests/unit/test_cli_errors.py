"""Bad input to every command of `optical`: one line that says what, where and how to mend it, and the exit code."""

import shutil

import pytest

from optical import cli
from tiny_models import save_encoder
from toy_results import student_of


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["align", "one sentence"],
        ["align", "--model", "MODEL", "a", "b", "--regularisation", "much"],
        ["search", "word"],
        ["search", "--collection", "atlas", "--lang", "sw", "swali", "--top", "many"],
        ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "x", "--format", "floppy"],
        ["export", "--model", "MODEL", "--to", "x"],
        ["languages", "sw"],
        ["doctor", "--cure"],
    ],
)
def test_wrong_arguments_are_one_line_with_a_hint_and_code_2(optical, arguments):
    code, _, error = optical(*arguments)
    assert code == 2
    assert error.count("\n") == 1 and "Hint: " in error


SEARCH = ["search", "--results", "RESULTS", "--collection", "atlas", "--lang", "sw"]
BAD_INPUT = {
    "no model": ["align", "--model", "nowhere", "a", "b"],
    "no teacher": ["align", "--model", "MODEL", "--teacher", "nowhere", "a", "b"],
    "no words": ["align", "--model", "MODEL", "moon", "  "],
    "unknown solver": ["align", "--model", "MODEL", "moon", "moon", "--solver", "magic"],
    "negative regularisation": ["align", "--model", "MODEL", "moon", "moon", "--regularisation", "-1"],
    "no picture format": ["align", "--model", "MODEL", "moon", "moon", "--png", "picture.docx"],
    "another size": ["align", "--model", "MODEL", "--teacher", "OTHER", "moon", "moon"],
    "no collection": ["search", "--results", "RESULTS", "--collection", "nowhere", "--lang", "sw", "swali"],
    "no student": ["search", "--results", "RESULTS", "--collection", "atlas", "--lang", "so", "swali"],
    "no language": ["search", "--results", "RESULTS", "--collection", "atlas", "swali"],
    "no query": ["search", "--results", "RESULTS", "--collection", "atlas", "--lang", "sw"],
    "two queries": ["search", "--results", "RESULTS", "--collection", "atlas", "--queries", "x", "swali"],
    "no queries file": [
        "search",
        "--results",
        "RESULTS",
        "--collection",
        "atlas",
        "--lang",
        "sw",
        "--queries",
        "x",
        "--json",
    ],
    "no place for a run": ["search", "--results", "RESULTS", "--collection", "atlas", "--lang", "sw", "--queries", "x"],
    "no results wanted": [
        "search",
        "--results",
        "RESULTS",
        "--collection",
        "atlas",
        "--lang",
        "sw",
        "swali",
        "--top",
        "0",
    ],
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
    "a damaged config of a model": ["align", "--model", "DAMAGED/config", "moon", "moon"],
    "damaged weights": ["align", "--model", "DAMAGED/weights", "moon", "moon"],
    "a damaged tokeniser": ["align", "--model", "DAMAGED/tokeniser", "moon", "moon"],
    "an export of damaged weights": ["export", "--model", "DAMAGED/weights", "--teacher", "MODEL", "--to", "OUT"],
    "a picture below a file": ["align", "--model", "MODEL", "moon", "moon", "--png", "SCORES/picture.png"],
    "an export below a file": ["export", "--model", "MODEL", "--teacher", "MODEL", "--to", "SCORES/export"],
    "a blank query": [*SEARCH, "   "],
    "queries of another encoding": [*SEARCH, "--queries", "DAMAGED/latin.tsv", "--json"],
    "queries without ids": [*SEARCH, "--queries", "DAMAGED/plain.tsv", "--json"],
    "queries of one id": [*SEARCH, "--queries", "DAMAGED/twice.tsv", "--out", "OUT/run.trec"],
    "languages that are no list": ["languages", "--config", "DAMAGED/number.yaml"],
    "a config that is no map": ["languages", "--config", "DAMAGED/plain.tsv"],
    "no config": ["languages", "--config", "nowhere.yaml"],
    "no YAML": ["languages", "--config", "BROKEN"],
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
    (folder / "plain.tsv").write_text("where is the river\n")
    (folder / "twice.tsv").write_text("q1\tswali\nq1\tmto\n")
    (folder / "number.yaml").write_text("languages: 5\n")
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
    with pytest.raises(Exception, match="no config.json"):
        cli.main(["align", "--traceback", "--model", str(results), "a", "b"])
