"""Masked language modelling hides what it should, learns, and leaves a transformer that others load."""

import pytest
import torch

from optical.config.encoder import Architecture, EncoderSettings
from optical.config.training import PretrainingSettings
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.folders import load_encoder
from optical.text.token_files import TokenFile, write_token_file
from optical.text.tokeniser import save_tokeniser, tokenise, train_tokeniser
from optical.training.encoder import MaskedLanguageModel, PretrainingLoss, new_transformer
from support.tiny_models import TEXTS

SETTINGS = EncoderSettings(dimension=8, query_length=12, document_length=24)
ARCHITECTURE = Architecture(hidden_size=16, layers=2, heads=2, intermediate_size=32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokeniser")
    save_tokeniser(train_tokeniser(TEXTS * 4, vocabulary_size=300), folder, longest=24)
    write_token_file(folder / "tokens", folder, TEXTS * 8)
    return folder


def new_model(folder, seed=0):
    vocabulary_size = train_tokeniser(TEXTS * 4, vocabulary_size=300).get_vocab_size()
    return MaskedLanguageModel(Encoder(new_transformer(ARCHITECTURE, vocabulary_size, 24, seed), folder, SETTINGS))


def framed(model, texts=TEXTS):
    return model.encoder.frame(list(tokenise(model.encoder.tokeniser, texts)), DOCUMENT)


def test_the_same_seed_gives_the_same_weights(folder):
    first, second, other = (new_model(folder, seed).encoder.transformer.state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_words_are_hidden_in_the_share_asked_for_and_nothing_else_is(folder, share):
    model = new_model(folder)
    ids_BL, attention_BL, _ = framed(model, TEXTS * 60)
    seen = {}

    def transformer(input_ids, layout, **others):
        seen["ids"] = layout.pad(input_ids.T)[:, :, 0]
        return original(input_ids=input_ids, layout=layout, **others)

    original = model.encoder.transformer.forward
    model.encoder.transformer.forward = transformer
    torch.manual_seed(0)
    with torch.no_grad():
        value = model(ids_BL, attention_BL, share)
    assert torch.isfinite(value)
    if share == 0.0:
        assert value == 0
        return
    content_BL = model.encoder.content_mask(ids_BL, attention_BL, DOCUMENT)
    changed_BL = seen["ids"] != ids_BL
    assert not changed_BL[~content_BL].any()
    masks = (seen["ids"] == model.encoder.mask_id).sum() / content_BL.sum()
    assert masks.item() == pytest.approx(0.8 * share, abs=0.03)
    assert (changed_BL.sum() / content_BL.sum()).item() == pytest.approx(0.9 * share, abs=0.03)


def test_a_batch_of_empty_texts_teaches_nothing_and_breaks_nothing(folder):
    model = new_model(folder)
    ids_BL, attention_BL, _ = framed(model, ["", ""])
    value = model(ids_BL, attention_BL, 1.0)
    value.backward()
    assert value.item() == 0
    assert all(weight.grad is None or not weight.grad.any() for weight in model.parameters())


def test_what_is_hidden_becomes_easier_to_guess(folder):
    model = new_model(folder)
    loss = PretrainingLoss(model, TokenFile(folder / "tokens"), PretrainingSettings(batch_size=10, mask_share=0.3))
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for step in range(40):
        torch.manual_seed(step)
        value, figures = loss(step)
        assert figures == {}
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.item())
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_untrained_vectors_already_match_words(folder):
    # Position and context move a word's vector little at first, so that late interaction begins as word matching.
    encoder = new_model(folder).encoder
    ids = list(tokenise(encoder.tokeniser, ["the moon and the sun", "sun"]))
    vectors = {index: vectors_LD for index, vectors_LD, _ in encoder.encode(ids, DOCUMENT)}
    sentence_LD, sun_D = vectors[0], vectors[1][2]
    assert (sentence_LD @ sun_D).argmax().item() == 6  # [CLS] [D] the moon and the sun [SEP]


def test_the_transformer_is_saved_for_the_teacher_to_start_from(folder, tmp_path):
    model = new_model(folder)
    model.encoder.save_transformer(tmp_path)
    torch.manual_seed(0)
    loaded = load_encoder(tmp_path, SETTINGS)
    for name, weight in model.encoder.transformer.state_dict().items():
        assert torch.equal(weight, loaded.transformer.state_dict()[name])
    assert loaded.transformer.config.max_position_embeddings == 24
