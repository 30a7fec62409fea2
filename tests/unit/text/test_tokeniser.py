"""The tokeniser keeps marks and special tokens, and is the same for the same texts."""

import numpy as np
import pytest

from optical.text.tokeniser import SPECIAL_TOKENS, load_tokeniser, save_tokeniser, tokenise, train_tokeniser
from support.tiny_models import TEXTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small tokeniser."""
    folder = tmp_path_factory.mktemp("tokeniser")
    save_tokeniser(train_tokeniser(TEXTS * 4, vocabulary_size=300), folder, longest=32)
    return folder


def test_special_tokens_keep_their_places_and_never_come_from_text(folder):
    tokeniser = load_tokeniser(folder)
    assert [tokeniser.token_to_id(token) for token in SPECIAL_TOKENS] == list(range(len(SPECIAL_TOKENS)))
    [ids] = tokenise(tokeniser, ["the moon"])
    assert min(ids) >= len(SPECIAL_TOKENS)


def test_marathi_vowels_survive(folder):
    [ids] = tokenise(load_tokeniser(folder), ["प्रश्न चंद्र"])
    assert load_tokeniser(folder).decode(ids).replace(" ", "") == "प्रश्नचंद्र"


def test_chunks_make_no_difference(folder):
    tokeniser = load_tokeniser(folder)
    texts = list(TEXTS) * 3
    assert list(tokenise(tokeniser, texts, chunk=2)) == list(tokenise(tokeniser, texts, chunk=1000))


def test_the_same_texts_give_the_same_tokeniser():
    dice = np.random.default_rng(0)
    words = ["".join(dice.choice(list("aeioukmnszवरणत्"), size=dice.integers(2, 9))) for _ in range(300)]
    texts = [" ".join(dice.choice(words, size=6)) for _ in range(300)]
    # the library seeds its hash tables again in each training; many pairs are equally frequent here
    first, *others = (train_tokeniser(texts, 220).to_str() for _ in range(4))
    assert all(other == first for other in others)


def test_only_true_special_tokens_are_special(folder):
    tokeniser = load_tokeniser(folder)
    added = tokeniser.get_added_tokens_decoder().values()
    assert sorted(token.content for token in added) == sorted(SPECIAL_TOKENS)
    assert any(token.startswith("##") for token in tokeniser.get_vocab())
