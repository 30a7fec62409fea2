"""The evaluation texts that training may not see: read from files of any form, and found again within pairs."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import regex

from optical.bitext.filters import clean_text, matching_key
from optical.bitext.tmx import read_units
from optical.corpora.named_columns import read_csv, separator_of
from optical.errors import DataError
from optical.files import (
    encoding_of_xml,
    is_encoding,
    open_bytes,
    open_text,
    parse_json,
    read_lines,
    read_rows,
    read_text,
)
from optical.seals import check_folder
from optical.text.words import count_words

_SENTENCE_END = regex.compile(r"(?=\s)(?<=\p{Sentence_Terminal}[\"'”’»)\]]*)\s+|(?<=[。！？｡។။])\s*")
_QUOTED = re.compile(r'"([^"]+)"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|‹([^‹›]+)›|「([^「」]+)」|『([^『』]+)』')
_SENTENCE_WORDS = 5  # a shorter sentence of a longer text is too common to count as an overlap

_MARKUP = re.compile(r"\s*<[?!A-Za-z]")
_TAG = re.compile(r"<[^<>]*>")
_VALUE = re.compile(r"""=\s*(?:"([^"]*)"|'([^']*)')""")
_INLINE = re.compile(r"</?(?:a|b|em|font|hi|i|span|strong|sub|sup|u)\b[^<>]*>|<!\[CDATA\[|\]\]>", re.IGNORECASE)
_NO_TEXT = (".arrow", ".npy", ".npz", ".parquet", ".pdf", ".pkl", ".po", ".rtf", ".toml", ".yaml", ".yml")
_FORMS = "give lines of text, .tsv, .csv, .json, .jsonl, .tmx or .xml, or the folder of a prepared collection"


def sentence_keys(text: str) -> list[str]:
    """Return the matching keys of the longer sentences of a text that has several, and of what it quotes.

    >>> sentence_keys("Yes. Who founded the city of Dodoma?")
    ['who founded the city of dodoma']
    >>> sentence_keys("She asked: “Who founded the city of Dodoma?”")
    ['who founded the city of dodoma']
    """
    sentences = _SENTENCE_END.split(text)
    parts = sentences if len(sentences) > 1 else []
    for quoted in ("".join(groups) for groups in _QUOTED.findall(text)):
        parts += [quoted, *_SENTENCE_END.split(quoted)]
    keys = dict.fromkeys(map(matching_key, parts))
    return [key for key in keys if count_words(key) >= _SENTENCE_WORDS]


def read_evaluation_keys(paths: Iterable[str | Path]) -> set[str]:
    """Return the keys of the evaluation's texts and their sentences: in files, and queries of prepared collections.

    Raises:
        DataError: a file or folder gives no text, or is of a form that is not understood.
    """
    keys: set[str] = set()
    for path in map(Path, paths):
        texts = map(clean_text, _texts(path))
        found = {key for text in texts for key in (matching_key(text), *sentence_keys(text))} - {""}
        if not found:
            raise DataError("no evaluation text in it", where=path, hint=_FORMS)
        keys |= found
    return keys


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a collection's queries, or of a file: every cell, element or string that may be a question."""
    if path.is_dir():
        check_folder(path / "queries")  # a file that is lost would exclude nothing
        yield from (row[1] for file in sorted(path.glob("queries/*.tsv")) for row in read_rows(file, columns=2))
        return
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    kind = suffixes[-1] if suffixes else ""
    if kind in _NO_TEXT:
        raise DataError(f"evaluation texts in the form {kind} are not understood", where=path, hint=_FORMS)
    if kind == ".csv":
        yield from _cells(path)
    elif kind == ".tmx" or suffixes[-2:] == [".tmx", ".zip"]:
        yield from (text for unit in read_units(path) for _, text in unit.variants)
    elif kind in (".json", ".jsonl", ".ndjson"):
        yield from _json_texts(path)
    else:
        yield from _texts_of_lines(path)


def _cells(path: Path) -> Iterator[str]:
    """Yield the cells of a CSV file, of whatever sign parts them; and those by commas, if that is another sign."""
    separator = separator_of(path)
    for sign in dict.fromkeys([separator, ","]):
        yield from (cell for row in read_csv(path, sign, strict=sign == separator) for cell in row)


def _texts_of_lines(path: Path) -> Iterator[str]:
    """Yield the cells of every line; where the file turns out to be XML, SGML or JSON, what these hold, too."""
    with open_bytes(path) as file:
        encoding = encoding_of_xml(file.peek(256))
    if not is_encoding(encoding):
        raise DataError(f"its encoding {encoding!r} is unknown", where=path, hint="convert it to UTF-8")
    with open_text(path, encoding) as file:
        first = next((line for line in file if line.strip()), "")
    if _MARKUP.match(first):
        with open_text(path, encoding) as file:
            text = file.read()
        yield from _TAG.split(_INLINE.sub("", text))
        yield from (value for tag in _TAG.findall(text) for values in _VALUE.findall(tag) for value in values)
        yield from text.split("\n")
        return
    opening = first.lstrip()[:1]
    if opening == "{" or (opening == "[" and _is_json(read_text(path), path)):  # [a line] may be in brackets, too
        yield from _json_texts(path)
    yield from (cell for line in read_lines(path) for cell in line.split("\t"))


def _json_texts(path: Path) -> Iterator[str]:
    """Yield the strings of a JSON file, or of JSON Lines whatever its suffix, without ids and documents' titles."""
    with open_text(path) as file:
        lines = [(number, line) for number, line in enumerate(file, start=1) if line.strip()]
    if len(lines) > 1 and _is_json(lines[0][1], path):
        values = [parse_json(line, path, number) for number, line in lines]
    else:
        values = [parse_json("".join(line for _, line in lines), path)] if lines else []
    while values:
        value = values.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            names = {"id", "title"} if {"text", "context"} & value.keys() else {"id"}
            values.extend(item for key, item in value.items() if key not in names)
            yield from (key for key in value if count_words(key) >= _SENTENCE_WORDS)
        elif isinstance(value, list):
            values.extend(value)


def _is_json(line: str, path: Path) -> bool:
    try:
        parse_json(line, path)
    except DataError:
        return False
    return True
