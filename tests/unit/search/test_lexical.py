import subprocess
import sys

import numpy as np
import pytest

from optical.config.methods import LexicalSettings
from optical.files import write_jsonl
from optical.search import lexical
from optical.search.lexical import make_analyser, prune, search_bm25, search_psq
from optical.search.runs import read_run
from optical.text.words import words
from support.workspace import ROOT

SCRIPT = ROOT / "workflow/scripts/search_lexical.py"
DOCUMENTS = [
    {"id": "house", "text": "a red house, a house by the water"},
    {"id": "tree", "text": "a green tree by the water"},
    {"id": "king", "text": "the king of the red land", "title": "A king"},
    {"id": "copy", "text": "the king of the red land", "title": "A king"},
]
# Swahili words, with the noise that an aligner makes
TABLE = {"nyumba": {"house": 0.8, "home": 0.2}, "maji": {"water": 0.9, "the": 0.1}, "mfalme": {"king": 1.0}}


def index_documents(documents, **settings):
    return lexical.index_documents(documents, LexicalSettings(**settings))


def bm25_by_hand(terms, number, k1=0.9, b=0.4):
    """Lucene's BM25 written out, one word and document at a time."""
    tokens = [words(f"{document.get('title', '')} {document['text']}") for document in DOCUMENTS]
    mean_length = np.mean([len(document) for document in tokens])
    score = 0.0
    for term in terms:
        document_frequency = sum(term in document for document in tokens)
        rarity = np.log(1 + (len(tokens) - document_frequency + 0.5) / (document_frequency + 0.5))
        frequency = tokens[number].count(term)
        score += rarity * frequency / (frequency + k1 * (1 - b + b * len(tokens[number]) / mean_length))
    return score


def test_bm25_is_its_formula():
    run = search_bm25(index_documents(DOCUMENTS), {"q": "red house"})
    numbers = {document["id"]: number for number, document in enumerate(DOCUMENTS)}
    assert [document for document, _ in run["q"]] == ["house", "king", "copy"]
    for document, score in run["q"]:
        assert score == pytest.approx(bm25_by_hand(["red", "house"], numbers[document]), rel=1e-5)


def test_psq_with_every_word_its_own_translation_is_bm25():
    index = index_documents(DOCUMENTS)
    queries = {"a": "the red king", "b": "water water house", "c": "green"}
    identity = {word: {word: 1.0} for word in index.vocabulary}
    bm25, psq = search_bm25(index, queries), search_psq(index, queries, identity)
    for query_id in queries:
        assert [hit[0] for hit in psq[query_id]] == [hit[0] for hit in bm25[query_id]]
        np.testing.assert_allclose([hit[1] for hit in psq[query_id]], [hit[1] for hit in bm25[query_id]], rtol=1e-5)


@pytest.mark.parametrize("settings", [{"k1": 0}, {"b": 1}, {"k1": 0, "b": 0}])
@pytest.mark.filterwarnings("error")
def test_psq_is_bm25_where_the_length_term_is_nothing(settings):
    index = index_documents([*DOCUMENTS, {"id": "empty", "text": "..."}], **settings)
    queries = {"a": "the red king", "b": "water house"}
    bm25, psq = search_bm25(index, queries), search_psq(index, queries, {})
    for query_id in queries:
        assert dict(psq[query_id]) == pytest.approx(dict(bm25[query_id]), rel=1e-5)


def test_psq_counts_expected_frequencies():
    """`maji`: the frequency and the document frequency are weighted means over `water` and `the`."""
    index = index_documents(DOCUMENTS)
    score = dict(search_psq(index, {"q": "maji"}, TABLE)["q"])["tree"]
    document_frequency = 0.9 * 2 + 0.1 * 4
    rarity = np.log(1 + (4 - document_frequency + 0.5) / (document_frequency + 0.5))
    length_term = 0.9 * (1 - 0.4 + 0.4 * 6 / np.mean([8, 6, 8, 8]))
    assert score == pytest.approx(rarity * 1.0 / (1.0 + length_term))


def test_psq_finds_what_untranslated_words_do_not():
    index = index_documents(DOCUMENTS)
    queries = {"q": "mfalme na nyumba"}
    assert search_bm25(index, queries)["q"] == []
    assert [document for document, _ in search_psq(index, queries, TABLE)["q"]] == ["house", "king", "copy"]


def test_unknown_words_are_searched_as_they_are_or_not():
    queries = {"q": "nani green"}
    kept = search_psq(index_documents(DOCUMENTS), queries, TABLE)
    dropped = search_psq(index_documents(DOCUMENTS, keep_unknown=False), queries, TABLE)
    assert [document for document, _ in kept["q"]] == ["tree"]
    assert dropped["q"] == []


def test_translations_meet_stemmed_terms():
    index = index_documents(DOCUMENTS, stemming=True)
    table = {"nyumba": {"houses": 0.5, "housing": 0.5}}
    assert [document for document, _ in search_psq(index, {"q": "nyumba"}, table)["q"]] == ["house"]


def test_ties_are_broken_by_collection_order_even_at_the_cut():
    documents = [{"id": f"d{number}", "text": "same words"} for number in range(50)] + [
        {"id": "x", "text": "same same"}
    ]
    run = search_bm25(index_documents(documents), {"q": "same"}, top_k=5)
    assert [document for document, _ in run["q"]] == ["x", "d0", "d1", "d2", "d3"]


def test_a_repeated_query_word_counts_once_unless_asked_for():
    once, twice = {"q": "water red"}, {"q": "water water red"}
    for search in (search_bm25, lambda index, queries: search_psq(index, queries, {})):
        plain, counting = index_documents(DOCUMENTS), index_documents(DOCUMENTS, count_repeats=True)
        assert search(plain, once) == search(plain, twice)
        assert dict(search(counting, twice)["q"])["tree"] > 1.5 * dict(search(counting, once)["q"])["tree"]


def test_marathi_words_stay_whole():
    assert words("महाराष्ट्रातील किल्ले कोणते आहेत?") == ["महाराष्ट्रातील", "किल्ले", "कोणते", "आहेत"]
    index = index_documents([{"id": "fort", "text": "किल्ले रायगड"}, {"id": "other", "text": "कला आणि रंग"}])
    assert [document for document, _ in search_bm25(index, {"q": "किल्ले"})["q"]] == ["fort"]


def test_composed_and_decomposed_letters_and_joiners_are_one_word():
    assert words("e\u0301cole École") == ["école", "école"]
    assert words("क्\u200dष") == words("क्ष")


def test_stop_words_are_dropped_from_both_sides():
    index = index_documents(DOCUMENTS, stop_words=True)
    assert "the" not in index.vocabulary
    assert search_bm25(index, {"q": "the of a"})["q"] == []
    assert make_analyser(LexicalSettings(stop_words=True, stemming=True))("the houses") == ["hous"]


def test_pruning_takes_the_likeliest_until_the_mass_is_reached():
    translations = {"c": 0.2, "a": 0.4, "b": 0.4, "d": 0.001}
    assert list(prune(translations, LexicalSettings(cumulative_probability=0.7))) == ["a", "b"]
    assert list(prune(translations, LexicalSettings(cumulative_probability=1.0))) == ["a", "b", "c"]


@pytest.mark.parametrize("documents", [[], [{"id": "a", "text": "..."}]])
@pytest.mark.filterwarnings("error")
def test_nothing_is_found_among_documents_without_words(documents):
    index = index_documents(documents)
    assert search_bm25(index, {"q": "red house"}) == search_psq(index, {"q": "nyumba red"}, TABLE) == {"q": []}


@pytest.fixture
def folder(tmp_path):
    write_jsonl(tmp_path / "documents.jsonl", DOCUMENTS)
    (tmp_path / "sw.tsv").write_text("q1\tmfalme\nq2\txyz\n")
    (tmp_path / "en.tsv").write_text("q1\tking\n")
    (tmp_path / "sw.table").write_text("mfalme\tking\t1.000000\n")
    return tmp_path


def run_script(folder, *arguments):
    command = [sys.executable, SCRIPT, "--documents", "documents.jsonl", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_program_searches_many_queries_with_one_index(folder):
    jobs = (
        "[{queries: sw.tsv, out: runs/sw.txt, tag: bm25}, {queries: en.tsv, out: runs/en.txt, tag: bm25},"
        " {queries: sw.tsv, out: runs/smt.txt, tag: smt, lexical_table: sw.table, settings: {stop_words: true}}]"
    )
    done = run_script(folder, "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert read_run(folder / "runs/sw.txt") == {}
    for name in ("en", "smt"):
        assert [hit[0] for hit in read_run(folder / f"runs/{name}.txt")["q1"]] == ["king", "copy"]
    assert done.stderr.count("4 documents") == 2, "one index for each kind of settings"


def test_program_searches_through_a_lexical_table(folder):
    done = run_script(folder, "--jobs", "[{queries: sw.tsv, out: sw.txt, lexical_table: sw.table, tag: smt}]")
    assert done.returncode == 0, done.stderr
    assert (folder / "sw.txt").read_text().splitlines()[0].split()[::5] == ["q1", "smt"]


def test_program_names_what_a_search_lacks(folder):
    done = run_script(folder, "--jobs", "[{queries: sw.tsv}]")
    assert done.returncode == 1
    assert "lacks out, tag" in done.stderr
    done = run_script(folder, "--jobs", "[{queries: sw.tsv, out: a, tag: b, settings: {k2: 1}}]")
    assert done.returncode == 1
    assert "unknown key 'k2' [lexical]" in done.stderr


def test_program_refuses_documents_without_words(folder):
    write_jsonl(folder / "documents.jsonl", [{"id": "a", "text": "..."}])
    done = run_script(folder, "--jobs", "[{queries: sw.tsv, out: a, tag: b}]")
    assert done.returncode == 1 and "the documents have no words [documents.jsonl]" in done.stderr
