"""Frames run parallel and say what facts have."""

import random
import re
from collections import Counter

import pytest

from optical.atlas.facts import LANGUAGES, all_facts, fact, name_in, prominence
from optical.atlas.sentences import SentenceMaker, draw_different, fill, frames, slots_of


def frames_of(*parts):
    return [frame for part in parts for frame in frames()[part]]


@pytest.mark.parametrize("part", ["statements", "there", "questions", "test", "dev", "general"])
def test_frames_are_parallel(part):
    for frame in frames()[part]:
        assert set(frame) - {"kind"} == set(LANGUAGES), frame["en"]
        for lang in LANGUAGES:
            assert slots_of(frame[lang]) == slots_of(frame["en"]), frame[lang]
            assert Counter(re.findall(r"\{\w+\}", frame[lang])) == Counter(re.findall(r"\{\w+\}", frame["en"]))
            assert frame[lang].endswith("?") == frame["en"].endswith("?"), frame[lang]
        assert len({frame[lang] for lang in LANGUAGES}) == len(LANGUAGES)


def test_frames_ask_and_say_what_facts_have():
    slots = {item.kind: {slot for slot, _ in item.slots} for item in all_facts()}
    slots["refused"] = {"T", "C"}
    for frame in frames_of("statements", "there", "questions", "test", "dev", "documents", "training"):
        assert slots_of(frame["en"]) <= slots[frame["kind"]], frame["en"]


def test_there_are_enough_frames():
    assert len(frames()["statements"]) >= 12 and len(frames()["questions"]) >= 10
    assert len(frames()["test"]) + len(frames()["dev"]) >= 15 and len(frames()["training"]) >= 15


def test_query_frames_are_nowhere_else():
    for lang in LANGUAGES:
        bitext = {frame[lang] for frame in frames_of("statements", "there", "questions", "general")}
        test, dev = ({frame[lang] for frame in frames()[part]} for part in ("test", "dev"))
        assert not test & dev and not (test | dev) & bitext
    asked = {frame["en"] for frame in frames_of("test", "dev")}
    assert not asked & {frame["en"] for frame in frames()["training"]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_most_words_of_query_frames_are_in_the_bitext(lang):
    def words(*parts):
        return [word for frame in frames_of(*parts) for word in re.findall(r"[^\s{}?.,:;]{2,}", frame[lang].lower())]

    known = set(words("statements", "there", "questions", "general"))
    asked = words("test", "dev")
    assert sum(word in known for word in asked) / len(asked) > 0.8


def test_english_article():
    assert fill("{T}", fact("x", T="PH"), "en") == "the Philippines"
    assert fill("{T}", fact("x", T="KE"), "en") == "Kenya"
    assert fill("{T}", fact("x", T="PH"), "de") == "Philippinen"


def test_sentences_say_the_same_and_are_short():
    maker = SentenceMaker(["en", "fi"], 0.9)
    drawn = draw_different(random.Random(5), maker, 400)
    assert len(drawn) == 400 == len({tuple(texts.values()) for texts, _ in drawn})
    for texts, named in drawn:
        for lang, text in texts.items():
            assert len(text.split()) <= 25 and text[-1] in ".?" and "{" not in text
            for slot, code in named:
                assert name_in(lang, slot, code).casefold() in text.casefold()
    lengths = [len(texts["en"].split()) for texts, _ in drawn]
    assert 8 < sum(lengths) / len(lengths) < 16 and max(lengths) > 18


def test_prominent_entities_are_named_more_often_with_skew():
    def mean_prominence(skew):
        drawn = draw_different(random.Random(5), SentenceMaker(["en"], skew), 500)
        found = [prominence(slot, code) for _, named in drawn for slot, code in named if slot == "T"]
        return sum(found) / len(found)

    assert mean_prominence(1.0) > mean_prominence(0.0) + 1
