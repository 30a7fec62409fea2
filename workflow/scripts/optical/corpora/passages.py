"""Long documents as overlapping passages; a document scores as its best passage does (MaxP, Dai and Callan 2019)."""

import re
from collections.abc import Callable, Iterable, Iterator
from numbers import Integral  # the numbers of numpy, too
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from optical.config.collections import Split
from optical.errors import ConfigError, DataError

MARK = "#"
DOCUMENT = '{"id": "d1", "text": "..."}'

Spans = list[tuple[int, int]]

METADATA: tuple[Literal["language", "source", "date"], ...] = ("language", "source", "date")


class Document(TypedDict):
    """A document of a collection or a training set, as a line of `documents.jsonl` holds it.

    A passage of an index may have the fields of `METADATA`, too; a document of a collection in several languages has
    its language.
    """

    id: str
    text: str
    title: NotRequired[str | None]
    language: NotRequired[str]
    source: NotRequired[str]
    date: NotRequired[str]


def new_document(name: str, text: str, title: str | None = None) -> Document:
    """Return a document, with a title where it has one.

    >>> new_document("1", "Dodoma is a city.", "")
    {'id': '1', 'text': 'Dodoma is a city.'}
    """
    document = Document(id=name, text=text)
    if title:
        document["title"] = title
    return document


def document_from(item: object, name: str, where: object, metadata: bool) -> Document:
    """Return the document of an object from outside; refuse one without id or text, or whose title is no text.

    Args:
        item: what should be a document.
        name: of the item, for errors.
        where: its place, for errors.
        metadata: keep the fields of `METADATA`.
    """
    fields = item if isinstance(item, dict) else {}
    given = fields.get("id", fields.get("_id"))  # the latter in BEIR's files
    if isinstance(given, bool) or not isinstance(given, str | Integral) or "text" not in fields:
        raise DataError(f"{name} lacks id or text", where=where, hint=f"each is such as {DOCUMENT}{_renaming(fields)}")
    document = new_document(str(given), fields["text"], fields.get("title"))
    for field in METADATA if metadata else ():
        if fields.get(field):
            document[field] = fields[field]
    if wrong := [key for key, value in document.items() if not isinstance(value, str)]:
        what = f"{name}: the {wrong[0]} of document {given} is not text"
        raise DataError(what, where=where, hint=f"it stands in quotes, as in {DOCUMENT}")
    return document


def _renaming(fields: dict[str, object]) -> str:
    """Return, for an error, how to rename the fields of an object that are likely to be its id and text."""
    texts = {key: value for key, value in fields.items() if isinstance(value, str)}
    if len(fields) < 2 or not texts or not all(re.fullmatch(r"[A-Za-z_]\w*", key) for key in fields):
        return ""
    text = max(texts, key=lambda key: len(texts[key]))
    others = [key for key in fields if key != text]
    name = next((key for key in others if key.lower().endswith("id")), others[0])
    return f"; rename the fields, e.g. jq -c '{{id: .{name}, text: .{text}}}' FILE > NEW_FILE"


def given_documents(items: Iterable[object]) -> Iterator[Document]:
    """Yield the documents of objects that a program gives, checked as those of a JSON Lines file are, with metadata.

    >>> list(given_documents([{"id": 1, "text": "mto", "title": None, "pages": 3}]))
    [{'id': '1', 'text': 'mto'}]
    """
    return (document_from(item, f"passage {number}", "passages", True) for number, item in enumerate(items, start=1))


def in_language(documents: Iterable[Document], lang: str) -> Iterator[Document]:
    """Yield documents, each with its language.

    >>> list(in_language([{"id": "1", "text": "Mwezi."}], "sw"))
    [{'id': '1', 'text': 'Mwezi.', 'language': 'sw'}]
    """
    for document in documents:
        yield document | {"language": lang}


def text_of(document: Document) -> str:
    """Return all that is read of a document: its title, if it has one, and its text.

    >>> text_of({"id": "1", "title": None, "text": "Dodoma is a city."})
    'Dodoma is a city.'
    """
    return f"{document.get('title') or ''} {document['text']}".strip()


def split_documents(
    documents: Iterable[Document], split: Split, tokeniser: str | Path | None = None
) -> Iterator[Document]:
    """Yield each document's passages as documents of their own, with the ids `document#0`, `document#1`, ...

    Every passage keeps title and language. A short document becomes one passage.

    Args:
        documents: whole documents.
        split: length and stride of the passages, and what they count.
        tokeniser: the folder of the tokeniser whose tokens are counted, where the unit is `tokens`.

    >>> [p["id"] for p in split_documents([{"id": "d1", "text": "a b c d e"}], Split(length=3, stride=2))]
    ['d1#0', 'd1#1']
    """
    spans_of: Callable[[str], Spans] = word_spans
    if split.unit == "tokens":
        if not tokeniser:
            hint = "give --tokeniser, or words"
            raise ConfigError("passages of tokens need a tokeniser", where="split.unit", hint=hint)
        spans_of = _token_spans(tokeniser)
    for document in documents:
        for number, text in enumerate(split_text(document["text"], split.length, split.stride, spans_of)):
            passage = new_document(f"{document['id']}{MARK}{number}", text, document.get("title"))
            if lang := document.get("language"):
                passage["language"] = lang
            yield passage


def document_of_passage(passage_id: str) -> str:
    """Return the id of the document that a passage belongs to.

    >>> document_of_passage("LA010194-0001#12"), document_of_passage("32589#0#3")
    ('LA010194-0001', '32589#0')
    """
    return passage_id.rpartition(MARK)[0]


def split_text(text: str, length: int, stride: int, spans_of: Callable[[str], Spans]) -> list[str]:
    """Return overlapping stretches of `length` units, one every `stride` units; the last one ends with the text.

    >>> split_text("a b c d e f", 4, 2, word_spans)
    ['a b c d', 'c d e f']
    """
    if not 0 < stride <= length:
        raise ConfigError(
            f"passages of length {length} with stride {stride} would lose text", hint="0 < stride <= length"
        )
    spans = spans_of(text)
    starts = range(0, max(len(spans) - length, 0) + stride, stride)
    stretches = [spans[start : start + length] for start in starts]
    return [text[stretch[0][0] : stretch[-1][1]] if stretch else text for stretch in stretches]


def word_spans(text: str) -> Spans:
    """Return where each word begins and ends; in a language without spaces it is one that ICU's dictionaries find.

    >>> word_spans("two words"), word_spans("我们在北京")
    ([(0, 3), (4, 9)], [(0, 2), (2, 3), (3, 5)])
    """
    from optical.text.words import is_unspaced, split_unspaced  # ICU, which planning does without

    if not is_unspaced(text):
        return [match.span() for match in re.finditer(r"\S+", text)]
    spans = []
    for match in re.finditer(r"\S+", text):
        end = match.start()
        for part in split_unspaced(match[0]):
            spans.append((end, end := end + len(part)))
    return spans


def _token_spans(tokeniser: str | Path) -> Callable[[str], Spans]:
    """Return the function that gives the character spans of a tokeniser's tokens."""
    from optical.text.tokeniser import load_tokeniser

    model = load_tokeniser(tokeniser)
    model.no_truncation()
    model.no_padding()
    return lambda text: model.encode(text, add_special_tokens=False).offsets
