"""Files of known data sets that are of another form are refused in one line, whatever they hold."""

import json

import pytest

from optical.errors import DataError
from support.corpora import write_jsonl, write_lines
from support.prepared import prepare_collection

PASSAGE = {"id": 1, "context": "Goats eat grass.", "question_lang": "Mbuzi?", "question_translated": "Goats?"}
ITEM = {"question": "Nini?", "answers": [{"text": letter, "correct": letter == "b"} for letter in "abcd"]}
BELEBELE = {"text": "Goats eat grass.", "items": [ITEM]}
UTTERANCE = {"id": 1, "question": {"en": "a", "sw": "b"}, "mr": {"slot_intent": {"en": "[IN:A ]", "sw": "[IN:A ]"}}}
TYDI = {"data": [{"paragraphs": [{"context": "Mbuzi.", "qas": [{"question": "Nini?"}]}]}]}

# reader -> how its block names a file, and what the file holds
READERS = {
    "afriqa": (lambda file: {"questions": {"sw": file}}, [PASSAGE, PASSAGE | {"id": 2}]),
    "belebele": (lambda file: {"questions": {"en": file, "sw": file}}, [BELEBELE]),
    "choices": (lambda file: {"questions": {"en": file, "sw": file}, "form": "belebele"}, [BELEBELE]),
    "mkqa": (lambda file: {"questions": {"en": file, "sw": file}}, [{"id": "-1_en", "question": "Goats?"}]),
    "mtop": (lambda file: {"utterances": file, "relevance": "intent"}, [[UTTERANCE]]),
    "miracl_swahili": (lambda file: {"topics": {"sw": f"{file}.topics"}, "passages": file}, [TYDI]),
}


def prepare(folder, reader, rows):
    file = write_jsonl(folder / "file", rows)
    write_lines(folder / "file.topics", ["1\tNini?"])
    return prepare_collection({"reader": reader} | READERS[reader][0](file), ["sw"], folder / "out")


def damaged(value):
    """Yield copies of a value, each with one part taken away or of another type."""
    yield from (None, 7, "text", [], {})
    if isinstance(value, dict):
        for key in value:
            yield {name: part for name, part in value.items() if name != key}
            yield from (value | {key: other} for other in damaged(value[key]))
    if isinstance(value, list):
        for place in range(len(value)):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in damaged(value[place]))


@pytest.mark.parametrize("reader", READERS)
def test_a_file_is_read_or_refused_in_one_line_whatever_part_of_it_is_wrong(tmp_path, reader):
    rows = READERS[reader][1]
    assert prepare(tmp_path, reader, rows)["relevant"] >= 1
    refused = 0
    for faulty in damaged(rows):
        if isinstance(faulty, list):
            try:
                prepare(tmp_path, reader, faulty)
            except DataError as error:
                assert "\n" not in str(error)
                refused += 1
    assert refused > 5


def test_the_line_and_key_that_are_wrong_are_named(tmp_path):
    del (wrong := json.loads(json.dumps(PASSAGE)))["question_translated"]
    with pytest.raises(DataError, match="gold-passage file of AfriQA: line 2, question_translated: field required"):
        prepare(tmp_path, "afriqa", [PASSAGE, wrong])
    with pytest.raises(DataError, match=r"not a file of Belebele: line 1, items.0.question: field required"):
        prepare(tmp_path, "belebele", [BELEBELE | {"items": [{}]}])


def test_a_row_without_a_passage_is_left_out(tmp_path):
    rows = [PASSAGE, PASSAGE | {"id": "2", "context": None}, PASSAGE | {"id": "3", "question_lang": " "}]
    assert prepare(tmp_path, "afriqa", rows)["queries"]["sw"] == 1
