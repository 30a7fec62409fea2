"""`optical check`: what it reads before a job runs, and what it says that a run needs."""

import json
import re

import pytest
import yaml

from optical.cli import check
from optical.cli.check import SAME_NEEDS, needs
from optical.plan.resources import NEEDS
from support.experiments import experiment
from support.tiny_models import save_bert
from support.workspace import derived_rules, make_workspace, rule_texts

PAIRS = [(f"the river is {number} miles long", f"umfula mude amamayela {number}") for number in range(9)]
CONFIG = {
    "results": "results/zu",
    "languages": ["zu"],
    "methods": ["zero-shot", "optical"],
    "bitext": {"zu": [{"pairs": "data/pairs.tsv"}]},
    "collections": ["mine"],
    "collection_table": {
        "mine": {
            "reader": "plain",
            "documents": "data/passages.jsonl",
            "queries": {"zu": "data/queries.tsv"},
            "qrels": "data/qrels.txt",
        }
    },
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    make_workspace(tmp_path)
    files = {
        "pairs.tsv": pair_lines(400),
        "passages.jsonl": [json.dumps({"id": f"d{number}", "text": text}) for number, (text, _) in enumerate(PAIRS)],
        "queries.tsv": ["q1\tumfula mude"],
        "qrels.txt": ["q1 0 d1 1"],
    }
    (tmp_path / "data").mkdir()
    for name, lines in files.items():
        write(tmp_path / "data" / name, *lines)
    write(tmp_path / "zu.yaml", yaml.safe_dump(CONFIG))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pair_lines(count):
    return [f"the river is {number} miles long\tumfula mude amamayela {number}" for number in range(count)]


def write(path, *lines):
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def problems(output):
    """The lines of what was printed that do not say what was read; all must be problems."""
    lines = [line for line in output.splitlines() if not line.startswith("read: ")]
    assert all(line.startswith("problem: ") for line in lines)
    return lines


def test_a_config_without_problems_gets_the_table_of_its_jobs(optical, project):
    code, output, error = optical("check", "zu.yaml")
    assert (code, error) == (0, "")
    pairs, passages, left, *lines = output.splitlines()
    assert pairs == "read: 400 sentence pairs [bitext.zu]"
    assert passages == "read: 9 passages; queries: zu 1 [collection_table.mine]"
    assert left.startswith("no problem found. Jobs that are left ") and "hours are limits" in left
    header, *rows = [line.split() for line in lines]
    assert header[:2] == ["rule", "jobs"]
    jobs = {row[0]: row[1:] for row in rows}
    assert jobs["distil_student"] == ["1", "2.5+", "0", "12.0"]
    assert jobs["search_collection"][0] == "1" and "prepare_collection" in jobs


@pytest.mark.parametrize(
    ("file", "lines", "message"),
    [
        ("pairs.tsv", [], "no sentence pairs [bitext.zu[0]]"),
        ("pairs.tsv", ["one", "two"], "line 1 has 1 tab-separated columns"),
        ("pairs.tsv", ["the river is long\tнехай річка довга"], "1 of the first 1 pairs will be dropped: wrong script"),
        (
            "pairs.tsv",
            [f"{zulu} {n}\t{english} of the hill" for n, (english, zulu) in enumerate(PAIRS * 3)],
            "swap the",
        ),
        ("passages.jsonl", ['{"id": "d1", "text": " "}'], "no document has a text [collection_table.mine: "),
        ("queries.tsv", ["q2\tumfula"], "the qrels name query q1, which does not exist"),
        ("qrels.txt", ["q1 0 d1"], "line 1 is not a TREC judgement"),
    ],
)
def test_what_a_file_lacks_is_a_line_each(optical, project, file, lines, message):
    write(project / "data" / file, *lines)
    code, output, _ = optical("check", "zu.yaml")
    assert code == 1
    [line] = problems(output)
    assert message in line and ". Hint: " in line


def test_empty_passages_are_counted(optical, project):
    write(project / "data/pairs.tsv", "one")
    with (project / "data/passages.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"id": "empty", "text": " "}\n')
    assert "warning: 1 of 10 documents are skipped: they have no text, as empty" in optical("check", "zu.yaml")[1]


def test_pairs_above_a_limit_of_the_config_are_a_warning_while_some_remain(optical, project):
    write(project / "low.yaml", "bitext_cleaning: {maximum_words: 4, dev_pairs: 0}")
    pairs = [
        "the river is long today\tumfula mude namuhla",
        "a long river\tumfula omude",
        "the river is so long\tumfula mude",
    ]
    write(project / "data/pairs.tsv", *pairs)
    code, output, _ = optical("check", "zu.yaml", "low.yaml")
    assert code == 0 and "warning: 2 of the first 3 pairs will be dropped: too long [bitext.zu, " in output
    write(project / "data/pairs.tsv", pairs[0])
    code, output, _ = optical("check", "zu.yaml", "low.yaml")
    assert code == 1 and "problem: 1 of the first 1 pairs will be dropped: too long [bitext.zu[0]]" in output


@pytest.mark.parametrize(
    ("pairs", "dev_pairs", "count"), [(pair_lines(2), 50, 2), (pair_lines(60), 60, 60), (pair_lines(60) * 2, 60, 60)]
)
def test_pairs_that_are_all_held_out_are_a_problem(optical, project, pairs, dev_pairs, count):
    write(project / "data/pairs.tsv", *pairs)
    write(project / "more.yaml", f"bitext_cleaning: {{dev_pairs: {dev_pairs}}}")
    code, output, _ = optical("check", "zu.yaml", "more.yaml")
    assert code == 1 and problems(output) == [
        f"problem: no sentence pair is left for training: {count} can be used, and dev_pairs holds out {dev_pairs} "
        "[bitext.zu]. Hint: add sentence pairs, or lower bitext_cleaning.dev_pairs"
    ]


def test_few_pairs_are_a_warning(optical, project):
    write(project / "data/pairs.tsv", *pair_lines(61))
    code, output, _ = optical("check", "zu.yaml")
    assert code == 0 and "warning: sentence pairs left for training: 11 [bitext.zu]. Hint: add" in output


def test_a_language_without_sentence_pairs_is_named(optical, project):
    write(project / "more.yaml", "languages: [zu, xh]", "collection_table: {mine: {queries: {xh: data/queries.tsv}}}")
    code, _, error = optical("check", "zu.yaml", "more.yaml")
    assert code == 1 and "xh has no sentence pairs [bitext.xh]. Hint: add bitext.xh with your files" in error


def test_all_problems_are_told_at_once(optical, project):
    write(project / "data/pairs.tsv", "one")
    write(project / "data/qrels.txt", "q1 0 d1")
    assert optical("check", "zu.yaml")[1].count("problem: ") == 2


def test_a_marker_that_the_encoder_lacks_is_a_problem(optical, project, capsys):
    save_bert(project / "bert", ["river"])
    capsys.readouterr()  # transformers shows that it writes
    more = {"encoder": {"source": "bert", "query_marker": "[none]", "document_marker": "[unused1]"}}
    write(project / "more.yaml", yaml.safe_dump(more))
    code, output, _ = optical("check", "zu.yaml", "more.yaml")
    assert code == 1 and "problem: the tokeniser has no '[none]' [encoder.query_marker]" in output


@pytest.mark.parametrize(
    ("file", "change_it", "message"),
    [
        ("tokenizer.json", lambda content: content[:100], "cannot load the tokeniser"),
        ("tokenizer.json", lambda _: b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (
            "config.json",
            lambda content: content.replace(b'"vocab_size": ', b'"vocab_size": 9'),
            "cannot load the encoder",
        ),
        ("tokenizer.json", lambda content: re.sub(rb'"moon": *', b'"moon": 9', content), "up to the number 9"),
        ("model.safetensors", lambda content: content[: len(content) // 2].ljust(len(content), b"\xff"), "not finite"),
    ],
)
def test_an_encoder_that_cannot_be_read_is_a_problem(optical, project, capsys, file, change_it, message):
    folder = save_bert(project / "bert", ["river", "moon"])
    capsys.readouterr()
    path = folder / file
    path.write_bytes(change_it(path.read_bytes()))
    write(project / "more.yaml", yaml.safe_dump({"encoder": {"source": "bert"}}))
    code, output, error = optical("check", "zu.yaml", "more.yaml")
    assert (code, error) == (1, "")
    [line] = problems(output)
    assert message in line


def test_of_a_large_encoder_all_is_read_but_the_weights(optical, project, capsys, monkeypatch):
    folder = save_bert(project / "bert", ["river", "moon"])
    capsys.readouterr()
    monkeypatch.setattr(check, "LARGEST_BYTES", (project / "data/pairs.tsv").stat().st_size)
    write(project / "more.yaml", yaml.safe_dump({"encoder": {"source": "bert"}}))
    assert "weights not read, because they are large: " in optical("check", "zu.yaml", "more.yaml")[1]
    path = folder / "tokenizer.json"
    path.write_bytes(re.sub(rb'"moon": *', b'"moon": 9', path.read_bytes()))
    code, output, _ = optical("check", "zu.yaml", "more.yaml")
    assert code == 1 and problems(output)[0].startswith("problem: the tokeniser has subwords up to the number 9")


def test_a_given_teacher_that_is_no_late_interaction_model_is_a_problem(optical, project, capsys):
    save_bert(project / "bert", ["river"])
    capsys.readouterr()
    write(project / "more.yaml", yaml.safe_dump({"teacher": {"source": "bert"}}))
    code, output, _ = optical("check", "zu.yaml", "more.yaml")
    assert code == 1 and "problem: the folder is not a late-interaction model" in output


def test_values_that_do_not_fit_are_told_and_faults_of_the_config_end_it(optical, project):
    write(project / "data/pairs.tsv", "one")
    write(project / "more.yaml", yaml.safe_dump({"student": {"learning_rate": 0.02}}))
    assert "warning: 0.02 is above the usual range" in optical("check", "zu.yaml", "more.yaml")[1]
    write(project / "more.yaml", yaml.safe_dump({"collections": ["none"]}))
    code, _, error = optical("check", "zu.yaml", "more.yaml")
    assert code == 1 and "unknown 'none' [collections]" in error


def test_large_files_are_named_and_not_read(optical, project, monkeypatch):
    write(project / "data/pairs.tsv", "one")
    write(project / "data/qrels.txt", "q1 0 d1")
    monkeypatch.setattr(check, "LARGEST_BYTES", 6)
    output = optical("check", "zu.yaml")[1]
    assert "not read, because it is large: data/passages.jsonl" in output and "problem" in output


def test_rules_made_from_others_need_what_those_need():
    bases = {name: base for name, (base, _) in derived_rules().items() if base in NEEDS}
    assert bases == SAME_NEEDS
    for rule, text in rule_texts().items():
        assert ("needs(" in text) <= (rule in NEEDS), rule


def test_memory_gpus_and_hours_are_those_of_the_plan():
    many = experiment({"machine": {"gpus": 2}, "search": {"parts": 4, "memory_mb": 3000}})
    rows = {row[0]: row[1:] for row in needs(many, {"train_teacher": 1, "search_part": 28, "fetch_dataset": 2})}
    assert rows == {
        "train_teacher": ("1", "2.5+", "2", "48.0"),
        "search_part": ("28", "5.0+", "1", "1.5"),
        "fetch_dataset": ("2", "-", "-", "-"),
    }
