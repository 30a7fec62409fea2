"""What stands in columns on a terminal."""

from optical.cli import terminal
from optical.cli.search import passage_as_text


def test_a_combining_mark_takes_no_column():
    assert [terminal.width(text) for text in ("सूर्य", "e\u0301", "月", "\u200d")] == [3, 1, 2, 0]


def test_a_terminal_obeys_no_text():
    text = "a\x1b]0;title\x07b\u202ec\x9b2Jd\u2066e\rf\ng\u200eh"
    shown = terminal.printable(text)
    assert len(shown) == len(text)
    assert shown == "a\ufffd]0;title\ufffdb\ufffdc\ufffd2Jd\ufffde\ufffdf\ng\u200eh"


def test_a_narrow_terminal_still_has_some_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "3")
    shown = passage_as_text({"rank": 1, "id": "d1", "score": 3.25, "text": "the moon is full", "matches": []})
    assert shown.split() == ["1.", "d1", "3.2500", "the", "moon", "is", "full"]
