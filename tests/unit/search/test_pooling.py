"""Pooled token vectors are those of sentence-transformers, and an index that was built with them stays so."""

import numpy as np
import pytest
import torch

from optical.search.pooling import pool_tokens
from optical.search.retriever import Retriever
from optical.search.vectors import TokenVectors
from support.toy_results import DOCUMENTS, make_results, student_of
from support.vectors import unit_vectors


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("tokens", [1, 2, 3, 4, 30])
def test_groups_and_means_are_those_of_sentence_transformers(factor, tokens):
    from sentence_transformers.multi_vector_encoder.modules.token_pooling import HierarchicalTokenPooling

    vectors = torch.from_numpy(unit_vectors(np.random.default_rng(tokens), tokens))
    (expected,) = HierarchicalTokenPooling(factor).pool([vectors])
    pooled = pool_tokens(vectors, factor)
    assert len(pooled) == 1 + max((tokens - 1) // factor, min(tokens - 1, 1))
    torch.testing.assert_close(pooled, expected)


def test_what_is_added_to_a_pooled_index_is_pooled(tmp_path):
    retriever = Retriever.load(student_of(make_results(tmp_path / "results")))
    index = retriever.index(DOCUMENTS, tmp_path / "index", pool=2)
    whole = TokenVectors.open(tmp_path / "results/vectors/atlas")
    (pooled,) = map(TokenVectors.open, index.passages.shards)
    lengths = np.diff(whole.offsets)
    assert sorted(np.diff(pooled.offsets)) == sorted(1 + np.maximum((lengths - 1) // 2, 1))
    added = retriever.add([dict(DOCUMENTS[0], id="again")]).index
    assert added.pool == 2
    newest = TokenVectors.open(added.passages.shards[-1])
    assert newest.tokens == 1 + (len(whole.document(list(whole.ids()).index("d0"))) - 1) // 2
    hits = {hit.id: hit for hit in retriever.search("where is the river?", top=20)}
    assert hits["d0"].score == pytest.approx(hits["again"].score, abs=1e-3)
    assert hits["d0"].matches == [], "a vector stands for several words"
