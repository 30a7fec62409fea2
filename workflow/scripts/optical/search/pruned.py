"""Search through a pruned index (PLAID), which looks only at documents that hold a token near one of the query's.

The index stores a token vector as its nearest centroid and a few bits of the difference. A query token probes the
nearest centroids. The documents found there are scored by their centroids, and the best of them by their vectors
(Santhanam et al., CIKM 2022). The index is smaller than the vectors of the exact search, but documents can be missed.

The index is fast-plaid's. It is built for another release of torch than this project's, so it has its own environment
(envs/pruned.yaml).

Shape suffixes: Q queries, M tokens of a query, T tokens, D dimensions.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from optical.errors import DataError, ResourceError
from optical.files import atomic_folder, read_lines, write_lines
from optical.seals import check_folder
from optical.search.exact import Hits
from optical.search.vectors import Collection, TokenVectors

SEED = 1  # of the sample of tokens that the centroids are found in
IDS = "ids.txt"


def build_pruned_index(shards: Sequence[str | Path], folder: str | Path, bits: int, device: str = "cpu") -> int:
    """Make the index of the documents of some shards, a folder; return how many it holds.

    `bits` are kept of each component of a vector's distance to its centroid. Documents without a token are left out,
    as the exact search finds none of them. Raise `DataError` where no document has a token.
    """
    documents: list[torch.Tensor] = []
    names: list[str] = []
    for shard in Collection(shards).shards:
        for name, vectors_TD in zip(shard.ids(), _documents(shard), strict=True):
            if len(vectors_TD):
                names.append(name)
                documents.append(vectors_TD)
    if not documents:
        raise DataError("no document has a token", where=shards[0], hint="encode the collection again")
    with atomic_folder(folder) as temporary:
        with _fast_plaid(temporary, device) as searcher:
            searcher.create(documents, nbits=bits, seed=SEED, start_from_scratch=0)
        write_lines(temporary / IDS, names)
    return len(names)


class PrunedIndex(NamedTuple):
    """An index in memory, and the names of its documents."""

    searcher: Any  # fast_plaid.search.FastPlaid
    names: list[str]


def open_pruned_index(folder: str | Path, device: str = "cpu") -> PrunedIndex:
    """Open the index that `build_pruned_index` left in a folder; refuse one that has changed since."""
    check_folder(folder)
    return PrunedIndex(_fast_plaid(Path(folder), device), list(read_lines(Path(folder) / IDS)))


def search_pruned_index(
    query_vectors_QMD: torch.Tensor,
    query_mask_QM: torch.Tensor,
    index: PrunedIndex,
    top_k: int,
    probes: int,
    candidates: int,
) -> list[Hits]:
    """Return the `top_k` best documents that the index finds for each query, with its own approximate scores.

    Args:
        query_vectors_QMD: the queries' token vectors, any float type.
        query_mask_QM: true for the tokens that count; each query has one at least.
        probes: centroids that a query token looks at.
        candidates: documents per query that are scored by their vectors, after all found were by their centroids.
    """
    queries = [vectors_MD[mask_M.bool()] for vectors_MD, mask_M in zip(query_vectors_QMD, query_mask_QM, strict=True)]
    hits_of_queries = index.searcher.search(
        queries,
        top_k=top_k,
        n_ivf_probe=probes,
        n_full_scores=max(candidates, top_k),
        show_progress=False,
        n_processes=1,
    )
    return [
        Hits(np.array([score for _, score in hits], np.float32), [index.names[number] for number, _ in hits])
        for hits in hits_of_queries
    ]


def _documents(shard: TokenVectors) -> Iterator[torch.Tensor]:
    """Yield the token vectors of a shard's documents in stored order: float16 (tokens, D), mapped, not read."""
    vectors_TD = torch.from_numpy(shard.tokens_between(0, shard.tokens)).half()
    yield from vectors_TD.split(np.diff(shard.offsets).tolist())


def _fast_plaid(folder: Path, device: str) -> Any:
    try:
        from fast_plaid.search import FastPlaid  # type: ignore[import-not-found]
    except ImportError as error:
        hint = "run with --sdm conda, or in an environment made like envs/pruned.yaml"
        raise ResourceError(f"fast-plaid cannot be loaded: {error}", hint=hint) from error
    return FastPlaid(str(folder), device=device)
