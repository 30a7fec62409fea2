"""What stands in columns on a terminal."""

from optical.cli import terminal


def test_a_combining_mark_takes_no_column():
    assert [terminal.width(text) for text in ("सूर्य", "e\u0301", "月", "\u200d")] == [3, 1, 2, 0]
