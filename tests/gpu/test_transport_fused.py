"""The fused kernel against the plain solver: same losses, same gradients, on whatever batch it accepts.

Runs on a CUDA device; on a CPU with Triton installed, TRITON_INTERPRET=1 runs the same kernel in Triton's interpreter.
"""

import os

import pytest
import torch

pytest.importorskip("triton", reason="Triton comes with the CUDA builds of torch")
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
if not torch.cuda.is_available() and not INTERPRETED:
    pytest.skip("needs a CUDA device, or TRITON_INTERPRET=1", allow_module_level=True)

from optical.config.transport import TransportSettings  # noqa: E402
from optical.losses import transport_fused  # noqa: E402
from optical.losses.objectives import OptimalTransport, PairBatch  # noqa: E402
from optical.losses.transport import both_marginals, misplaced_mass, token_cost, transport_plan  # noqa: E402
from optical.losses.transport_fused import fused_runs, fused_transport_loss  # noqa: E402

pytestmark = pytest.mark.gpu
DEVICE = "cpu" if INTERPRETED else "cuda"
SOFT = TransportSettings(regularisation=0.1, marginals="uniform")


@pytest.fixture(autouse=True)
def full_precision():
    """The reference multiplies in float32, not in TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


def problem(pairs=4, m=9, n=13, dimensions=32, seed=0, precision=torch.float32):
    """A ragged batch, a pair empty on one side, another on both; the vectors at padding are of unit length too."""
    generator = torch.Generator().manual_seed(seed)
    vectors = [
        torch.nn.functional.normalize(torch.randn(pairs, tokens, dimensions, generator=generator), dim=-1)
        for tokens in (m, n)
    ]
    lengths = [torch.randint(1, tokens + 1, (pairs,), generator=generator) for tokens in (m, n)]
    lengths[0][0], lengths[1][0] = m, n
    lengths[0][-1] = 0
    lengths[0][-2], lengths[1][-2] = 0, 0
    masks = [torch.arange(tokens)[None] < length[:, None] for tokens, length in zip((m, n), lengths, strict=True)]
    student, teacher = (vector.to(DEVICE, precision) for vector in vectors)
    return student.requires_grad_(), teacher, *(mask.to(DEVICE) for mask in masks)


def reference(student, teacher, masks, settings, *weights):
    cost = token_cost(student, teacher)
    plan = transport_plan(cost, *masks, settings, *weights)
    return (plan * cost).sum((1, 2)), misplaced_mass(plan, *both_marginals(*masks, settings, *weights))


def both(student, teacher, masks, settings, *weights):
    """Losses and gradients of the kernel and of the reference, each pair's loss weighted differently."""
    losses_and_gradients = []
    for losses, _ in (
        fused_transport_loss(student, teacher, *masks, settings, *weights),
        reference(student, teacher, masks, settings, *weights),
    ):
        upstream = torch.arange(1.0, len(losses) + 1, device=losses.device)
        losses_and_gradients.append((losses.detach(), torch.autograd.grad((losses * upstream).sum(), student)[0]))
    return losses_and_gradients


@pytest.mark.parametrize("size", [(4, 1, 1, 16), (4, 9, 13, 32), (4, 32, 32, 128), (3, 40, 17, 24), (3, 100, 128, 16)])
@pytest.mark.parametrize("regularisation", [0.1, 0.01])
def test_same_losses_and_gradients(size, regularisation):
    student, teacher, *masks = problem(*size)
    settings = SOFT.changed(regularisation=regularisation, tolerance=0.0)
    (loss, gradient), (expected, expected_gradient) = both(student, teacher, masks, settings)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("iterations", [1, 2, 7, 200])
def test_same_after_any_number_of_iterations(iterations):
    student, teacher, *masks = problem(seed=1)
    settings = SOFT.changed(regularisation=0.03, iterations=iterations, tolerance=0.0)
    (loss, _), (expected, _) = both(student, teacher, masks, settings)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)


def test_same_with_token_weights():
    student, teacher, *masks = problem(seed=2)
    weights = [10 ** (-3 * torch.rand(mask.shape, device=DEVICE)) for mask in masks]
    weights[0][1] = 0.0
    weights[1][~masks[1]] = float("nan")
    settings = TransportSettings(regularisation=0.02, tolerance=0.0)
    (loss, gradient), (expected, expected_gradient) = both(student, teacher, masks, settings, *weights)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("iterations", [12, 1000])
def test_each_pair_stops_at_the_tolerance_or_says_that_it_did_not(iterations):
    student, teacher, *masks = problem(seed=3)
    settings = SOFT.changed(regularisation=0.02, iterations=iterations, tolerance=1e-3)
    loss, misplaced = fused_transport_loss(student, teacher, *masks, settings)
    expected, expected_misplaced = reference(student, teacher, masks, settings)
    real = masks[0].any(1) & masks[1].any(1)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(misplaced[real], expected_misplaced[real], atol=1e-5, rtol=0)
    assert (misplaced[real] < settings.tolerance).all() == (iterations == 1000)


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_vectors(precision):
    student, teacher, *masks = problem(seed=4, precision=precision)
    (loss, gradient), (expected, expected_gradient) = both(student, teacher, masks, SOFT.changed(tolerance=0.0))
    assert loss.dtype == torch.float32 and gradient.dtype == precision
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-3, rtol=1e-2)


def test_what_stands_at_padding_is_not_read():
    student, teacher, *masks = problem(seed=5)
    settings = SOFT
    expected, _ = fused_transport_loss(student, teacher, *masks, settings)
    with torch.no_grad():
        student[~masks[0]], teacher[~masks[1]] = float("nan"), float("nan")
    loss, _ = fused_transport_loss(student, teacher, *masks, settings)
    gradient = torch.autograd.grad(loss.sum(), student)[0]
    torch.testing.assert_close(loss, expected, atol=0, rtol=0)
    assert gradient.isfinite().all() and (gradient[~masks[0]] == 0).all()


def test_empty_pairs_cost_nothing():
    student, teacher, *masks = problem(seed=6)
    loss, _ = fused_transport_loss(student, teacher, *masks, SOFT)
    gradient = torch.autograd.grad(loss.sum(), student)[0]
    assert (loss[:2] > 0).all() and (loss[2:] == 0).all() and (gradient[2:] == 0).all()


def test_the_teacher_gets_no_gradient():
    student, teacher, *masks = problem()
    teacher.requires_grad_()
    loss, _ = fused_transport_loss(student, teacher, *masks, SOFT)
    assert torch.autograd.grad(loss.sum(), teacher, allow_unused=True)[0] is None


def test_vectors_need_not_be_contiguous():
    student, teacher, *masks = problem(seed=7)
    strided = student.detach().transpose(1, 2).contiguous().transpose(1, 2).requires_grad_()
    settings = SOFT
    torch.testing.assert_close(
        fused_transport_loss(strided, teacher, *masks, settings),
        fused_transport_loss(student, teacher, *masks, settings),
    )


def test_what_the_kernel_cannot_do_is_left_to_the_others():
    student, teacher, *_ = problem()
    assert fused_runs(student, teacher, SOFT)
    assert not fused_runs(student, teacher, SOFT.changed(solver="ipot"))
    assert not fused_runs(student, teacher, TransportSettings())
    assert not fused_runs(student.repeat(1, 20, 1), teacher, SOFT)


def test_a_card_where_it_fails_is_left_to_the_others(monkeypatch):
    def fail(*_):
        raise RuntimeError("no C compiler")

    transport_fused._works.cache_clear()
    monkeypatch.setattr(transport_fused._TransportLoss, "apply", fail)
    student, teacher, *_ = problem()
    assert not fused_runs(student, teacher, SOFT)
    transport_fused._works.cache_clear()


@pytest.mark.skipif(INTERPRETED, reason="the objective takes the kernel on a CUDA device only")
def test_the_objective_takes_the_kernel_and_gives_the_same_loss(monkeypatch):
    student, teacher, *masks = problem()
    batch = PairBatch(student, masks[0], teacher, masks[1])
    plain = OptimalTransport(SOFT, fused=False)(batch)
    calls = []
    monkeypatch.setattr(
        transport_fused, "fused_transport_loss", lambda *batch: calls.append(1) or fused_transport_loss(*batch)
    )
    torch.testing.assert_close(OptimalTransport(SOFT)(batch), plain, atol=2e-4, rtol=0)
    assert calls
