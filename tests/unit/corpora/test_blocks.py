"""Files by the language of the passages, in the reader of the user's own collections."""

import pytest

from optical.config.collections import read_collection
from optical.errors import ConfigError, DataError
from support.corpora import documents_of, write_lines
from support.prepared import prepare_collection


@pytest.fixture
def plain(tmp_path):
    """Write a small collection with English and Swahili passages; return its block of the config."""
    english = ["d1\tThe harbour of Mombasa", "d2\tCoffee grows in Moshi"]
    return {
        "reader": "plain",
        "documents": {
            "en": write_lines(tmp_path / "en.tsv", english),
            "sw": write_lines(tmp_path / "sw.tsv", ["m1\tBandari ya Mombasa", "m2\tKahawa hukua Moshi"]),
        },
        "passage_languages": ["en", "sw"],
        "queries": {"sw": write_lines(tmp_path / "q.sw.tsv", ["1\tbandari iko wapi", "2\tkahawa inakua wapi"])},
        "qrels": write_lines(tmp_path / "qrels.txt", ["1 0 d1 1", "2 0 d2 1", "1 0 m1 1", "2 0 m2 1"]),
    }


def test_passages_in_several_languages_have_a_file_each_and_one_of_them_keeps_its_own_judgements(plain, tmp_path):
    prepare_collection(plain, ["sw"], tmp_path / "both")
    languages = [(each["id"], each["language"]) for each in documents_of(tmp_path / "both")]
    assert languages == [("d1", "en"), ("d2", "en"), ("m1", "sw"), ("m2", "sw")]
    prepare_collection(plain | {"passage_languages": ["sw"]}, ["sw"], tmp_path / "sw")
    assert (tmp_path / "sw/qrels.txt").read_text() == "1 0 m1 1\n2 0 m2 1\n"
    prepare_collection(plain | {"split": {"length": 2, "stride": 2}}, ["sw"], tmp_path / "split")
    assert {"id": "m1#1", "text": "Mombasa", "language": "sw"} in documents_of(tmp_path / "split")


def test_a_language_without_a_file_and_a_judgement_of_no_language_are_refused(plain, tmp_path):
    with pytest.raises(ConfigError, match="no passages in so. Hint: there are files of en, sw"):
        prepare_collection(plain | {"passage_languages": ["so"]}, ["sw"], tmp_path / "none")
    with open(plain["qrels"], "a") as file:
        file.write("1 0 m7 1\n")
    with pytest.raises(DataError, match="the qrels name document m7"):
        prepare_collection(plain, ["sw"], tmp_path / "wrong")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"documents": "all.jsonl"}, "one file for passages in several languages.*a file for each"),
        ({"reader": "belebele", "questions": "q"}, "this reader takes one"),
        ({"passage_languages": []}, "passage_languages"),
    ],
)
def test_languages_of_passages_that_a_reader_cannot_tell_apart_are_refused(plain, changes, message):
    with pytest.raises(ConfigError, match=message):
        read_collection(plain | changes)
