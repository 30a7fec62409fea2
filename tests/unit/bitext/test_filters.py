"""Which pairs are dropped, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optical.bitext.filters import matching_key, normalise, read_evaluation_keys, reason_to_drop, sentence_keys
from optical.config.bitext import BitextCleaning

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


def test_lines_of_a_text_file_may_have_an_id_before_the_text(tmp_path):
    (tmp_path / "queries.txt").write_text("q1\tOne more\n")
    assert read_evaluation_keys([tmp_path / "queries.txt"]) == {"q1", "one more"}


def test_json_evaluation_files_may_be_lines(tmp_path):
    (tmp_path / "a.json").write_text('{"q": ["One"]}\n{"q": "Two"}\n')
    assert read_evaluation_keys([tmp_path / "a.json"]) == {"one", "two"}
