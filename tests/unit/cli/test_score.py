"""`optical score`: the means that it prints are those of the run."""

import json
import math
import shutil

import pytest

from optical import Retriever
from optical.cli.score import block_of
from optical.files import read_jsonl
from optical.search.runs import read_run
from support.prepared import write_beir
from support.toy_results import student_of

FILES = ("corpus", "queries")


def test_the_means_are_those_of_the_run(optical, results, tmp_path):
    folder, run, model = write_beir(tmp_path / "set"), tmp_path / "run.trec", tmp_path / "my model"
    model.symlink_to(results / "teacher")
    code, output, error = optical("score", folder, "--model", model, "--run", run, "--json")
    assert (code, error) == (0, "")
    found = json.loads(output)
    assert (found["documents"], found["queries"]) == (4, 2)
    ranks = {tuple(line.split()[:3:2]): int(line.split()[3]) for line in run.read_text().splitlines()}
    assert len(ranks) == 2 * 4
    first = 1 / math.log2(1 + ranks["q1", "1"])
    gained = sum(1 / math.log2(1 + ranks["q2", document]) for document in ("2", "3"))
    expected = (first + gained / (1 + 1 / math.log2(3))) / 2
    assert found["nDCG@10"] == pytest.approx(expected) and found["R@100"] == 1
    shown = optical("score", folder, "--model", results / "teacher", "--measures", "nDCG@10")[1]
    assert shown == f"{folder}: 4 documents, 2 queries\nnDCG@10    {expected:.4f}\n"


def test_a_student_reads_the_queries_of_its_language(optical, results, tmp_path):
    folder, run = write_beir(tmp_path / "set"), tmp_path / "run.trec"
    assert optical("score", folder, "--model", student_of(results), "--run", run)[0] == 0
    rows = {name: [{"id": row["_id"], **row} for row in read_jsonl(folder / f"{name}.jsonl")] for name in FILES}
    text_of = {query["id"]: query["text"] for query in rows["queries"]}
    retriever = Retriever.load(student_of(results))
    for query, hits in read_run(run).items():
        expected = retriever.rerank(text_of[query], rows["corpus"])
        assert [name for name, _ in hits] == [hit.id for hit in expected]
    elsewhere = shutil.copytree(student_of(results), tmp_path / "student")
    assert "--teacher FOLDER" in optical("score", folder, "--model", elsewhere)[2]
    alone = optical("score", folder, "--model", student_of(results))
    assert optical("score", folder, "--model", elsewhere, "--teacher", results / "teacher") == alone


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nano-beir/scifct"], "ir_datasets has no such id [nano-beir/scifct]"),
        (["set", "--split", "dev"], "no such file"),
        (["set", "--measures", "nDGC@10"], "nDGC@10"),
    ],
)
def test_what_cannot_be_scored_is_one_line(optical, results, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_beir(tmp_path / "set")
    code, _, error = optical("score", *arguments, "--model", results / "teacher")
    assert code == 1 and message in error and error.count("\n") == 1


def test_parts_of_nanobeir_are_of_the_catalogue():
    assert block_of("nano-beir/scifact", "test").id == "nano-beir/scifact"
