"""The losses of ranking, against their definitions."""

import numpy as np
import pytest
import torch

from optical.losses.ranking import distillation_loss, ranking_loss


def test_forbidden_documents_have_no_say():
    scores = torch.tensor([[1.0, 50.0, 0.5]], requires_grad=True)
    value = ranking_loss(scores, torch.tensor([0]), torch.tensor([[False, True, False]]))
    value.backward()
    assert value.item() == pytest.approx(-torch.log_softmax(torch.tensor([1.0, 0.5]), 0)[0].item())
    assert scores.grad[0, 1] == 0


def test_the_divergence_of_a_hand_example():
    # softmax of log p is p: wanted (1/2, 1/4, 1/4), scored (1/4, 1/4, 1/2)
    wanted = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.5, 0.9]]).log()
    scores = torch.tensor([[0.25, 0.25, 0.5], [0.2, 0.8, 0.1]]).log()
    present = torch.tensor([[True, True, True], [True, True, False]])
    by_hand = 0.5 * np.log(2) + 0.0 - 0.25 * np.log(2), 0.5 * np.log(0.5 / 0.2) + 0.5 * np.log(0.5 / 0.8)
    assert distillation_loss(scores, wanted, present).item() == pytest.approx(np.mean(by_hand), abs=1e-6)


def test_the_divergence_is_that_of_torch_and_points_from_wanted_to_scored():
    generator = torch.Generator().manual_seed(0)
    scores, wanted = (5 * torch.randn(6, 4, generator=generator) for _ in range(2))
    scores.requires_grad_()
    value = distillation_loss(scores, wanted, torch.ones(6, 4, dtype=torch.bool))
    categorical = torch.distributions.Categorical
    expected = torch.distributions.kl_divergence(categorical(logits=wanted), categorical(logits=scores)).mean()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    # the gradient of a softmax's cross-entropy: what it says less what it should
    torch.testing.assert_close(scores.grad, (scores.softmax(1) - wanted.softmax(1)).detach() / 6)


def test_a_document_that_is_not_there_has_no_say():
    scores = torch.tensor([[1.0, 2.0, 50.0]], requires_grad=True)
    value = distillation_loss(scores, torch.tensor([[0.0, 3.0, torch.nan]]), torch.tensor([[True, True, False]]))
    value.backward()
    short = distillation_loss(scores[:, :2], torch.tensor([[0.0, 3.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert value.item() == pytest.approx(short.item())
    assert scores.grad[0, 2] == 0 and torch.isfinite(scores.grad).all()
