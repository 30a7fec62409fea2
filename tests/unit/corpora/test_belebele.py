"""Belebele: German questions, English passages."""

import pytest

from optical.corpora.choices import read_parallel_questions
from optical.errors import DataError
from support.corpora import documents_of, rows_of, write_jsonl
from support.prepared import prepare_collection


def belebele_row(text, questions):
    answers = [{"text": f"{text} {k}", "correct": k == 2} for k in range(4)]
    return {"text": text, "items": [{"question": question, "answers": answers} for question in questions]}


def test_belebele_asks_in_german_for_english_passages(tmp_path):
    files = {
        "en": write_jsonl(tmp_path / "en", [belebele_row("One.", ["A?", "B?"]), belebele_row("Two.", ["C?"])]),
        "de": write_jsonl(tmp_path / "de", [belebele_row("Eins.", ["Ä?", "B?"]), belebele_row("Zwei.", ["C?"])]),
    }
    prepare_collection({"reader": "belebele", "questions": files}, ["de"], tmp_path / "out")
    assert [document["text"] for document in documents_of(tmp_path / "out")] == ["One.", "Two."]
    assert rows_of(tmp_path / "out/queries/de.tsv")[0] == ["b0-0", "Ä?"]
    assert (tmp_path / "out/qrels.txt").read_text() == "b0-0 0 b0 1\nb0-1 0 b0 1\nb1-0 0 b1 1\n"
    questions = read_parallel_questions(files, "belebele")
    assert questions["de"][2].text == "C? Zwei."
    assert questions["de"][2].answer == 2
    write_jsonl(tmp_path / "de", [belebele_row("Eins.", ["Ä?"]), belebele_row("Zwei.", ["C?", "D?"])])
    with pytest.raises(DataError, match="do not run parallel"):
        prepare_collection({"reader": "belebele", "questions": files}, ["de"], tmp_path / "out")
