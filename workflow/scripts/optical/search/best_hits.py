"""The best hits of a search so far. Equal scores follow the order of the collection, however the work was split.

A hit is one 64-bit key: the bits of the score, then those of the document's place in the collection. Keys sort as hits
do, so merging blocks or shards is a top-k of integers without ties.

Shape suffixes: Q queries, N documents of a block, X hits and candidates, K hits.
"""

import numpy as np
import torch

NOTHING = torch.iinfo(torch.int64).min
PLACES = 0xFFFFFFFF
MOST_WAITING = 2048


def to_keys(scores: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Pack fp32 scores and places in the collection into integers that sort by score, then by falling place."""
    bits = (scores.float() + 0.0).view(torch.int32).long()  # + 0.0 turns -0.0 into 0.0
    rising = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits)  # the bits of negative floats sort the wrong way
    return (rising << 32) | (PLACES - places)


def from_keys(keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Unpack keys into fp32 scores and places.

    >>> from_keys(to_keys(torch.tensor([-1.5, 0.25]), torch.tensor([7, 8])))
    (tensor([-1.5000,  0.2500]), tensor([7, 8]))
    """
    rising = keys >> 32
    bits = torch.where(rising < 0, rising ^ 0x7FFFFFFF, rising)
    return bits.int().view(torch.float32), PLACES - (keys & PLACES)


class Best:
    """The best hits so far of each query; scores are gathered and merged many documents at a time."""

    def __init__(self, has_tokens_Q: torch.Tensor, top_k: int, memory: int):
        """Make room for the hits of queries that have a token or not, and for scores worth `memory` bytes."""
        self.has_tokens_Q, self.top_k, self.device = has_tokens_Q.cpu(), top_k, has_tokens_Q.device
        # A document waiting costs its score, its key, and the same again while they are merged.
        self.room = int(min(max(memory // (max(len(has_tokens_Q), 1) * 32), 1), MOST_WAITING))
        self.best_QK = torch.empty(len(has_tokens_Q), 0, dtype=torch.int64, device=self.device)
        # One place for all that waits: blocks kept side by side would leave holes in the process's memory.
        self.scores_QX = torch.empty(len(has_tokens_Q), self.room, device=self.device)
        self.places_X = torch.empty(self.room, dtype=torch.int64, device=self.device)
        self.waiting = 0

    def add(self, scores_QN: torch.Tensor, places_N: np.ndarray) -> None:
        """Take the scores of documents, `room` at most, given their places in the collection."""
        if self.waiting + len(places_N) > self.room:
            self._merge()
        new = slice(self.waiting, self.waiting + len(places_N))
        self.scores_QX[:, new] = scores_QN
        self.places_X[new] = torch.from_numpy(places_N)
        self.waiting = new.stop

    def _merge(self) -> None:
        new_QX = to_keys(self.scores_QX[:, : self.waiting], self.places_X[: self.waiting])
        keys_QX = torch.cat([self.best_QK, new_QX], 1)
        self.best_QK = keys_QX.topk(min(self.top_k, keys_QX.shape[1]), dim=1).values
        self.waiting = 0

    def keys(self) -> torch.Tensor:
        """Return the sorted keys, (Q, K), on the processor; queries without tokens have `NOTHING`."""
        self._merge()
        return self.best_QK.cpu().masked_fill(~self.has_tokens_Q[:, None], NOTHING)
