"""Encoded passages to search in: those of a collection of an experiment, or of an index."""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from optical.corpora.passages import Document
from optical.errors import ConfigError, DataError
from optical.files import open_text, read_jsonl
from optical.search.exact import Hits, search
from optical.search.metadata import selected
from optical.search.vectors import Collection, TokenVectors, vectors_of

MEMORY_MB = 1024  # of an exact search
LINE_START = '{"id": "'  # of the lines that a collection is written in


class UnknownPassage(DataError):
    """No passage has this id."""


class Passages(NamedTuple):
    """Where the texts of passages lie, their token vectors, and the tokeniser that they were read with.

    The tokeniser is None where the model that reads the queries read the passages, too. An index has metadata and
    deleted passages: their places in each shard. An id that is deleted may be there again in a later shard.
    """

    documents: list[Path]
    shards: list[Path]
    tokeniser: Path | None
    metadata: Sequence[Path] = ()
    deleted: Sequence[Sequence[int]] = ()

    @property
    def empty(self) -> bool:
        """Return whether there is no passage, not even a deleted one."""
        return not self.shards

    def rank(
        self, vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, top: int, where: Sequence[str], device: str = "cpu"
    ) -> list[Hits]:
        """Return the best passages of each query by exact search; see `optical.search.exact.search`.

        Args:
            vectors_QMD: the queries' token vectors.
            mask_QM: true for the tokens that count.
            top: number of hits of a query.
            where: conditions that the passages must fulfil, see `optical.search.metadata`.
            device: cpu, cuda or cuda:N.
        """
        return search(vectors_QMD, mask_QM, self.shards, top, MEMORY_MB, device=device, kept=self.kept(where))

    def vectors(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the token vectors (tokens, dim) of some passages."""
        return vectors_of(Collection(self.shards), ids)

    def kept(self, where: Sequence[str] = ()) -> np.ndarray | None:
        """Return which passages are searched, by their places in the collection (bool); None for all.

        Args:
            where: conditions that they must fulfil, see `optical.search.metadata`.
        """
        if not where and not any(self.deleted):
            return None
        if not self.metadata:
            raise ConfigError("these passages have no metadata", where="where", hint="only those of an index do")
        firsts = np.cumsum([0, *(TokenVectors.open(shard).documents for shard in self.shards)])
        kept = np.ones(firsts[-1], bool)
        for condition in where:
            kept &= selected(self.metadata, condition)
        for first, places in zip(firsts.tolist(), self.deleted, strict=False):
            kept[np.array(places, dtype=np.int64) + first] = False
        return kept

    def all(self, where: Sequence[str] = ()) -> Iterator[Document]:
        """Yield all passages that are searched, in their order; see `kept`."""
        kept = self.kept(where)
        documents = itertools.chain.from_iterable(map(read_jsonl, self.documents))
        return documents if kept is None else itertools.compress(documents, kept)

    def read(self, wanted: set[str]) -> dict[str, Document]:
        """Return some passages by id, reading no further than the last of them.

        Raises:
            UnknownPassage: a passage is not in the files.
        """
        found: dict[str, Document] = {}
        for number, path in enumerate(self.documents):
            deleted = self.deleted[number] if self.deleted else ()
            found |= _read_passages(path, wanted - found.keys(), set(deleted))
        if missing := sorted(wanted - found.keys()):
            hint = "the collection has changed since: encode it again"
            where = next(iter(self.documents), "index")
            raise UnknownPassage(f"no document {missing[0]}, though it has vectors", where=where, hint=hint)
        return found


def _read_passages(path: Path, wanted: set[str], deleted: set[int]) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    with open_text(path) as file:
        for place, line in enumerate(file):
            if len(documents) == len(wanted):
                break
            if place in deleted or not _may_be_wanted(line, wanted):
                continue
            document = json.loads(line)
            if document["id"] in wanted:
                documents[document["id"]] = document
    return documents


def _may_be_wanted(line: str, wanted: set[str]) -> bool:
    """Return False for a line whose id is not wanted, as far as that can be told before the line is parsed."""
    if not line.startswith(LINE_START):
        return True
    name = line[len(LINE_START) : line.find('"', len(LINE_START))]
    return name in wanted or "\\" in name  # with a backslash it is not the id but its escaped form
