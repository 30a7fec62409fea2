"""English queries with words swapped for dictionary words of another language, the training data of `code-switch`.

The dictionary is P(foreign word | English word) of a word aligner, so the method sees the same sentence pairs as the
others (MiLQ, arXiv 2505.16631, takes bilingual dictionaries).
"""

import random
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from optical.config.methods import Switch
from optical.text.words import replace_words

Dictionary = Mapping[str, Mapping[str, float]]  # English word -> foreign word -> probability


def prune(dictionary: Dictionary, minimum_probability: float) -> dict[str, dict[str, float]]:
    """Return the dictionary without unlikely translations, and without words that are left with none.

    >>> prune({"moon": {"mwezi": 0.8, "la": 0.05}, "of": {"ya": 0.06, "wa": 0.06}}, 0.1)
    {'moon': {'mwezi': 0.8}}
    """
    kept = {
        english: {word: share for word, share in translations.items() if share >= minimum_probability}
        for english, translations in dictionary.items()
    }
    return {english: translations for english, translations in kept.items() if translations}


def switch_words(text: str, dictionary: Dictionary, probability: float, dice: random.Random) -> tuple[str, int, int]:
    """Return a text with words swapped in place, how many were swapped, and how many words it has.

    A translation is drawn by its probability; case and punctuation around a word play no part.

    >>> switch_words("The moon, far away!", {"moon": {"mwezi": 0.8}}, 1.0, random.Random(1))
    ('The mwezi, far away!', 1, 4)
    """
    words = swapped = 0

    def swap(word: str) -> str:
        nonlocal words, swapped
        words += 1
        translations = dictionary.get(word.lower())
        if not translations or dice.random() >= probability:
            return word
        swapped += 1
        return dice.choices(list(translations), list(translations.values()))[0]

    return replace_words(unicodedata.normalize("NFC", text), swap), swapped, words


def switch_queries(
    queries: Iterable[tuple[str, str]], dictionary: Dictionary, settings: Switch
) -> Iterator[tuple[str, str, int, int]]:
    """Yield (id, switched text, swapped words, words) of each query, in the order given."""
    dictionary = prune(dictionary, settings.minimum_probability)
    dice = random.Random(settings.seed)
    for query_id, text in queries:
        yield (query_id, *switch_words(text, dictionary, settings.probability, dice))
