"""Judge one sentence pair: how its texts are cleaned, and the reasons for which it is dropped."""

import html
import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

import regex

from optical.bitext.tmx import DAMAGED
from optical.config.bitext import BitextCleaning
from optical.errors import DataError
from optical.text.scripts import script_share
from optical.text.words import WORD, count_words, join_unspaced

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\x00-\x08\x0e-\x1f\x7f]")
_LETTERS_AND_MARKS = regex.compile(r"[\p{L}\p{M}]")
_IDEOGRAPHS = regex.compile(r"[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}]")
LEAST_SEEN, MOST_SEEN = 20, 1000  # pairs by which swapped sides are told
_COMMON_ENGLISH = frozenset(["the", "of", "and", "to", "in", "is", "that", "for", "it", "with", "was", "on", "as"])


_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
# Signs that people type for the apostrophe of ng'ombe, letters among them.
_APOSTROPHES = str.maketrans(dict.fromkeys("`´ʹʻʼʽˈ՚׳ߴߵ‘’‛′Ꞌꞌ＇", "'"))
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")


def clean_text(text: str) -> str:
    """Return a text as pairs and evaluation texts are compared and kept: HTML entities resolved once, and normalised.

    >>> clean_text("Tom &amp; Ann&#39;s &amp;lt; AT&T")
    "Tom & Ann's &lt; AT&T"
    """
    return normalise(_ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text)


def normalise(text: str) -> str:
    """Return text in NFC with single spaces and without invisible signs (the joiners of Indic scripts stay).

    >>> normalise("  Cafe\\u0301\\u00a0 noir\\u200b ")
    'Café noir'
    """
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def matching_key(text: str) -> str:
    """Return what two texts share that differ in nothing but case, spacing and punctuation.

    Nor do invisible signs, the scripts of digits, the signs for an apostrophe, the two spellings of Marathi's eyelash
    ra, and the points and the stretching of Arabic and Hebrew make a difference.

    >>> matching_key("Hello,  World!") == matching_key("hello world")
    True
    >>> matching_key("ngʼombe १९") == matching_key("ng'ombe 19")
    True
    >>> matching_key("दिन") == matching_key("दीन")
    False
    >>> matching_key("你好，世界") == matching_key("你好 世界！")
    True
    """
    text = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).translate(_SIGNS).casefold()
    return join_unspaced(" ".join(WORD.findall(text)))


class _Signs(dict):
    """Code of a sign -> what stands for it where texts are compared, None for nothing; filled as signs occur."""

    def __missing__(self, code: int) -> str | None:
        sign = chr(code)
        self[code] = str(unicodedata.decimal(sign)) if sign.isdecimal() else sign
        if _IGNORABLE.match(sign):
            self[code] = None
        return self[code]


# Vowel points that most texts leave out, and the stroke that only stretches a word.
_POINTS = (*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7, 0x640, *range(0x64B, 0x653), 0x670)
_SIGNS = _Signs({0x931: "र"} | dict.fromkeys(_POINTS))


def refuse_swapped(pairs: Iterable[tuple[str, str]], name: str) -> None:
    """Raise `DataError` for sentence pairs whose sides are swapped, as the first ones tell.

    Args:
        pairs: English and foreign sentences.
        name: of the source, for the error.
    """
    first = list(islice(pairs, MOST_SEEN))
    if len(first) >= LEAST_SEEN and look_swapped(first):
        what = "the foreign side reads as English, and the English one does not"
        raise DataError(what, where=name, hint="swap the files or columns: English first")


def look_swapped(pairs: Iterable[tuple[str, str]]) -> bool:
    """Return whether the second side of sentence pairs reads as English, and the first does not.

    >>> look_swapped([("Niliona paka wa jirani.", "I saw the cat of the neighbour in the garden.")])
    True
    """
    english, foreign = (_share_of_common_words(texts) for texts in zip(*pairs, strict=True))
    return foreign > max(0.1, 3 * english)


def _share_of_common_words(texts: Iterable[str]) -> float:
    words = [word for text in texts for word in matching_key(text).split()]
    return sum(word in _COMMON_ENGLISH for word in words) / max(len(words), 1)


TOO_LONG = "too long"
Scripts = tuple[str, str]  # ISO 15924 codes: of the English side, of the foreign one


def reason_to_drop(english: str, foreign: str, settings: BitextCleaning, scripts: Scripts) -> str | None:
    """Return why a normalised pair is dropped, or None."""
    sides = (english, foreign)
    if not all(sides):
        return "empty"
    if any(DAMAGED in text for text in sides):
        return "control character"
    if any(len(text) > settings.maximum_characters or count_words(text) > settings.maximum_words for text in sides):
        return TOO_LONG
    # Ten characters are added to each side: a greeting may be three times as long in another language.
    ratio = (text_length(english) + 10) / (text_length(foreign) + 10)
    if max(ratio, 1 / ratio) > settings.maximum_length_ratio:
        return "unlike lengths"
    if _untranslated(english, foreign):
        return "untranslated"
    letters = ((len(_LETTERS_AND_MARKS.findall(text)), len(text) - text.count(" ")) for text in sides)
    if any(count < settings.minimum_letters * size for count, size in letters):
        return "few letters"
    if any(script_share(text, script) < settings.minimum_script for text, script in zip(sides, scripts, strict=True)):
        return "wrong script"
    return None


def text_length(text: str) -> int:
    """Return the length of a text in letters of an alphabet: a Chinese or Japanese sign counts as two.

    >>> text_length("ab"), text_length("日本")
    (2, 4)
    """
    return len(text) + len(_IDEOGRAPHS.findall(text))


def _untranslated(english: str, foreign: str) -> bool:
    """Both sides are one text, or nine tenths of five or more English words stand in the foreign side too."""
    words, others = matching_key(english).split(), set(matching_key(foreign).split())
    if english.casefold() == foreign.casefold() or (words and set(words) == others):
        return True
    return len(words) >= 5 and sum(word in others for word in words) >= 0.9 * len(words)
