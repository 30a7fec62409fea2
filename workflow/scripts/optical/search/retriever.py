"""A retriever: one model reads the queries, and finds passages that its teacher has read.

    from optical import Retriever

    retriever = Retriever.load("results/students/sw/optical/1")
    retriever.index("passages.jsonl", to="index")
    for hit in retriever.search("mto uko wapi", top=3):
        print(hit.id, hit.score, hit.text)

Later, `Retriever.open("index")` searches the same passages. `add` and `remove` change them. The command `optical` uses
this class.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from optical.corpora.files import checked_documents, read_documents
from optical.corpora.passages import Document, given_documents, text_of
from optical.errors import ConfigError, DataError
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.folders import load_encoder
from optical.models.origin import check_reader, reads_passages, teacher_of, trained_model
from optical.runtime.devices import device_of
from optical.runtime.precision import chosen
from optical.search.encoding import encode_queries
from optical.search.engine import Table
from optical.search.exact import Hits, to_run
from optical.search.index import Index, open_index, read_again_if_changed
from optical.search.index_changes import Change, add_passages, build_index, remove_passages
from optical.search.matches import Match, matches, query_tokens
from optical.search.metadata import Metadata, metadata_of
from optical.search.passages import Passages
from optical.search.runs import WordSearch, fuse_runs
from optical.text.tokeniser import tokeniser_in

JOINED = 1000  # hits of each search whose ranks are joined
RANK_CONSTANT = 60
Found = TypeVar("Found")
Given = str | Path | Iterable[Mapping[str, object]]  # a file of passages, or passages


class Hit(NamedTuple):
    """A passage found for a query; `matches` are the words of its text that are most similar to the query's.

    `metadata` has its language, source and date, if the index has them.
    """

    id: str
    score: float
    text: str
    matches: list[Match]
    metadata: dict[str, str]


class Asked(NamedTuple):
    """Queries, as texts and as vectors, and how they are searched with; see `Retriever.search`."""

    texts: Sequence[str]
    vectors_QMD: Tensor
    mask_QM: Tensor
    top: int
    where: Sequence[str]
    fuse: WordSearch | None


@dataclass
class Retriever:
    """Finds passages for queries. Create it with `load` or `open`.

    Attributes:
        encoder: reads the queries.
        model: its folder.
        reader: folder of the model that reads passages.
        precision: of the matrix products while it does.
        passages: where they are stored; None before there are any.
        opened: the index that holds them; it may change between two searches.

    >>> retriever = Retriever.load(model)
    >>> retriever.index([{"id": "d1", "text": "where is the river?"}, {"id": "d2", "text": "the moon"}], to=folder).size
    2
    >>> [hit.id for hit in retriever.search("where is the river?")]
    ['d1', 'd2']
    >>> [hit.text for hit in Retriever.open(folder).search("the moon", top=1)]
    ['the moon']
    """

    encoder: Encoder = field(repr=False)
    model: Path
    reader: Path
    precision: str = "fp32"
    passages: Passages | None = None
    opened: Index | None = None

    @classmethod
    def load(
        cls,
        model: str | Path,
        teacher: str | Path | None = None,
        device: str | torch.device = "cpu",
        base: str | Path | None = None,
        precision: str = "fp32",
    ) -> "Retriever":
        """Load a model that reads queries.

        Args:
            model: folder of a student, of a teacher, or of any late-interaction model in the layouts of PyLate and
                Stanford ColBERT.
            teacher: folder of the model that reads the passages; None for the one that a student names, or for the
                model itself where it has learnt to read passages.
            device: cpu, cuda, cuda:N or auto, which is a GPU where there is one.
            base: folder of the base of a model that is stored as changes, if the base has moved.
            precision: in which passages are read: fp32, bf16, or auto, which is bf16 where the device is faster in it.

        Raises:
            DataError: a folder holds no model, or the two do not belong together.
        """
        model = trained_model(model)
        if teacher is not None:
            check_reader(model, teacher)
            reader = Path(teacher)
        else:
            reader = model if reads_passages(model) else teacher_of(model)
        place = device_of(device)
        return cls(load_encoder(model, base=base).to(place), model, reader, chosen(precision, place))

    @classmethod
    def open(
        cls,
        index: str | Path,
        lang: str = "",
        method: str = "",
        seed: int | None = None,
        model: str | Path | None = None,
        device: str | torch.device = "cpu",
        base: str | Path | None = None,
        precision: str = "fp32",
    ) -> "Retriever":
        """Load an index and a model that reads queries.

        Args:
            index: folder of the index.
            lang: language of the queries; "" for that of the model that the index was built for.
            method: how the student of the language was trained; "" for the method of the index's model.
            seed: of the student; None for the seed of the index's model.
            model: folder of the model; None for the student of the language beside the model of the index.
            device: cpu, cuda, cuda:N or auto, which is a GPU where there is one.
            base: folder of the base of a model that is stored as changes, if the base has moved.
            precision: in which passages are read: fp32, bf16, or auto, which is bf16 where the device is faster in it.

        Raises:
            DataError: there is no such index or model, or they do not belong together.
        """
        opened = open_index(index)
        folder = trained_model(model) if model is not None else opened.query_model(lang, method, seed)
        opened.check(folder)
        place = device_of(device)
        encoder = load_encoder(folder, base=base).to(place)
        return cls(encoder, folder, opened.place_of(opened.reader), chosen(precision, place), opened=opened)

    def use(self, index: str | Path) -> None:
        """Search in an existing index; refuse one whose passages another teacher has read."""
        opened = open_index(index)
        opened.check(self.model)
        self.opened = opened

    def index(
        self,
        passages: Given,
        to: str | Path,
        language: str = "",
        source: str = "",
        date: str = "",
        pool: int = 1,
        engine: str = "",
        store: str = "",
    ) -> Index:
        """Encode passages, write them into an index, and search in it from now on.

        Args:
            passages: a file of JSON Lines (`id`, `text`, optional `title`, `language`, `source` and `date`) or of
                `id<TAB>text`, gzipped or not; or such objects.
            to: folder of the index; an existing index is replaced.
            language: of passages without one; "detect" detects it from the text.
            source: of passages without one.
            date: of passages without one, such as 2024, 2024-05 or 2024-05-31.
            pool: how many similar token vectors of a passage become one, for a smaller index; 1 keeps all.
            engine: lancedb for more passages than exact search suits; "" for exact search.
            store: address of the bucket where the engine keeps the passages; "" for the folder of the index.

        Raises:
            DataError: a passage has no id or text, or an id is there twice. Passages with an empty text are skipped.
        """
        models, defaults = (self.passage_encoder, self.reader, self.model), Metadata(language, source, date)
        self.opened = build_index(to, _documents(passages), *models, defaults, pool, engine, store, self.precision)
        return self.opened

    def add(self, passages: Given, language: str = "", source: str = "", date: str = "") -> Change:
        """Add passages to the index, as `index` takes them; a passage replaces the one with the same id.

        Raises:
            DataError: a passage is faulty, or there is no index. The index does not change then.
        """
        defaults = Metadata(language, source, date)
        folder, models = self.index_now().folder, (self.passage_encoder, self.reader)
        return add_passages(folder, _documents(passages), *models, defaults, self.precision)

    def remove(self, ids: str | Iterable[str]) -> Change:
        """Remove passages from the index by their ids, or one by its id.

        Raises:
            DataError: the index has no such id. It does not change then.
        """
        return remove_passages(self.index_now().folder, _listed(ids))

    @cached_property
    def passage_encoder(self) -> Encoder:
        """Return the model that reads passages; it is loaded when it is first needed, and must be that of the index."""
        if self.reads_itself():
            return self.encoder
        if self.opened and self.reader == self.opened.place_of(self.opened.reader):
            self.opened.folder_of(self.opened.reader)  # refuses one that has changed since
        return load_encoder(self.reader).to(self.device)

    @property
    def device(self) -> torch.device:
        """Return the device of the model."""
        return next(self.encoder.parameters()).device

    def search(
        self, query: str, top: int = 10, where: str | Sequence[str] = (), fuse: WordSearch | None = None
    ) -> list[Hit]:
        """Return the best passages that fulfil all conditions, the best first.

        Args:
            query: its text.
            top: number of passages, 1 at least.
            where: conditions on an index's metadata, such as "language=sw" or "date>=2024".
            fuse: a search by words whose ranks are joined to those of the token vectors, such as `word_search()` of
                `optical.search.lexical`. It reads all passages at each call, so give `search_all` many queries.
        """
        return self.search_all([query], top, where, fuse)[0]

    def search_all(
        self,
        queries: Iterable[str],
        top: int = 10,
        where: str | Sequence[str] = (),
        fuse: WordSearch | None = None,
    ) -> list[list[Hit]]:
        """Return the best passages for each query, with the matching words; see `search`."""
        return self._find(queries, top, where, fuse, self._hits)

    def _hits(self, asked: Asked, passages: Passages | Table) -> list[list[Hit]]:
        found = self._rank(asked, passages)
        names = {name for of_query in found for name in of_query.ids}
        documents = passages.read(names)
        document_vectors = passages.vectors(sorted(names)) if names else {}
        tokeniser = tokeniser_in(passages.tokeniser) if passages.tokeniser else self.encoder.tokeniser
        answers = []
        rows = zip(asked.texts, found, asked.vectors_QMD, asked.mask_QM, strict=True)
        for query, of_query, vectors_MD, mask_M in rows:
            ranked = zip(of_query.ids, of_query.scores.tolist(), strict=True)
            scored = [(documents[name], score, document_vectors[name]) for name, score in ranked]
            answers.append(self._with_matches(query, vectors_MD, mask_M, scored, tokeniser))
        return answers

    def _with_matches(
        self,
        query: str,
        vectors_MD: Tensor,
        mask_M: Tensor,
        scored: Iterable[tuple[Document, float, np.ndarray]],
        tokeniser: Tokenizer,
    ) -> list[Hit]:
        """Return the hits of a query, from passages with their scores and vectors, in their order."""
        tokens, content_M = query_tokens(self.encoder, query, mask_M)
        hits = []
        for document, score, vectors_LD in scored:
            text = text_of(document)
            chosen = matches(self.encoder, tokeniser, tokens, vectors_MD[content_M], text, vectors_LD)
            hits.append(Hit(document["id"], score, text, chosen, metadata_of(document)))
        return hits

    def rerank(self, query: str, passages: Iterable[str | Mapping[str, object]], top: int | None = None) -> list[Hit]:
        """Score passages for a query without an index, and return them, the best first.

        Args:
            query: its text.
            passages: objects as `index` takes them, such as the hits of another search; or texts, whose ids are then
                their places, from 0.
            top: number of passages to return; None for all.

        Raises:
            DataError: a passage has no id or text, or an id is there twice. Passages with an empty text are skipped.
        """
        _check_top(top)
        given = [{"id": place, "text": item} if isinstance(item, str) else item for place, item in enumerate(passages)]
        documents = list(checked_documents(given_documents(given)))
        if not documents:
            return []
        (vectors_MD,), (mask_M,) = encode_queries(self.encoder, _queries(query))
        read = self.passage_encoder.encode(list(map(text_of, documents)), DOCUMENT, self.precision)
        scored = []
        for place, vectors_LD, _ in sorted(read, key=lambda item: item[0]):
            vectors_LD = vectors_LD.half()  # as in an index, so that scores are those of a search
            best_K = (vectors_MD[mask_M] @ vectors_LD.float().T).amax(1)
            scored.append((documents[place], best_K.sum().item(), vectors_LD.numpy()))
        scored.sort(key=lambda item: -item[1])
        return self._with_matches(query, vectors_MD, mask_M, scored[:top], self.passage_encoder.tokeniser)

    def rank(
        self,
        queries: Iterable[str],
        top: int = 10,
        where: str | Sequence[str] = (),
        fuse: WordSearch | None = None,
    ) -> list[Hits]:
        """Return ids and scores of the best passages for each query, without reading the passages; see `search`."""
        return self._find(queries, top, where, fuse, self._rank)

    def _find(
        self,
        queries: Iterable[str],
        top: int,
        where: str | Sequence[str],
        fuse: WordSearch | None,
        act: Callable[[Asked, Passages | Table], list[Found]],
    ) -> list[Found]:
        """Return what is found in the current passages; search again if the index changed meanwhile."""
        _check_top(top)
        texts = _queries(queries)
        if not texts:
            return []
        asked = Asked(texts, *encode_queries(self.encoder, texts), top, _listed(where), fuse)
        return read_again_if_changed(self.indexed, lambda passages: act(asked, passages))

    def _rank(self, asked: Asked, passages: Passages | Table) -> list[Hits]:
        if passages.empty:
            return [Hits(np.zeros(0, np.float32), [])] * len(asked.texts)
        depth = max(asked.top, JOINED) if asked.fuse else asked.top
        hits = passages.rank(asked.vectors_QMD, asked.mask_QM, depth, asked.where, str(self.device))
        if asked.fuse is None:
            return hits
        names = [str(number) for number in range(len(hits))]
        by_words = asked.fuse(passages.all(asked.where), dict(zip(names, asked.texts, strict=True)), depth)
        joined = fuse_runs([to_run(names, hits), by_words], asked.top, RANK_CONSTANT)
        return [Hits(np.array([score for _, score in joined[name]]), [id for id, _ in joined[name]]) for name in names]

    def reads_itself(self) -> bool:
        """Return whether one model reads queries and passages."""
        return self.reader.resolve() == self.model.resolve()

    def indexed(self) -> Passages | Table:
        """Return the current passages; refuse a retriever that has none yet."""
        return self.passages if self.passages is not None else self.index_now().passages

    def index_now(self) -> Index:
        """Return the current index: another process may have changed it since it was opened."""
        if self.opened is None:
            hint = 'add passages first: retriever.index("passages.jsonl", to="index")'
            raise DataError("this retriever has no passages yet", where=self.model, hint=hint)
        now = open_index(self.opened.folder)
        if now.reader.digest != self.opened.reader.digest:
            raise DataError("built again for another model", where=now.folder, hint="open the index again")
        return now


def _check_top(top: int | None) -> None:
    if top is not None and top < 1:
        raise ConfigError(f"{top} passages", where="top", hint="1 at least")


def _listed(texts: str | Iterable[str]) -> list[str]:
    """Return texts as a list, whether one is given or several."""
    return [texts] if isinstance(texts, str) else list(texts)


def _queries(texts: str | Iterable[str]) -> list[str]:
    """Return queries as a list; refuse what is not text, of which a tokeniser would make something else."""
    if isinstance(texts, Mapping):
        hint = "give a list: list(queries.values())"
        raise ConfigError("a dictionary of queries, whose keys would be read", where="queries", hint=hint)
    listed = _listed(texts)
    if wrong := [text for text in listed if not isinstance(text, str)]:  # a tokeniser takes a list for a pair
        raise ConfigError(f"a query is {wrong[0]!r}, not text", where="query", hint="search_all takes a list of texts")
    return listed


def _documents(passages: Given) -> Iterable[Document]:
    return read_documents(passages, metadata=True) if isinstance(passages, str | Path) else given_documents(passages)
