"""A foreign sentence finds its English one: by vectors, by words, and not by chance where all is the same."""

import numpy as np
import pytest
import torch

from optical.config.methods import LexicalSettings
from optical.models.folders import load_encoder
from optical.search.translations import english_vectors, ranks_by_vectors, ranks_by_words
from support.tiny_models import TEXTS, save_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_encoder(save_encoder(tmp_path_factory.mktemp("encoder"), query_marker="[D]", document_length=12))


def test_a_text_finds_itself_and_its_place_is_that_of_its_score(encoder):
    vectors = english_vectors(encoder, TEXTS)
    assert ranks_by_vectors(encoder, TEXTS, vectors).tolist() == [1.0] * len(TEXTS)
    turned = [*TEXTS[1:], TEXTS[0]]
    ranks_Q = ranks_by_vectors(encoder, turned, vectors)
    assert (ranks_Q < 1).all() and set(ranks_Q) <= {1 / place for place in range(1, len(TEXTS) + 1)}


def test_many_sentences_are_scored_as_few_are(encoder):
    words = sorted({word for text in TEXTS for word in text.split()})
    texts = [f"{one} {other}" for one in words[:8] for other in words[8:16]]
    vectors = english_vectors(encoder, texts)
    everything = ranks_by_vectors(encoder, texts[::-1], vectors)
    few = ranks_by_vectors(encoder, [texts[::-1][5]], tuple(part[5:6] for part in vectors))
    assert len(everything) == 64 and few.tolist() == [1.0]


def test_a_model_that_takes_all_for_the_same_finds_nothing(encoder):
    mask_QL = torch.ones(len(TEXTS), 3, dtype=torch.bool)
    same = torch.nn.functional.normalize(torch.ones(len(TEXTS), 3, encoder.dimension), dim=-1)
    assert ranks_by_vectors(encoder, TEXTS, (same, mask_QL)).tolist() == [1 / len(TEXTS)] * len(TEXTS)


def test_words_find_names_and_loan_words():
    english = ["the city of Nairobi", "a river in the north", "Nairobi and the river"]
    foreign = ["mji wa Nairobi", "mto", "Nairobi river"]
    assert ranks_by_words(foreign, english, LexicalSettings()).tolist() == [1.0, 0.0, 1.0]
    assert np.isfinite(ranks_by_words(foreign, english, LexicalSettings(stop_words=True))).all()
