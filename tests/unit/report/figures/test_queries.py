"""Gains of queries, with their texts."""

from optical.evaluation.gains import extremes, gain_rows, query_means
from optical.evaluation.scores import Score
from optical.report.figures.queries import draw_gains
from optical.report.figures.style import drawing


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


SCORES = [
    Score("atlas", method, "sw", seed, query, "AP", value)
    for method, values in {"optical": (1.0, 0.5, 0.2), "mse": (0.0, 0.5, 0.6), "bm25": (0.1, 0.1, 0.1)}.items()
    for seed in "12"
    for query, value in zip("abc", values, strict=True)
]


def test_queries_come_with_texts_from_gain_to_loss():
    means = query_means([*SCORES, Score("other", "optical", "sw", "1", "a", "AP", 0.0)], "AP", "atlas")
    rows = gain_rows(means, "optical", "mse", {"en": {"a": "Who?"}, "sw": {"a": "Nani?"}})
    assert [(row["query_id"], row["gain"]) for row in rows] == [("a", 1.0), ("b", 0.0), ("c", -0.4)]
    assert (rows[0]["query"], rows[0]["english"]) == ("Nani?", "Who?")
    best, worst = extremes(rows, "sw", 5)
    assert [row["query_id"] for row in best] == ["a"]
    assert [row["query_id"] for row in worst] == ["c"]
    with drawing():
        figure = draw_gains(rows, ["bm25", "mse", "optical"], {"sw": "Swahili"}, "AP")
    assert texts_of(figure) == ["1 better", "1 alike", "1 worse"]
