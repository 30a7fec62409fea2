"""Sentence pairs in pre-training: both sides masked in one input, both moved towards each other, and none alike."""

import random

import numpy as np
import pytest
import torch

from optical.config.encoder import Architecture, EncoderSettings
from optical.config.training import PretrainingSettings
from optical.config.transport import TransportSettings
from optical.errors import ConfigError, DataError
from optical.evaluation.name_alignment import MASS, linked_pairs, pair_figures, plan_of
from optical.models.encoder import DOCUMENT, Encoder
from optical.text.token_files import TokenFile, bitext_token_weights, write_token_file
from optical.text.tokeniser import load_tokeniser, save_tokeniser, train_tokeniser
from optical.training.encoder import MaskedLanguageModel, PretrainingLoss, new_transformer
from optical.training.encoder_pairs import PairLoss, PairTokens, places_of_pairs

WORDS = ("river", "moon", "sun", "north", "book", "market", "school", "water", "stone", "bird", "house", "road")
FOREIGN = tuple(word[::-1] + "a" for word in WORDS)
LEXICON = list(zip(WORDS, FOREIGN, strict=True))
ARCHITECTURE = Architecture(hidden_size=32, layers=1, heads=2, intermediate_size=64)
TRANSPORT = TransportSettings(regularisation=0.1, iterations=20)
SETTINGS = PretrainingSettings(
    batch_size=8, pairs_batch_size=8, learning_rate=3e-3, mask_share=0.2, seed=1, transport=TRANSPORT
)
ALL = {"tlm": 1.0, "optimal_transport": 1.0, "contrastive": 1.0}


def sentences(seed, count):
    """Return pairs of sentences of which one is the other, word by word, in another language and order."""
    dice = random.Random(seed)
    drawn = [[dice.randrange(len(WORDS)) for _ in range(dice.randint(3, 7))] for _ in range(count)]
    return [
        (" ".join(WORDS[place] for place in places), " ".join(FOREIGN[place] for place in reversed(places)))
        for places in drawn
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a tokeniser, unpaired text, and the pairs of two languages, the second with few."""
    folder = tmp_path_factory.mktemp("pairs")
    pairs = sentences(0, 120)
    texts = [text for pair in pairs for text in pair]
    save_tokeniser(train_tokeniser(texts, vocabulary_size=200), folder, longest=24)
    write_token_file(folder / "text", folder, texts)
    for lang, some in (("many", pairs), ("few", pairs[:10]), ("none", [])):
        for side, texts in zip(("english", "foreign"), zip(*some, strict=True) if some else ([], []), strict=True):
            write_token_file(folder / lang / side, folder, texts)
    return folder


def new_model(folder, seed=0):
    size = load_tokeniser(folder).get_vocab_size()
    settings = EncoderSettings(dimension=0, query_length=12, document_length=24)
    return MaskedLanguageModel(Encoder(new_transformer(ARCHITECTURE, size, 24, seed), folder, settings))


def pair_loss(model, folder, weights, **changes):
    pairs = PairTokens([folder / "many", folder / "few"], exponent=0.5)
    return PairLoss(model, pairs, SETTINGS.changed(objectives=weights, mask_share=0.3, **changes))


def framed(model, *texts):
    return model.encoder.frame([model.encoder.tokeniser.encode(text).ids[1:-1] for text in texts], DOCUMENT)


def wider(side, by=5):
    """Return a framed side with more padding."""
    return tuple(torch.nn.functional.pad(part, (0, by)) for part in side)


def seen_by(model):
    """Let a model tell what its transformer is given, text by text, in the dict that is returned."""
    seen, original = {}, model.encoder.transformer.forward

    def transformer(input_ids, position_ids, layout):
        seen["ids"], seen["positions"] = (layout.pad(row.T)[:, :, 0] for row in (input_ids, position_ids))
        seen["attended"] = layout.attended_B11L[:, 0, 0]
        return original(input_ids=input_ids, position_ids=position_ids, layout=layout)

    model.encoder.transformer.forward = transformer
    return seen


def test_the_masked_texts_cost_the_same_with_and_without_pairs(folder):
    model, text = new_model(folder), TokenFile(folder / "text")
    alone = PretrainingLoss(model, text, SETTINGS)
    both = PretrainingLoss(model, text, SETTINGS, pair_loss(model, folder, ALL))
    for step in range(3):
        torch.manual_seed(step)
        value, figures = alone(step)
        assert figures == {}
        torch.manual_seed(step)
        ids_BL, attention_BL, _ = model.encoder.frame([text[row] for row in alone.batches[step]], DOCUMENT)
        assert torch.equal(value, model(ids_BL, attention_BL, 0.2)), "as before there were pairs, bit for bit"
        torch.manual_seed(step)
        total, figures = both(step)
        assert torch.equal(figures["mlm"], value)
        assert 0 <= figures.pop("unconverged") <= 1, "the share of plans, no part of the loss"
        assert total.item() == pytest.approx(sum(figure.item() for figure in figures.values()), rel=1e-5)
        assert set(figures) == {"mlm", *ALL}


def test_a_part_of_pairs_is_a_function_of_seed_and_position(folder):
    model, losses = new_model(folder), []
    for order in ([0, 1, 11, 10], [10, 1, 0, 11]):
        loss_of, of_parts = pair_loss(model, folder, ALL, pairs_batch_size=4, seed=3), {}
        for position in order:
            torch.manual_seed(position)
            of_parts[position] = loss_of(position)[0].item()
        losses.append(of_parts)
    assert losses[0] == losses[1]
    assert len(set(losses[0].values())) == 4


def test_translation_modelling_masks_both_sides_of_one_input_with_positions_from_the_start(folder, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape: torch.zeros(shape))  # hides everything, behind [MASK]
    model = new_model(folder)
    loss, seen = pair_loss(model, folder, {"tlm": 1.0}), seen_by(model)
    english, foreign = framed(model, "river moon sun", "book"), framed(model, "nooma revira", "koob")
    loss.translation_language_model(english, foreign)
    ids_BL, width = seen["ids"], english[0].shape[1]
    assert ids_BL.shape == (2, width + foreign[0].shape[1])
    assert seen["positions"][0].tolist() == [*range(width), *range(foreign[0].shape[1])]
    assert torch.equal(seen["attended"], torch.cat([english[1], foreign[1]], 1).bool())
    for (whole_BL, attention_BL, _), part_BL in ((english, ids_BL[:, :width]), (foreign, ids_BL[:, width:])):
        content_BL = model.encoder.content_mask(whole_BL, attention_BL, DOCUMENT)
        assert torch.equal(part_BL[~content_BL], whole_BL[~content_BL]), "neither special tokens nor padding"
        assert (part_BL[content_BL] == model.encoder.mask_id).all()


def test_a_hidden_word_is_guessed_from_the_other_side(folder, monkeypatch):
    def hide_the_first_word(shape):
        dice = torch.ones(shape)
        dice[..., 2 if len(shape) == 2 else 0] = 0.0
        return dice

    model = new_model(folder)
    loss = pair_loss(model, folder, {"tlm": 1.0})
    monkeypatch.setattr(torch, "rand", hide_the_first_word)
    right, wrong = (
        loss.translation_language_model(framed(model, "river"), framed(model, foreign)).item()
        for foreign in ("revira", "nooma")
    )
    assert right != pytest.approx(wrong, abs=1e-6), "attention is weak before any training, but not nothing"


def test_padding_never_counts(folder, monkeypatch):
    model = new_model(folder)
    loss = pair_loss(model, folder, ALL)
    english, foreign = framed(model, "river moon sun", "book"), framed(model, "nooma revira", "koob")
    languages = torch.tensor([0, 1])
    value, _ = loss.alignment(english, foreign, languages)
    for sides in ((wider(english), foreign), (english, wider(foreign))):
        assert loss.alignment(*sides, languages)[0].item() == pytest.approx(value.item(), abs=1e-5)
    monkeypatch.setattr(torch, "rand", lambda shape: torch.zeros(shape))  # hides everything, in any shape
    value = loss.translation_language_model(english, foreign)
    for sides in ((wider(english), foreign), (english, wider(foreign))):
        assert loss.translation_language_model(*sides).item() == pytest.approx(value.item(), abs=1e-5)


def moved_words(model, loss):
    """Return which of two words, one of each side, get a gradient from the alignment of their sentences."""
    model.zero_grad()
    english, foreign = framed(model, "river moon", "book"), framed(model, "nooma revira", "koob")
    loss.alignment(english, foreign, torch.tensor([0, 0]))[0].backward()
    gradient_VH = model.encoder.transformer.get_input_embeddings().weight.grad
    ids = [int(side[0][0, 2]) for side in (english, foreign)]
    return [bool(gradient_VH[token].abs().sum() > 1e-8) for token in ids]


@pytest.mark.parametrize("name", ["optimal_transport", "contrastive"])
def test_the_alignment_moves_both_sides(folder, name):
    model = new_model(folder)
    assert moved_words(model, pair_loss(model, folder, {name: 1.0})) == [True, True]


def test_the_transport_objective_is_the_cost_of_the_plan_whichever_side_is_the_teacher(folder):
    model = new_model(folder)
    loss = pair_loss(model, folder, {"optimal_transport": 2.0})
    english, foreign = framed(model, "river moon sun"), framed(model, "nooma revira")
    value, figures = loss.alignment(english, foreign, torch.tensor([0]))
    assert value.item() == pytest.approx(2 * figures["optimal_transport"].item())
    loss.token_weights = loss.token_weights[::-1]  # they belong to the sides, which change places here
    assert loss.alignment(foreign, english, torch.tensor([0]))[0].item() == pytest.approx(value.item(), abs=1e-5)


def test_a_pair_with_an_empty_side_costs_nothing_and_breaks_nothing(folder):
    model = new_model(folder)
    loss = pair_loss(model, folder, ALL)
    english, foreign, languages = framed(model, "river", ""), framed(model, "revira", "koob"), torch.tensor([0, 0])
    value, figures = loss.alignment(english, foreign, languages)
    value.backward()
    assert all(torch.isfinite(weight.grad).all() for weight in model.parameters() if weight.grad is not None)
    alone, _ = loss.alignment(*(tuple(part[:1] for part in side) for side in (english, foreign)), languages[:1])
    transport = pair_loss(model, folder, {"optimal_transport": 1.0})
    one, _ = transport.alignment(*(tuple(part[:1] for part in side) for side in (english, foreign)), languages[:1])
    assert transport.alignment(english, foreign, languages)[0].item() == pytest.approx(one.item(), abs=1e-6)
    assert torch.isfinite(alone)
    empty, _ = loss.alignment(framed(model, ""), framed(model, ""), languages[:1])
    assert empty.item() == 0
    assert loss.translation_language_model(framed(model, ""), framed(model, "")).item() == 0


def test_few_pairs_are_read_more_often_by_the_exponent(folder):
    for exponent, counts in ((1.0, [120, 10]), (0.5, [120, 35]), (0.0, [120, 120])):
        languages, rows = places_of_pairs([120, 10], exponent)
        assert np.bincount(languages).tolist() == counts
        assert sorted(set(rows[languages == 1].tolist())) == list(range(10)), "none of them is left out"
    assert places_of_pairs([3, 0], 0.0)[0].tolist() == [0, 0, 0]


def test_pairs_keep_their_sides_lengths_and_languages(folder):
    pairs = PairTokens([folder / "none", folder / "many", folder / "few"], 0.5)
    assert len(pairs.lengths_P) == 155
    for place in (0, 119, 120, 130):
        [english], [foreign] = pairs.texts([place])
        lang, row = ("many", place) if place < 120 else ("few", (place - 120) % 10)
        assert english.tolist() == TokenFile(folder / lang / "english")[row].tolist()
        assert foreign.tolist() == TokenFile(folder / lang / "foreign")[row].tolist()
        assert pairs.lengths_P[place] == len(english) + len(foreign)


def test_a_word_is_rare_within_its_language(folder):
    weights = PairTokens([folder / "many", folder / "few"], 1.0).token_weights(load_tokeniser(folder).get_vocab_size())
    size = load_tokeniser(folder).get_vocab_size()
    for row, lang in enumerate(("many", "few")):
        rarity_V = TokenFile(folder / lang / "foreign").inverse_document_frequency(size)
        assert torch.equal(weights[1][row], torch.from_numpy(rarity_V))


def test_pairs_that_are_not_there_are_refused_in_one_line(folder):
    with pytest.raises(DataError, match="no sentence pair"):
        PairTokens([folder / "none"], 0.5)
    with pytest.raises(DataError, match=r"no sentence pair .* \[pretraining.objectives\]. Hint: list sources"):
        PairTokens([], 0.5)
    with pytest.raises(ConfigError, match="nothing to learn"):
        PretrainingLoss(new_model(folder), TokenFile(folder / "text"), SETTINGS.changed(objectives={"mlm": 0.0}))


@pytest.fixture(scope="module")
def trained(folder):
    """Return a function: objectives of a tiny pre-training -> quality of the alignment, and how alike words are."""
    held_out = sentences(1, 30)

    def train(objectives, steps=80):
        model, settings = new_model(folder), SETTINGS.changed(objectives=objectives)
        pairs = pair_loss(model, folder, objectives) if settings.objectives.of_pairs() else None
        loss = PretrainingLoss(model, TokenFile(folder / "text"), settings, pairs)
        optimiser = torch.optim.AdamW(model.parameters(), lr=SETTINGS.learning_rate)
        for step in range(steps):
            torch.manual_seed(step)
            value, _ = loss(step)
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
        encoder = model.encoder.eval()
        linked = linked_pairs(encoder.tokeniser, held_out, LEXICON)
        weights = bitext_token_weights(folder / "many", encoder.tokeniser.get_vocab_size())
        plan_BMN = plan_of((encoder, encoder), linked, DOCUMENT, TRANSPORT, weights)
        quality = np.mean([value for _, measure, value in pair_figures(plan_BMN, linked) if measure == MASS])
        words = [vectors_LD[2] for _, vectors_LD, _ in encoder.encode([pair.english[:1] for pair in linked], DOCUMENT)]
        vectors_QD = torch.stack(words)
        return quality, (vectors_QD @ vectors_QD.T).mean().item()

    return train


def test_names_are_aligned_better_with_the_alignment_objective_than_without(trained):
    (plain, _), (aligned, alike) = (
        trained({"mlm": 1.0}),
        trained({"mlm": 1.0, "optimal_transport": 3.0, "contrastive": 3.0}),
    )
    assert aligned > plain + 0.2
    assert alike < 0.6


def test_transport_alone_makes_all_vectors_alike_and_contrast_keeps_them_apart(trained):
    _, alike = trained({"mlm": 1.0, "optimal_transport": 3.0})
    _, apart = trained({"mlm": 1.0, "optimal_transport": 3.0, "contrastive": 3.0})
    assert apart < 0.6 < 0.9 < alike
