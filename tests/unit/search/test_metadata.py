"""Metadata of passages: the values of those that lack them."""

from optical.search import metadata
from optical.search.metadata import Metadata, with_defaults


def test_defaults_are_for_the_passages_that_lack_them():
    passages = [{"id": "a", "text": "mto", "source": "web"}, {"id": "b", "title": "mto", "text": "", "source": ""}]
    filled = list(with_defaults(passages, Metadata(source="news", date="2024")))
    assert (filled[1]["title"], filled[1]["text"]) == ("mto", "")
    assert [(passage["source"], passage["date"]) for passage in filled] == [("web", "2024"), ("news", "2024")]


def test_languages_are_detected_where_none_is_given(monkeypatch):
    monkeypatch.setattr(metadata, "DETECTED_AT_ONCE", 2)
    monkeypatch.setattr(metadata, "detect_languages", lambda texts: [{"mto": "sw", "12": ""}[text] for text in texts])
    passages = [{"id": "a", "text": "mto"}, {"id": "b", "text": "river", "language": "en"}, {"id": "c", "text": "12"}]
    filled = with_defaults(passages, Metadata(language="detect"))
    assert [passage["language"] for passage in filled] == ["sw", "en", ""]
    assert "language" not in passages[0], "the passages of a caller stay as they are"
