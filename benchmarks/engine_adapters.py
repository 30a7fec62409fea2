"""The engines of engines.py behind one interface: build, search, add and remove, on shards of token vectors.

Shape suffixes: M tokens of a query, L of a passage, T of several, D dimensions.
"""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import measuring  # noqa: F401  # puts the library on the path
import numpy as np
import torch
from torch import Tensor

from optical.search import exact
from optical.search.vectors import Collection, TokenVectors, copy_vectors

TOP = 100  # hits of a query
BATCH = 1000  # passages that an engine is given at a time


def in_batches(shard: Path) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Yield passages of a shard: ids, token vectors one after the other, and where each passage's begin and end."""
    opened = TokenVectors.open(shard)
    names, offsets = opened.ids(), np.array(opened.offsets)
    for first in range(0, opened.documents, BATCH):
        ends = offsets[first : first + BATCH + 1]
        vectors_TD = np.array(opened.tokens_between(int(ends[0]), int(ends[-1])))
        yield list(itertools.islice(names, BATCH)), vectors_TD, ends - ends[0]


class Exact:
    """Our exact search: the vectors are the index; a removed passage is left out."""

    def __init__(self, folder: Path, shards: list[Path]):
        self.folder, self.shards, self.removed = folder, shards, np.zeros(0, np.int64)

    def build(self) -> None:
        self.folder.mkdir()

    def search(self, query_MD: Tensor) -> list[str]:
        kept = None
        if len(self.removed):
            kept = np.ones(Collection(self.shards).documents, bool)
            kept[self.removed] = False
        return exact.search(query_MD[None], torch.ones(1, len(query_MD)), self.shards, TOP, kept=kept)[0].ids

    def add(self, shard: Path) -> None:
        copy_vectors(Collection([shard]), self.folder / "added")
        self.shards = [*self.shards, self.folder / "added"]

    def remove(self, names: list[str]) -> None:
        self.removed = np.array(list(Collection(self.shards).places(set(names)).values()))


class LanceDB:
    """A table with a list of vectors a row, and an inverted file of all of them with a bit a dimension (RaBitQ).

    The engine finds the vectors nearest to each of the query's, and estimates the scores of their passages; the best
    `CANDIDATES` come with their vectors, and are scored exactly.
    """

    PROBES, CANDIDATES, ITERATIONS = 20, 1000, 10
    DEPTH = 4  # so many times the candidates are the vectors that are found for one of the query

    def __init__(self, folder: Path, shards: list[Path]):
        os.environ |= {"LANCE_XTR_OVERFETCH": str(self.DEPTH), "LANCEDB_LOG": "error"}
        import lancedb

        self.shards, self.tables = shards, lancedb.connect(str(folder))
        self.table = self.tables.open_table("passages") if (folder / "passages.lance").exists() else None

    def build(self) -> None:
        from lancedb.index import IvfRq

        batches = itertools.chain.from_iterable(map(self.batches, self.shards))
        self.table = self.tables.create_table("passages", batches, schema=self.schema())
        config = IvfRq(distance_type="cosine", num_bits=1, max_iterations=self.ITERATIONS)
        self.table.create_index("vectors", config=config)

    def schema(self) -> Any:
        import pyarrow as pa

        vector = pa.list_(pa.field("item", pa.float16()), TokenVectors.open(self.shards[0]).dim)
        return pa.schema([("id", pa.string()), ("vectors", pa.list_(vector))])

    def batches(self, shard: Path) -> Iterator:
        import pyarrow as pa

        schema = self.schema()
        lists = schema.field("vectors").type
        for names, vectors_TD, ends in in_batches(shard):
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(vectors_TD.reshape(-1)), type=lists.value_type)
            columns = [pa.array(names), pa.ListArray.from_arrays(pa.array(ends, pa.int32()), vectors, type=lists)]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def search(self, query_MD: Tensor) -> list[str]:
        asked = self.table.search(query_MD.numpy(), vector_column_name="vectors").distance_type("cosine")
        asked = asked.nprobes(self.PROBES).limit(self.CANDIDATES).select(["id", "vectors", "_distance"])
        found = asked.to_arrow().combine_chunks()
        lists = found["vectors"].chunk(0)
        starts = lists.offsets.to_numpy()
        vectors_TD = lists.values.flatten().to_numpy().reshape(-1, query_MD.shape[1])[starts[0] : starts[-1]]
        similarity_TM = vectors_TD.astype(np.float32) @ query_MD.numpy().T
        scores = np.maximum.reduceat(similarity_TM, starts[:-1] - starts[0], axis=0).sum(1)
        names = found["id"].to_pylist()
        return [names[place] for place in np.argsort(-scores, kind="stable")[:TOP]]

    def add(self, shard: Path) -> None:
        import pyarrow as pa

        self.table.add(pa.Table.from_batches(list(self.batches(shard))))
        self.table.optimize()

    def remove(self, names: list[str]) -> None:
        self.table.delete(f"id IN ({', '.join(repr(name) for name in names)})")


class Qdrant:
    """Points with all vectors of a passage and their mean: the nearest means are scored again by all vectors.

    Its graph over lists of vectors takes a second to build for 60 passages, so there is none.
    """

    PREFETCH = 1000

    def __init__(self, folder: Path, shards: list[Path]):
        from qdrant_edge import EdgeShard

        self.folder, self.shards, self.numbers = folder, shards, itertools.count()
        self.shard = EdgeShard.load(str(folder)) if folder.exists() else None

    def build(self) -> None:
        import qdrant_edge as edge

        dim = TokenVectors.open(self.shards[0]).dim
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
        for shard in self.shards:
            self.upsert(shard)
        self.shard.optimize()
        self.shard.flush()

    def upsert(self, shard: Path) -> None:
        import qdrant_edge as edge

        for names, vectors_TD, ends in in_batches(shard):
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

    def add(self, shard: Path) -> None:
        self.upsert(shard)
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
