"""Long documents as overlapping passages; a document scores as its best passage does (MaxP, Dai and Callan 2019)."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from optical.errors import ConfigError

MARK = "#"

Spans = list[tuple[int, int]]


def text_of(document: dict) -> str:
    """Return all that is read of a document: its title, if it has one, and its text.

    >>> text_of({"id": "1", "title": None, "text": "Dodoma is a city."})
    'Dodoma is a city.'
    """
    return f"{document.get('title') or ''} {document['text']}".strip()


def split_documents(
    documents: Iterable[dict],
    length: int = 180,
    stride: int = 90,
    unit: str = "words",
    tokeniser: str | Path | None = None,
) -> Iterator[dict]:
    """Yield each document's passages as documents of their own, with the ids `document#0`, `document#1`, ...

    `length` and `stride` count words, or, where the unit is `tokens`, those of the tokeniser in a folder. Every passage
    keeps the title. A short document becomes one passage.

    >>> [p["id"] for p in split_documents([{"id": "d1", "text": "a b c d e"}], length=3, stride=2)]
    ['d1#0', 'd1#1']
    """
    if unit not in ("words", "tokens"):
        raise ConfigError(f"passages are not counted in {unit!r}", where="split.unit", hint="words or tokens")
    if unit == "tokens" and not tokeniser:
        raise ConfigError("passages of tokens need a tokeniser", where="split.unit", hint="give --tokeniser, or words")
    spans_of = _token_spans(tokeniser) if unit == "tokens" else word_spans
    for document in documents:
        for number, text in enumerate(split_text(document["text"], length, stride, spans_of)):
            yield document | {"id": f"{document['id']}{MARK}{number}", "text": text}


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
    """Return where each word begins and ends.

    >>> word_spans("two words")
    [(0, 3), (4, 9)]
    """
    return [match.span() for match in re.finditer(r"\S+", text)]


def _token_spans(tokeniser: str | Path) -> Callable[[str], Spans]:
    """Return the function that gives the character spans of a tokeniser's tokens."""
    from optical.text.tokeniser import load_tokeniser

    model = load_tokeniser(tokeniser)
    model.no_truncation()
    model.no_padding()
    return lambda text: model.encode(text, add_special_tokens=False).offsets
