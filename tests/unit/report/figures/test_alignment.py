"""Heat maps of plans, by whole words."""

import pytest

from optical.report.figures.alignment import alignment_rows, draw_alignment
from optical.report.figures.style import drawing

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
