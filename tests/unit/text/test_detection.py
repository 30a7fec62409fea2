"""Telling the language of a text, without a network."""

import sys

import pytest

from optical.errors import ResourceError
from optical.text import detection


def test_languages_are_told_and_what_has_no_words_has_none():
    texts = ["दक्षिण आफ्रिकेच्या पूर्व किनाऱ्यावर असलेले हे शहर आहे.", "το ποτάμι", "12 34"]  # the Latin script takes seconds
    assert detection.detect_languages(texts) == ["mr", "el", ""]


def test_without_lingua_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lingua", None)
    detection._detector.cache_clear()
    with pytest.raises(ResourceError, match=r"lingua, which is missing.*\[detect\]"):
        detection.detect_languages(["mto"])
