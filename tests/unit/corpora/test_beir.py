"""Collections in BEIR's layout."""

import json

import pytest

from optical.errors import DataError
from support.prepared import prepare_collection, write_beir


def block_of(folder, **more):
    files = {"corpus": str(folder / "corpus.jsonl"), "qrels": str(folder / "qrels/test.tsv")}
    return {"reader": "beir", "queries": {"en": str(folder / "queries.jsonl")}} | files | more


def test_documents_judged_queries_and_grades_are_read(tmp_path):
    folder = write_beir(tmp_path / "set")
    counts = prepare_collection(block_of(folder), ["en"], tmp_path / "out")
    assert (counts["documents"], counts["queries"], counts["relevant"]) == (4, {"en": 2}, 3)
    documents = [json.loads(line) for line in (tmp_path / "out/documents.jsonl").open()]
    assert documents[0] == {"id": "1", "title": "River", "text": "the river is in the north"}
    assert documents[3] == {"id": "4", "text": "swali la kwanza"}
    assert (tmp_path / "out/queries/en.tsv").read_text() == "q1\twhere is the river?\nq2\tmoon and sun\n"
    assert (tmp_path / "out/qrels.txt").read_text() == "q1 0 1 2\nq2 0 2 1\nq2 0 3 1\nq2 0 4 0\n"


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("corpus.jsonl", '{"_id": null, "text": "a"}', "line 5 has no _id or text"),
        ("corpus.jsonl", '{"_id": 7, "text": "a"}', "line 5 has no _id or text"),
        ("corpus.jsonl", '{"_id": "1", "text": "a"}', "duplicate document id 1 .*line 5"),
        ("queries.jsonl", '{"_id": "q9"}', "line 4 has no _id or text"),
        ("qrels/test.tsv", "q1\t1\tyes", "line 6 is not a judgement"),
        ("qrels/test.tsv", "q1\t1", "line 6 has 2 tab-separated columns, 3 are needed"),
        ("qrels/test.tsv", "q1\t99\t1", "the qrels name document 99"),
    ],
)
def test_faulty_lines_are_named(tmp_path, file, line, message):
    folder = write_beir(tmp_path / "set")
    with (folder / file).open("a") as text:
        text.write(line + "\n")
    with pytest.raises(DataError, match=message):
        prepare_collection(block_of(folder), ["en"], tmp_path / "out")
