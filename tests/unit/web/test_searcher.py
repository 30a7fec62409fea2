"""What the page asks for: which sentence is aligned, and what is refused."""

import pytest

from optical.errors import ConfigError, DataError
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.search.encoding import encode_queries
from optical.search.retriever import Retriever
from optical.text.tokeniser import tokenise
from optical.web.searcher import Searcher, best_sentence, sentence_spans
from support.bounds import bounded
from support.tiny_models import TEXTS
from support.toy_results import DOCUMENTS, make_results, student_of


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def searcher(results, tmp_path_factory):
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS, tmp_path_factory.mktemp("index") / "index")
    return Searcher({"sw": retriever})


def test_sentences_end_at_their_signs_and_numbers_stay_whole():
    text = " It is 3.5 miles long. Is it?  Yes!! No end "
    assert [text[start:end] for start, end in sentence_spans(text)] == [
        "It is 3.5 miles long.",
        "Is it?",
        "Yes!!",
        "No end",
    ]
    assert sentence_spans(" ") == []


def test_a_long_run_of_signs_takes_no_long_time():
    with bounded(60):
        assert sentence_spans("!" * 400_000 + "x") == [(0, 400_001)]


def test_the_best_sentence_has_the_highest_score(results):
    student, teacher = load_encoder(student_of(results)), load_encoder(results / "teacher")
    text = " ".join(TEXTS[:2])
    (query_MD,), (mask_M,) = encode_queries(student, ["mto uko wapi"])
    scores = {}
    for start, end in sentence_spans(text):
        ((_, vectors_LD, _),) = teacher.encode(list(tokenise(teacher.tokeniser, [text[start:end]])), DOCUMENT)
        scores[start, end] = float((query_MD[mask_M] @ vectors_LD.T).max(dim=1).values.sum())
    assert len(scores) == 3
    assert best_sentence(student, teacher, "mto uko wapi", text) == max(scores, key=scores.get)
    assert best_sentence(student, teacher, "mto", "one sentence") == (0, 12)


def test_a_plan_has_a_row_for_each_token_of_the_query(searcher):
    found = searcher.align("sw", "mto uko wapi", "d1")
    assert "".join(token.removeprefix("##") for token in found["query"]) == "mtoukowapi"
    assert TEXTS[1][found["start"] : found["end"]] in ("where is the river?", "the river is in the north!")
    assert {len(row) for row in found["plan"]} == {len(found["passage"])} and len(found["plan"]) == len(found["query"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("xx", "mto", 1), "unknown language 'xx' .*one of sw"),
        (("sw", " ", 1), "the query is empty"),
        (("sw", "a" * 2001, 1), "the query has 2001 characters"),
        (("sw", "mto", 0), "0 passages .*1 to 100"),
    ],
)
def test_what_cannot_be_asked_is_refused(searcher, arguments, message):
    with pytest.raises(ConfigError, match=message):
        searcher.search(*arguments)


def test_an_unknown_passage_is_refused_without_a_path(searcher):
    with pytest.raises(ConfigError, match=r"^no passage 'none' \[id\]"):
        searcher.align("sw", "mto", "none")


def test_a_damaged_index_is_no_fault_of_the_question(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    index = retriever.index(DOCUMENTS, tmp_path / "index")
    damaged = index.folder / index.parts[0].name / "documents.jsonl"
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(DataError):
        Searcher({"sw": retriever}).align("sw", "mto", "d1")
