"""Optimal transport between the tokens of two sentences, for a whole padded batch at once.

Shapes: B sentence pairs, M student tokens, N teacher tokens, D dimensions of a token vector, 1 an axis that broadcasts.

A *cost* says how far two tokens are apart, the *marginals* how much mass each token sends or receives, and the
*transport plan* how much of it goes from which token to which. Every solver has one signature:

    solver(cost_BMN, student_weights_BM, teacher_weights_BN, settings) -> plan_BMN

All of them are float32. `optical.config.transport.TransportSettings` says what each setting does and has its default.

A token without mass is padding: its row or column of the plan is exactly zero, and it does not change the rest of the
plan. A pair in which one side has no mass gets a zero plan, and the batch does not wait for it.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from optical.config.transport import TransportSettings
from optical.errors import ConfigError

# A smaller weight counts as this, where one is divided by or has its logarithm taken.
SMALLEST_WEIGHT = 1e-30
# Logarithm of the kernel at padding. Not minus infinity, which would give NaN in a pair without tokens.
PADDING = -1e9
# An entry of the plan up to this is none.
SMALLEST_MASS = 1e-25
# An exponential below exp(this) counts as this: subnormal numbers make a CPU forty times slower and weigh nothing.
SMALLEST_EXPONENT = -60.0
# Between two absorptions into the kernel the scalings take so many steps, and the logarithm of one stays below that:
# twice that, for rows and columns, leaves exp(SMALLEST_EXPONENT) negligible.
BLOCK, LARGEST_SCALING = 10, 15.0
# Each step goes so much further than Sinkhorn's (Thibault et al. 2021, arXiv 1711.01851), which takes a third of them.
# Below 2 it converges near the solution; far from it the error may grow, and a pair where it does takes plain steps.
OVER_RELAXATION = 1.8
# Outer steps of ipot between two looks at how far its plan has moved.
IPOT_BLOCK = 25


# --- cost and marginals ---------------------------------------------------------------------------------------------


def token_cost(student_BMD: Tensor, teacher_BND: Tensor) -> Tensor:
    """Return the cosine distances between all token pairs of each sentence pair, with gradient.

    Autocast is off inside, because no solver converges on costs in half precision.

    Args:
        student_BMD: vectors of unit length, of any float type.
        teacher_BND: the same for the other side.

    Returns:
        Distances in [0, 2], float32 (B, M, N).

    >>> token_cost(torch.eye(2)[None], torch.eye(2)[None])
    tensor([[[0., 1.],
             [1., 0.]]])
    """
    with torch.autocast(student_BMD.device.type, enabled=False):
        return 1 - torch.bmm(student_BMD.float(), teacher_BND.float().transpose(1, 2))


def marginals(mask_BM: Tensor, weights_BM: Tensor | None = None) -> Tensor:
    """Return the mass of each token: the share of its sentence that it sends or receives.

    Args:
        mask_BM: true at real tokens.
        weights_BM: not negative, on any scale, such as inverse document frequencies. Without it, or where all weights
            of a sentence are zero, its tokens weigh the same.

    Returns:
        float32 (B, M): 1 in sum for each sentence that has tokens, exactly zero at padding.

    >>> marginals(torch.tensor([[True, True, False], [False, False, False]]))
    tensor([[0.5000, 0.5000, 0.0000],
            [0.0000, 0.0000, 0.0000]])
    """
    mass_BM = uniform_BM = mask_BM.float()
    if weights_BM is not None:
        # where, not a product: the weight of padding may be anything, NaN included
        mass_BM = torch.where(mask_BM.bool(), weights_BM.float(), 0.0)
        mass_BM = torch.where(mass_BM.sum(1, keepdim=True) > 0, mass_BM, uniform_BM)
    return mass_BM / mass_BM.sum(1, keepdim=True).clamp(min=SMALLEST_WEIGHT)


def both_marginals(
    student_mask_BM: Tensor,
    teacher_mask_BN: Tensor,
    settings: TransportSettings,
    student_token_weights: Tensor | None = None,
    teacher_token_weights: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the marginals of both sides of a transport problem; the arguments are those of `transport_plan`.

    Raises:
        ConfigError: the marginals need token weights that a side does not have.
    """
    if settings.marginals == "uniform":
        return marginals(student_mask_BM), marginals(teacher_mask_BN)
    if student_token_weights is None or teacher_token_weights is None:
        what = f"marginals {settings.marginals!r} need token weights, and a side has none"
        raise ConfigError(what, where="transport", hint="use marginals: uniform, or pass the weights of both sides")
    return marginals(student_mask_BM, student_token_weights), marginals(teacher_mask_BN, teacher_token_weights)


def misplaced_mass(plan_BMN: Tensor, student_weights_BM: Tensor, teacher_weights_BN: Tensor) -> Tensor:
    """Return how much mass each plan takes from or gives to the wrong tokens, float32 (B,); 0 for exact marginals.

    It is half the absolute error of the marginals, on the side with the larger error.

    >>> half = torch.tensor([[0.5, 0.5]])
    >>> misplaced_mass(torch.tensor([[[0.5, 0.0], [0.1, 0.4]]]), half, half)
    tensor([0.1000])
    """
    rows_B = (plan_BMN.sum(2) - student_weights_BM).abs().sum(1)
    columns_B = (plan_BMN.sum(1) - teacher_weights_BN).abs().sum(1)
    return torch.maximum(rows_B, columns_B).detach() / 2


def _drop_one_sided(student_weights_BM: Tensor, teacher_weights_BN: Tensor) -> tuple[Tensor, Tensor]:
    """Set both sides of a pair to zero mass if one side has none; otherwise its error never vanishes."""
    both_B1 = (student_weights_BM.sum(1, keepdim=True) > 0) & (teacher_weights_BN.sum(1, keepdim=True) > 0)
    return student_weights_BM.float() * both_B1, teacher_weights_BN.float() * both_B1


def _real(student_weights_BM: Tensor, teacher_weights_BN: Tensor) -> Tensor:
    """Return where both tokens have mass, bool (B, M, N)."""
    return (student_weights_BM > 0)[:, :, None] & (teacher_weights_BN > 0)[:, None, :]


def _problem(cost_BMN: Tensor, student_BM: Tensor, teacher_BN: Tensor, settings: TransportSettings) -> list[Tensor]:
    """Return the start of the entropic solvers: log kernel, weights (positive everywhere), and where these are real.

    Shapes BMN, BM1, B1N, BM1, B1N. The cost at padding may be any finite number.
    """
    student_BM, teacher_BN = _drop_one_sided(student_BM, teacher_BN)
    rows_BM1, columns_B1N = student_BM[:, :, None], teacher_BN[:, None, :]
    m_BM1, n_B1N = rows_BM1 > 0, columns_B1N > 0
    score_BMN = torch.add(torch.where(m_BM1, 0.0, PADDING), cost_BMN.float(), alpha=-1 / settings.regularisation)
    score_BMN = score_BMN.add_(torch.where(n_B1N, 0.0, PADDING))
    return [score_BMN, rows_BM1.clamp(min=SMALLEST_WEIGHT), columns_B1N.clamp(min=SMALLEST_WEIGHT), m_BM1, n_B1N]


# The next three overwrite what they are given, which has to be a temporary: new memory is what takes the time here.


def _plan(exponent_BMN: Tensor) -> Tensor:
    """Return the plan from its logarithm, exactly zero at padding."""
    return torch.nn.functional.threshold(_exp(exponent_BMN), SMALLEST_MASS, 0.0)


def _exp(exponent: Tensor) -> Tensor:
    clamp = exponent.clamp if exponent.requires_grad else exponent.clamp_
    return clamp(min=SMALLEST_EXPONENT).exp_()


def _logsumexp(exponent_BMN: Tensor, dim: int) -> Tensor:
    """Return torch.logsumexp with the axis kept, computed without subnormal numbers."""
    highest = exponent_BMN.detach().amax(dim, keepdim=True)
    return _exp(exponent_BMN.sub_(highest)).sum(dim, keepdim=True).log() + highest


# --- solvers --------------------------------------------------------------------------------------------------------


def sinkhorn(cost_BMN: Tensor, student_BM: Tensor, teacher_BN: Tensor, settings: TransportSettings) -> Tensor:
    """Solve entropic transport (Cuturi, NIPS 2013) by stabilised, over-relaxed scaling, each pair until it converges.

    The first iteration runs in the log domain. The others scale a kernel that has absorbed the potentials f and g.
    Every few iterations the kernel is computed again from the cost (Schmitzer 2019, arXiv 1610.06519), so float32 is
    precise enough. The kernel is the current plan. A pair leaves the batch when its plan misplaces less than the
    tolerance.
    """
    score_BMN, rows_BM1, columns_B1N, m_BM1, n_B1N = _problem(cost_BMN, student_BM, teacher_BN, settings)
    f_BM1 = torch.where(m_BM1, rows_BM1.log() - _logsumexp(score_BMN + columns_B1N.log(), 2), 0.0)
    g_B1N = torch.where(n_B1N, columns_B1N.log() - _logsumexp(score_BMN + f_BM1, 1), 0.0)
    rows_B1M = rows_BM1.transpose(1, 2)
    left_B = torch.arange(len(cost_BMN), device=cost_BMN.device)
    misplaced_B = torch.zeros(len(cost_BMN), device=cost_BMN.device)  # none yet, so that the first steps are plain
    plans, places, done = [], [], 1
    while True:
        kernel_BMN = _exp((score_BMN + f_BM1).add_(g_B1N))
        before_B, misplaced_B = misplaced_B, misplaced_mass(kernel_BMN, rows_B1M[:, 0], columns_B1N[:, 0])
        enough_B = (misplaced_B < settings.tolerance) | (done >= settings.iterations)
        if enough_B.any():
            plans.append(kernel_BMN[enough_B])
            places.append(left_B[enough_B])
            parts = left_B, before_B, misplaced_B, score_BMN, kernel_BMN, f_BM1, g_B1N, rows_B1M, columns_B1N
            going = [part[~enough_B] for part in parts]
            left_B, before_B, misplaced_B, score_BMN, kernel_BMN, f_BM1, g_B1N, rows_B1M, columns_B1N = going
        if not len(left_B):
            break
        # both orders in memory: a row vector times a matrix is three times as fast as a matrix times a column
        kernel_BNM = kernel_BMN.transpose(1, 2).contiguous()
        power_B11 = torch.where(misplaced_B < before_B, OVER_RELAXATION, 1.0)[:, None, None]
        log_rows_B1M, log_columns_B1N = rows_B1M.log(), columns_B1N.log()
        u_B1M, v_B1N = torch.zeros_like(rows_B1M), torch.zeros_like(columns_B1N)  # logarithms of the scalings
        steps = min(BLOCK, settings.iterations - done)
        for _ in range(steps):
            u_B1M = _towards(log_rows_B1M - torch.bmm(v_B1N.exp(), kernel_BNM).log(), u_B1M, power_B11)
            v_B1N = _towards(log_columns_B1N - torch.bmm(u_B1M.exp(), kernel_BMN).log(), v_B1N, power_B11)
        f_BM1 = f_BM1 + u_B1M.transpose(1, 2)
        g_B1N = g_B1N + v_B1N
        done += steps
    plan_BMN = torch.cat(plans)[torch.cat(places).argsort()]
    return torch.nn.functional.threshold(plan_BMN, SMALLEST_MASS, 0.0)


def _towards(aim: Tensor, scaling: Tensor, power: Tensor) -> Tensor:
    """Return the logarithm of a scaling, moved to its aim, beyond it where the power is above 1, and within bounds."""
    return (scaling + power * (aim - scaling)).clamp(-LARGEST_SCALING, LARGEST_SCALING)


def ipot(cost_BMN: Tensor, student_BM: Tensor, teacher_BN: Tensor, settings: TransportSettings) -> Tensor:
    """Solve transport without entropy by inexact proximal steps (Xie et al., UAI 2019, algorithm 1), in the log domain.

    An outer step approximately solves an entropic problem relative to the last plan, by `inner_iterations` scalings.
    The scaling of the columns carries over. The column sums are always right. The row sums are wrong, in any precision,
    if steps are long and scalings few: with beta 0.01 and one scaling, up to a third of the mass is misplaced after 50
    steps, and the plan costs less than the optimum. Twenty scalings fix that. Outside the log domain, float32 would
    underflow.
    """
    score_BMN, rows_BM1, columns_B1N, m_BM1, n_B1N = _problem(cost_BMN, student_BM, teacher_BN, settings)
    rows_BM1, columns_B1N = rows_BM1.log(), columns_B1N.log()
    plan_BMN, log_plan_BMN, v_B1N = None, rows_BM1 + columns_B1N, torch.zeros_like(columns_B1N)
    for step in range(1, settings.iterations + 1):
        log_kernel_BMN = log_plan_BMN + score_BMN
        for _ in range(settings.inner_iterations):
            u_BM1 = torch.where(m_BM1, rows_BM1 - _logsumexp(log_kernel_BMN + v_B1N, 2), 0.0)
            v_B1N = torch.where(n_B1N, columns_B1N - _logsumexp(log_kernel_BMN + u_BM1, 1), 0.0)
        log_plan_BMN = log_kernel_BMN + u_BM1 + v_B1N
        if settings.tolerance > 0 and step % IPOT_BLOCK == 0:
            # the marginals alone would not do: they may hold long before the plan has stopped moving
            previous_BMN, plan_BMN = plan_BMN, _exp(log_plan_BMN.clone())
            if previous_BMN is not None and (plan_BMN - previous_BMN).abs().sum((1, 2)).max() < settings.tolerance:
                break
    return _plan(log_plan_BMN.clone())


def exact(cost_BMN: Tensor, student_BM: Tensor, teacher_BN: Tensor, settings: TransportSettings) -> Tensor:
    """Find the optimum by the network simplex, pair by pair on the CPU in float64, for tests; without gradient."""
    import ot

    student_BM, teacher_BN = _drop_one_sided(student_BM, teacher_BN)
    plan_BMN = torch.zeros(cost_BMN.shape)
    costs, rows, columns = (x.detach().double().cpu().numpy() for x in (cost_BMN, student_BM, teacher_BN))
    for pair, (cost, row, column) in enumerate(zip(costs, rows, columns, strict=True)):
        m, n = row.nonzero()[0], column.nonzero()[0]
        if len(m):
            plan = ot.emd(row[m] / row[m].sum(), column[n] / column[n].sum(), cost[m[:, None], n])
            plan_BMN[pair, m[:, None], n] = torch.from_numpy(plan).float()
    return plan_BMN.to(cost_BMN.device)


def greedy(cost_BMN: Tensor, student_BM: Tensor, teacher_BN: Tensor, settings: TransportSettings) -> Tensor:
    """Match tokens one to one, the cheapest pair first: the alignment of DR.DECR (Li et al. 2022, arXiv 2112.08185).

    Each of the min(m, n) matches carries the same mass, 1 in sum. The other tokens of the longer side get none, so the
    marginals hold only if both sides have the same number of tokens. The plan has no gradient.
    """
    student_BM, teacher_BN = _drop_one_sided(student_BM, teacher_BN)
    left_BMN = cost_BMN.detach().float().masked_fill(~_real(student_BM, teacher_BN), torch.inf)
    plan_BMN = torch.zeros_like(left_BMN)
    (B, M, N), pairs_B = left_BMN.shape, torch.arange(len(left_BMN), device=left_BMN.device)
    for _ in range(min(M, N)):
        lowest_B, flat_B = left_BMN.reshape(B, M * N).min(1)
        m_B, n_B = flat_B // N, flat_B % N
        plan_BMN[pairs_B, m_B, n_B] += lowest_B.isfinite().float()
        left_BMN[pairs_B, m_B, :] = torch.inf
        left_BMN[pairs_B, :, n_B] = torch.inf
    return plan_BMN / plan_BMN.sum((1, 2), keepdim=True).clamp(min=1)


SOLVERS: dict[str, Callable[[Tensor, Tensor, Tensor, TransportSettings], Tensor]] = {
    "sinkhorn": sinkhorn,
    "ipot": ipot,
    "exact": exact,
    "greedy": greedy,
}
# Solvers whose iterations can be differentiated through.
UNROLLABLE = ("sinkhorn", "ipot")


def check_can_unroll(settings: TransportSettings, where: str) -> None:
    """Raise `ConfigError` if the iterations of the solver cannot be differentiated through."""
    if settings.solver not in UNROLLABLE:
        what = f"solver {settings.solver!r} cannot be unrolled"
        raise ConfigError(what, where=where, hint=f"use one of {', '.join(UNROLLABLE)}")


def transport_plan(
    cost_BMN: Tensor,
    student_mask_BM: Tensor,
    teacher_mask_BN: Tensor,
    settings: TransportSettings = TransportSettings(),
    student_token_weights: Tensor | None = None,
    teacher_token_weights: Tensor | None = None,
    unroll: bool = False,
) -> Tensor:
    """Return the transport plan of each pair of a batch.

    The plan is a constant. That is fast, and gives the right gradient at an optimum (envelope theorem).

    Args:
        cost_BMN: distances between tokens, of any float type; `token_cost` gives cosine distances.
        student_mask_BM: true at real tokens.
        teacher_mask_BN: the same for the other side.
        settings: the problem and its solver.
        student_token_weights: (B, M), not negative, on any scale; used where `settings.marginals` is not uniform.
        teacher_token_weights: (B, N), the same for the other side.
        unroll: differentiate through the iterations of the solver instead.

    Returns:
        float32 (B, M, N), exactly zero at padding.

    Raises:
        ConfigError: the marginals need token weights that a side does not have, or the solver cannot be unrolled.

    >>> mask = torch.ones(1, 2, dtype=torch.bool)
    >>> settings = TransportSettings(regularisation=0.5, marginals="uniform")
    >>> transport_plan(torch.tensor([[[0.0, 1.0], [1.0, 0.0]]]), mask, mask, settings).round(decimals=3)
    tensor([[[0.4400, 0.0600],
             [0.0600, 0.4400]]])
    """
    if unroll:
        check_can_unroll(settings, "transport")
    token_weights = student_token_weights, teacher_token_weights
    student_weights_BM, teacher_weights_BN = both_marginals(student_mask_BM, teacher_mask_BN, settings, *token_weights)
    if not cost_BMN.numel():
        return torch.zeros(cost_BMN.shape, device=cost_BMN.device)
    with_grad = unroll and torch.is_grad_enabled()
    with torch.set_grad_enabled(with_grad), torch.autocast(cost_BMN.device.type, enabled=False):
        return SOLVERS[settings.solver](cost_BMN.float(), student_weights_BM, teacher_weights_BN, settings)
