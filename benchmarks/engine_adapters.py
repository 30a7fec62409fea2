"""The engines of engines.py behind one interface: build, search, add, remove, on parts with passages and vectors.

Shape suffixes: M tokens of a query, L of a passage, T of several, D dimensions.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import measuring  # noqa: F401  # puts the library on the path
import numpy as np
import torch
from torch import Tensor

from optical.search import engine, exact
from optical.search.vectors import Collection, TokenVectors, copy_vectors

TOP = 100  # hits of a query
BATCH = 1000  # passages that an engine is given at a time


def in_batches(part: Path) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Yield passages of a part: ids, token vectors one after the other, and where each passage's begin and end."""
    opened = TokenVectors.open(part / "vectors")
    names, offsets = opened.ids(), np.array(opened.offsets)
    for first in range(0, opened.documents, BATCH):
        ends = offsets[first : first + BATCH + 1]
        vectors_TD = np.array(opened.tokens_between(int(ends[0]), int(ends[-1])))
        yield list(itertools.islice(names, BATCH)), vectors_TD, ends - ends[0]


class Exact:
    """Our exact search: the vectors are the index; a removed passage is left out."""

    def __init__(self, folder: Path, parts: list[Path]):
        self.folder, self.removed = folder, np.zeros(0, np.int64)
        self.shards = [part / "vectors" for part in parts]

    def build(self) -> None:
        self.folder.mkdir()

    def search(self, query_MD: Tensor) -> list[str]:
        kept = None
        if len(self.removed):
            kept = np.ones(Collection(self.shards).documents, bool)
            kept[self.removed] = False
        return exact.search(query_MD[None], torch.ones(1, len(query_MD)), self.shards, TOP, kept=kept)[0].ids

    def add(self, part: Path) -> None:
        copy_vectors(Collection([part / "vectors"]), self.folder / "added")
        self.shards = [*self.shards, self.folder / "added"]

    def remove(self, names: list[str]) -> None:
        self.removed = np.array(list(Collection(self.shards).places(set(names)).values()))


class LanceDB:
    """Ours (`optical.search.engine`): its table, with an inverted file of all vectors at a bit a dimension."""

    def __init__(self, folder: Path, parts: list[Path]):
        self.place, self.parts = (str(folder), "passages"), parts

    def build(self) -> None:
        engine.create_table(*self.place, self.parts)

    def table(self) -> engine.Table:
        return engine.table_of(*self.place, self.parts[0])

    def search(self, query_MD: Tensor) -> list[str]:
        return self.table().rank(query_MD[None], torch.ones(1, len(query_MD)), TOP, [])[0].ids

    def add(self, part: Path) -> None:
        engine.add_rows(self.table(), part)

    def remove(self, names: list[str]) -> None:
        engine.remove_rows(self.table(), names)


class Qdrant:
    """Points with all vectors of a passage and their mean: the nearest means are scored again by all vectors.

    Its graph over lists of vectors takes a second to build for 60 passages, so there is none.
    """

    PREFETCH = 1000

    def __init__(self, folder: Path, parts: list[Path]):
        from qdrant_edge import EdgeShard

        self.folder, self.parts = folder, parts
        self.shard = EdgeShard.load(str(folder)) if folder.exists() else None

    def build(self) -> None:
        import qdrant_edge as edge

        dim = TokenVectors.open(self.parts[0] / "vectors").dim
        several = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
        no_graph = edge.HnswIndexConfig(m=0, ef_construct=100, full_scan_threshold=10_000)
        vectors = {
            "tokens": edge.EdgeVectorParams(
                dim,
                edge.Distance.Dot,
                multivector_config=several,
                datatype=edge.VectorStorageDatatype.Float16,
                memory=edge.Memory.Cold,
                hnsw_config=no_graph,
            ),
            "mean": edge.EdgeVectorParams(dim, edge.Distance.Cosine, memory=edge.Memory.Cold),
        }
        self.folder.mkdir()
        self.shard = edge.EdgeShard.create(str(self.folder), edge.EdgeConfig(vectors=vectors))
        for part in self.parts:
            self.upsert(part)
        self.shard.optimize()
        self.shard.flush()

    def upsert(self, part: Path) -> None:
        import qdrant_edge as edge

        for names, vectors_TD, ends in in_batches(part):
            points = []
            for name, first, last in zip(names, ends, ends[1:], strict=False):
                vectors_LD = vectors_TD[first:last].astype(np.float32)
                values = {"tokens": vectors_LD.tolist(), "mean": vectors_LD.mean(0).tolist()}
                points.append(edge.Point(int(name[1:]), values))
            self.shard.update(edge.UpdateOperation.upsert_points(points))

    def search(self, query_MD: Tensor) -> list[str]:
        import qdrant_edge as edge

        mean = edge.Query.Nearest(query_MD.mean(0).tolist(), using="mean")
        first = edge.Prefetch(limit=self.PREFETCH, query=mean)
        tokens = edge.Query.Nearest(query_MD.tolist(), using="tokens")
        found = self.shard.query(edge.QueryRequest(limit=TOP, query=tokens, prefetches=[first]))
        return [f"d{point.id}" for point in found]

    def add(self, part: Path) -> None:
        self.upsert(part)
        self.shard.optimize()
        self.shard.flush()

    def remove(self, names: list[str]) -> None:
        import qdrant_edge as edge

        self.shard.update(edge.UpdateOperation.delete_points([int(name[1:]) for name in names]))
        self.shard.flush()


ENGINES: dict[str, tuple[str, Callable]] = {  # the package that each needs
    "exact": ("optical", Exact),
    "lancedb": ("lancedb", LanceDB),
    "qdrant-edge": ("qdrant_edge", Qdrant),
}
