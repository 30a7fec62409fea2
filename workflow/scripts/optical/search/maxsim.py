"""The inner loops of exact late-interaction scoring (MaxSim): whole collections and listed pairs.

The score of a document is the sum, over the query's tokens, of the largest inner product with any of the document's
tokens. A block of documents is multiplied with a group of query tokens. Both are so small that the product stays in the
cache of a core, where the maximum over each document's tokens is taken. Documents are stored one after the other,
without padding, and neighbours of equal length share one maximum over a middle axis. Each core works on its own blocks,
so no core waits for another at each product. On a busy machine such waiting would take most of the time.

Shape suffixes: Q queries, M tokens of a query, C columns (the unmasked tokens of a group of queries), D dimensions, T
tokens of a block, N documents of a block, L tokens of a document, B pairs of a query and a document, K hits.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from optical.runtime.threads import in_parallel, workers_on
from optical.search.best_hits import Best
from optical.search.vectors import Collection, TokenVectors

# Of the vectors that are multiplied and of their products, by the precision of a search.
DTYPES = {
    "fp32": (torch.float32, torch.float32),
    "bf16": (torch.bfloat16, torch.bfloat16),
    "int8": (torch.int8, torch.int32),
}
INTEGERS = {torch.float32: torch.int32, torch.bfloat16: torch.int16}
LARGEST = 127  # of a vector's entries in 8 bits
# The product of one block with one group of columns: what a core's own cache holds, or what keeps an accelerator busy.
COLUMNS = {"cpu": 512, "cuda": 2048}
PRODUCT_BYTES = {"cpu": 4 << 20, "cuda": 256 << 20}
FAULT_BYTES = 1 << 17  # mapped around the two ends of a document when it is first touched
PAIR_BYTES = {"cpu": 4 << 20, "cuda": 256 << 20}  # gathered vectors of pairs and their product
# Rows are rounded up, since bf16 products are compiled at the first use of a shape, which takes as long as using it.
ROWS = 32


PairTask = tuple[TokenVectors, np.ndarray, np.ndarray, int]


class Block(NamedTuple):
    """Some documents: their token vectors one after the other, their lengths (rising), their places."""

    vectors_TD: torch.Tensor
    lengths_N: np.ndarray
    places_N: np.ndarray


class Group(NamedTuple):
    """Some queries: their rows, their unmasked token vectors side by side, and which column belongs to which query."""

    rows: slice
    vectors_DC: torch.Tensor
    owner_CQ: torch.Tensor  # the scale of a token or zero: the sum over a query's tokens is a small product


class Scanned(NamedTuple):
    """The keys (`search.best_hits`) of the best documents, sorted, (Q, K), and how unevenly they were rounded.

    `spread` is the largest scale of a block, in units of the smallest; 1 where vectors have no scale.
    """

    keys_QK: torch.Tensor
    spread: float


def scan(
    vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, collection: Collection, top_k: int, memory: int, precision: str
) -> Scanned:
    """Score all documents against all queries on their device, within about `memory` bytes."""
    device, (dtype, product_dtype) = mask_QM.device, DTYPES[precision]
    groups = _groups(vectors_QMD, mask_QM, dtype)
    columns = max((group.vectors_DC.shape[1] for group in groups), default=1)
    workers = workers_on(device)
    product_bytes = min(PRODUCT_BYTES[device.type], memory // 4 // workers)
    # Beside the product, a block is its vectors in fp32 and what they were read as.
    tokens = max(product_bytes // max(columns * product_dtype.itemsize, 8 * collection.dim), collection.longest())
    best = Best(mask_QM.any(1), top_k, memory // 4)
    blocks = _blocks(collection, memory // 16, tokens, best.room)  # several windows may be open at a time
    lock = threading.Lock()
    scales: list[float] = []

    def work(blocks: Iterator[Block]) -> None:
        rows = _rounded(tokens)
        # Kept for all blocks: fresh memory of this size costs as much as filling it.
        fp32_TD = torch.zeros(rows, collection.dim, device=device)
        vectors_TD = fp32_TD if dtype == torch.float32 else fp32_TD.to(dtype)
        product = torch.empty(rows * columns, dtype=product_dtype, device=device)
        for block in blocks:
            used = len(block.vectors_TD)
            fp32_TD[:used].copy_(block.vectors_TD.to(device))  # travels as stored, and is converted there
            scale = _to_scale(fp32_TD[:used]) if dtype == torch.int8 else 1.0
            if dtype != torch.float32:  # by way of fp32, since float16 to bf16 is slow
                vectors_TD[:used].copy_(fp32_TD[:used])
            # rows to the next multiple are left over from before, and not looked at
            scores_QN = _block_scores(vectors_TD[: _rounded(used)], block.lengths_N, groups, len(mask_QM), product)
            with lock:
                best.add(scores_QN.mul_(scale), block.places_N)
                scales.append(scale)

    in_parallel(work, blocks, workers)
    return Scanned(best.keys(), max(scales, default=1.0) / min(scales, default=1.0))


def _to_scale(vectors_TD: torch.Tensor) -> float:
    """Replace vectors by whole numbers of at most `LARGEST`; return what they are to be multiplied with."""
    low, high = torch.aminmax(vectors_TD)
    scale = float(torch.maximum(-low, high)) / LARGEST or 1.0
    vectors_TD.mul_(1 / scale).round_()
    return scale


def _block_scores(
    vectors_TD: torch.Tensor, lengths_N: np.ndarray, groups: list[Group], queries: int, buffer: torch.Tensor
) -> torch.Tensor:
    """Return the scores of a block's documents, fp32, (Q, N), without its scale; the buffer is for its products."""
    runs = _equal_runs(lengths_N)
    scores_QN = torch.zeros(queries, len(lengths_N), device=buffer.device)
    for rows, group_DC, owner_CQ in groups:
        columns = group_DC.shape[1]
        product_TC = buffer[: len(vectors_TD) * columns].view(-1, columns)
        multiply = torch._int_mm if group_DC.dtype == torch.int8 else torch.mm
        multiply(vectors_TD, group_DC, out=product_TC)
        scores_QN[rows] = torch.mm(_maxima(product_TC, runs).float(), owner_CQ).T
    return scores_QN


def _maxima(product_TC: torch.Tensor, runs: list[tuple[int, int, int]]) -> torch.Tensor:
    """Return the maximum over each document's tokens, (N, C); `runs` are of documents, as `_equal_runs` gives them.

    A processor compares integers faster than floats, bf16 by far, and the bits of floats that are not negative sort as
    integers do. Negative floats are below them in both orders but reversed among themselves: where a maximum is
    negative, which takes a document without one token on the query's side, all are taken again as floats.
    """
    if product_TC.device.type == "cpu" and product_TC.dtype in INTEGERS:
        bits_NC = _segment_maxima(product_TC.view(INTEGERS[product_TC.dtype]), runs)
        if int(bits_NC.min()) >= 0:
            return bits_NC.view(product_TC.dtype)
    return _segment_maxima(product_TC, runs)


def _segment_maxima(product_TC: torch.Tensor, runs: list[tuple[int, int, int]]) -> torch.Tensor:
    """Return the maximum over each document's rows, one operation for each run of equal lengths."""
    columns = product_TC.shape[1]
    maxima_NC = torch.empty(runs[-1][1], columns, dtype=product_TC.dtype, device=product_TC.device)
    token = 0
    for first, last, length in runs:
        end = token + (last - first) * length
        torch.amax(product_TC[token:end].view(last - first, length, columns), 1, out=maxima_NC[first:last])
        token = end
    return maxima_NC


def pair_scores(
    vectors_QMD: torch.Tensor, collection: Collection, rows_B: np.ndarray, places_B: np.ndarray, memory: int
) -> torch.Tensor:
    """Return the fp32 scores of pairs of a query (its row) and a document (its place), (B,), on the processor.

    Vectors of masked query tokens must be zero. A document without a token scores minus infinity.
    """
    device, dim = vectors_QMD.device, collection.dim
    workers = workers_on(device)
    budget = min(memory // 4 // workers, PAIR_BYTES[device.type])
    tokens = max(budget // (8 * dim + 4 * vectors_QMD.shape[1]), collection.longest())
    scores_B = torch.full((len(rows_B),), float("-inf"))
    tasks = _pair_tasks(collection, places_B, tokens)

    def work(tasks: Iterator[PairTask]) -> None:
        fp32_TD = torch.empty(tokens, dim, device=device)
        mapped, mapped_TD, touched = None, torch.empty(0), 0
        for shard, pairs, starts_B, length in tasks:
            used = len(pairs) * length
            touched += used * dim * 4 + len(pairs) * FAULT_BYTES
            if shard is not mapped or touched > memory // 4 // workers:  # a new mapping lets go of the pages of the old
                mapped, mapped_TD, touched = shard, torch.from_numpy(shard.tokens_between(0, shard.tokens)), 0
            gathered_TD = mapped_TD.index_select(0, _token_index(starts_B, np.full(len(pairs), length)))
            fp32_TD[:used].copy_(gathered_TD.to(device))
            queries_BMD = vectors_QMD.index_select(0, torch.from_numpy(rows_B[pairs]).to(device))
            product_BLM = torch.bmm(fp32_TD[:used].view(len(pairs), length, dim), queries_BMD.transpose(1, 2))
            scores_B[torch.from_numpy(pairs)] = product_BLM.amax(1).sum(1).cpu()

    in_parallel(work, tasks, workers)
    return scores_B


def _pair_tasks(collection: Collection, places_B: np.ndarray, tokens: int) -> Iterator[PairTask]:
    """Yield pairs whose documents have one length: shard, indices of the pairs, their first tokens, length."""
    for shard, mine, stored in collection.stored(places_B):
        offsets = shard.offsets
        starts, lengths = offsets[stored], offsets[stored + 1] - offsets[stored]
        order = np.lexsort((stored, lengths))  # neighbours on the disk side by side
        for first, last, length in _equal_runs(lengths[order]):
            step = max(tokens // max(length, 1), 1)
            for begin in range(first, last if length else first, step):
                some = order[begin : min(begin + step, last)]
                yield shard, mine[some], starts[some], length


def _blocks(collection: Collection, window_bytes: int, tokens: int, documents: int) -> Iterator[Block]:
    """Cut the collection into blocks of at most so many tokens and documents, sorted by length within a window.

    A window is a mapped piece of a shard; mapped pages count as the process's own, so that only what is at work is
    mapped.
    """
    for shard, first_place in zip(collection.shards, collection.first_places.tolist(), strict=False):
        limit = max(window_bytes // (shard.dim * np.dtype(shard.dtype).itemsize), tokens)
        first = 0
        while first < shard.documents:
            all_offsets = shard.offsets
            begin = int(all_offsets[first])
            last = int(np.searchsorted(all_offsets, begin + limit, side="right")) - 1
            offsets = np.array(all_offsets[first : last + 1])
            places = np.array(shard.order[first:last]) + first_place
            wanted = np.flatnonzero(collection.kept[places]) if collection.kept is not None else np.arange(len(places))
            window_TD = torch.from_numpy(shard.tokens_between(begin, int(offsets[-1])))
            yield from _window_blocks(window_TD, offsets - begin, places, wanted, tokens, documents)
            first = last


def _window_blocks(
    window_TD: torch.Tensor, offsets: np.ndarray, places: np.ndarray, wanted: np.ndarray, tokens: int, documents: int
) -> Iterator[Block]:
    lengths = np.diff(offsets)
    order = wanted[np.argsort(lengths[wanted], kind="stable")]
    order = order[np.searchsorted(lengths[order], 1) :]  # a document without a token has no score
    ends = np.cumsum(lengths[order])
    first = 0
    while first < len(order):
        used = int(ends[first - 1]) if first else 0
        last = min(int(np.searchsorted(ends, used + tokens, side="right")), first + documents)
        some = order[first:last]
        if (np.diff(some) == 1).all():
            vectors_TD = window_TD[offsets[some[0]] : offsets[some[-1] + 1]]
        else:
            vectors_TD = window_TD.index_select(0, _token_index(offsets[some], lengths[some]))
        yield Block(vectors_TD, lengths[some], places[some])
        first = last


def _token_index(starts: np.ndarray, lengths: np.ndarray) -> torch.Tensor:
    """Count from each start as far as its length says.

    >>> _token_index(np.array([7, 2]), np.array([2, 3])).tolist()
    [7, 8, 2, 3, 4]
    """
    shifts = starts - np.cumsum(lengths) + lengths
    return torch.from_numpy(np.repeat(shifts, lengths) + np.arange(lengths.sum()))


def _equal_runs(values: np.ndarray) -> list[tuple[int, int, int]]:
    """Return the runs of equal values: begin, end and value.

    >>> _equal_runs(np.array([4, 4, 6]))
    [(0, 2, 4), (2, 3, 6)]
    """
    begins = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist()][: len(values)]
    return list(zip(begins, [*begins[1:], len(values)], values[begins].tolist(), strict=True))


def _groups(vectors_QMD: torch.Tensor, mask_QM: torch.Tensor, dtype: torch.dtype) -> list[Group]:
    """Cut the queries into groups of about `COLUMNS` tokens (one query at least), leaving out masked tokens."""
    groups = []
    for rows in _runs_under(mask_QM.sum(1).tolist(), COLUMNS[mask_QM.device.type]):
        mask = mask_QM[rows]
        owner_C = mask.nonzero()[:, 0]
        if len(owner_C):
            owner_CQ = torch.nn.functional.one_hot(owner_C, len(mask)).float()
            vectors_CD = vectors_QMD[rows][mask]
            if dtype == torch.int8:  # each with a scale of its own
                scale_C1 = vectors_CD.abs().amax(1, keepdim=True).clamp_min(1e-30) / LARGEST
                vectors_CD, owner_CQ = (vectors_CD / scale_C1).round_(), owner_CQ * scale_C1
            groups.append(Group(rows, vectors_CD.T.contiguous().to(dtype), owner_CQ))
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


def _rounded(tokens: int) -> int:
    return -(-tokens // ROWS) * ROWS
