"""Training that diverges ends in one line: a loss that rises, vectors that are all alike."""

import pytest
import torch

from optical.config.training import TrainingSettings
from optical.errors import ConfigError, ResourceError
from optical.models.encoder import QUERY
from optical.models.folders import load_encoder
from optical.runtime.machine import Machine
from optical.training.divergence import WINDOW, check_loss, check_vectors
from optical.training.loop import train
from support.tiny_models import TEXTS, save_encoder


def curve(*losses):
    return [{"loss": loss} for loss in losses for _ in range(WINDOW)]


@pytest.mark.parametrize("losses", [(1.0,), (1.0, 0.5), (1.0, 1.4), (0.0, 0.1), (-1.0, 2.0)])
def test_a_loss_that_falls_or_wavers_is_let_alone(losses):
    check_loss(curve(*losses), 100, "student")


@pytest.mark.parametrize("losses", [(1.0, 1.0, 1.6), (1.0, 0.5, 1.6)])
def test_a_loss_that_rises_is_refused_in_one_line(losses):
    with pytest.raises(
        ResourceError, match=r"has risen from 1 to 1\.6 in \d+ steps \[student\].*learning rate"
    ) as caught:
        check_loss(curve(*losses), 100, "student")
    assert "\n" not in str(caught.value)


def test_a_few_batches_with_a_large_loss_are_no_divergence():
    """As in score-kd of a student that learns both sides: most batches lose .01, one in ten .2."""
    few, more = ([0.2] * spikes + [0.01] * (WINDOW - spikes) for spikes in (2, 4))
    rows = [{"loss": loss} for loss in [*few, *few, *more]]
    check_loss(rows, 100, "student")
    with pytest.raises(ResourceError, match="has risen"):
        check_loss([*rows[: 2 * WINDOW], *({"loss": loss} for loss in [0.2] * WINDOW)], 100, "student")


def test_a_loss_may_rise_in_the_first_half():
    """As with subwords of its own: a student starts from translations, and its rate is highest after a tenth."""
    check_loss(curve(1.0, 1.9, 1.7), 140, "student")
    with pytest.raises(ResourceError, match="has risen"):
        check_loss(curve(1.0, 1.9, 1.7, 1.6), 140, "student")


def test_a_loss_of_nothing_is_refused_in_one_line():
    """A contrast within batches of one pair, objectives without weights, a ranking without negatives."""
    with pytest.raises(ConfigError, match=r"nothing is learnt: the loss of the first 20 steps is 0 \[student\].*batch"):
        check_loss(curve(0.0), 100, "student")
    check_loss(curve(0.0)[1:], 100, "student")
    check_loss([*curve(0.0)[1:], {"loss": 1e-9}], 100, "student")


def test_a_short_training_and_the_middle_of_a_window_tell_nothing():
    check_loss([{"loss": float(step)} for step in range(1, 2 * WINDOW)], 39, "student")
    check_loss(curve(1.0, 9.0)[:-1], 100, "student")
    check_loss(curve(1.0, 9.0), 1000, "student")


def test_a_training_ends_as_soon_as_its_loss_has_risen():
    weight = torch.nn.Linear(1, 1)
    seen = []

    def loss(step):
        seen.append(step)
        return weight(torch.ones(1, 1)).sum() * 0 + 1.0 + step, {}

    with pytest.raises(ResourceError, match="training diverges"):
        train(weight, loss, TrainingSettings(steps=200), Machine(device="cpu"), None, "student")
    assert len(seen) == 100


@pytest.fixture
def encoder(tmp_path):
    return load_encoder(save_encoder(tmp_path))


def pieces(encoder):
    return [encoder.tokeniser.encode(text, add_special_tokens=False).ids for text in TEXTS]


def test_vectors_that_differ_are_let_alone(encoder):
    before = encoder.projection.weight.clone()
    check_vectors(encoder, pieces(encoder), QUERY, "student")
    check_vectors(encoder, [], QUERY, "student")
    assert torch.equal(before, encoder.projection.weight)


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_vectors_that_are_all_alike_or_no_numbers_are_refused_in_one_line(encoder, value):
    """Each token's hidden state has the mean 0: one direction in all tokens is what a bias of the layer norm adds."""
    norm = encoder.transformer.encoder.layer[-1].output.LayerNorm
    torch.nn.init.constant_(norm.weight, 1e-3)
    torch.nn.init.constant_(norm.bias, value)
    with pytest.raises(ResourceError, match=r"are alike, with a mean cosine of (1\.000|nan) \[student\]"):
        check_vectors(encoder, pieces(encoder), QUERY, "student")
