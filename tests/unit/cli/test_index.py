"""`optical index build` and searches in what it built."""

import json
import shutil

import pytest

from optical.files import write_jsonl
from optical.search import retriever
from optical.search.index import open_index
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


def test_seed_0_is_a_seed_like_others(optical, results, passages, tmp_path):
    moved = shutil.copytree(results, tmp_path / "moved")
    student_of(moved).rename(moved / "students/sw/optical/0")
    index = tmp_path / "seeds"
    assert optical("index", "build", passages, "--model", moved / "students/sw/optical/0", "--to", index)[0] == 0
    for place in (["--index", index], ["--collection", "atlas", "--results", moved]):
        code, output, _ = optical("search", *place, "--lang", "sw", "--method", "optical", "--seed", 0, "mto", "--json")
        assert code == 0 and answers(output)[0]["passages"]
    shutil.copytree(moved / "students/sw/optical/0", moved / "students/sw/optical/1")
    assert open_index(index).query_model(seed=0) == moved / "students/sw/optical/0"
    assert open_index(index).query_model(seed=1) == moved / "students/sw/optical/1"


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


def test_passages_are_added_filtered_listed_and_removed(optical, results, passages):
    index = passages.parent / "index"
    write_jsonl(passages, DOCUMENTS[:2])
    assert optical("index", "build", passages, "--model", student_of(results), "--to", index)[0] == 0
    more = [DOCUMENTS[1], {"id": "new", "text": "mto ni mrefu", "language": "sw", "date": "2024-05-31"}]
    write_jsonl(passages, more)
    added = optical("index", "add", passages, "--index", index, "--source", "news")
    assert added == (0, f"{index}: 1 added, 1 replaced, 3 passages now\n", "")
    search = ["search", "--index", index, "--lang", "sw", "mto", "--json"]
    (answer,) = answers(optical(*search, "--where", "source=news", "--where", "date>=2024-05")[1])
    (found,) = answer["passages"]
    assert (found["id"], found["metadata"]["language"]) == ("new", "sw")
    code, output, _ = optical("index", "info", "--index", index, "--json")
    facts = json.loads(output)
    assert code == 0 and (facts["passages"], facts["deleted"], facts["parts"]) == (3, 0, 1)
    assert (facts["languages"], facts["sources"], facts["years"]) == ({"sw": 1}, {"news": 2}, {"2024": 1})
    (passages.parent / "ids.txt").write_text("new\n\n")
    removed = optical("index", "remove", "d0", "--ids-from", passages.parent / "ids.txt", "--index", index)
    assert removed == (0, f"{index}: 2 removed, 1 passages now\n", "")
    assert "sources: news 1" in optical("index", "info", "--index", index)[1]


def test_faulty_changes_and_filters_are_one_line(optical, results, passages):
    index = passages.parent / "index"
    optical("index", "build", passages, "--model", student_of(results), "--to", index)
    for arguments, code, message in (
        (["index", "remove", "--index", index], 2, "no passages to remove"),
        (["index", "remove", "none", "--index", index], 1, "1 of 1 passages are not in the index, such as none"),
        (["search", "--index", index, "--where", "colour=red", "mto"], 1, "'colour=red' is not a condition"),
        (
            ["search", "--collection", "atlas", "--results", results, "--lang", "sw", "--where", "date=2024", "mto"],
            1,
            "these passages have no metadata",
        ),
    ):
        found = optical(*arguments)
        assert found[0] == code and message in found[2] and found[2].count("\n") == 1


def test_a_reader_that_has_moved_is_named(optical, results, passages, tmp_path):
    import shutil

    shutil.copytree(results, tmp_path / "moved")
    index = passages.parent / "index"
    optical("index", "build", passages, "--model", student_of(tmp_path / "moved"), "--to", index)
    (tmp_path / "moved").rename(tmp_path / "again")
    code, _, error = optical("index", "add", passages, "--index", index)
    assert code == 1 and "is not there" in error and "in `index add` by --teacher FOLDER" in error
    assert optical("index", "add", passages, "--index", index, "--teacher", tmp_path / "again/teacher")[0] == 0


def test_the_base_of_models_is_named_where_it_lies_now(optical, results, passages, monkeypatch):
    index, bases = passages.parent / "index", []
    optical("index", "build", passages, "--model", student_of(results), "--to", index)
    load = retriever.load_encoder
    monkeypatch.setattr(retriever, "load_encoder", lambda folder, base=None: bases.append(base) or load(folder))
    assert optical("index", "add", passages, "--index", index, "--base", "moved")[0] == 0
    monkeypatch.setattr("optical.web.searcher.Searcher.__init__", lambda *_: 1 / 0)  # before it listens for ever
    assert optical("serve", "--index", index, "--port", "0", "--lang", "sw", "--base", "moved")[0] == 1
    assert bases == ["moved", "moved"]


def test_an_engine_holds_the_passages_and_the_commands_are_the_same(optical, results, passages):
    index = passages.parent / "index"
    build = ("index", "build", passages, "--model", student_of(results), "--to", index)
    code, output, error = optical(*build, "--engine", "lancedb", "--language", "en")
    assert (code, error) == (0, "") and f"{len(DOCUMENTS)} passages" in output
    facts = json.loads(optical("index", "info", "--index", index, "--json")[1])
    assert facts["engine"] == "lancedb" and facts["languages"] == {"en": len(DOCUMENTS)}
    assert "1 removed" in optical("index", "remove", "d1", "--index", index)[1]
    assert "1 added" in optical("index", "add", passages, "--index", index, "--source", "again")[1]
    found = answers(optical("search", "--index", index, "--where", "source=again", "swali", "--json", "--top", "20")[1])
    assert len(found[0]["passages"]) == len(DOCUMENTS)
    code, _, error = optical(*build, "--store", "s3://bucket")
    assert code == 1 and "a store without an engine" in error
