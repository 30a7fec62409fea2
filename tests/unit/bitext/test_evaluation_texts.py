"""Evaluation texts are found in files of every form, and refused where they are not understood."""

import gzip
import zipfile

import pytest

from optical.bitext.evaluation_texts import read_evaluation_keys, sentence_keys
from optical.errors import DataError
from optical.files import atomic_folder, write_lines
from support.bounds import bounded

QUESTION = "who founded the city of dodoma"
TMX = '<tmx><body><tu><tuv xml:lang="sw"><seg>Who <bpt>b</bpt>founded the city of Dodoma?</seg></tuv></tu></body></tmx>'


def test_lines_of_a_text_file_may_have_an_id_before_the_text(tmp_path):
    (tmp_path / "queries.txt").write_text("q1\tOne more\n")
    assert read_evaluation_keys([tmp_path / "queries.txt"]) == {"q1", "one more"}


def test_json_evaluation_files_may_be_lines(tmp_path):
    (tmp_path / "a.json").write_text('{"q": ["One"]}\n{"q": "Two"}\n')
    assert read_evaluation_keys([tmp_path / "a.json"]) == {"one", "two"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "Who founded the city of Dodoma?\n"),
        ("a.tsv.gz", "q1\tWho founded the city of Do\u200bdoma?\n"),
        ("a.csv", 'q1,"Who founded the city\nof Dodoma?"\n'),
        ("semicolons.csv", 'q1;"Who founded the city; of Dodoma?"\nq2;x\n'),
        ("commas.csv", "q1;Where, in Kenya, is it?\nq2;Who founded the city of Dodoma?\n"),
        ("tabs.csv", "q1\tWho founded the city of Dodoma?\n"),
        ("a.txt", '["Who founded the city of Dodoma?", "x"]\n'),
        ("topics", '[\n {"id": 1,\n  "question": "Who founded the city of Dodoma?"}\n]\n'),
        ("a.txt", "[noise] Tell me.\nWho founded the city of Dodoma?\n"),
        ("a.json", '[\n{"title": "Who founded the city of Dodoma?"}\n]'),
        ("a.jsonl", '{"id": "1", "title": "Who founded the city of Dodoma?"}\n{"id": "2", "title": "x"}\n'),
        ("a.txt", '{"question": "Who founded the city of Dodoma?"}\n'),
        ("a.xml", "<?xml version='1.0'?>\n<topic><title>\nWho founded the\n<b>city</b> of Dodoma?</title></topic>"),
        ("a.sgm", "<top>\n<num> C001\n<EN-title> Who founded the city of Dodoma?\n</top>"),
        ("topics", "\n<topics><title><![CDATA[Who founded the city of Dodoma?]]></title></topics>"),
        ("a.xml", "<questions><q id='1' text='Who founded the city of Dodoma?'/></questions>"),
        ("a.json", '{"Who founded the city of Dodoma?": "Germans"}'),
        ("a.tmx", TMX),
        ("A.TMX.GZ", TMX),
    ],
)
def test_a_question_is_found_in_files_of_any_form(tmp_path, name, content):
    raw = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.lower().endswith(".gz") else raw)
    assert QUESTION in read_evaluation_keys([tmp_path / name])


def test_a_zipped_translation_memory_and_a_declared_encoding(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.tmx.zip", "w") as archive:
        archive.writestr("a.tmx", TMX)
    assert read_evaluation_keys([tmp_path / "a.tmx.zip"]) == {QUESTION}
    (tmp_path / "a.xml").write_bytes(
        '<?xml version="1.0" encoding="latin1"?><title>Été à Paris</title>'.encode("latin1")
    )
    assert "été à paris" in read_evaluation_keys([tmp_path / "a.xml"])


def test_the_title_of_a_document_is_no_question(tmp_path):
    (tmp_path / "documents.jsonl").write_text('{"id": "d", "title": "Kenya", "text": "A country"}\n')
    assert read_evaluation_keys([tmp_path / "documents.jsonl"]) == {"a country"}


@pytest.mark.parametrize("name", ["a.yaml", "a.PDF", "a.parquet", "a.yml.gz", "sw.po"])
def test_a_form_that_is_not_understood_is_refused(tmp_path, name):
    (tmp_path / name).write_text("- question: Who founded the city of Dodoma?\n")
    with pytest.raises(DataError, match="are not understood.*give lines of text"):
        read_evaluation_keys([tmp_path / name])


@pytest.mark.parametrize("name", ["empty.txt", "numbers.json", "folder", "tags.xml"])
def test_what_gives_no_text_is_refused(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.txt").write_text("\n--\n")
    (tmp_path / "numbers.json").write_text("[1, 2]")
    (tmp_path / "tags.xml").write_text("-")
    with pytest.raises(DataError, match="no evaluation text in it"):
        read_evaluation_keys([tmp_path / name])


@pytest.mark.parametrize(
    "text",
    [
        'He asked, "Who founded the city of Dodoma?"',
        "Il demande : « Who founded the city of Dodoma ? » et part.",
        "She said: „Tell me. Who founded the city of Dodoma?“",
        '"Nobody knows." Who founded the city of Dodoma?',
        "(I do not know.) Who founded the city of Dodoma?",
    ],
)
def test_a_quoted_sentence_is_a_sentence(text):
    assert QUESTION in sentence_keys(text)


def test_a_quoted_word_or_two_is_none():
    assert sentence_keys('The "plural of Nebelbank" is hard') == []


@pytest.mark.parametrize("sign", ['"', "“", "„", "»", ")", "! ", "。", "a\u0301", "<a ", "&"])
def test_the_time_grows_with_the_length_alone(sign):
    with bounded(60):
        sentence_keys(sign * 100_000)


def test_a_lost_file_of_queries_is_refused(tmp_path):
    with atomic_folder(tmp_path / "collection") as folder:
        for lang in ("en", "sw"):
            write_lines(folder / f"queries/{lang}.tsv", [f"q1\tHow many {lang} are there?"])
    assert len(read_evaluation_keys([tmp_path / "collection"])) == 2
    (tmp_path / "collection/queries/sw.tsv").unlink()
    with pytest.raises(DataError, match="changed since it was written: it is missing"):
        read_evaluation_keys([tmp_path / "collection"])
