"""Split text into words, in the same way for BM25's index, its queries and the word aligner.

Chinese, Japanese, Thai, Lao, Khmer and Burmese put no spaces between words: the dictionaries of ICU find them.
"""

import unicodedata
from collections.abc import Callable

import regex
from icu4py.breakers import WordBreaker

from optical.text.scripts import signs_of

# A word is a run of letters, combining marks and digits. Python's own \w would cut Devanagari at every vowel sign.
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
JOINERS = str.maketrans("", "", "\u200c\u200d\u00ad")  # zero-width (non-)joiner, soft hyphen: inside a word, no letters

# Scripts without spaces that ICU has dictionaries for. A stretch begins with a sign that is of one of these alone: the
# dot below of Igbo belongs to Thai, too.
_SCRIPTS = ("Hani", "Hira", "Kana", "Thai", "Laoo", "Khmr", "Mymr")
_SIGN = f"[[{signs_of(*_SCRIPTS, by='sc')}]&&[\\p{{L}}\\p{{M}}\\p{{N}}]]"
_FURTHER = f"[{signs_of(*_SCRIPTS)}\\p{{M}}]"
_SIGNS = regex.compile(_SIGN, regex.VERSION1)
_STRETCH = regex.compile(f"(?P<unspaced>{_SIGN}{_FURTHER}*)|(?:(?!{_SIGN}).)+", regex.VERSION1)
_BETWEEN = regex.compile(f"(?<={_SIGN}{_FURTHER}*) (?={_SIGN})", regex.VERSION1)

LEAST_SHARE = 0.2  # of a text's letters and marks: more of these scripts than a name or a quotation
_LETTERS = regex.compile(r"[\p{L}\p{M}]")

LexicalTable = dict[str, dict[str, float]]  # given word -> word -> P(word | given word)


def words(text: str) -> list[str]:
    """Return the lower-case words of a text in any script.

    >>> words("Ng'ombe, l'école; मराठी भाषा 2023!")
    ['ng', 'ombe', 'l', 'école', 'मराठी', 'भाषा', '2023']
    >>> words("我们在北京看书。"), words("ห้องสมุดใหญ่")
    (['我们', '在', '北京', '看书'], ['ห้อง', 'สมุด', 'ใหญ่'])
    """
    return find_words(unicodedata.normalize("NFC", text).translate(JOINERS).lower())


def find_words(text: str) -> list[str]:
    """Return the words of a text unchanged."""
    found: list[str] = WORD.findall(text)
    return [part for word in found for part in split_unspaced(word)] if is_unspaced(text) else found


def count_words(text: str) -> int:
    """Return how many words a text has that single spaces divide: those between spaces, and those that ICU finds.

    >>> count_words("it's 2 o'clock"), count_words("我们在北京 at noon")
    (3, 5)
    """
    if not is_unspaced(text):
        return text.count(" ") + 1
    return sum(len(find_words(piece)) if _SIGNS.search(piece) else 1 for piece in text.split(" "))


def replace_words(text: str, replace: Callable[[str], str]) -> str:
    """Return a text with each word replaced and the text between the words unchanged."""
    parts = split_unspaced if is_unspaced(text) else lambda word: [word]
    return WORD.sub(lambda match: "".join(map(replace, parts(match[0]))), text)


def is_unspaced(text: str) -> bool:
    """Return whether a text is of a language without spaces: a name of such a language stays one word elsewhere.

    >>> is_unspaced("我们在 Beijing 看书"), is_unspaced("The capital is Beijing (北京市), in the north of China.")
    (True, False)
    """
    return bool(_SIGNS.search(text)) and len(_SIGNS.findall(text)) >= LEAST_SHARE * len(_LETTERS.findall(text))


def join_unspaced(text: str) -> str:
    """Return a text without the spaces between signs of scripts that need none.

    >>> join_unspaced("我们 在 Beijing 看书")
    '我们在 Beijing 看书'
    """
    return _BETWEEN.sub("", text)


def split_unspaced(word: str) -> list[str]:
    """Return the words of a text without spaces: several where it has signs of a script that needs none."""
    return [
        part
        for stretch in _STRETCH.finditer(word)
        for part in (WordBreaker(stretch[0], "") if stretch["unspaced"] else [stretch[0]])
    ]
