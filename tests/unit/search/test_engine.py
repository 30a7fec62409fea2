"""An index whose passages LanceDB holds: what it finds, how it changes, and what is refused."""

import shutil
import sys

import pytest
import requests
from moto.server import ThreadedMotoServer

from optical.errors import ConfigError, DataError, ResourceError
from optical.search import engine, index_changes
from optical.search.index import open_index
from optical.search.index_info import describe
from optical.search.retriever import Retriever
from support.index_sequences import EngineMachine, kill, run_sequence
from support.toy_results import DOCUMENTS, make_results, student_of

QUERY = "where is the river?"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """Return a folder whose index the sequences change, with passages enough for an inverted file."""
    return tmp_path_factory.mktemp("changing")


@pytest.fixture
def retriever(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS, tmp_path / "index", language="en", engine="lancedb")
    return retriever


def ids_of(hits):
    return {hit.id for hit in hits}


@pytest.mark.parametrize("seed", range(4))
def test_random_changes_are_found_and_nothing_else(changing, seed):
    run_sequence(changing, seed, machine_class=EngineMachine)


def test_a_killed_change_leaves_the_index_before_or_after_it(changing):
    kill(changing, 1, EngineMachine)


def test_hits_scores_and_marked_words_are_those_of_exact_search(retriever, results, tmp_path):
    exact = Retriever.load(student_of(results))
    exact.index(DOCUMENTS, tmp_path / "exact", language="en")
    for query in (QUERY, "the moon", "swali"):
        expected = {hit.id: hit for hit in exact.search(query, top=20)}
        found = retriever.search(query, top=20)
        assert len(found) == len(expected) == len(DOCUMENTS)
        for hit in found:
            assert hit.score == pytest.approx(expected[hit.id].score, abs=1e-5)
            assert hit._replace(score=0) == expected[hit.id]._replace(score=0)
        assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_what_is_added_replaced_and_removed_is_found_by_whoever_has_opened_the_index(retriever):
    other = Retriever.open(retriever.opened.folder)
    passages = [
        {"id": "new", "text": "mto ni mrefu", "language": "sw", "source": " the  'news'", "date": "2024-05-31"},
        {"id": "d1", "text": "the river has another text"},
    ]
    change = other.add(passages, source="web")
    assert (change.added, change.replaced, change.index.size) == (1, 1, len(DOCUMENTS) + 1)
    hits = {hit.id: hit for hit in retriever.search(QUERY, top=20)}
    assert hits["d1"].text == "the river has another text" and hits["d1"].metadata == {"source": "web"}
    for where in ("source=the 'news'", "date=2024", "date<=2024-05", "date>=2024-05-31", "language=sw"):
        assert ids_of(retriever.search(QUERY, top=20, where=where)) == {"new"}, where
    assert ids_of(retriever.search(QUERY, top=20, where=["language=sw", "date>=2025"])) == set()
    assert retriever.remove(["d1", "new"]).index.size == other.index_now().size == len(DOCUMENTS) - 1
    assert {"d1", "new"}.isdisjoint(ids_of(other.search(QUERY, top=20)))
    with pytest.raises(DataError, match="no passage d1"):
        other.indexed().read({"d1"})


def test_an_unknown_id_is_refused_and_nothing_is_removed(retriever):
    with pytest.raises(DataError, match="1 of 2 passages are not in the index, such as other"):
        retriever.remove(["d1", "other"])
    assert retriever.remove([]).removed == 0
    assert retriever.index_now().size == len(DOCUMENTS)


def test_an_index_without_passages_finds_nothing_and_takes_new_ones(retriever):
    retriever.remove([document["id"] for document in DOCUMENTS])
    assert retriever.search(QUERY) == []
    retriever.add([{"id": "a", "text": "the river"}])
    assert ids_of(retriever.search(QUERY)) == {"a"}


def test_a_search_reads_one_version_throughout(retriever):
    passages = retriever.indexed()
    retriever.remove(["d1"])
    assert passages.size == len(DOCUMENTS) and passages.read({"d1"})
    assert retriever.indexed() != passages


def test_an_index_moves_to_another_engine_and_back(retriever):
    folder = retriever.opened.folder
    assert describe(open_index(folder))["languages"] == {"en": len(DOCUMENTS)}
    assert describe(open_index(folder))["engine"] == "lancedb"
    retriever.index(DOCUMENTS[:2], folder)
    assert open_index(folder).engine == "" and ids_of(retriever.search(QUERY)) == {"d0", "d1"}
    retriever.index(DOCUMENTS[:3], folder, engine="lancedb")
    assert ids_of(retriever.search(QUERY)) == {"d0", "d1", "d2"}
    assert len(list(folder.iterdir())) == 2


def test_the_inverted_file_is_made_when_the_passages_have_doubled(retriever, monkeypatch):
    monkeypatch.setattr(engine, "SEARCHED_WHOLE", 10)
    made = []
    monkeypatch.setattr(index_changes, "make_inverted_file", lambda *place: made.append(place))
    for first in (0, 5, 10):
        retriever.add([{"id": f"n{number}", "text": "the river"} for number in range(first, first + 5)])
    assert made == [retriever.opened.place_of_table(retriever.opened.parts[0].name)]
    assert retriever.index_now().parts[0].size == len(DOCUMENTS) + 10


def test_the_inverted_file_is_made_anew_before_it_is_of_many_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(index_changes, "MOST_PIECES", 2)
    machine = EngineMachine(tmp_path, 1)
    pieces = []
    for _ in range(3):
        machine.change("add", machine.new_passages(1, 1))
        pieces.append(
            engine.pieces_of_file(*open_index(machine.index).place_of_table(open_index(machine.index).parts[0].name))
        )
    assert pieces == [2, 1, 2]


@pytest.fixture
def bucket(monkeypatch):
    """Return the address of a folder of an empty bucket, which a server on this machine stands in for."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    options = {"ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "key", "REGION": "us-east-1", "ALLOW_HTTP": "true"}
    for name, value in (options | {"ENDPOINT": f"http://{host}:{port}"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)
    requests.put(f"http://{host}:{port}/passages", timeout=10).raise_for_status()
    yield "s3://passages/index"
    server.stop()


def test_passages_in_a_bucket_are_searched_changed_and_replaced(results, tmp_path, bucket, monkeypatch, caplog):
    folder = tmp_path / "index"
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS, folder, engine="lancedb", store=bucket)
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["index.json", "tokenizer.json"]
    shutil.copytree(folder, tmp_path / "copy")  # beside the models, as on another machine
    elsewhere = Retriever.open(tmp_path / "copy")
    retriever.add([{"id": "new", "text": "the river"}])
    retriever.remove(["d1"])
    assert ids_of(elsewhere.search(QUERY, top=20)) == ids_of(retriever.search(QUERY, top=20))
    assert {"new", "d0"} < ids_of(elsewhere.search(QUERY, top=20))
    first = open_index(folder).table
    retriever.index(DOCUMENTS[:2], folder, engine="lancedb", store=bucket)
    assert ids_of(retriever.search(QUERY)) == {"d0", "d1"}
    with pytest.raises(DataError, match="not found"):
        engine.table_of(first.place, first.name, first.tokeniser)
    with monkeypatch.context() as unread, pytest.raises(DataError, match=r"LanceDB: .*\[s3://other/index\]"):
        unread.setattr(
            index_changes, "encode_documents", lambda *_, **__: pytest.fail("read before the bucket is known")
        )
        retriever.index(DOCUMENTS, folder, engine="lancedb", store="s3://other/index")
    assert ids_of(retriever.search(QUERY)) == {"d0", "d1"}
    monkeypatch.setattr(engine, "_database", lambda place: (_ for _ in ()).throw(OSError("no credentials")))
    retriever.index(DOCUMENTS[:3], folder)  # leaves the bucket
    assert ids_of(retriever.search(QUERY)) == {"d0", "d1", "d2"}
    assert "the table of the old index is left in its bucket: LanceDB: no credentials" in caplog.text


def test_what_lancedb_cannot_do_is_one_line(retriever):
    table = retriever.index_now().table
    with pytest.raises(DataError, match="LanceDB: .*not found") as raised:
        engine.table_of(table.place, "other", table.tokeniser)
    assert str(raised.value).count("\n") == 0


def test_without_lancedb_nothing_is_encoded(results, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lancedb", None)
    with pytest.raises(ResourceError, match=r"LanceDB's, which is missing.*\[engine\]"):
        Retriever.load(student_of(results)).index(DOCUMENTS, tmp_path / "index", engine="lancedb")
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"engine": "other"}, "unknown engine 'other'"),
        ({"store": "s3://bucket"}, "a store without an engine"),
        ({"engine": "lancedb", "store": "tables"}, r"not the address of a bucket \[tables\]"),
    ],
)
def test_options_that_do_not_fit_are_refused(results, tmp_path, options, expected):
    with pytest.raises(ConfigError, match=expected):
        Retriever.load(student_of(results)).index(DOCUMENTS, tmp_path / "index", **options)
