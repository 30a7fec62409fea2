"""`optical index build` and searches in what it built."""

import json

import pytest

from optical.files import write_jsonl
from support.toy_results import DOCUMENTS, student_of


@pytest.fixture
def passages(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_jsonl(tmp_path / "passages.jsonl", DOCUMENTS)
    return tmp_path / "passages.jsonl"


def answers(output):
    return [json.loads(line) for line in output.splitlines()]


def test_an_index_a_file_and_a_collection_of_the_same_passages_give_the_same_answers(optical, results, passages):
    index = passages.parent / "index"
    code, output, error = optical("index", "build", passages, "--model", student_of(results), "--to", index)
    assert (code, error) == (0, "")
    assert f"{len(DOCUMENTS)} passages, read by {results / 'teacher'}" in output
    query = ["--lang", "sw", "swali la kwanza", "--json"]
    places = {
        "index": ["--index", index],
        "documents": ["--documents", passages, "--results", results],
        "collection": ["--collection", "atlas", "--results", results],
    }
    found = {name: optical("search", *place, *query) for name, place in places.items()}
    assert found["index"][0] == 0 and answers(found["index"][1])[0]["passages"]
    assert found["index"] == found["documents"] == found["collection"]
    english = [optical("search", *place, "--lang", "en", "the moon", "--json") for place in places.values()]
    assert english[0] == english[1] == english[2]


def test_passages_of_a_file_are_encoded_once_for_all_languages(optical, results, passages):
    search = ["search", "--documents", passages, "--results", results]
    first = optical(*search, "--lang", "sw", "mto", "--json")
    (index,) = (passages.parent / "cache/optical").iterdir()
    written = (index / "index.json").stat().st_mtime_ns
    assert optical(*search, "--lang", "sw", "mto", "--json") == first
    assert optical(*search, "--lang", "en", "river", "--json")[0] == 0
    assert (index / "index.json").stat().st_mtime_ns == written
    write_jsonl(passages, DOCUMENTS[:2])
    assert len(answers(optical(*search, "--lang", "sw", "mto", "--json")[1])[0]["passages"]) == 2


def test_one_place_is_searched(optical, results, passages):
    code, _, error = optical("search", "--documents", passages, "--collection", "atlas", "--lang", "sw", "mto")
    assert code == 2 and "not allowed with argument" in error
    code, _, error = optical("search", "--lang", "sw", "mto")
    assert code == 2 and "--index --documents --collection" in error


def test_a_missing_index_says_how_to_build_one(optical, tmp_path):
    code, _, error = optical("search", "--index", tmp_path / "index", "mto")
    assert code == 1 and "not an index" in error and "optical index build" in error and error.count("\n") == 1
    code, _, error = optical("index", "build", tmp_path / "none.jsonl", "--model", tmp_path, "--to", tmp_path / "index")
    assert code == 1 and "no such model" in error
