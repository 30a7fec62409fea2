"""Figures show what the rows say, in every script, the same bytes each time."""

import xml.etree.ElementTree as ElementTree

import yaml

from optical.files import read_rows
from optical.report.figures.alignment import alignment_rows, draw_alignment
from optical.report.figures.curves import curve_rows, draw_curves
from optical.report.figures.style import drawing, save_figure, styles
from support.workspace import ROOT

NAMES = {"sw": "Swahili", "mr": "Marathi", "de": "German"}
METHODS = ["bm25", "mse", "optical"]
PNG = b"\x89PNG\r\n\x1a\n"


def test_no_two_methods_look_alike():
    looks = styles([f"method{number}" for number in range(40)])
    assert len({(look.colour, look.marker) for look in looks.values()}) == 40
    assert len({(look.colour, look.dashes) for look in looks.values()}) == 40


def test_a_method_has_the_same_look_beside_any_others_and_its_colour_alone():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    methods = [*config["method_table"], "mine"]
    assert len({look.colour for look in styles(methods[:-2] + ["mine"]).values()}) == len(methods) - 1
    for method in config["method_table"]:
        assert styles(["mine", method])[method] == styles(methods)[method]


def test_a_line_per_seed_and_one_name_in_the_legend():
    rows = [row for seed in "12" for row in curve_rows("sw", "mse", seed, [2.0, 1.0])]
    with drawing():
        figure = draw_curves(rows, METHODS, NAMES)
    assert len(figure.axes[0].lines) == 2
    [legend] = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == ["mse"]


ALIGNMENT = {
    "lang": "mr",
    "foreign": ["भाषे", "##त", "?"],
    "english": ["in", "language", "?"],
    "before": {"plan": [[0.1, 0.1, 0.1], [0.1, 0.1, 0.1], [0.2, 0.1, 0.1]]},
    "after": {"plan": [[0.0, 0.3, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, 0.4]]},
}


def test_a_dollar_sign_is_no_mathematics(tmp_path):
    alignment = ALIGNMENT | {"foreign": ["$5_$10", "$x^$", "?"], "english": ["$\\frac$", "##$", "_{$"]}
    rows = alignment_rows(alignment)
    with drawing():
        save_figure(draw_alignment(rows, {"before": "$x^$", "after": "b"}), rows, tmp_path / "figure")
    assert (tmp_path / "figure.png").read_bytes().startswith(PNG)


def test_files_are_complete_and_the_same_each_time(tmp_path, recwarn):
    rows = alignment_rows(ALIGNMENT)
    for name in ("one", "two"):
        with drawing():
            save_figure(draw_alignment(rows, {"before": "a", "after": "b"}), rows, tmp_path / f"{name}.svg")
    for suffix in (".svg", ".png", ".tsv"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()
    assert ElementTree.parse(tmp_path / "one.svg").getroot().tag.endswith("svg")
    assert (tmp_path / "one.png").read_bytes().startswith(PNG)
    header, *body = read_rows(tmp_path / "one.tsv", columns=7)
    assert header == list(rows[0])
    assert [row[2] for row in body] == [row["foreign"] for row in rows]
    assert not [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)]
