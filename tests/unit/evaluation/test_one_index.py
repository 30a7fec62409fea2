"""Recall and languages among the first hits in one index."""

from optical.evaluation.one_index import index_measures, index_scores, languages_of_documents

LANGS = ["en", "sw", "de"]
LANGUAGE_OF = {f"{name}-{lang}": lang for name in "ab" for lang in LANGS}


def measured(hits, relevant=("a-en", "a-sw", "a-de"), lang="sw"):
    """Return the measures of one query, whose hits come best first."""
    job = {"method": "optical", "lang": lang, "seed": 1}
    ranking = {"q": {name: float(-rank) for rank, name in enumerate(hits)}}
    rows = index_scores(job, "flores", ranking, {"q": dict.fromkeys(relevant, 1)}, LANGUAGE_OF, LANGS, ["q", "other"])
    return {score.measure: round(score.value, 3) for score in rows}


def test_recall_counts_each_language_once_and_the_gap_is_own_minus_others():
    found = measured(["a-sw", "b-sw", "a-en", "a-de"])
    assert list(found) == index_measures(LANGS)
    assert found == {
        "R@3": 0.667,
        "own language": 1.0,
        "other languages": 0.5,
        "gap": 0.5,
        "share of en": 0.333,
        "share of sw": 0.667,
        "share of de": 0.0,
    }
    assert measured(["b-sw", "a-en", "a-de"])["gap"] == -1.0


def test_a_query_without_relevant_passages_in_its_language_has_no_gap():
    found = measured(["a-en"], relevant=["a-en", "a-de"])
    assert (found["R@3"], found["share of en"]) == (0.5, 0.333)
    assert "gap" not in found


def test_parts_of_documents_have_the_language_of_the_whole():
    rows = [{"id": "a#0", "language": "sw"}, {"id": "a#1", "language": "sw"}]
    assert languages_of_documents(rows, split=True) == {"a": "sw"}
    assert languages_of_documents(rows, split=False) == {"a#0": "sw", "a#1": "sw"}
