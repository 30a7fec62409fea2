"""Dots stand at the means; what was not run says so."""

import pytest

from optical.report.figures import means as figures_of_means
from optical.report.figures.style import drawing, styles

NAMES = {"sw": "Swahili", "mr": "Marathi", "de": "German"}
METHODS = ["bm25", "mse", "optical"]


def texts_of(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def cell(method, lang, mean, **others):
    columns = dict.fromkeys(figures_of_means.COLUMNS, "")
    return columns | {"method": method, "lang": lang, "mean": str(mean), "mean_low": "0.1", "mean_high": "0.9"} | others


@pytest.fixture
def cells():
    rows = [cell(method, lang, 0.1 * (1 + place)) for place, method in enumerate(METHODS) for lang in NAMES]
    rows += [
        cell("optical", "low", 0.3),
        cell("optical", "high", 0.5),
        cell("optical", "gap", 0.2),
        cell("mse", "low", 0),
    ]
    return {(row["method"], row["lang"]): row for row in rows if (row["method"], row["lang"]) != ("mse", "mr")}


def test_dots_stand_at_the_means_and_missing_runs_say_so(cells):
    rows = figures_of_means.dot_rows(cells, METHODS, list(NAMES))
    assert len(rows) == 8
    with drawing():
        figure = figures_of_means.draw_dots(rows, styles(METHODS), NAMES, "optical", "AP")
    drawn = {
        (axes.get_title("left"), line.get_ydata()[0]): line.get_xdata()[0]
        for axes in figure.axes[:3]
        for line in axes.lines
        if line.get_marker() != "None"
    }
    assert drawn["Swahili", 2] == pytest.approx(0.3)
    assert ("Marathi", 1) not in drawn
    assert texts_of(figure) == ["not run"]


def test_a_method_without_both_levels_has_no_gap(cells):
    rows = figures_of_means.gap_rows(cells, METHODS)
    assert [(row["method"], row["gap"]) for row in rows] == [("optical", "0.2")]
    with drawing():
        assert any("+0.200" in text for text in texts_of(figures_of_means.draw_gap(rows, styles(METHODS), "AP")))


def test_nothing_to_compare_still_gives_a_gap_figure():
    with drawing():
        assert texts_of(figures_of_means.draw_gap([], {}, "AP")) == []
