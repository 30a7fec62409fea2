"""What was found for each query: the first passages, and where the first relevant one is."""

import weakref

from optical.evaluation.query_records import LONGEST, SHOWN, first_passages, query_record, shortened

JUDGMENTS = {"q1": {"a": 1, "b": 0}, "q2": {"c": 2}}


def test_ranks_are_those_of_the_first_relevant_passage_or_none():
    ranking = {"q1": {"b": 3.0, "x": 2.0, "y": 1.5, "a": 1.0}, "q2": {"a": 1.0}}
    found, ranks = first_passages(ranking, JUDGMENTS, ["q1", "q2", "q3"])
    assert found == [["b", "x", "y"], ["a"], []] and len(found[0]) == SHOWN
    assert ranks == [4, 0, 0]


def test_a_passage_of_a_relevant_document_is_relevant():
    ranking = {"q1": {"b#0": 3.0, "a#7": 2.0}}
    assert first_passages(ranking, JUDGMENTS, ["q1"], passages=True)[1] == [2]
    assert first_passages(ranking, JUDGMENTS, ["q1"], passages=False)[1] == [0]


def test_a_record_has_the_judged_queries_in_their_order_and_no_others():
    texts = {"sw": {"q2": "pili", "q1": "kwanza", "unjudged": "tatu"}, "en": {"q1": "first"}}
    means = {("mse", "sw"): {"q1": 0.5, "q2": 0.0}, ("bm25", "sw"): {"q1": 1.0, "q2": 0.0}}
    rankings = {"mse": {"q1": {"b": 2.0, "a": 1.0}}, "bm25": {"q1": {"a": 1.0}}}
    record = query_record("sw", texts, means, rankings.items(), JUDGMENTS)
    assert [query["id"] for query in record["queries"]] == ["q2", "q1"]
    assert record["queries"][1] == {"id": "q1", "text": "kwanza", "english": "first", "relevant": ["a"]}
    assert record["methods"]["mse"] == {"scores": [0.0, 0.5], "ranks": [0, 2], "found": [[], ["b", "a"]]}


def test_no_more_rankings_are_in_memory_than_the_one_in_use_and_the_next():
    class Held(dict):
        """A ranking that can be looked for."""

    held = []

    def rankings():
        for method in "abc":
            assert sum(ranking() is not None for ranking in held) <= 1
            ranking = Held(q1={"a": 1.0})
            held.append(weakref.ref(ranking))
            yield method, ranking

    means = {(method, "sw"): {"q1": 1.0} for method in "abc"}
    record = query_record("sw", {"sw": {"q1": "kwanza"}}, means, rankings(), JUDGMENTS)
    assert list(record["methods"]) == ["a", "b", "c"]


def test_a_long_text_is_cut_after_a_word():
    text = shortened("word " * 100)
    assert len(text) <= LONGEST + 2 and text.endswith("word …")
    assert shortened("short") == "short"
    assert len(shortened("a" * 1000)) <= LONGEST + 2
