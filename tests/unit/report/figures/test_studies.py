"""Figures of studies: a panel a language, a look a method."""

from argparse import Namespace

import pytest

import plot_study
from optical.errors import DataError
from optical.files import write_rows
from optical.report.figures.studies import GROUPS, draw_study, study_cells
from optical.report.figures.style import drawing, save_figure

LEVEL_MEANS = {"low": "0.3", "high": "0.5", "gap": "0.2"}


def table(**columns):
    """Return a row of a study's table as a file of it is read."""
    values = {"collection": "c", "lang": "de", "measure": "AP", "mean": "0.5", "share": "100", "pairs": "10"}
    return {"source": "", "method": "optical", "mean_low": "", "mean_high": ""} | values | columns


@pytest.mark.parametrize("kind", ["curve", "dots", "matrix"])
def test_every_kind_of_figure_is_drawn(tmp_path, kind):
    rows = [
        table(source=source, lang=lang, share=share, pairs=pairs, mean=mean)
        for source, lang, share, pairs, mean in (
            ("en", "de", "33.3", "10", "0.2"),
            ("en", "de", "100", "30", "0.4"),
            ("fr", "fi", "100", "29", "0.3"),
        )
    ]
    rows.append(table(lang="de", measure="RR"))
    names = {"de": "German", "fi": "Finnish"}
    shown = study_cells(rows, "AP", list(names))
    assert len(shown) == 3
    with drawing():
        figure = draw_study(kind, shown, "source", ["optical"], names, "optical", "AP")
        save_figure(figure, shown, tmp_path / "figure.svg")
        texts = [{text.get_text() for text in axes.texts} for axes in figure.axes]
        titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert kind != "matrix" or texts == [{"0.20"}, {"0.40", "0.30"}]
    assert kind != "matrix" or titles == ["about 10 pairs", "about 29 pairs"]
    assert (tmp_path / "figure.svg").stat().st_size > 2000


def test_each_variant_has_a_curve_of_its_own():
    cells = [("a", "10", ".1"), ("a", "100", ".2"), ("b", "10", ".5"), ("b", "100", ".6")]
    rows = [table(source=source, pairs=pairs, mean=mean) for source, pairs, mean in cells]
    with drawing():
        figure = draw_study("curve", rows, "source", ["optical"], {"de": "German"}, "optical", "AP")
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}
    assert lines == {"a optical": [0.1, 0.2], "b optical": [0.5, 0.6]}


def test_a_study_without_sentence_pairs_has_a_matrix_and_no_curve(tmp_path):
    rows = [table(source=source, pairs="", mean="0.3") for source in ("en", "fr")]
    with drawing():
        figure = draw_study("matrix", rows, "source", ["optical"], {"de": "German"}, "optical", "AP")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["no sentence pairs"]
    write_rows(tmp_path / "table.tsv", [rows[0], *(row.values() for row in rows)])
    asked = {"table": tmp_path / "table.tsv", "kind": "curve", "measure": "AP", "names": {"de": "German"}}
    with pytest.raises(DataError, match=r"no row has sentence pairs.*set study\.figure: dots"):
        plot_study.main(Namespace(**asked))


def test_a_language_has_a_panel_where_it_has_rows_and_the_line_below_is_no_wider_than_the_figure():
    rows = [table(source=source, lang="sw", mean="0.3") for source in "ab"]
    names = {"sw": "Swahili", "de": "German"}
    with drawing():
        figure = draw_study("dots", rows, "source", ["optical"], names, "optical", "nDCG@10")
        figure.draw_without_rendering()
        [axes] = figure.axes
        [label] = [text for text in figure.texts if text.get_text() == figure.get_supxlabel()]
        line = label.get_window_extent()
    assert axes.get_title(loc="left") == "Swahili"
    assert 0 <= line.x0 < line.x1 <= figure.bbox.x1


def test_a_method_has_one_look_in_all_variants():
    rows = [table(source=source, method=method) for source in "ab" for method in ("bm25", "mse", "optical")]
    with drawing():
        figure = draw_study("dots", rows, "source", ["optical"], {"de": "German"}, "optical", "AP")
    dots = [line for line in figure.axes[0].lines if line.get_marker() != "None"]
    looks = [(line.get_marker(), line.get_color()) for line in dots]
    assert looks[:3] == looks[3:]
    assert len(set(looks)) == 3


def test_the_gap_is_drawn_of_every_variant_that_has_both_levels(tmp_path):
    rows = [table(source=source, lang=lang, mean=mean) for source in "ab" for lang, mean in LEVEL_MEANS.items()]
    shown = study_cells([*rows, table(lang="de"), table(source="c", lang="low")], "AP", GROUPS)
    assert len(shown) == 7
    with drawing():
        figure = draw_study("gap", shown, "source", ["optical"], {"de": "German"}, "optical", "AP")
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a optical", "b optical"]
    assert [text.get_text() for text in axes.texts] == ["gap +0.200"] * 2
