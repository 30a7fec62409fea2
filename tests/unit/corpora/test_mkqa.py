"""MKQA: a Finnish or Tagalog question finds its English original."""

import json
import zipfile

import pytest

from optical.errors import DataError
from support.corpora import documents_of, rows_of, write_jsonl
from support.prepared import prepare_collection

ENGLISH = {"-12": "who sings i hear you knocking", "7": "where is times square", "9": "who sings  i hear you knocking"}
FINNISH = {"-12": "kuka laulaa i hear you knocking", "7": "missä times square sijaitsee", "9": "kuka sen laulaa"}


def lines(lang, code, questions):
    """Return questions as MKQA has them."""
    return [{"id": f"{k}_{code}", "lang": lang, "question": text, "answers": []} for k, text in questions.items()]


@pytest.fixture
def block(tmp_path):
    """A block with a zip file of the true form, in which Portuguese is empty, and a file of Tagalog beside it."""
    with zipfile.ZipFile(tmp_path / "test.zip", "w") as archive:
        archive.writestr("mkqa_test/", "")
        for code, questions in {"pt": {}, "fi": FINNISH, "zh_cn": FINNISH, "en": ENGLISH}.items():
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines(code, code, questions))
            archive.writestr(f"mkqa_test/mkqa-{code}.jsonl", text)
    tagalog = write_jsonl(tmp_path / "tl.jsonl", lines("tl", "en", {"7": "Saan matatagpuan ang Times Square?"}))
    packed = str(tmp_path / "test.zip")
    return {"reader": "mkqa", "questions": dict.fromkeys(["en", "fi", "zh", "pt", "sv"], packed) | {"tl": tagalog}}


def test_questions_find_their_english_original_and_equal_ones_are_one_document(tmp_path, block):
    counts = prepare_collection(block, ["fi", "tl", "zh"], tmp_path / "out")
    assert counts["queries"] == {"en": 3, "fi": 3, "tl": 1, "zh": 3} and counts["documents"] == 2
    texts = {document["id"]: document["text"] for document in documents_of(tmp_path / "out")}
    qrels = map(str.split, (tmp_path / "out/qrels.txt").read_text().splitlines())
    relevant = {query: texts[document] for query, _, document, _ in qrels}
    assert {query: " ".join(text.split()) for query, text in relevant.items()} == ENGLISH | {"9": ENGLISH["-12"]}
    assert rows_of(tmp_path / "out/queries/fi.tsv") == [[*item] for item in FINNISH.items()]
    assert rows_of(tmp_path / "out/queries/tl.tsv") == [["7", "Saan matatagpuan ang Times Square?"]]


@pytest.mark.parametrize(
    ("lang", "message"),
    [
        ("pt", "not questions of MKQA in pt: it is empty .*mkqa-pt.jsonl"),
        ("sv", "not questions of MKQA in sv: no such file in it .*it has mkqa-en.jsonl, mkqa-fi.jsonl, mkqa-pt.jsonl"),
    ],
)
def test_a_language_without_questions_is_named(tmp_path, block, lang, message):
    with pytest.raises(DataError, match=message):
        prepare_collection(block, [lang], tmp_path / "out")


def test_questions_of_another_part_are_refused(tmp_path, block):
    write_jsonl(tmp_path / "tl.jsonl", lines("tl", "en", {"7": "Saan?", "8": "Kailan?"}))
    with pytest.raises(DataError, match="1 questions in tl have no English original, e.g. 8_en .*tl.jsonl"):
        prepare_collection(block, ["tl"], tmp_path / "out")
