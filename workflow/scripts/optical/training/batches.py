"""Which texts each training step learns from: batches of similar length, the same for the same seed."""

import numpy as np

from optical.errors import DataError


class EpochBatches:
    """The text indices of each training step, all of similar length: `batches[step]`.

    A pure function of (seed, step), so a resumed run sees the batches it would have seen, with nothing to save.
    Each epoch is a new permutation; within it, windows of 16 batches are sorted by length and cut into batches,
    whose order is then shuffled: little padding, and every text once an epoch, except the last ones that do not
    fill a batch.

    >>> batches = EpochBatches(np.array([9, 2, 8, 3, 7, 1]), batch_size=2, seed=0)
    >>> sorted(np.concatenate([batches[step] for step in range(3)]).tolist())
    [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, seed: int):
        if not len(lengths):
            raise DataError("no text to train on", hint="see the log of the cleaning")
        self.lengths, self.seed = lengths, seed
        self.batch_size = min(batch_size, len(lengths))
        self.per_epoch = len(lengths) // self.batch_size
        self.epoch, self.batches = -1, np.empty((0, self.batch_size), np.int64)

    def __getitem__(self, step: int) -> np.ndarray:
        epoch, position = divmod(step, self.per_epoch)
        if epoch != self.epoch:  # kept, because drawing it takes as long as a step where there are a million texts
            self.epoch, self.batches = epoch, self._draw(epoch)
        return self.batches[position]

    def _draw(self, epoch: int) -> np.ndarray:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.lengths))[: self.per_epoch * self.batch_size]
        window = 16 * self.batch_size
        for start in range(0, len(order), window):
            part = order[start : start + window]
            order[start : start + window] = part[np.argsort(self.lengths[part], kind="stable")]
        return order.reshape(self.per_epoch, self.batch_size)[generator.permutation(self.per_epoch)]
