"""The section on any language to any language."""

from optical.evaluation.comparison import CELL_COLUMNS, Cell, cell_rows
from optical.files import write_rows
from optical.report.pairs import language_pairs_section
from optical.report.sections import Report


def test_means_and_differences_stand_beside_the_heat_maps_of_a_collection_with_several_languages(tmp_path):
    report = Report(
        tmp_path, {"flores-en": ["sw"], "flores": ["sw"]}, {}, ["zero-shot", "optical"], ["AP"], "optical", []
    )
    assert language_pairs_section(report) is None
    of_means = {"status": "OK", "mean": 0.5, "mean_low": 0.4, "mean_high": 0.6}
    tested = {"difference_to_reference": 0.2, "interval_low": 0.1, "interval_high": 0.3, "p_holm": 0.001}
    cells = [
        Cell("flores", "optical", "never trained", "AP", reference="zero-shot", **of_means, **tested),
        Cell("flores", "optical", "sw-de", "AP", reference="zero-shot", **of_means, **tested),
    ]
    write_rows(tmp_path / "tables/flores/matrix.tsv", [CELL_COLUMNS, *cell_rows(cells)])
    (tmp_path / "figures/flores").mkdir(parents=True)
    (tmp_path / "figures/flores/matrix.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"></svg>'
    )
    write_rows(tmp_path / "figures/flores/matrix.tsv", [["method"]])
    body = language_pairs_section(report).body
    assert body.count("<h3>") == 1
    for shown in ("never trained", "0.500", "0.400 to 0.600", "+0.200⁺", "NOT RUN", "Compare with", "<svg"):
        assert shown in body, shown
    assert "sw-de" not in body
