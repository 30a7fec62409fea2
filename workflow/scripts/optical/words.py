"""Text to words, the same for BM25's index, its queries and the word aligner, so that a translation table fits both."""

import unicodedata
from collections.abc import Callable
from functools import cache

import regex

from optical.errors import ConfigError, ResourceError

# A word is a run of letters, combining marks and digits. Python's own \w would cut Devanagari at every vowel sign.
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
JOINERS = str.maketrans("", "", "\u200c\u200d\u00ad")  # zero-width (non-)joiner, soft hyphen: inside a word, no letters

DEFAULTS = {"stop_words": False, "stemming": False}


def words(text: str) -> list[str]:
    """Return the lower-case words of a text in any script.

    >>> words("Ng'ombe, l'école; मराठी भाषा 2023!")
    ['ng', 'ombe', 'l', 'école', 'मराठी', 'भाषा', '2023']
    """
    return WORD.findall(unicodedata.normalize("NFC", text).translate(JOINERS).lower())


def make_analyser(stop_words: bool = False, stemming: bool = False) -> Callable[[str], list[str]]:
    """Return the function from text to index terms: words without English stop words, English stems, if so wanted.

    >>> make_analyser(stop_words=True)("The capital of Tanzania")
    ['capital', 'tanzania']
    """
    dropped = _english_stop_words() if stop_words else frozenset()
    stem = _english_stemmer() if stemming else str

    def analyse(text: str) -> list[str]:
        return [stem(word) for word in words(text) if word not in dropped]

    return analyse


def _english_stop_words() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN  # Lucene's list

    return frozenset(STOPWORDS_EN)


def _english_stemmer() -> Callable[[str], str]:
    try:
        from Stemmer import Stemmer
    except ImportError as error:
        raise ResourceError("stemming needs PyStemmer", hint="pip install PyStemmer, or set stemming: false") from error
    return cache(Stemmer("english").stemWord)


def check_settings(settings: dict, defaults: dict) -> dict:
    """Return the settings over their defaults; an unknown key is a `ConfigError`."""
    unknown = sorted(set(settings) - set(defaults))
    if unknown:
        raise ConfigError(f"unknown setting {', '.join(unknown)}", hint=f"known are {', '.join(defaults)}")
    return defaults | settings
