"""Heat maps of pairs of languages: a panel a method, one scale for all."""

from optical.report.figures.matrices import draw_pairs, pair_rows
from optical.report.figures.style import drawing


def test_a_method_is_a_panel_and_a_pair_that_was_not_run_stays_empty():
    table = [
        {"method": method, "lang": lang, "mean": mean, "reference": reference}
        for reference in ("zero-shot", "optical")
        for method, lang, mean in [
            ("optical", "sw-de", "0.61"),
            ("optical", "en-sw", "0.30"),
            ("optical", "never trained", "0.99"),
            ("zero-shot", "sw-de", "0.12"),
        ]
    ]
    rows = pair_rows(table, ["zero-shot", "optical", "bm25"])
    assert [(row["method"], row["queries"], row["passages"]) for row in rows] == [
        ("zero-shot", "sw", "de"),
        ("optical", "sw", "de"),
        ("optical", "en", "sw"),
    ]
    with drawing():
        figure = draw_pairs(rows, ["en", "sw"], ["en", "sw", "de"], "AP")
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["zero-shot", "optical"]
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes[:2]] == [["0.12"], ["0.61", "0.30"]]
    assert {image.get_clim() for axes in figure.axes[:2] for image in axes.images} == {(0, 0.61)}
