"""Text to words, the same for BM25's index, its queries and the word aligner, so that a lexical table fits both."""

import unicodedata

import regex

# A word is a run of letters, combining marks and digits. Python's own \w would cut Devanagari at every vowel sign.
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
JOINERS = str.maketrans("", "", "\u200c\u200d\u00ad")  # zero-width (non-)joiner, soft hyphen: inside a word, no letters

LexicalTable = dict[str, dict[str, float]]  # given word -> word -> P(word | given word)


def words(text: str) -> list[str]:
    """Return the lower-case words of a text in any script.

    >>> words("Ng'ombe, l'école; मराठी भाषा 2023!")
    ['ng', 'ombe', 'l', 'école', 'मराठी', 'भाषा', '2023']
    """
    return WORD.findall(unicodedata.normalize("NFC", text).translate(JOINERS).lower())
