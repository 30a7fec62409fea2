"""Words of languages with and without spaces."""

import random

import pytest

from optical.bitext.code_switching import switch_words
from optical.bitext.word_alignment import align, count_tables
from optical.config.bitext import WordAlignment
from optical.text.words import count_words, join_unspaced, replace_words, words

SENTENCES = {
    "Hans": ("老师在图书馆看书", ["老师", "在", "图书", "馆", "看书"]),
    "Hant": ("老師在圖書館看書", ["老師", "在", "圖書館", "看", "書"]),
    "Jpan": ("東京でコーヒーを飲む", ["東京", "で", "コーヒー", "を", "飲む"]),
    "Thai": ("ครูอ่านหนังสือ", ["ครู", "อ่าน", "หนังสือ"]),
    "Laoo": ("ຂ້ອຍຢູ່ໂຮງຮຽນ", ["ຂ້ອຍ", "ຢູ່", "ໂຮງຮຽນ"]),
    "Khmr": ("ខ្ញុំនៅភ្នំពេញ", ["ខ្ញុំ", "នៅ", "ភ្នំពេញ"]),
    "Mymr": ("ဆရာစာဖတ်တယ်", None),
}


@pytest.mark.parametrize("script", SENTENCES)
def test_words_without_spaces_are_found_by_dictionaries(script):
    text, expected = SENTENCES[script]
    found = words(f"{text}。")
    assert found == (expected or found)
    assert len(found) > 2 and "".join(found) == text
    assert count_words(text) == len(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iPhone手机2023年", ["iphone", "手机", "2023", "年"]),
        ("ọ́jọ́ ng\u02bcombe", ["ọ́jọ́", "ng\u02bcombe"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("བོད་སྐད།", ["བོད", "སྐད"]),
        ("ሰላም፡ለዓለም", ["ሰላም", "ለዓለም"]),
        ("ᱥᱟᱱᱛᱟᱲᱤ ᱯᱟᱹᱨᱥᱤ", ["ᱥᱟᱱᱛᱟᱲᱤ", "ᱯᱟᱹᱨᱥᱤ"]),
    ],
)
def test_only_scripts_without_spaces_are_cut(text, expected):
    assert words(text) == expected


def test_what_is_between_words_stays():
    assert replace_words("老师, see 手机2!", "<{}>".format) == "<老师>, <see> <手机><2>!"
    assert join_unspaced("老师 see 手机 我们") == "老师 see 手机我们"


def test_a_name_stays_one_word_within_a_language_with_spaces():
    text = "The first emperor (北京市图书馆) of China united the country."
    assert "北京市图书馆" in words(text)
    assert len(words("北京市图书馆")) > 1
    assert count_words(text) == 9
    assert replace_words(text, str.upper).count("北京市图书馆") == 1


def test_the_aligner_and_code_switching_see_words():
    people = {"teacher": "老师", "doctor": "医生", "child": "孩子", "friend": "朋友"}
    things = {"book": "书", "phone": "手机", "house": "房子", "river": "河"}
    texts = [(f"{a} sees {b}", f"{people[a]}看见{things[b]}") for a in people for b in things]
    pairs = [(words(english), words(foreign)) for english, foreign in texts]
    foreign_of = count_tables(pairs, align(pairs, WordAlignment()))[1]
    assert {word: max(foreign_of[word], key=foreign_of[word].get) for word in people} == people
    assert switch_words("The teacher!", foreign_of, 1.0, random.Random(1))[0] == "The 老师!"
