"""A retriever: reads queries of a language with one model, and finds passages that its teacher has read.

    from optical import Retriever

    retriever = Retriever.load("results/students/sw/optical/1")
    retriever.index("passages.jsonl", to="index")
    for hit in retriever.search("mto uko wapi", top=3):
        print(hit.id, hit.score, hit.text)

Another time `Retriever.open("index")` finds the same passages. The command `optical` works through this class.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from optical.corpora.files import read_documents
from optical.corpora.passages import Document, text_of
from optical.errors import DataError
from optical.models.encoder import Encoder
from optical.models.folders import load_encoder
from optical.models.origin import reads_passages, teacher_of, trained_model
from optical.runtime.provenance import check_belongs
from optical.search.encoding import encode_queries
from optical.search.exact import Hits, search
from optical.search.index import Index, build_index, open_index
from optical.search.matches import Match, matches, query_tokens, vectors_of
from optical.search.passages import Passages, read_passages
from optical.search.vectors import Collection
from optical.text.tokeniser import load_tokeniser

MEMORY_MB = 1024


class Hit(NamedTuple):
    """A passage that a query leads to; the matches are the words of its text that the query chose."""

    id: str
    score: float
    text: str
    matches: list[Match]


@dataclass
class Retriever:
    """Finds passages for queries; made by `load` or `open`.

    Attributes:
        encoder: reads the queries.
        model: its folder.
        reader: folder of the model that reads passages.
        passages: where they lie, once there are some.

    >>> retriever = Retriever.load(model)
    >>> retriever.index([{"id": "d1", "text": "where is the river?"}, {"id": "d2", "text": "the moon"}], to=folder).size
    2
    >>> [hit.id for hit in retriever.search("where is the river?")]
    ['d1', 'd2']
    >>> [hit.text for hit in Retriever.open(folder).search("the moon", top=1)]
    ['the moon']
    """

    encoder: Encoder
    model: Path
    reader: Path
    passages: Passages | None = None

    @classmethod
    def load(
        cls,
        model: str | Path,
        teacher: str | Path | None = None,
        device: str = "cpu",
        base: str | Path | None = None,
    ) -> "Retriever":
        """Load a model that reads queries.

        Args:
            model: folder of a student, of a teacher, or of any late-interaction model in the layouts of PyLate and
                Stanford ColBERT.
            teacher: folder of the model that reads the passages; None for the one that a student names, or for the
                model itself where it has learnt to read passages.
            device: cpu, cuda or cuda:N.
            base: folder of what the model changes, if it is stored as changes and does not say where that lies now.

        Raises:
            DataError: a folder holds no model, or the two do not belong together.
        """
        model = trained_model(model)
        if teacher is not None:
            check_belongs(model, trained_model(teacher))
            reader = Path(teacher)
        else:
            reader = model if reads_passages(model) else teacher_of(model)
        return cls(load_encoder(model, base=base).to(device), model, reader)

    @classmethod
    def open(
        cls,
        index: str | Path,
        lang: str = "",
        method: str = "",
        seed: int = 0,
        model: str | Path | None = None,
        device: str = "cpu",
        base: str | Path | None = None,
    ) -> "Retriever":
        """Load an index and a model that reads queries.

        Args:
            index: folder of the index.
            lang: language of the queries; "" for that of the model that the index was built for.
            method: how the student of the language was trained; "" for the method of the index's model.
            seed: of the student; 0 for the seed of the index's model.
            model: folder of the model; None for the student of the language beside the model of the index.
            device: cpu, cuda or cuda:N.
            base: folder of what the model changes, if it is stored as changes and does not say where that lies now.

        Raises:
            DataError: there is no such index or model, or they do not belong together.
        """
        opened = open_index(index)
        folder = trained_model(model) if model is not None else opened.query_model(lang, method, seed)
        opened.check(folder)
        return cls(load_encoder(folder, base=base).to(device), folder, opened.place_of(opened.reader), opened.passages)

    def use(self, index: str | Path) -> None:
        """Search in an index that is there; refuse one that another model's teacher has read."""
        opened = open_index(index)
        opened.check(self.model)
        self.passages = opened.passages

    def index(self, passages: str | Path | Iterable[Document], to: str | Path) -> Index:
        """Encode passages and write them into an index, in which this retriever then searches.

        Args:
            passages: a file of JSON Lines (`id`, `text`, optional `title`) or of `id<TAB>text`, gzipped or not; or such
                objects.
            to: folder of the index; an index that is there is replaced.

        Raises:
            DataError: a passage has no id or text, or an id is there twice.
        """
        documents = read_documents(passages) if isinstance(passages, str | Path) else passages
        encoder = self.encoder
        if not self.reads_itself():
            encoder = load_encoder(self.reader).to(self.device)
        index = build_index(to, documents, encoder, self.reader, self.model)
        self.passages = index.passages
        return index

    @property
    def device(self) -> torch.device:
        """Return where the model is."""
        return next(self.encoder.parameters()).device

    def search(self, query: str, top: int = 10) -> list[Hit]:
        """Return the best passages for a query, the best first."""
        return self.search_all([query], top)[0]

    def search_all(self, queries: Sequence[str], top: int = 10) -> list[list[Hit]]:
        """Return the best passages for each query, with the words that the query chose."""
        passages = self.indexed()
        if not queries:
            return []
        vectors_QMD, mask_QM = encode_queries(self.encoder, list(queries))
        found = self._rank(vectors_QMD, mask_QM, top)
        names = {name for of_query in found for name in of_query.ids}
        documents = read_passages(passages.documents, names)
        document_vectors = vectors_of(Collection(passages.shards), sorted(names)) if names else {}
        tokeniser = load_tokeniser(passages.tokeniser) if passages.tokeniser else self.encoder.tokeniser
        answers = []
        for query, of_query, vectors_MD, mask_M in zip(queries, found, vectors_QMD, mask_QM, strict=True):
            tokens, content_M = query_tokens(self.encoder, query, mask_M)
            hits = []
            for name, score in zip(of_query.ids, of_query.scores.tolist(), strict=True):
                text = text_of(documents[name])
                chosen = matches(self.encoder, tokeniser, tokens, vectors_MD[content_M], text, document_vectors[name])
                hits.append(Hit(name, score, text, chosen))
            answers.append(hits)
        return answers

    def rank(self, queries: Sequence[str], top: int = 10) -> list[Hits]:
        """Return ids and scores of the best passages for each query, without reading the passages."""
        return self._rank(*encode_queries(self.encoder, list(queries)), top) if queries else []

    def _rank(self, vectors_QMD: Tensor, mask_QM: Tensor, top: int) -> list[Hits]:
        return search(vectors_QMD, mask_QM, self.indexed().shards, top, MEMORY_MB, device=str(self.device))

    def reads_itself(self) -> bool:
        """Return whether one model reads queries and passages."""
        return self.reader.resolve() == self.model.resolve()

    def indexed(self) -> Passages:
        """Return the passages; refuse a retriever that has none yet."""
        if self.passages is None:
            hint = 'give some first: retriever.index("passages.jsonl", to="index")'
            raise DataError("there are no passages to search", where=self.model, hint=hint)
        return self.passages
