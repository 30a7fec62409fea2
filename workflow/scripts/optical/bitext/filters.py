"""Judge one sentence pair: the reasons for which it is dropped, and the evaluation texts that training may not see."""

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

import regex

from optical.config.bitext import BitextCleaning
from optical.errors import DataError
from optical.files import open_text, read_jsonl, read_lines, read_rows
from optical.text.scripts import script_share
from optical.text.words import JOINERS, WORD, count_words, join_unspaced

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\x00-\x08\x0e-\x1f\x7f]")
_LETTERS_AND_MARKS = regex.compile(r"[\p{L}\p{M}]")
_IDEOGRAPHS = regex.compile(r"[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}]")
_SENTENCE_END = re.compile(r"(?<=[.!?।።؟۔])\s+|(?<=[。！？｡។။])\s*")
_COMMON_ENGLISH = frozenset(["the", "of", "and", "to", "in", "is", "that", "for", "it", "with", "was", "on", "as"])
_SENTENCE_WORDS = 5  # a shorter sentence of a longer text is too common to count as an overlap


def normalise(text: str) -> str:
    """Return text in NFC with single spaces and without invisible signs (the joiners of Indic scripts stay).

    >>> normalise("  Cafe\\u0301\\u00a0 noir\\u200b ")
    'Café noir'
    """
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())


def matching_key(text: str) -> str:
    """Return what two texts share that differ in nothing but case, spacing and punctuation.

    >>> matching_key("Hello,  World!") == matching_key("hello world")
    True
    >>> matching_key("दिन") == matching_key("दीन")
    False
    >>> matching_key("你好，世界") == matching_key("你好 世界！")
    True
    """
    return join_unspaced(" ".join(WORD.findall(unicodedata.normalize("NFKC", text).translate(JOINERS).casefold())))


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


Scripts = tuple[str, str]  # ISO 15924 codes: of the English side, of the foreign one


def reason_to_drop(english: str, foreign: str, settings: BitextCleaning, scripts: Scripts) -> str | None:
    """Return why a normalised pair is dropped, or None."""
    sides = (english, foreign)
    if not all(sides):
        return "empty"
    if any(len(text) > settings.maximum_characters or count_words(text) > settings.maximum_words for text in sides):
        return "too long"
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


def sentence_keys(text: str) -> list[str]:
    """Return the matching keys of the longer sentences of a text that has several.

    >>> sentence_keys("Yes. Who founded the city of Dodoma?")
    ['who founded the city of dodoma']
    """
    sentences = _SENTENCE_END.split(text)
    keys = map(matching_key, sentences if len(sentences) > 1 else ())
    return [key for key in keys if count_words(key) >= _SENTENCE_WORDS]


def read_evaluation_keys(paths: Iterable[str | Path]) -> set[str]:
    """Return the keys of the evaluation's texts and their sentences: in files, and queries of prepared collections."""
    texts = (text for path in paths for text in _texts(Path(path)))
    return {key for text in texts for key in (matching_key(text), *sentence_keys(text))} - {""}


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a collection's queries, or of a file: every cell, or string value that a question could be."""
    if path.is_dir():
        yield from (row[1] for file in sorted(path.glob("queries/*.tsv")) for row in read_rows(file, columns=2))
        return
    kind = next((suffix for suffix in path.suffixes[::-1] if suffix != ".gz"), "")
    if kind == ".csv":
        with open_text(path) as file:
            try:
                yield from (cell for row in csv.reader(file) for cell in row)
            except csv.Error as error:
                raise DataError(f"no CSV: {error}", where=path, hint="write it anew, or as .tsv") from error
    elif kind in (".json", ".jsonl"):
        yield from _json_texts(path)
    else:
        yield from (cell for line in read_lines(path) for cell in line.split("\t"))


def _json_texts(path: Path) -> Iterator[str]:
    with open_text(path) as file:
        content = file.read()
    try:
        values = [json.loads(content)]
    except json.JSONDecodeError:  # an object a line, whatever the suffix says
        values = list(read_jsonl(path))
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            values.extend(item for key, item in value.items() if key not in ("id", "title"))
        elif isinstance(value, list):
            values.extend(value)
