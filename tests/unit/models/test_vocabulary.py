"""An encoder gets subwords of a language: they start as their translations, and nothing else changes."""

import random

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models

from optical.config.bitext import WordAlignment
from optical.errors import ConfigError, DataError
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.models.vocabulary import extend_vocabulary, extended_tokeniser
from optical.text.tokeniser import load_tokeniser, tokenise
from support.tiny_models import TEXTS, save_encoder

ENGLISH = ("moon", "river", "sun", "question", "north", "where", "first", "about")
MARATHI = ("चंद्र", "नदीत", "सूर्य", "प्रश्न", "उत्तर", "कुठे", "पहिला", "बद्दल")


def bitext(foreign, count=200):
    """Return sentences of three words and their translations, word by word."""
    dice = random.Random(0)
    chosen = [[dice.randrange(len(ENGLISH)) for _ in range(3)] for _ in range(count)]
    return [(" ".join(ENGLISH[i] for i in row), " ".join(foreign[i] for i in row)) for row in chosen]


@pytest.fixture(scope="module", params=["trained", "bert"])
def folder(request, tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("encoder") / "encoder", tokeniser=request.param)


@pytest.fixture
def extended(folder):
    """Return the encoder before and after."""
    encoder = load_encoder(folder)
    extend_vocabulary(encoder, bitext(MARATHI), 200, WordAlignment())
    return load_encoder(folder), encoder


def vectors(encoder, text, kind=QUERY):
    [(_, vectors_LD, _)] = encoder.encode(list(tokenise(encoder.tokeniser, [text])), kind)
    return vectors_LD


def test_what_it_knew_keeps_number_and_vector(extended):
    before, after = extended
    known = before.tokeniser.get_vocab()
    assert known.items() <= after.tokeniser.get_vocab().items()
    assert len(after.tokeniser.get_vocab()) > len(known)
    for text in ("the first question about the moon", "river!"):
        torch.testing.assert_close(vectors(after, text, DOCUMENT), vectors(before, text, DOCUMENT))


def test_a_word_is_read_as_its_translation(extended):
    before, after = extended
    for foreign, english in zip(MARATHI, ENGLISH, strict=True):
        [piece] = after.tokeniser.encode(foreign, add_special_tokens=False).tokens
        assert piece == foreign, "the vowels are there"
        torch.testing.assert_close(vectors(after, foreign), vectors(before, english))


def test_a_known_piece_may_be_another_word_of_the_language(folder):
    before, after = load_encoder(folder), load_encoder(folder)
    swapped = ENGLISH[1:] + ENGLISH[:1]  # "river" means moon
    extend_vocabulary(after, bitext(swapped), 200, WordAlignment())
    for foreign, english in zip(swapped, ENGLISH, strict=True):
        torch.testing.assert_close(vectors(after, foreign), vectors(before, english))


def test_special_tokens_stay_what_they_are(extended):
    before, after = extended
    numbers = [before.cls_id, before.sep_id, before.pad_id, before.mask_id, *before.marker_ids.values()]
    old_VH, new_WH = (encoder.transformer.get_input_embeddings().weight for encoder in extended)
    torch.testing.assert_close(new_WH[numbers], old_VH[numbers])
    assert (after.cls_id, after.marker_ids) == (before.cls_id, before.marker_ids)


def test_it_survives_saving_and_is_the_same_every_time(extended, folder, tmp_path):
    _, after = extended
    after.save(tmp_path / "extended")
    torch.testing.assert_close(vectors(load_encoder(tmp_path / "extended"), MARATHI[0]), vectors(after, MARATHI[0]))
    again = load_encoder(folder)
    extend_vocabulary(again, bitext(MARATHI), 200, WordAlignment())
    again.save(tmp_path / "again")
    for name in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "extended" / name).read_bytes()


def test_what_no_pair_tells_of_is_the_mean_of_all(folder):
    before, after = load_encoder(folder), load_encoder(folder)
    extend_vocabulary(after, [*bitext(MARATHI), ("", "भाषा भाषा भाषा")], 200, WordAlignment())
    number = after.tokeniser.token_to_id("भाषा")
    mean_H = before.transformer.get_input_embeddings().weight.mean(0)
    torch.testing.assert_close(after.transformer.get_input_embeddings().weight[number], mean_H)


def test_rows_that_stand_for_no_subword_are_no_start(folder):
    """Tables are often padded to a multiple of 64 rows, which no training has touched."""
    pairs = [*bitext(MARATHI), ("", "भाषा भाषा भाषा")]
    plain, padded = load_encoder(folder), load_encoder(folder)
    table = padded.transformer.resize_token_embeddings(2 * len(padded.tokeniser.get_vocab()), mean_resizing=False)
    table.weight.data[len(padded.tokeniser.get_vocab()) :] = 9.0
    for encoder in (plain, padded):
        extend_vocabulary(encoder, pairs, 200, WordAlignment())
    assert torch.equal(*(encoder.transformer.get_input_embeddings().weight for encoder in (plain, padded)))


def test_other_tokenisers_and_empty_pairs_are_refused_in_one_line(folder):
    with pytest.raises(ConfigError, match="of the kind BPE cannot be extended"):
        extended_tokeniser(Tokenizer(models.BPE()), TEXTS, 100)
    with pytest.raises(DataError, match="no sentence pair with words on both sides"):
        extend_vocabulary(load_encoder(folder), [("", "चंद्र"), ("moon", "")], 100, WordAlignment())


def test_a_bitext_that_links_nothing_is_refused_in_one_line(folder):
    with pytest.raises(DataError, match="no subword is linked"):
        extend_vocabulary(load_encoder(folder), [("moon", "[MASK]")], 50, WordAlignment())


def test_pieces_are_about_as_many_as_asked_for(folder):
    tokeniser = load_tokeniser(folder)
    texts = [foreign for _, foreign in bitext(MARATHI)]
    sizes = [len(extended_tokeniser(tokeniser, texts, pieces).get_vocab()) for pieces in (30, 60, 90)]
    assert (np.diff(sizes) > 0).all()
    assert all(size - len(tokeniser.get_vocab()) <= pieces for size, pieces in zip(sizes, (30, 60, 90), strict=True))


def test_prompts_are_split_as_before(folder):
    tokeniser = load_tokeniser(folder)
    prompt, texts = "मराठीत: ", [foreign for _, foreign in bitext(MARATHI)] + ["मराठीत"] * 50
    before = tokeniser.encode(prompt).ids
    assert extended_tokeniser(tokeniser, texts, 200).encode(prompt).ids != before
    extended = extended_tokeniser(tokeniser, texts, 200, [prompt])
    assert extended.encode(prompt).ids == before
    assert len(extended.get_vocab()) > len(tokeniser.get_vocab())
