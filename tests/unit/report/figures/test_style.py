"""Figures show what the rows say, in every script, the same bytes each time."""

import math
import xml.etree.ElementTree as ElementTree

import pytest

from optical.evaluation.gains import extremes, gain_rows, query_means
from optical.files import read_rows
from optical.report.figures import means as figures_of_means
from optical.report.figures.alignment import alignment_rows, draw_alignment
from optical.report.figures.curves import curve_rows, draw_bitext_curve, draw_curves
from optical.report.figures.queries import draw_gains
from optical.report.figures.style import COLOURS, drawing, save_figure, styles
from optical.report.fonts import packaged_fonts, signs_of, style_sheet

NAMES = {"sw": "Swahili", "mr": "Marathi", "de": "German"}
METHODS = ["bm25", "mse", "optical"]
PNG = b"\x89PNG\r\n\x1a\n"


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
        figure = figures_of_means.draw_dots(rows, styles(METHODS, "optical"), NAMES, "optical", "AP")
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
        assert any("+0.200" in text for text in texts_of(figures_of_means.draw_gap(rows, "AP")))


def test_nothing_to_compare_still_gives_a_gap_figure():
    with drawing():
        assert texts_of(figures_of_means.draw_gap([], "AP")) == []


def test_no_two_methods_look_alike():
    methods = [f"method{number}" for number in range(20)]
    looks = styles(methods, "method5")
    assert looks["method5"].colour == COLOURS[0]
    assert len({(look.colour, look.marker) for look in looks.values()}) == 20
    assert len({(look.colour, look.dashes) for look in looks.values()}) == 20


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


def test_a_line_per_seed_and_one_name_in_the_legend():
    rows = [row for seed in "12" for row in curve_rows("sw", "mse", seed, [2.0, 1.0])]
    with drawing():
        figure = draw_curves(rows, METHODS, NAMES, "optical")
    assert len(figure.axes[0].lines) == 2
    assert figure.axes[0].get_legend_handles_labels()[1] == ["mse"]


@pytest.mark.parametrize("names", [NAMES, NAMES | {"fr": "French"}], ids=["free panel", "above"])
def test_a_method_that_the_first_language_lacks_is_in_the_legend_too(names):
    places = [("sw", "optical"), ("mr", "optical"), ("mr", "mse"), ("de", "mse")]
    losses = [row for lang, method in places for row in curve_rows(lang, method, "1", [2.0, 1.0])]
    means = [{"lang": lang, "method": method, "pairs": "9", "mean": ".2"} for lang, method in places]
    with drawing():
        curves = draw_curves(losses, METHODS, names, "optical")
        bitext = draw_bitext_curve(means, METHODS, names, "optical", "AP")
    for figure in (curves, bitext):
        legends = [axes.get_legend() for axes in figure.axes if axes.get_legend()] + figure.legends
        assert [text.get_text() for legend in legends for text in legend.get_texts()] == ["optical", "mse"]


def test_bitext_curve_is_sorted_by_pairs():
    rows = [
        {"lang": "sw", "method": "mse", "pairs": pairs, "mean": mean} for pairs, mean in (("100", ".5"), ("9", ".2"))
    ]
    with drawing():
        figure = draw_bitext_curve(rows, METHODS, NAMES, "optical", "AP")
    assert list(figure.axes[0].lines[0].get_xdata()) == [9, 100]


SCORES = [
    ("atlas", method, "sw", seed, query, "AP", value)
    for method, values in {"optical": (1.0, 0.5, 0.2), "mse": (0.0, 0.5, 0.6), "bm25": (0.1, 0.1, 0.1)}.items()
    for seed in "12"
    for query, value in zip("abc", values, strict=True)
]


def test_queries_come_with_texts_from_gain_to_loss():
    means = query_means([*SCORES, ("other", "optical", "sw", "1", "a", "AP", 0.0)], "atlas", "AP")
    rows = gain_rows(means, "optical", "mse", {"en": {"a": "Who?"}, "sw": {"a": "Nani?"}})
    assert [(row["query_id"], row["gain"]) for row in rows] == [("a", 1.0), ("b", 0.0), ("c", -0.4)]
    assert (rows[0]["query"], rows[0]["english"]) == ("Nani?", "Who?")
    best, worst = extremes(rows, "sw", 5)
    assert [row["query_id"] for row in best] == ["a"]
    assert [row["query_id"] for row in worst] == ["c"]
    with drawing():
        figure = draw_gains(rows, {"sw": "Swahili"}, "AP")
    assert texts_of(figure) == ["1 better", "1 alike", "1 worse"]


ALIGNMENT = {
    "lang": "mr",
    "foreign": ["भाषे", "##त", "?"],
    "english": ["in", "language", "?"],
    "before": {"plan": [[0.1, 0.1, 0.1], [0.1, 0.1, 0.1], [0.2, 0.1, 0.1]]},
    "after": {"plan": [[0.0, 0.3, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.4]]},
}


def test_word_pieces_are_put_together_and_shares_add_up_to_one():
    rows = alignment_rows(ALIGNMENT)
    assert [row["foreign"] for row in rows] == ["भाषेत"] * 3 + ["?"] * 3
    for when in ("before", "after"):
        for place in (0, 1):
            assert sum(row[when] for row in rows if row["foreign_place"] == place) == pytest.approx(1, abs=1e-5)
    assert rows[1]["after"] == 0.5


def test_heat_map_cells_are_the_shares():
    rows = alignment_rows(ALIGNMENT)
    with drawing():
        figure = draw_alignment(rows, {"before": "1", "after": "2"})
    assert figure.axes[1].images[0].get_array().tolist() == [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_files_are_complete_and_the_same_each_time(tmp_path, recwarn):
    rows = alignment_rows(ALIGNMENT)
    for name in ("one", "two"):
        with drawing():
            save_figure(draw_alignment(rows, {"before": "a", "after": "b"}), rows, tmp_path / name)
    for suffix in (".svg", ".png", ".tsv"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    assert ElementTree.parse(tmp_path / "one.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "one.png").read_bytes().startswith(PNG)
    header, *body = read_rows(tmp_path / "one.tsv", columns=7)
    assert header == list(rows[0])
    assert [row[2] for row in body] == [row["foreign"] for row in rows]
    assert not [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)]


def test_devanagari_is_drawn_and_shaped():
    """A conjunct is one glyph where letters and a virama go in; without shaping there would be a glyph a letter."""
    from matplotlib import font_manager

    (path,) = packaged_fonts()
    font = font_manager.get_font(str(path))
    font.set_text("क्ष")
    assert font.get_num_glyphs() > 0
    assert {ord(sign) for sign in "क्षमराठी"} <= signs_of(path)
    width = font.get_width_height()[0]
    font.set_text("क")
    assert width < 2.2 * font.get_width_height()[0]


def test_a_page_brings_only_the_signs_it_shows():
    assert style_sheet("plain English") == ""
    few, many = style_sheet("मराठी"), style_sheet("".join(map(chr, range(0x900, 0x980))))
    assert few.startswith("@font-face")
    assert len(few) < len(many) < 400_000
