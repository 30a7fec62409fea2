"""Exhaustive late-interaction search (MaxSim): every document against every query, exactly, at the matrix unit's pace.

The score of a document is the sum, over the query's tokens, of the largest inner product with any of the document's
tokens. Documents are taken in blocks of about one length, so that the product of a block with all query tokens stays
in the processor's cache and the maximum over a document's tokens is a maximum over one axis. Where lengths in a block
differ, the last token is repeated: a maximum does not notice, so there is no padding to mask.

Shape suffixes: Q queries, M tokens of a query, C columns (the unmasked tokens of several queries side by side), D
dimensions, N documents of a block, L tokens of a document, B pairs of a query and a document, K hits.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from optical.errors import ConfigError, DataError
from optical.hits import NOTHING, PLACES, Best, from_keys, to_keys
from optical.runs import Run
from optical.vectors import TokenVectors

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
# Bytes of the product of one block: what stays in a processor's cache, or keeps an accelerator busy. Measured.
PRODUCT_BYTES = {
    ("cpu", "fp32"): 8 << 20,
    ("cpu", "bf16"): 16 << 20,
    ("cuda", "fp32"): 256 << 20,
    ("cuda", "bf16"): 256 << 20,
}
PAIR_BYTES = {"cpu": 16 << 20, "cuda": 256 << 20}  # the same for pairs: gathered vectors and their product
COLUMNS = 2048
# A bf16 search looks this much deeper than asked, and is done again in fp32 for a query where an unseen document could
# still belong to the hits: one whose rounding error is over so many times the root mean square error of those seen.
DEEPER = 1.5
DEEPER_AT_LEAST = 32
ERROR_MARGIN = 6.0


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
) -> list[Hits]:
    """Score every document of the shards against every query; return the `top_k` best of each query.

    `query_vectors_QMD` are the queries' token vectors (any float type), `query_mask_QM` is true for the tokens that
    count. `shards` are folders of `optical.vectors`, in collection order. Fewer hits come back where the collection
    has fewer documents; documents without a token and queries without a token have none.

    `memory_mb` bounds what the search holds besides the queries and the hits, the mapped part of the shards included;
    it does not depend on the collection's size. `precision` "bf16" scores in bf16, then the best candidates again in
    fp32: its hits and scores are those of "fp32", unless a document's rounding error is beyond six times the usual.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision {precision}", where="search", hint=f"one of {', '.join(PRECISIONS)}")
    if top_k < 1 or memory_mb < 1:
        raise ConfigError(f"top_k {top_k}, memory_mb {memory_mb}", where="search", hint="both must be at least 1")
    collection = _Collection(shards)
    queries = _Queries(query_vectors_QMD, query_mask_QM, collection, device)
    memory = memory_mb << 20
    with torch.inference_mode():
        if precision == "fp32":
            keys_QK = _scan(queries, collection, top_k, memory, precision)
        else:
            keys_QK = _scan_and_rescore(queries, collection, top_k, memory, precision)
    return _to_hits(keys_QK, collection)


def re_rank(
    run: Run,
    query_ids: Sequence[str],
    query_vectors_QMD: torch.Tensor,
    query_mask_QM: torch.Tensor,
    shards: Sequence[str | Path],
    memory_mb: int = 1024,
    device: str = "cpu",
) -> Run:
    """Score the documents that `run` lists for each query, in fp32, and sort them by that score.

    Equal scores keep the order of the given run. Queries of the run that are not in `query_ids` (the queries of the
    vectors, in order) raise `DataError`, as do documents that the shards do not hold.
    """
    rows = {query: row for row, query in enumerate(query_ids)}
    if missing := [query for query in run if query not in rows]:
        raise DataError(f"the run has {len(missing)} queries without vectors, such as {missing[0]}", where="re_rank")
    collection = _Collection(shards)
    queries = _Queries(query_vectors_QMD, query_mask_QM, collection, device)
    place_of = collection.places({document for hits in run.values() for document, _ in hits})
    pairs = [(rows[query], place_of[document]) for query, hits in run.items() for document, _ in hits]
    pairs_B2 = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    with torch.inference_mode():
        scores = iter(_pair_scores(queries, collection, pairs_B2[:, 0], pairs_B2[:, 1], memory_mb << 20).tolist())
    scored = {query: [(document, next(scores)) for document, _ in hits] for query, hits in run.items()}
    return {query: sorted(hits, key=lambda hit: -hit[1]) for query, hits in scored.items()}


def to_run(query_ids: Sequence[str], hits: Sequence[Hits]) -> Run:
    """Give the hits of `search` the names of their queries, ready for `optical.runs.write_run`."""
    return {
        query: list(zip(found.ids, found.scores.tolist(), strict=True))
        for query, found in zip(query_ids, hits, strict=True)
    }


class _Collection:
    """The shards side by side: a document's place is its shard's first place plus its own order there."""

    def __init__(self, folders: Sequence[str | Path]):
        self.shards = [TokenVectors.open(folder) for folder in folders]
        if not self.shards:
            raise ConfigError("no shards to search", where="search")
        self.dim, self.encoder = self.shards[0].dim, self.shards[0].encoder
        for shard in self.shards:
            if (shard.dim, shard.encoder) != (self.dim, self.encoder):
                raise DataError(
                    "the shards come from different encoders", where=shard.folder, hint="encode the collection again"
                )
        self.first_places = np.cumsum([0, *(shard.documents for shard in self.shards)])
        self.documents = int(self.first_places[-1])
        if self.documents > PLACES:
            raise DataError(f"{self.documents} documents are more than one search can number", where="search")

    def stored(self, places: np.ndarray) -> Iterator[tuple[TokenVectors, np.ndarray, np.ndarray]]:
        """Yield for each shard the indices into `places` of its documents and their stored positions there."""
        shard_of = np.searchsorted(self.first_places, places, side="right") - 1
        for number, shard in enumerate(self.shards):
            mine = np.flatnonzero(shard_of == number)
            if len(mine):
                wanted, back = np.unique(places[mine] - self.first_places[number], return_inverse=True)
                there = np.flatnonzero(np.isin(shard.order, wanted))
                yield shard, mine, there[np.argsort(shard.order[there])][back]

    def ids(self, places: np.ndarray) -> list[str]:
        """Return the ids of documents, reading the files of ids past without keeping them."""
        names: list[str] = [""] * len(places)
        for shard, mine, stored in self.stored(places):
            wanted = set(stored.tolist())
            found = {position: name for position, name in enumerate(shard.ids()) if position in wanted}
            for index, position in zip(mine.tolist(), stored.tolist(), strict=True):
                names[index] = found[position]
        return names

    def places(self, wanted: set[str]) -> dict[str, int]:
        """Return the places of documents by id; raise `DataError` for an unknown id."""
        found = {}
        for first, shard in zip(self.first_places.tolist(), self.shards, strict=False):
            for position, name in enumerate(shard.ids()):
                if name in wanted:
                    found[name] = first + int(shard.order[position])
        if missing := sorted(wanted - found.keys()):
            hint = "was the run made on another version of the collection?"
            what = f"{len(missing)} documents have no vectors, such as {missing[0]}"
            raise DataError(what, where="re_rank", hint=hint)
        return found


class _Queries:
    """The queries as search wants them: masked tokens zeroed for pairs, left out for scans."""

    def __init__(self, vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, collection: _Collection, device: str):
        mask_QM = torch.as_tensor(mask_QM).to(device).bool()
        if vectors_QMD.ndim != 3 or vectors_QMD.shape[:2] != mask_QM.shape or vectors_QMD.shape[2] != collection.dim:
            raise DataError(
                f"query vectors {tuple(vectors_QMD.shape)}, mask {tuple(mask_QM.shape)}, documents {collection.dim}",
                where="search",
                hint="encode queries and documents with encoders of one size",
            )
        self.mask_QM = mask_QM
        self.vectors_QMD = vectors_QMD.to(device, torch.float32).masked_fill(~mask_QM[..., None], 0.0)
        if not self.vectors_QMD.isfinite().all():
            raise DataError("query vectors that are not finite", where="search", hint="check the encoder")
        self.device = self.vectors_QMD.device
        self.count = len(mask_QM)

    def subset(self, rows: torch.Tensor) -> "_Queries":
        """Return some of the queries."""
        some = object.__new__(_Queries)
        some.mask_QM, some.vectors_QMD = self.mask_QM[rows], self.vectors_QMD[rows]
        some.device, some.count = self.device, len(rows)
        return some

    def groups(self, precision: str, columns: int) -> list[tuple[slice, torch.Tensor, torch.Tensor]]:
        """Cut the queries into groups of at most `columns` tokens (at least one query).

        Each is (rows of the queries, token vectors (D, C), membership (C, Q of the group) with a one where the column
        belongs to the query): the sum over a query's tokens is one small product.
        """
        lengths = self.mask_QM.sum(1).tolist()
        groups = []
        for rows in _runs_under(lengths, columns):
            mask_QM = self.mask_QM[rows]
            vectors_DC = self.vectors_QMD[rows][mask_QM].T.contiguous().to(PRECISIONS[precision])
            owner_C = mask_QM.nonzero()[:, 0]
            if len(owner_C):
                groups.append((rows, vectors_DC, torch.nn.functional.one_hot(owner_C, len(mask_QM)).float()))
        return groups


def _runs_under(sizes: Sequence[int], limit: int) -> Iterator[slice]:
    """Cut a sequence into runs whose sizes sum to at most `limit`, or that are one item.

    >>> list(_runs_under([2, 2, 9, 1], 4))
    [slice(0, 2, None), slice(2, 3, None), slice(3, 4, None)]
    """
    first = total = 0
    for index, size in enumerate(sizes):
        if index > first and total + size > limit:
            yield slice(first, index)
            first, total = index, 0
        total += size
    if first < len(sizes):
        yield slice(first, len(sizes))


def _scan(queries: _Queries, collection: _Collection, top_k: int, memory: int, precision: str) -> torch.Tensor:
    """Score all documents; return the keys of the hits, sorted, (Q, K), `NOTHING` where there is no hit."""
    groups = queries.groups(precision, COLUMNS)
    widest = max((vectors_DC.shape[1] for _, vectors_DC, _ in groups), default=1)
    item = PRECISIONS[precision].itemsize
    tokens = min(PRODUCT_BYTES[queries.device.type, precision], memory // 4) // (widest * item)
    best = Best(queries.mask_QM.any(1), top_k, memory // 4)
    for shard, first_place in zip(collection.shards, collection.first_places.tolist(), strict=False):
        for window_TD, lengths, starts, places in _windows(shard, memory // 4):
            for rows_N, length in _blocks(lengths, max(tokens, 1), best.room):
                tokens_XD = _block_tokens(window_TD, starts[rows_N], lengths[rows_N], length)
                tokens_XD = tokens_XD.to(queries.device).to(PRECISIONS[precision])
                scores_QN = torch.zeros(queries.count, len(rows_N), device=queries.device)
                for rows, vectors_DC, owner_CQ in groups:
                    maxima_NC = _maxima(torch.mm(tokens_XD, vectors_DC).view(len(rows_N), length, -1))
                    scores_QN[rows] = torch.mm(maxima_NC.float(), owner_CQ).T
                best.add(scores_QN, places[rows_N] + first_place)
    return best.keys()


def _windows(shard: TokenVectors, memory: int) -> Iterator[tuple[torch.Tensor, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield a shard in mapped pieces of at most `memory` bytes: vectors (T, D), and per document length, start, place.

    Only one piece is mapped at a time, which is what bounds the memory: mapped pages count as the process's own.
    """
    limit = max(memory // (shard.dim * np.dtype(shard.dtype).itemsize), 1)
    first = 0
    while first < shard.documents:
        begin = int(shard.offsets[first])
        last = max(int(np.searchsorted(shard.offsets, begin + limit, side="right")) - 1, first + 1)
        offsets = np.array(shard.offsets[first : last + 1])
        window_TD = torch.from_numpy(shard.tokens_between(begin, int(offsets[-1])))
        yield window_TD, np.diff(offsets), offsets[:-1] - begin, np.array(shard.order[first:last])
        first = last


def _blocks(lengths: np.ndarray, tokens: int, documents: int) -> Iterator[tuple[np.ndarray, int]]:
    """Group documents by length: yield (indices, longest length) with indices x length <= `tokens` where possible."""
    order = np.argsort(lengths, kind="stable")
    first = int(np.searchsorted(lengths[order], 1))  # documents without a token have no score
    while first < len(order):
        last = first + 1
        ahead = lengths[order[first : first + max(tokens // lengths[order[first]], 1)]]
        fits = ahead * np.arange(1, len(ahead) + 1) <= tokens  # falls once from true to false: lengths do not fall
        last = first + min(max(int(fits.sum()), 1), documents)
        yield order[first:last], int(lengths[order[last - 1]])
        first = last


def _block_tokens(window_TD: torch.Tensor, starts_N: np.ndarray, lengths_N: np.ndarray, length: int) -> torch.Tensor:
    """Return the tokens of a block, (N * length, D): a slice where it can be, else a copy with last tokens repeated."""
    if lengths_N[0] == length and (np.diff(starts_N) == length).all():
        return window_TD[starts_N[0] : starts_N[0] + len(starts_N) * length]
    index_NL = starts_N[:, None] + np.minimum(np.arange(length), lengths_N[:, None] - 1)
    return window_TD[torch.from_numpy(index_NL.reshape(-1))]


def _maxima(product_NLC: torch.Tensor) -> torch.Tensor:
    """Return the maximum over a document's tokens, (N, C).

    A processor compares bf16 slowly but 16-bit integers fast, and the bits of floats that are not negative sort as
    integers do. Negative floats are below them in both orders but reversed among themselves: where a maximum is
    negative, which takes a document without one token on the query's side, it is taken again as floats.
    """
    if product_NLC.device.type != "cpu" or product_NLC.dtype != torch.bfloat16:
        return product_NLC.amax(1)
    bits_NC = product_NLC.view(torch.int16).amax(1)
    wrong_N = (bits_NC < 0).any(1)
    maxima_NC = bits_NC.view(torch.bfloat16)
    if wrong_N.any():
        maxima_NC[wrong_N] = product_NLC[wrong_N].amax(1)
    return maxima_NC


def _scan_and_rescore(
    queries: _Queries, collection: _Collection, top_k: int, memory: int, precision: str
) -> torch.Tensor:
    """Find candidates at low precision, score them again in fp32, and scan in fp32 for the queries left in doubt."""
    deeper = top_k + max(DEEPER_AT_LEAST, int(top_k * (DEEPER - 1)))
    coarse_QK = _scan(queries, collection, deeper, memory, precision)
    rows_B, columns_B = (coarse_QK != NOTHING).nonzero(as_tuple=True)
    coarse_B, places_B = from_keys(coarse_QK[rows_B, columns_B])
    exact_B = _pair_scores(queries, collection, rows_B.numpy(), places_B.numpy(), memory)
    keys_QK = torch.full_like(coarse_QK, NOTHING)
    keys_QK[rows_B, columns_B] = to_keys(exact_B, places_B)
    hits_QK = keys_QK.sort(dim=1, descending=True).values[:, :top_k]
    if coarse_QK.shape[1] < deeper:  # every document was scored again
        return hits_QK
    error_QK = torch.zeros(coarse_QK.shape)
    error_QK[rows_B, columns_B] = exact_B - coarse_B
    margin_Q = ERROR_MARGIN * error_QK.square().mean(1).sqrt()
    unseen_at_best_Q = from_keys(coarse_QK[:, -1])[0] + margin_Q
    doubtful_Q = (unseen_at_best_Q >= from_keys(hits_QK[:, -1])[0]) & queries.mask_QM.any(1).cpu()
    if doubtful_Q.any():
        rows = doubtful_Q.nonzero()[:, 0]
        hits_QK[rows] = _scan(queries.subset(rows.to(queries.device)), collection, top_k, memory, "fp32")
    return hits_QK


def _pair_scores(
    queries: _Queries, collection: _Collection, rows_B: np.ndarray, places_B: np.ndarray, memory: int
) -> torch.Tensor:
    """Return the fp32 scores of pairs of a query (its row) and a document (its place), (B,), on the processor."""
    scores_B = torch.empty(len(rows_B))
    for shard, mine, stored in collection.stored(places_B):
        starts, lengths = shard.offsets[stored], np.diff(shard.offsets)[stored]
        scores_B[torch.from_numpy(mine)] = float("-inf")
        # gathered in the stored type and as fp32, the query's vectors, the product
        bytes_a_token = 8 * shard.dim + 4 * queries.vectors_QMD.shape[1]
        limit = max(min(memory // 2, PAIR_BYTES[queries.device.type]) // bytes_a_token, 1)
        for pairs, length in _blocks(lengths, limit, len(mine)):
            window_TD = torch.from_numpy(shard.tokens_between(0, shard.tokens))
            tokens_XD = _block_tokens(window_TD, starts[pairs], lengths[pairs], length)
            tokens_BLD = tokens_XD.to(queries.device).float().view(len(pairs), length, shard.dim)
            queries_BMD = queries.vectors_QMD[torch.from_numpy(rows_B[mine[pairs]]).to(queries.device)]
            product_BLM = torch.bmm(tokens_BLD, queries_BMD.transpose(1, 2))
            scores_B[torch.from_numpy(mine[pairs])] = product_BLM.amax(1).sum(1).cpu()
    return scores_B


def _to_hits(keys_QK: torch.Tensor, collection: _Collection) -> list[Hits]:
    """Turn keys into scores and ids."""
    rows, columns = (keys_QK != NOTHING).nonzero(as_tuple=True)
    scores, places = from_keys(keys_QK[rows, columns])
    names = collection.ids(places.numpy())
    ends = np.cumsum((keys_QK != NOTHING).sum(1).numpy())
    return [Hits(scores[begin:end].numpy(), names[begin:end]) for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
