"""AfriQA: gold passages of all languages, and pairs that share nothing with the test."""

import pytest

from optical.errors import DataError
from support.corpora import documents_of, rows_of, write_jsonl
from support.prepared import prepare_collection, prepare_training_set


def gold(number, foreign, english, context, title="Page"):
    return {
        "id": str(number),
        "question_lang": foreign,
        "question_translated": english,
        "context": context,
        "title": title,
    }


@pytest.fixture
def afriqa(tmp_path):
    """Write gold-passage files: Swahili test, and train of two other languages."""
    swahili = [
        gold(0, "Mto gani ni mrefu?", "Which river is long?", "The Ruvu is a long river."),
        gold(1, "Nani alijenga bandari?", "Who built the port?", "The port was built by masons.", title=None),
        gold(2, "Lini?", "When?", None),
    ]
    bemba = [
        gold(0, "Umulonga nshi?", "Which river is LONG", "Another passage on rivers."),
        gold(1, "Ni bani?", "Who sings?", "The  Ruvu is a long river."),
        gold(2, "Ni kwisa?", "Where is the school?", "The school stands on a hill."),
        gold(3, "Cinshi?", "What?", None),
    ]
    zulu = [
        gold(0, "Sikuphi isikole?", "Where is the school?", "The school stands on a  hill."),
        gold(1, "Iphi indawo?", "Where is the school?", "Schools are found in every ward."),
    ]
    return {name: write_jsonl(tmp_path / name, rows) for name, rows in [("sw", swahili), ("bem", bemba), ("zu", zulu)]}


def test_afriqa_collection_joins_the_passages_of_all_languages(afriqa, tmp_path):
    block = {"reader": "afriqa", "questions": {"sw": afriqa["sw"]}, "passages": [afriqa["bem"], afriqa["zu"]]}
    counts = prepare_collection(block, ["sw"], tmp_path / "out")
    assert counts["documents"] == 5  # the texts that differ in spacing alone are one
    assert counts["queries"] == {"en": 2, "sw": 2}
    documents = {document["id"]: document for document in documents_of(tmp_path / "out")}
    relevant = {line.split()[0]: line.split()[2] for line in (tmp_path / "out/qrels.txt").open()}
    assert documents[relevant["sw-0"]]["text"] == "The Ruvu is a long river."
    assert documents[relevant["sw-0"]]["title"] == "Page"
    assert "title" not in documents[relevant["sw-1"]]
    assert rows_of(tmp_path / "out/queries/sw.tsv")[1] == ["sw-1", "Nani alijenga bandari?"]
    assert rows_of(tmp_path / "out/queries/en.tsv")[1] == ["sw-1", "Who built the port?"]


def test_each_language_of_afriqa_asks_its_own_questions_of_the_same_passages(afriqa, tmp_path):
    block = {"reader": "afriqa", "questions": {"sw": afriqa["sw"], "zu": afriqa["zu"]}, "passages": [afriqa["bem"]]}
    counts = prepare_collection(block, ["sw", "zu"], tmp_path / "out")
    assert counts["documents"] == 5
    assert counts["queries"] == {"sw": 2, "zu": 2, "en": 4}
    assert [query_id for query_id, _ in rows_of(tmp_path / "out/queries/zu.tsv")] == ["zu-0", "zu-1"]
    english = dict(rows_of(tmp_path / "out/queries/en.tsv"))
    assert (english["sw-0"], english["zu-0"]) == ("Which river is long?", "Where is the school?")
    relevant = {line.split()[0]: line.split()[2] for line in (tmp_path / "out/qrels.txt").open()}
    documents = {document["id"]: document["text"] for document in documents_of(tmp_path / "out")}
    assert documents[relevant["zu-1"]] == "Schools are found in every ward."


def test_afriqa_pairs_share_neither_question_nor_passage_with_the_test(afriqa, tmp_path):
    block = {"reader": "afriqa", "pairs": [afriqa["bem"], afriqa["zu"]], "held_out": afriqa["sw"]}
    assert prepare_training_set(block, tmp_path / "out") == {"documents": 2, "queries": 1, "triples": 2}
    assert rows_of(tmp_path / "out/queries.tsv") == [["q0", "Where is the school?"]]
    assert all(len(row) == 2 for row in rows_of(tmp_path / "out/triples.tsv"))


def test_afriqa_refuses_other_files(afriqa, tmp_path):
    other = write_jsonl(tmp_path / "other", [{"question": "?"}])
    with pytest.raises(DataError, match="not a gold-passage file"):
        prepare_collection({"reader": "afriqa", "questions": {"sw": other}}, ["sw"], tmp_path / "out")
