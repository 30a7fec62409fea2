"""Token vectors come back as written; damaged shards are refused."""

import numpy as np
import pytest
import torch

from optical.errors import DataError
from optical.seals import LIST
from optical.search.exact import search
from optical.search.vectors import TokenVectors, write_vectors
from support.vectors import DIM, unit_vectors, write_collection


def test_vectors_come_back_as_written(tmp_path):
    rng = np.random.default_rng(8)
    documents = [unit_vectors(rng, length) for length in (3, 1, 4, 0, 2)]
    with write_vectors(tmp_path / "shard", DIM, "float16", encoder="abc") as writer:
        for some in ([3, 1], [4, 0, 2]):
            vectors = torch.from_numpy(np.concatenate([documents[i] for i in some]))
            writer.append(some, [f"d{i}" for i in some], [len(documents[i]) for i in some], vectors)
    shard = TokenVectors.open(tmp_path / "shard")
    assert (shard.documents, shard.tokens, shard.dim, shard.dtype, shard.encoder) == (5, 10, DIM, "float16", "abc")
    assert list(shard.ids()) == ["d3", "d1", "d4", "d0", "d2"]
    for stored, place in enumerate(shard.order):
        np.testing.assert_array_equal(shard.document(stored), documents[place].astype(np.float16))
    np.testing.assert_array_equal(np.load(tmp_path / "shard" / "vectors.npy"), shard.tokens_between(0, 10))


def test_an_empty_shard_can_be_searched_past(tmp_path):
    with write_vectors(tmp_path / "empty", DIM):
        pass
    (shard,) = write_collection(tmp_path, [unit_vectors(np.random.default_rng(0), 2)])
    (hits,) = search(torch.ones(1, 1, DIM), torch.ones(1, 1), [tmp_path / "empty", shard], 3)
    assert hits.ids == ["d0"]
    assert search(torch.ones(1, 1, DIM), torch.ones(1, 1), [tmp_path / "empty"], 3)[0].ids == []


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (([0], ["a"], [2], np.ones((1, DIM))), "lengths say"),
        (([0], ["a", "b"], [1], np.ones((1, DIM))), "1 places, 2 ids"),
        (([0, 1], ["a", "b"], [1, 1], np.array([[1.0] * DIM, [1e9] * DIM])), "document b is not finite"),
        (([0], ["a b"], [1], np.ones((1, DIM))), "white space"),
        (([1], ["a"], [1], np.ones((1, DIM))), "count from 0"),
    ],
)
def test_a_wrong_batch_leaves_no_shard(tmp_path, batch, message):
    with pytest.raises(DataError, match=message), write_vectors(tmp_path / "shard", DIM) as writer:
        writer.append(*batch)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_shard_is_refused(tmp_path):
    (shard,) = write_collection(tmp_path, [unit_vectors(np.random.default_rng(0), 2)])
    with (shard / "vectors.npy").open("r+b") as file:
        file.truncate(150)
    with pytest.raises(DataError, match="it has 150 bytes"):
        TokenVectors.open(shard)
    (shard / LIST).unlink()
    with pytest.raises(DataError, match="do not fit together"):
        TokenVectors.open(shard)
