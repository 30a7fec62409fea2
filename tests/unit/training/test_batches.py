"""Batches: every text once an epoch, a function of seed and step."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.training.batches import EpochBatches

FEW = settings(max_examples=40, deadline=None)
LENGTHS = st.lists(st.integers(0, 40), min_size=1, max_size=120).map(np.array)


@FEW
@given(lengths=LENGTHS, batch_size=st.integers(1, 20), seed=st.integers(0, 3), epoch=st.integers(0, 2))
def test_every_text_comes_at_most_once_an_epoch_and_few_are_left_out(lengths, batch_size, seed, epoch):
    size = min(batch_size, len(lengths))
    per_epoch = len(lengths) // size
    batches = [EpochBatches(lengths, batch_size, seed)[epoch * per_epoch + step] for step in range(per_epoch)]
    seen = np.concatenate(batches)
    assert {len(batch) for batch in batches} == {size}
    assert len(set(seen.tolist())) == len(seen) == len(lengths) - len(lengths) % size


@FEW
@given(lengths=LENGTHS, batch_size=st.integers(1, 20), step=st.integers(0, 500), seed=st.integers(0, 9))
def test_a_batch_depends_on_nothing_but_its_arguments(lengths, batch_size, step, seed):
    before = lengths.copy()
    batches = EpochBatches(lengths, batch_size, seed)
    first = batches[step].copy()
    np.random.default_rng().random(7)
    assert not np.shares_memory(first, batches[step + 100])
    assert np.array_equal(first, batches[step])
    assert np.array_equal(first, EpochBatches(lengths, batch_size, seed)[step])
    assert np.array_equal(lengths, before)


def test_epochs_and_seeds_differ_and_batches_are_of_similar_length():
    lengths = np.random.default_rng(0).integers(1, 60, size=3200)
    drawn = [EpochBatches(lengths, 32, seed) for seed in (1, 2)]
    steps = [[tuple(batches[step].tolist()) for step in range(200)] for batches in drawn]
    assert not set(steps[0][:100]) & set(steps[0][100:])
    assert not set(steps[0]) & set(steps[1])
    spread = np.mean([np.ptp(lengths[list(batch)]) for batch in steps[0]])
    assert spread < 8  # without sorting it is about 56
    means = [lengths[list(batch)].mean() for batch in steps[0][:100]]
    assert abs(np.corrcoef(means, np.arange(100))[0, 1]) < 0.3  # short batches do not come first
