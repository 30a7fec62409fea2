"""Exact search with late interaction (MaxSim) over token vectors on disk: every document.

    hits = search(query_vectors_QMD, query_mask_QM, ["results/vectors/0", "results/vectors/1"], top_k=100)
    write_run("run.txt", to_run(query_ids, hits), tag="optical")

The search uses no index and no approximation, so its figures measure the method alone. `optical.search.maxsim` has the
loops and explains their speed. `optical.search.runs` writes runs, and merges those of shards.

Shape suffixes: Q queries, M tokens of a query, D dimensions, B pairs of a query and a document, K hits.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from optical.errors import ConfigError, DataError
from optical.runtime.precision import processor_bf16, processor_int8
from optical.search.best_hits import NOTHING, from_keys, to_keys
from optical.search.maxsim import DTYPES, pair_scores, scan
from optical.search.runs import Run
from optical.search.vectors import Collection

# A search in bf16 or int8 keeps this many times the hits asked for. It is done again in fp32 for a query where a
# document beyond them could still belong to the hits, were its rounding error so many times the root mean square error
# of those seen for the query; 9.3 times is the largest of 2.8 million of int8 on real vectors (docs/benchmarks.md). In
# int8 that is multiplied by how much coarser the coarsest block was rounded than the finest.
DEEPER = 4
FEWEST = 32  # so many errors at least are seen
WORTH_A_FIRST_PASS = 8  # documents for each hit: to score a document again takes 3.5 times as long as in a scan
ERROR_MARGIN = 10.0


class Hits(NamedTuple):
    """The best documents of one query, from the best to the worst."""

    scores: np.ndarray  # float32
    ids: list[str]


def search(
    query_vectors_QMD: torch.Tensor,
    query_mask_QM: torch.Tensor,
    shards: Sequence[str | Path],
    top_k: int,
    memory_mb: int = 1024,
    precision: str = "fp32",
    device: str = "cpu",
    kept: np.ndarray | None = None,
) -> list[Hits]:
    """Score every document of the shards for every query, with `torch.get_num_threads()` threads.

    Args:
        query_vectors_QMD: the queries' token vectors, of any float type.
        query_mask_QM: true for the tokens that count.
        shards: folders of `optical.search.vectors`, in the order of the collection.
        top_k: number of hits of a query.
        memory_mb: limit for everything except queries and hits, mapped parts of the shards included. It does not
            depend on the size of the collection.
        precision: fp32, or bf16 or int8 to score with them and the best candidates again in fp32. Hits and scores are
            the same, unless the rounding error of a document is more than ten times the query's usual.
        device: cpu, cuda or cuda:N; int8 runs on cpu only.
        kept: false for documents to leave out, bool, in the order of the collection; None to search all.

    Returns:
        The `top_k` best documents of each query, all if there are fewer; equal scores in the order of the collection.
        Documents without tokens are never hits, and queries without tokens have none.

    Raises:
        ConfigError: a number or the precision is out of range, or queries and vectors do not fit together.
        DataError: a shard is damaged.
    """
    if precision not in DTYPES:
        raise ConfigError(f"unknown precision {precision!r}", where="search", hint=f"choose one of {', '.join(DTYPES)}")
    if precision == "int8" and device != "cpu":
        raise ConfigError(f"precision int8 on {device}", where="search", hint="it runs on cpu only")
    if top_k < 1 or memory_mb < 1:
        raise ConfigError(f"top_k {top_k}, memory_mb {memory_mb}", where="search", hint="both must be at least 1")
    collection = Collection(shards, kept)
    vectors_QMD, mask_QM = _prepared(query_vectors_QMD, query_mask_QM, collection, device)
    with torch.inference_mode():
        if precision == "fp32":
            keys_QK = scan(vectors_QMD, mask_QM, collection, top_k, memory_mb << 20, precision).keys_QK
        else:
            keys_QK = _scan_and_rescore(vectors_QMD, mask_QM, collection, top_k, memory_mb << 20, precision)
    return _named(keys_QK, collection)


def fastest_precision(precision: str, device: str, shards: Sequence[str | Path], top_k: int) -> str:
    """Return the precision in which a search is fastest, where the experiment asks for one: the hits are the same.

    It is fp32 where so many documents would be scored again in fp32 that a first pass does not pay. It is int8 instead
    of bf16 on a processor with AVX512-VNNI and without AMX, with which torch multiplies bf16 twice as fast as int8.
    """
    if precision != "bf16" or Collection(shards).documents < WORTH_A_FIRST_PASS * max(top_k, FEWEST):
        return "fp32"
    int8_is_faster = device == "cpu" and "avx512_vnni" in processor_int8() and "amx_bf16" not in processor_bf16()
    return "int8" if int8_is_faster else "bf16"


def to_run(query_ids: Sequence[str], hits: Sequence[Hits]) -> Run:
    """Give the hits of `search` the names of their queries, ready for `optical.search.runs.write_run`."""
    return {
        query: list(zip(documents.ids, documents.scores.tolist(), strict=True))
        for query, documents in zip(query_ids, hits, strict=True)
    }


def _prepared(
    vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, collection: Collection, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Check the queries; return them on the device, fp32, with zeros for masked tokens, and the mask as bool."""
    mask_QM = torch.as_tensor(mask_QM).to(device).bool()
    if vectors_QMD.ndim != 3 or vectors_QMD.shape[:2] != mask_QM.shape or vectors_QMD.shape[2] != collection.dim:
        what = f"query vectors {tuple(vectors_QMD.shape)}, mask {tuple(mask_QM.shape)}, documents of {collection.dim}"
        raise DataError(what, where="search", hint="encode queries and documents with encoders of one size")
    vectors_QMD = vectors_QMD.detach().to(device, torch.float32).masked_fill(~mask_QM[..., None], 0.0)
    if not vectors_QMD.isfinite().all():
        raise DataError("query vectors that are not finite", where="search", hint="check the encoder")
    return vectors_QMD, mask_QM


def _scan_and_rescore(
    vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, collection: Collection, top_k: int, memory: int, precision: str
) -> torch.Tensor:
    """Find candidates at low precision, score them again in fp32, and scan in fp32 for the queries left in doubt.

    The best candidates are scored first; they tell the rounding error, and with it which others could join the hits.
    """
    first_K = max(top_k, FEWEST)
    coarse_QK, spread = scan(vectors_QMD, mask_QM, collection, first_K * DEEPER, memory, precision)
    coarse_scores_QK, places_QK = from_keys(coarse_QK)
    filled_QK = coarse_QK != NOTHING
    keys_QK = torch.full_like(coarse_QK, NOTHING)

    def rescore(chosen_QK: torch.Tensor) -> torch.Tensor:
        rows_B, places_B = chosen_QK.nonzero()[:, 0].numpy(), places_QK[chosen_QK]
        exact_B = pair_scores(vectors_QMD, collection, rows_B, places_B.numpy(), memory)
        keys_QK[chosen_QK] = to_keys(exact_B, places_B)
        return exact_B

    first_QK = filled_QK.clone()
    first_QK[:, first_K:] = False
    if not first_QK.any():
        return keys_QK[:, :top_k]
    squares_QK = torch.zeros(coarse_QK.shape)
    squares_QK[first_QK] = (rescore(first_QK) - coarse_scores_QK[first_QK]).square()
    error_Q1 = (squares_QK.sum(1, keepdim=True) / first_QK.sum(1, keepdim=True).clamp_min(1)).sqrt()
    margin_Q1 = ERROR_MARGIN * spread * error_Q1
    worst_hit_Q1 = from_keys(keys_QK.topk(min(top_k, keys_QK.shape[1]), dim=1).values[:, -1:])[0]
    could_join_QK = filled_QK & (coarse_scores_QK + margin_Q1 >= worst_hit_Q1)
    rescore(could_join_QK & ~first_QK)
    hits_QK = keys_QK.sort(dim=1, descending=True).values[:, :top_k]
    in_doubt_Q = could_join_QK[:, -1]
    if coarse_QK.shape[1] == first_K * DEEPER and in_doubt_Q.any():
        doubtful_Q = in_doubt_Q.to(mask_QM.device)
        queries = vectors_QMD[doubtful_Q], mask_QM[doubtful_Q]
        hits_QK[in_doubt_Q] = scan(*queries, collection, top_k, memory, "fp32").keys_QK
    return hits_QK


def _named(keys_QK: torch.Tensor, collection: Collection) -> list[Hits]:
    """Turn keys into scores and ids."""
    filled_QK = keys_QK != NOTHING
    scores, places = from_keys(keys_QK[filled_QK])
    names = collection.ids(places.numpy())
    ends = np.cumsum([0, *filled_QK.sum(1).tolist()]).tolist()
    return [Hits(scores[begin:end].numpy(), names[begin:end]) for begin, end in zip(ends[:-1], ends[1:], strict=True)]
