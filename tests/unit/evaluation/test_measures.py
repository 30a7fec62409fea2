"""None"""

import math
import re
import subprocess
import sys

import pytest

from optical.config.measures import CUTOFF, EITHER, FORMS, JUDGED, MEASURE, RECALL, RELEVANT
from optical.errors import ConfigError, DataError
from optical.evaluation.measures import evaluate, max_p, read_judgments, read_ranking
from optical.evaluation.scores import SCORE_COLUMNS, read_scores
from support.workspace import ROOT

SCRIPT = ROOT / "workflow/scripts/evaluate_run.py"
JOB = "method: m, lang: sw, seed: 0"
MEASURES = ["AP", "AP@100", "nDCG@10", "nDCG@20", "R@100", "P@10", "RR", "Judged@10"]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "qrels.txt").write_text("q1 0 a 1\nq1 0 b 0\nq1 0 c 1\nq2 0 d 1\n")
    (tmp_path / "run.txt").write_text("q1 Q0 b 1 3.0 t\nq1 Q0 a 2 2.0 t\nq1 Q0 z 3 1.5 t\nq1 Q0 c 4 1.0 t\n")
    (tmp_path / "queries.tsv").write_text("q1\tone\nq2\ttwo\nunjudged\tthree\n")
    return tmp_path


def test_values_worked_out_by_hand(files):
    rows = evaluate(read_ranking(files / "run.txt"), read_judgments(files / "qrels.txt"), ["q1", "q2"], MEASURES)
    values = {(query_id, measure): value for query_id, measure, value in rows}
    ndcg = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    expected = {"AP": 0.5, "AP@100": 0.5, "nDCG@10": ndcg, "nDCG@20": ndcg, "R@100": 1, "P@10": 0.2, "RR": 0.5}
    expected["Judged@10"] = 0.75
    assert {measure: values["q1", measure] for measure in MEASURES} == pytest.approx(expected)
    assert all(values["q2", measure] == 0 for measure in MEASURES), "a judged query without results counts 0"


def test_cut_off_matters_and_order_of_query_ids_is_kept():
    judgments = {query_id: {"relevant": 1} for query_id in "ab"}
    ranking = {"a": {f"d{i}": 200.0 - i for i in range(100)} | {"relevant": 1.0}, "b": {"relevant": 1.0}}
    rows = evaluate(ranking, judgments, ["b", "a"], ["AP", "AP@100"])
    assert [row[:2] for row in rows] == [("b", "AP"), ("b", "AP@100"), ("a", "AP"), ("a", "AP@100")]
    assert [row[2] for row in rows] == pytest.approx([1, 1, 1 / 101, 0])


def test_queries_of_the_run_that_are_not_asked_for_do_not_count():
    rows = evaluate({"a": {"d": 1.0}, "b": {"d": 1.0}}, {"a": {"d": 1}, "b": {"d": 1}}, ["b"], ["AP"])
    assert rows == [("b", "AP", 1.0)]


@pytest.mark.parametrize(
    ("qrels", "message"),
    [("", "no relevance judgements"), ("q1 0 a\n", "not TREC qrels"), ("q1 0 a yes\n", "not TREC qrels")]
    + [("q1 0 a 1\nq1 0 a 0\n", "query q1, document a has two grades"), (f"q1 0 a {10**20}\n", "over nine digits")]
    + [(f"q1 0 a {'9' * 5000}\n", "not TREC qrels"), ("q1 0 a 0.5\n", "'0.5'")],
)
def test_bad_qrels_are_refused(files, qrels, message):
    (files / "qrels.txt").write_text(qrels)
    with pytest.raises(DataError, match=message):
        read_judgments(files / "qrels.txt")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1 Q0 a 1\n", "line 1 is not a"),
        ("\nq1 Q0 a 1 high t\n", "line 2 is not a"),
        ("q1 Q0 a 1 nan t\n", "is nan"),
        ("q1 Q0 a 1 2 t\nq1 Q0 a 2 1 t\n", "twice, .* line 2"),
    ],
)
def test_bad_runs_are_refused(tmp_path, line, message):
    (tmp_path / "run.txt").write_text(line)
    with pytest.raises(DataError, match=message):
        read_ranking(tmp_path / "run.txt")


def test_a_measure_keeps_the_name_that_the_config_gives_it():
    ranking, judgments = {"q1": {"a": 1.0}}, {"q1": {"a": 1}}
    assert [row[1] for row in evaluate(ranking, judgments, ["q1"], ["MAP", "AP", "NDCG@10"])] == [
        "MAP",
        "AP",
        "NDCG@10",
    ]


def test_queries_that_are_all_unjudged_are_refused():
    with pytest.raises(DataError, match="none of the 1 queries is judged"):
        evaluate({}, {"q1": {"a": 1}}, ["other"], ["AP"])


@pytest.mark.parametrize("measure", ["nonsense", "AP@x", "P", "nDCG@", "AP@0", "ERR@20"])
def test_unknown_measures_are_refused(measure):
    with pytest.raises(ConfigError, match="unknown measure"):
        evaluate({}, {"q": {"a": 1}}, ["q"], [measure])


# One name for each alternative of `config.measures.FORMS`, so that the subprocess below computes all of them.
IN_BRACKETS = {RELEVANT: ["rel=2"], JUDGED: ["judged_only=True"]}
IN_BRACKETS[EITHER] = [
    *IN_BRACKETS[RELEVANT],
    *IN_BRACKETS[JUDGED],
    "rel=99, judged_only=True",
    "rel=2,judged_only=True",
]
BEHIND = {"": [""], CUTOFF: ["@1", "@10", "@999999"], RECALL: ["@0.0", "@0.5", "@0.25", "@1.0"]}
BEHIND[f"({CUTOFF})?"] = ["", *BEHIND[CUTOFF]]
ALL_FORMS = [
    f"{name}{brackets}{end}"
    for names, inside, behind in FORMS
    for name in names
    for brackets in ["", *(f"({text})" for text in IN_BRACKETS.get(inside, []))]
    for end in BEHIND[behind]
]
COMPUTE = """
import sys
from optical.evaluation.measures import evaluate
judgments = {"a": {"d1": 1, "d2": 0, "d3": 2}, "n": {"d1": -2}, "z": {"d1": 0}, "q-1": {"d1": -1, "d2": 1}}
ranking = {"a": {"d2": 3.0, "d1": 2.0, "x": 1.0}, "n": {"d1": 2.0, "d2": 1.0}, "q-1": {"d1": 2.0, "d2": 1.0}}
rows = evaluate(ranking, judgments, list(judgments), sys.argv[1:])
assert all(0 <= value <= 3 for _, _, value in rows)
assert all(value == 0 for query, measure, value in rows if query == "n" and not measure.startswith("Judged"))
print(len(rows))
"""


def test_every_allowed_form_of_a_measure_is_computed():
    done = subprocess.run([sys.executable, "-c", COMPUTE, *ALL_FORMS], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 4 * len(ALL_FORMS)
    assert all(re.fullmatch(MEASURE, name) for name in ALL_FORMS)


def test_a_query_judged_below_minus_one_alone_scores_0(files):
    (files / "qrels.txt").write_text("q1 0 a 1\nq2 0 a -2\n")
    (files / "run.txt").write_text("q1 Q0 a 1 2.0 t\nq2 Q0 a 1 2.0 t\nq2 Q0 b 2 1.0 t\n")
    done = run_script(
        "--qrels", files / "qrels.txt", "--measures", "AP", "--collection", "toy", "--out", files / "scores.tsv",
        "--jobs", f"[{{run: {files}/run.txt, {JOB}, queries: {files}/queries.tsv}}]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [score.value for score in read_scores([files / "scores.tsv"])] == [1, 0]


def test_a_run_of_other_queries_is_warned_of(caplog):
    evaluate({"zz": {"b": 1.0}}, {"q1": {"b": 1}}, ["q1"], ["AP"])
    assert "no result for any of the 1 judged queries" in caplog.text


def test_documents_are_not_taken_for_passages():
    with pytest.raises(DataError, match="'b', which is not a passage id"):
        max_p({"q1": {"a#1": 2.0, "b": 1.0}})


def run_script(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True)


def test_program_scores_one_run(files):
    common = ["--qrels", files / "qrels.txt", "--measures", "AP", "--collection", "toy", "--out", files / "scores.tsv"]
    done = run_script(*common, "--jobs", f"[{{run: {files}/run.txt, {JOB}, queries: {files}/queries.tsv}}]")
    assert done.returncode == 0, done.stderr
    assert (files / "scores.tsv").read_text().splitlines() == [
        "\t".join(SCORE_COLUMNS),
        "toy\tm\tsw\t0\tq1\tAP\t0.500000",
        "toy\tm\tsw\t0\tq2\tAP\t0.000000",
    ]


def test_program_scores_many_runs_and_restricts_a_shared_run_to_each_language(files):
    (files / "so.tsv").write_text("q1\tone\n")
    jobs = [
        f"{{run: {files}/run.txt, method: english, lang: {lang}, seed: 0, queries: {files}/{queries}}}"
        for lang, queries in [("sw", "queries.tsv"), ("so", "so.tsv")]
    ]
    done = run_script(
        "--qrels", files / "qrels.txt", "--measures", "AP", "--collection", "toy", "--out", files / "scores.tsv",
        "--jobs", f"[{', '.join(jobs)}]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [row[2:5] for row in read_scores([files / "scores.tsv"])] == [
        ("sw", "0", "q1"),
        ("sw", "0", "q2"),
        ("so", "0", "q1"),
    ]


def test_program_scores_a_document_as_its_best_passage(files):
    run = ["q1 Q0 d1#0 1 4.0 t", "q1 Q0 d2#1 2 3.0 t", "q1 Q0 d2#0 3 2.0 t", "q1 Q0 d1#3 4 1.0 t"]
    (files / "passages.txt").write_text("\n".join(run) + "\n")
    (files / "qrels.txt").write_text("q1 0 d2 1\n")
    for options, expected in (([], 0.0), (["--passages"], 0.5)):
        done = run_script(
            "--qrels", files / "qrels.txt", "--measures", "AP", "--collection", "toy", "--out", files / "scores.tsv",
            "--jobs", f"[{{run: {files}/passages.txt, {JOB}, queries: {files}/queries.tsv}}]", *options,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert [row[6] for row in read_scores([files / "scores.tsv"])] == [expected]


@pytest.mark.parametrize("none", [["--jobs", "[]"], []], ids=["an empty list", "as the workflow writes it"])
def test_program_scores_no_run_where_none_is_asked_for(files, none):
    common = ["--qrels", files / "qrels.txt", "--measures", "AP", "--collection", "toy", "--out", files / "scores.tsv"]
    done = run_script(*common, *none)
    assert done.returncode == 0, done.stderr
    assert list(read_scores([files / "scores.tsv"])) == []


def test_program_names_what_a_job_lacks(files):
    common = ["--qrels", files / "qrels.txt", "--measures", "AP", "--collection", "toy", "--out", files / "scores.tsv"]
    done = run_script(*common, "--jobs", f"[{{run: {files}/run.txt, method: m}}]")
    assert done.returncode == 1
    assert "lacks lang, seed, queries" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (files / "scores.tsv").exists()
