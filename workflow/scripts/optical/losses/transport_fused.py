"""The optimal-transport loss on a GPU in one kernel: cost, plan, loss and gradient of a pair stay on the chip.

Shapes as in `transport`: B pairs, M student tokens, N teacher tokens, D dimensions; in the kernel they are padded to
the powers of two of a tile. It reads the vectors, writes a loss per pair and the student's gradient, and never stores
cost or plan. Each pair stops iterating on its own, and nothing waits for the host.

The iterates are those of `transport.sinkhorn`: the same first iteration in the log domain, the same number of steps
between two absorptions into the kernel, the same test of what a plan misplaces. The results differ by rounding.

Needs Triton, which comes with the CUDA builds of torch, and the C compiler that Triton calls. `fused_runs` tries the
kernel and returns whether it can do a batch. With TRITON_INTERPRET=1 it also runs on a CPU, for tests.
"""

import functools
import os

import torch
import triton
import triton.language as tl
from torch import Tensor

from optical.config.transport import TransportSettings
from optical.losses import transport

# Tokens of the longer side beyond which a tile does not fit the registers of a multiprocessor.
LONGEST_SENTENCE = 128
# Dimensions that are multiplied at a time: the fewest that a matrix product takes, to leave the registers to the tile.
SLICE = 16
# Entries of a tile for each group of 32 threads, and the most groups: what compiles for an H100 with few or no spills.
ENTRIES_A_WARP, MOST_WARPS = 256, 16

# What the kernel shares with `transport`, as compile-time constants.
_SMALLEST_WEIGHT = tl.constexpr(transport.SMALLEST_WEIGHT)
_SMALLEST_MASS = tl.constexpr(transport.SMALLEST_MASS)
_SMALLEST_EXPONENT = tl.constexpr(transport.SMALLEST_EXPONENT)
_PADDING = tl.constexpr(transport.PADDING)
_BLOCK = tl.constexpr(transport.BLOCK)
_LARGEST_SCALING = tl.constexpr(transport.LARGEST_SCALING)
_OVER_RELAXATION = tl.constexpr(transport.OVER_RELAXATION)


@triton.jit
def _mass(mask, weights, weighted: tl.constexpr):
    """transport.marginals of one sentence."""
    uniform = mask.to(tl.float32)
    mass = uniform
    if weighted:
        mass = tl.where(mask, weights, 0.0)
        mass = tl.where(tl.sum(mass, 0) > 0, mass, uniform)
    return mass / tl.maximum(tl.sum(mass, 0), _SMALLEST_WEIGHT)


@triton.jit
def _misplaced(plan, rows, columns):
    """transport.misplaced_mass of one pair."""
    of_rows = tl.sum(tl.abs(tl.sum(plan, 1) - rows), 0)
    of_columns = tl.sum(tl.abs(tl.sum(plan, 0) - columns), 0)
    return tl.maximum(of_rows, of_columns) / 2


@triton.jit
def _towards(aim, scaling, power):
    """transport._towards."""
    moved = scaling + power * (aim - scaling)
    return tl.minimum(tl.maximum(moved, -_LARGEST_SCALING), _LARGEST_SCALING)


@triton.jit
def _transport_kernel(
    student_ptr,
    teacher_ptr,
    student_mask_ptr,
    teacher_mask_ptr,
    student_weights_ptr,
    teacher_weights_ptr,
    loss_ptr,
    misplaced_ptr,
    gradient_ptr,
    M,
    N,
    D,
    inverse_regularisation,
    iterations,
    tolerance,
    weighted: tl.constexpr,
    tile_m: tl.constexpr,
    tile_n: tl.constexpr,
    tile_d: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64)
    m, n = tl.arange(0, tile_m), tl.arange(0, tile_n)
    mask_m = tl.load(student_mask_ptr + pair * M + m, mask=m < M, other=0) != 0
    mask_n = tl.load(teacher_mask_ptr + pair * N + n, mask=n < N, other=0) != 0
    if weighted:
        rows = _mass(mask_m, tl.load(student_weights_ptr + pair * M + m, mask=mask_m, other=0.0), True)
        columns = _mass(mask_n, tl.load(teacher_weights_ptr + pair * N + n, mask=mask_n, other=0.0), True)
    else:
        rows, columns = _mass(mask_m, mask_m, False), _mass(mask_n, mask_n, False)
    # a pair with tokens on one side only has nothing to transport
    moved = tl.sum(rows, 0) * tl.sum(columns, 0)
    rows, columns = tl.where(moved > 0, rows, 0.0), tl.where(moved > 0, columns, 0.0)
    real_m, real_n = rows > 0, columns > 0
    real = real_m[:, None] & real_n[None, :]
    rows, columns = tl.maximum(rows, _SMALLEST_WEIGHT), tl.maximum(columns, _SMALLEST_WEIGHT)

    cosine = tl.zeros([tile_m, tile_n], tl.float32)
    for start in range(0, D, tile_d):
        d = start + tl.arange(0, tile_d)
        student = tl.load(
            student_ptr + (pair * M + m[:, None]) * D + d[None, :], mask=real_m[:, None] & (d[None, :] < D), other=0.0
        )
        teacher = tl.load(
            teacher_ptr + (pair * N + n[:, None]) * D + d[None, :], mask=real_n[:, None] & (d[None, :] < D), other=0.0
        )
        cosine += tl.dot(student.to(tl.float32), tl.trans(teacher.to(tl.float32)), input_precision="ieee")
    cost = 1.0 - cosine
    score = tl.where(real, -cost * inverse_regularisation, _PADDING)

    exponent = score + tl.log(columns)[None, :]
    highest_m = tl.max(exponent, 1)
    sums_m = tl.sum(tl.exp(tl.maximum(exponent - highest_m[:, None], _SMALLEST_EXPONENT)), 1)
    f = tl.where(real_m, tl.log(rows) - tl.log(sums_m) - highest_m, 0.0)
    exponent = score + f[:, None]
    highest_n = tl.max(exponent, 0)
    sums_n = tl.sum(tl.exp(tl.maximum(exponent - highest_n[None, :], _SMALLEST_EXPONENT)), 0)
    g = tl.where(real_n, tl.log(columns) - tl.log(sums_n) - highest_n, 0.0)

    left = tl.where(moved > 0, iterations - 1, 0)
    plan = tl.exp(tl.maximum(score + f[:, None] + g[None, :], _SMALLEST_EXPONENT))
    before, misplaced = 0.0, _misplaced(plan, rows, columns)
    while (left > 0) & (misplaced >= tolerance):
        power = tl.where(misplaced < before, _OVER_RELAXATION, 1.0)
        u, v = tl.zeros([tile_m], tl.float32), tl.zeros([tile_n], tl.float32)
        block = tl.minimum(left, _BLOCK)
        for _ in range(block):
            u = _towards(tl.log(rows) - tl.log(tl.sum(plan * tl.exp(v)[None, :], 1)), u, power)
            v = _towards(tl.log(columns) - tl.log(tl.sum(plan * tl.exp(u)[:, None], 0)), v, power)
        f += u
        g += v
        left -= block
        plan = tl.exp(tl.maximum(score + f[:, None] + g[None, :], _SMALLEST_EXPONENT))
        before, misplaced = misplaced, _misplaced(plan, rows, columns)

    plan = tl.where(real & (plan > _SMALLEST_MASS), plan, 0.0)
    tl.store(loss_ptr + pair, tl.sum(tl.sum(plan * cost, 1), 0))
    tl.store(misplaced_ptr + pair, misplaced)
    for start in range(0, D, tile_d):
        d = start + tl.arange(0, tile_d)
        teacher = tl.load(
            teacher_ptr + (pair * N + n[:, None]) * D + d[None, :], mask=real_n[:, None] & (d[None, :] < D), other=0.0
        )
        gradient = -tl.dot(plan, teacher.to(tl.float32), input_precision="ieee")
        tl.store(
            gradient_ptr + (pair * M + m[:, None]) * D + d[None, :], gradient, mask=(m[:, None] < M) & (d[None, :] < D)
        )


class _TransportLoss(torch.autograd.Function):
    """Loss of each pair; the gradient is ready when the loss is, because the plan is a constant."""

    @staticmethod
    def forward(ctx, student_BMD, teacher_BND, student_mask_BM, teacher_mask_BN, weights, settings):
        (B, M, D), N = student_BMD.shape, teacher_BND.shape[1]
        student_BMD, teacher_BND = student_BMD.contiguous(), teacher_BND.contiguous()
        # a mask of bools is read as bytes; other masks have to become one first
        masks = [mask.bool().contiguous().view(torch.uint8) for mask in (student_mask_BM, teacher_mask_BN)]
        weighted = settings.marginals != "uniform"
        weights = [weight.float().contiguous() for weight in weights] if weighted else masks
        loss_B, misplaced_B = torch.empty(2, B, device=student_BMD.device)
        gradient_BMD = torch.empty(B, M, D, device=student_BMD.device)
        tiles = [max(16, triton.next_power_of_2(size)) for size in (M, N)]
        if B:
            _transport_kernel[(B,)](
                student_BMD,
                teacher_BND,
                *masks,
                *weights,
                loss_B,
                misplaced_B,
                gradient_BMD,
                M,
                N,
                D,
                1 / settings.regularisation,
                settings.iterations,
                settings.tolerance,
                weighted=weighted,
                tile_m=tiles[0],
                tile_n=tiles[1],
                tile_d=SLICE,
                num_warps=min(MOST_WARPS, tiles[0] * tiles[1] // ENTRIES_A_WARP),
            )
        ctx.save_for_backward(gradient_BMD)
        ctx.precision = student_BMD.dtype
        ctx.mark_non_differentiable(misplaced_B)
        return loss_B, misplaced_B

    @staticmethod
    def backward(ctx, upstream_B, _):
        (gradient_BMD,) = ctx.saved_tensors
        return (upstream_B[:, None, None] * gradient_BMD).to(ctx.precision), None, None, None, None, None


@functools.cache
def _works(device: torch.device) -> bool:
    """Return whether a small batch gives the reference's numbers; it fails without a compiler or on an old GPU."""
    if device.type != "cuda" and os.environ.get("TRITON_INTERPRET") != "1":
        return False
    generator = torch.Generator().manual_seed(0)
    vectors = [torch.nn.functional.normalize(torch.randn(2, size, 32, generator=generator), dim=-1) for size in (5, 7)]
    mask_BM, mask_BN = (torch.ones(2, size, dtype=torch.bool) for size in (5, 7))
    settings = TransportSettings(regularisation=0.1, iterations=50, tolerance=0.0, marginals="uniform")
    cost_BMN = transport.token_cost(*vectors)  # on the processor: on a GPU float32 may stand for TF32
    expected_B = (transport.transport_plan(cost_BMN, mask_BM, mask_BN, settings) * cost_BMN).sum((1, 2))
    try:
        on_device = [tensor.to(device) for tensor in (*vectors, mask_BM, mask_BN)]
        loss_B = _TransportLoss.apply(*on_device, None, settings)[0].cpu()
    except Exception:  # Triton has no common class for what can go wrong between a compiler, a driver and a card
        return False
    return torch.allclose(loss_B, expected_B, atol=1e-4)


def fused_runs(
    student_BMD: Tensor,
    teacher_BND: Tensor,
    settings: TransportSettings,
    student_weights_BM: Tensor | None = None,
    teacher_weights_BN: Tensor | None = None,
) -> bool:
    """Return whether the kernel can do this batch.

    It can if the solver is `sinkhorn`, the sentences fit on the chip, and a trial on the device gives the right
    loss. The arguments are those of `fused_transport_loss`, without the masks.
    """
    fits = max(student_BMD.shape[1], teacher_BND.shape[1]) <= LONGEST_SENTENCE
    weighted = student_weights_BM is not None and teacher_weights_BN is not None
    known = settings.solver == "sinkhorn" and (weighted or settings.marginals == "uniform")
    return known and fits and _works(student_BMD.device)


def fused_transport_loss(
    student_BMD: Tensor,
    teacher_BND: Tensor,
    student_mask_BM: Tensor,
    teacher_mask_BN: Tensor,
    settings: TransportSettings,
    student_weights_BM: Tensor | None = None,
    teacher_weights_BN: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the transport loss of each pair, with gradient to the student only, and the mass that its plan misplaces.

    The loss is the cost of the plan. Both equal those of `transport_plan` and `token_cost`, to 1e-5 at tolerance 0.

    Args:
        student_BMD: unit vectors, of any float type, on the GPU.
        teacher_BND: the same for the other side.
        student_mask_BM: true at real tokens.
        teacher_mask_BN: the same for the other side.
        settings: the problem; the solver must be `sinkhorn`.
        student_weights_BM: weights of tokens, needed where the marginals are not uniform.
        teacher_weights_BN: the same for the other side.

    Returns:
        Losses and misplaced mass, float32 (B,), 0 for a pair without tokens.
    """
    weights = (student_weights_BM, teacher_weights_BN)
    return _TransportLoss.apply(student_BMD, teacher_BND.detach(), student_mask_BM, teacher_mask_BN, weights, settings)
