"""Keys sort as hits do."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from optical.search.best_hits import from_keys, to_keys


@given(st.lists(st.tuples(st.floats(width=32, allow_nan=False), st.integers(0, 2**32 - 2)), min_size=1))
def test_keys_sort_as_hits(pairs):
    scores = torch.tensor([score for score, _ in pairs], dtype=torch.float32)
    places = torch.tensor([place for _, place in pairs])
    keys = to_keys(scores, places)
    back, where = from_keys(keys)
    assert torch.equal(back, scores) and torch.equal(where, places)
    hits = list(zip(scores.tolist(), places.tolist(), strict=True))
    by_key = [hits[i] for i in sorted(range(len(hits)), key=lambda i: -keys[i].item())]
    assert by_key == sorted(hits, key=lambda hit: (-hit[0], hit[1]))
