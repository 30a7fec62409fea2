"""Curves of losses, and of means over the size of the bitext."""

import math

import pytest

from optical.report.figures.curves import curve_rows, draw_bitext_curve, draw_curves
from optical.report.figures.style import drawing

NAMES = {"sw": "Swahili", "mr": "Marathi", "de": "German"}
METHODS = ["bm25", "mse", "optical"]


@pytest.mark.parametrize("steps, points", [(1, 1), (59, 59), (1000, 60)])
def test_learning_curves_are_means_over_all_steps(steps, points):
    losses = [math.exp(-step / 100) for step in range(steps)]
    rows = curve_rows("sw", "mse", "1", losses)
    assert len(rows) == points
    assert rows[-1]["step"] == steps
    assert rows[0]["share_of_first"] == 1.0
    if steps == 59:
        assert [row["loss"] for row in rows] == [round(loss, 6) for loss in losses]


def test_an_empty_curve_draws_nothing():
    assert curve_rows("sw", "mse", "1", []) == []


@pytest.mark.parametrize("names", [NAMES, NAMES | {"fr": "French"}], ids=["free panel", "above"])
def test_a_method_that_the_first_language_lacks_is_in_the_legend_too(names):
    places = [("sw", "optical"), ("mr", "optical"), ("mr", "mse"), ("de", "mse")]
    losses = [row for lang, method in places for row in curve_rows(lang, method, "1", [2.0, 1.0])]
    means = [{"lang": lang, "method": method, "pairs": "9", "mean": ".2"} for lang, method in places]
    with drawing():
        curves = draw_curves(losses, METHODS, names)
        bitext = draw_bitext_curve(means, METHODS, names, "AP")
    for figure in (curves, bitext):
        legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()] + figure.legends
        assert [text.get_text() for legend in legends for text in legend.get_texts()] == ["optical", "mse"]


def test_bitext_curve_is_sorted_by_pairs():
    rows = [
        {"lang": "sw", "method": "mse", "pairs": pairs, "mean": mean} for pairs, mean in (("100", ".5"), ("9", ".2"))
    ]
    with drawing():
        figure = draw_bitext_curve(rows, METHODS, NAMES, "AP")
    assert list(figure.axes[0].lines[0].get_xdata()) == [9, 100]
