"""Adding to an index and removing from it: what is found, what is refused, and what a killed change leaves."""

import fcntl

import pytest

from optical.errors import ConfigError, DataError, ResourceError
from optical.search import index_changes
from optical.search.index import open_index, read_again_if_changed
from optical.search.index_info import describe
from optical.search.retriever import Retriever
from optical.web.searcher import Searcher
from support.index_sequences import kill, run_sequence
from support.toy_results import DOCUMENTS, make_results, student_of

QUERY = "where is the river?"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.fixture
def retriever(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS, tmp_path / "index", language="en")
    return retriever


def ids_of(hits):
    return {hit.id for hit in hits}


@pytest.mark.parametrize("seed", range(15))
def test_random_changes_give_the_same_hits_as_a_search_over_what_should_be_there(tmp_path, seed):
    run_sequence(tmp_path, seed)


def test_a_killed_change_leaves_the_index_before_or_after_it(tmp_path):
    for seed in range(3):
        kill(tmp_path, seed)


def test_what_is_added_replaced_and_removed_is_found_by_whoever_has_opened_the_index(retriever):
    other = Retriever.open(retriever.opened.folder)
    passages = [
        {"id": "new", "text": "mto ni mrefu", "language": "sw", "source": "the \t news ", "date": "2024-05-31"},
        {"id": "d1", "text": "the river has another text"},
    ]
    change = other.add(passages, source="web")
    assert (change.added, change.replaced, change.index.size) == (1, 1, len(DOCUMENTS) + 1)
    hits = {hit.id: hit for hit in retriever.search(QUERY, top=20)}
    assert hits["d1"].text == "the river has another text" and hits["d1"].metadata == {"source": "web"}
    assert hits["new"].metadata == {"language": "sw", "source": "the news", "date": "2024-05-31"}
    assert ids_of(retriever.search(QUERY, where="source = the  news")) == {"new"}
    assert retriever.remove(["d1", "new"]).index.size == other.index_now().size == len(DOCUMENTS) - 1
    assert {"d1", "new"}.isdisjoint(ids_of(other.search(QUERY, top=20)))
    with pytest.raises(DataError, match="no document d1"):
        other.indexed().read({"d1"})


def test_passages_are_filtered_by_all_conditions(retriever):
    retriever.add([{"id": "a", "text": "mto", "language": "sw", "date": "2023"}])
    retriever.add([{"id": "b", "text": "mto", "language": "sw", "date": "2024-05-31"}])
    assert ids_of(retriever.search(QUERY, 20, "language=sw")) == {"a", "b"}
    assert ids_of(retriever.search(QUERY, 20, ["language=sw", "date>=2024"])) == {"b"}
    assert ids_of(retriever.search(QUERY, 20, "language=en")) == {document["id"] for document in DOCUMENTS}
    assert retriever.search(QUERY, 20, "source=news") == retriever.search_all([QUERY], 5, "date<=2022")[0] == []
    for wrong, message in (
        ("lang=sw", "'lang=sw' is not a condition"),
        ("date=May", "'May' is not a date"),
        ("date=2024-31-05", "'2024-31-05' is not a date"),
        ("language==sw", "not a cond"),
    ):
        with pytest.raises(ConfigError, match=message):
            retriever.search(QUERY, where=wrong)


def test_an_index_may_become_empty_and_be_filled_again(retriever):
    assert retriever.remove([document["id"] for document in DOCUMENTS]).index.parts == []
    assert retriever.search(QUERY) == retriever.rank([QUERY])[0].ids == []
    retriever.add(DOCUMENTS[:2])
    assert ids_of(retriever.search(QUERY)) == {"d0", "d1"}


def test_a_refused_change_leaves_the_index_as_it_was(retriever, tmp_path, results):
    before = open_index(tmp_path / "index")
    with pytest.raises(DataError, match="1 of 2 passages are not in the index, such as none"):
        retriever.remove(["d1", "none"])
    with pytest.raises(DataError, match="the date of passage x is 'May'"):
        retriever.add([{"id": "x", "text": "mto", "date": "May"}])
    with pytest.raises(DataError, match="not the model that has read the passages"):
        index_changes.add_passages(tmp_path / "index", DOCUMENTS, retriever.encoder, student_of(results))
    with pytest.raises(DataError, match="not an index"):
        index_changes.remove_passages(tmp_path / "none", ["d1"])
    assert open_index(tmp_path / "index") == before and len(list((tmp_path / "index").iterdir())) == 2


def test_a_search_goes_on_where_the_index_loses_a_part_meanwhile(retriever, monkeypatch):
    other = Retriever.open(retriever.opened.folder)
    truly = Retriever._rank

    def changed_meanwhile(self, *arguments):
        monkeypatch.setattr(Retriever, "_rank", truly)
        other.remove([document["id"] for document in DOCUMENTS[1:]])  # the part goes: most of it is deleted
        return truly(self, *arguments)

    monkeypatch.setattr(Retriever, "_rank", changed_meanwhile)
    assert ids_of(retriever.search(QUERY)) == {"d0"}


def test_what_an_index_holds_is_read_again_where_it_changes_meanwhile(retriever):
    read = []

    def describe_late(index):
        if not read:
            retriever.remove([document["id"] for document in DOCUMENTS[1:]])  # the part goes: most of it is deleted
        read.append(index)
        return describe(index)

    assert read_again_if_changed(retriever.index_now, describe_late)["passages"] == 1 and len(read) == 2
    with pytest.raises(DataError, match="always"):
        read_again_if_changed(retriever.index_now, lambda _: (_ for _ in ()).throw(DataError("always")))


def test_a_search_in_an_index_that_was_built_for_another_model_is_refused(retriever, tmp_path):
    from support.tiny_models import save_encoder

    searcher = Searcher({"sw": retriever})
    Retriever.load(save_encoder(tmp_path / "another", seed=9)).index(DOCUMENTS, tmp_path / "index")
    for ask in (lambda: retriever.search(QUERY), lambda: searcher.align("sw", QUERY, "d1")):
        with pytest.raises(DataError, match="built again for another model"):
            ask()


def test_a_change_that_waits_for_another_says_so(retriever, monkeypatch, caplog):
    asked = []

    def locked_by_another(_, how):
        asked.append(how)
        if how & fcntl.LOCK_NB:
            raise BlockingIOError

    monkeypatch.setattr(index_changes.fcntl, "flock", locked_by_another)
    assert retriever.remove(["d1"]).removed == 1
    assert asked[-1] == fcntl.LOCK_EX and "another process changes" in caplog.text


def test_a_folder_that_cannot_be_locked_is_refused(retriever, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(index_changes.fcntl, "flock", refuse)
    with pytest.raises(ResourceError, match="cannot lock: Operation not supported"):
        retriever.remove(["d1"])
