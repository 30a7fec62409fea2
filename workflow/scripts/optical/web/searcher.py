"""What the page asks for: passages for a query in any of several languages, and an alignment with one of them.

Requests come in several threads; one model works at a time, with all of its threads.
"""

import re
import threading
from collections.abc import Sequence
from typing import Any

from optical.corpora.passages import text_of
from optical.errors import ConfigError
from optical.evaluation.token_alignment import align, transport_settings
from optical.models.encoder import DOCUMENT, Encoder
from optical.search.encoding import encode_queries
from optical.search.index import read_again_if_changed
from optical.search.passages import UnknownPassage
from optical.search.retriever import Hit, Retriever
from optical.text.tokeniser import tokenise

MOST_CHARACTERS = 2000  # of a query
MOST_PASSAGES = 100
SENTENCE = re.compile(r".+?(?:(?<![.!?])[.!?]++(?=\s|$)|$)", re.DOTALL)


class Searcher:
    """Searches an index with the models of several languages, and aligns queries with the passages found."""

    def __init__(self, retrievers: dict[str, Retriever]):
        """Take the retrievers by language, all of one index; load the model that has read the passages."""
        self.retrievers = retrievers
        self.lock = threading.Lock()
        first = next(iter(retrievers.values()))
        loaded = (each.encoder for each in retrievers.values() if each.reads_itself())
        self.reader: Encoder = next(loaded, None) or first.passage_encoder
        self.settings = {lang: transport_settings(str(each.model)) for lang, each in retrievers.items()}

    def size(self) -> int:
        """Return how many passages there are now."""
        return next(iter(self.retrievers.values())).index_now().size

    def search(self, lang: str, query: str, top: int, where: Sequence[str] = ()) -> list[Hit]:
        """Return the best passages for a query among those that fulfil all conditions.

        Raises:
            ConfigError: the language is unknown, the query empty or too long, the number out of bounds, or a condition
                none.
        """
        if not 1 <= top <= MOST_PASSAGES:
            raise ConfigError(f"{top} passages", where="top", hint=f"1 to {MOST_PASSAGES}")
        retriever = self._retriever(lang, query)
        with self.lock:
            return retriever.search(query, top, where)

    def align(self, lang: str, query: str, passage: str) -> dict[str, Any]:
        """Return the transport plan between a query and the sentence of a passage that matches it best.

        Raises:
            ConfigError: the language or the passage is unknown, or the query empty or too long.
        """
        retriever = self._retriever(lang, query)
        try:
            found = read_again_if_changed(retriever.indexed, lambda passages: passages.read({passage}))
        except UnknownPassage as error:
            raise ConfigError(f"no passage {passage!r}", where="id", hint="take one from the answer") from error
        text = text_of(found[passage])
        with self.lock:
            start, end = best_sentence(retriever.encoder, self.reader, query, text)
            plan = align(retriever.encoder, self.reader, query, text[start:end], self.settings[lang], special=False)
        return {"start": start, "end": end, "query": plan.foreign, "passage": plan.english, "plan": plan.plan}

    def _retriever(self, lang: str, query: str) -> Retriever:
        if lang not in self.retrievers:
            raise ConfigError(f"unknown language {lang!r}", where="lang", hint=f"one of {', '.join(self.retrievers)}")
        if not query.strip() or len(query) > MOST_CHARACTERS:
            what = "the query is empty" if not query.strip() else f"the query has {len(query)} characters"
            raise ConfigError(what, where="q", hint=f"give 1 to {MOST_CHARACTERS} characters")
        return self.retrievers[lang]


def best_sentence(student: Encoder, reader: Encoder, query: str, text: str) -> tuple[int, int]:
    """Return where the sentence of a text that a query matches best (MaxSim) begins and ends."""
    spans = sentence_spans(text)
    if len(spans) < 2:
        return 0, len(text)
    (query_MD,), (mask_M,) = encode_queries(student, [query])
    ids = list(tokenise(reader.tokeniser, [text[start:end] for start, end in spans]))
    scores = {
        index: float((query_MD[mask_M] @ vectors_LD.float().T).max(dim=1).values.sum())
        for index, vectors_LD, _ in reader.encode(ids, DOCUMENT)
    }
    return spans[max(scores, key=lambda index: scores[index])]


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Return where each sentence of a text begins and ends: at a full stop, a question or an exclamation mark.

    >>> sentence_spans("One. Two?  ")
    [(0, 4), (5, 9)]
    """
    found = ((match.start() + len(match[0]) - len(match[0].lstrip()), match) for match in SENTENCE.finditer(text))
    return [(start, start + len(match[0].strip())) for start, match in found if match[0].strip()]
