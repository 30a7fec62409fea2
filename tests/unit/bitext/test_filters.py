"""Which pairs are dropped, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optical.bitext.evaluation_texts import sentence_keys
from optical.bitext.filters import clean_text, matching_key, normalise, reason_to_drop
from optical.config.bitext import BitextCleaning
from optical.text.scripts import script_share

DEFAULTS = BitextCleaning()


@pytest.mark.parametrize(
    ("english", "foreign", "script", "reason"),
    [
        ("Good morning to you.", "Habari za asubuhi.", "Latn", None),
        ("", "Habari", "Latn", "empty"),
        ("word " * 200, "neno " * 200, "Latn", "too long"),
        ("Yes", "Ndiyo kabisa rafiki yangu, hakuna shaka yoyote", "Latn", "unlike lengths"),
        ("Good morning", "Good Morning", "Latn", "untranslated"),
        ("Good morning, my dear old friend", "Good morning my dear old friend [sic]", "Latn", "untranslated"),
        ("12.4 % (3/24) a", "12,4 % (3/24) b", "Latn", "few letters"),
        ("Good morning to you", "शुभ प्रभात", "Latn", "wrong script"),
        ("Good morning to you", "शुभ प्रभात", "Deva", None),
        ("Call Tom at 5", "टॉमला पाच वाजता", "Deva", None),
        ("Good morning to you", "早上好", "Hant", None),
        ("Good morning to you", "おはようございます", "Jpan", None),
        ("Good morning to you", "안녕하세요 여러분", "Kore", None),
        ("Good morning to you", "ᱥᱮᱛᱟᱜ ᱡᱚᱦᱟᱨ", "Olck", None),
        ("Good morning to you", "ང་ཁམས་བཟང་", "Tibt", None),
        ("Good morning to you", "ⴰⵣⵓⵍ ⴰⵎⴷⴷⴰⴽⵯⵍ", "Tfng", None),
        ("Good morning to you", "ᐅᓪᓛᒃᑯᑦ ᐃᓕᔅᓯ", "Cans", None),
        ("Good morning to you", "おはようございます", "Hans", "wrong script"),
        ("word " * 120, "我们看书" * 40, "Hans", None),
        ("word " * 120, "我们看书" * 80, "Hans", "too long"),
    ],
)
def test_reasons(english, foreign, script, reason):
    assert reason_to_drop(normalise(english), normalise(foreign), DEFAULTS, ("Latn", script)) == reason


def test_another_language_may_stand_where_english_stands():
    assert reason_to_drop("शुभ प्रभात मित्र", "Guten Morgen, Freund", DEFAULTS, ("Deva", "Latn")) is None
    assert reason_to_drop("Good morning, friend", "Guten Morgen", DEFAULTS, ("Deva", "Latn")) == "wrong script"


def test_a_longer_sentence_is_found_where_words_have_no_spaces():
    text = "谁在北京的图书馆看书？我们在北京的图书馆看书！好。"
    assert sentence_keys(text) == ["谁在北京的图书馆看书", "我们在北京的图书馆看书"]
    assert matching_key("ខ្ញុំ\u200bនៅ ភ្នំពេញ។") == matching_key("ខ្ញុំនៅភ្នំពេញ")


@given(st.text())
def test_normalising_twice_changes_nothing(text):
    once = normalise(text)
    assert normalise(once) == once
    assert "\n" not in once and "\t" not in once
    assert matching_key(matching_key(once)) == matching_key(once)


@pytest.mark.parametrize("sign", "\u200b\u2060\ufeff\u00ad\u200d\u200e\u034f\ufe0f")
def test_an_invisible_sign_within_a_word_makes_no_other_text(sign):
    assert matching_key(f"Do{sign}doma") == matching_key("Dodoma")


@pytest.mark.parametrize("sign", "'´`’ʼʻʹ′＇ꞌ")
def test_every_sign_for_an_apostrophe_is_one(sign):
    assert matching_key(f"Ng{sign}ombe") == matching_key("ng'ombe")


@pytest.mark.parametrize(
    ("one", "other"),
    [("१९४७", "1947"), ("٣", "3"), ("كِتَـــابٌ", "كتاب"), ("שָׁלוֹם", "שלום"), ("दऱ्या", "दर\u200d्या"), ("&#x31;9", "19")],
)
def test_digits_and_spellings_that_look_alike_are_one_text(one, other):
    assert matching_key(clean_text(one)) == matching_key(clean_text(other))


def test_entities_are_resolved_once_and_only_with_their_semicolon():
    assert (
        clean_text("a &lt; b &amp;amp; c&#39;s &nosuch; ?x=1&section=2 R&D")
        == "a < b &amp; c's &nosuch; ?x=1&section=2 R&D"
    )


def test_vowel_signs_are_letters_of_their_script_and_accents_of_none():
    assert reason_to_drop("Where did SARS-CoV-2 come from?", "SARS-CoV-2 कुठून आला?", DEFAULTS, ("Latn", "Deva")) is None
    assert reason_to_drop("Vitamin B12", "วิตามิน Bbb", DEFAULTS, ("Latn", "Thai")) is None
    assert script_share("ọ́ ẹ́", "Latn") == 1
