"""Plans that are feasible, optimal, blind to padding, and in float32 whatever comes in."""

from typing import get_args

import pytest
import torch
from hypothesis import given, settings, strategies

from optical.config.transport import TransportSettings
from optical.errors import ConfigError
from optical.losses.transport import (
    BLOCK,
    OVER_RELAXATION,
    SOLVERS,
    UNROLLABLE,
    greedy,
    marginals,
    misplaced_mass,
    sinkhorn,
    token_cost,
    transport_plan,
)

BALANCED = ("sinkhorn", "ipot", "exact")
# Enough to converge: ipot spends twenty scalings on each of its iterations.
SHARP = {"tolerance": 0.0, "iterations": 500}
SHARP_IPOT = {"tolerance": 0.0, "iterations": 60, "inner_iterations": 20}


def random_costs(pairs=4, m=6, n=5, seed=0, dimensions=8):
    generator = torch.Generator().manual_seed(seed)
    student, teacher = (
        torch.nn.functional.normalize(torch.randn(pairs, tokens, dimensions, generator=generator), dim=-1)
        for tokens in (m, n)
    )
    return token_cost(student, teacher)


def full(cost):
    """Masks without padding."""
    pairs, m, n = cost.shape
    return torch.ones(pairs, m, dtype=torch.bool), torch.ones(pairs, n, dtype=torch.bool)


def problem(**changes):
    """Return settings: a soft plan between tokens of the same weight, where a test does not say otherwise."""
    return TransportSettings(**{"regularisation": 0.1, "marginals": "uniform"} | changes)


def converged(solver, regularisation, **changes):
    """Return settings with which a solver reaches its solution, small as the regularisation may be."""
    return problem(
        solver=solver, regularisation=regularisation, **(SHARP_IPOT if solver == "ipot" else SHARP), **changes
    )


def value(plan, cost):
    return (plan * cost).sum((1, 2))


@pytest.mark.parametrize("solver", BALANCED)
@pytest.mark.parametrize("regularisation", [0.1, 0.03, 0.01])
def test_a_plan_has_its_marginals(solver, regularisation):
    cost = random_costs()
    plan = transport_plan(cost, *full(cost), converged(solver, regularisation))
    assert (plan >= 0).all()
    torch.testing.assert_close(plan.sum(2), torch.full((4, 6), 1 / 6), atol=2e-3, rtol=0)
    torch.testing.assert_close(plan.sum(1), torch.full((4, 5), 1 / 5), atol=2e-3, rtol=0)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(0, 2, 3), (2, 0, 3), (2, 3, 0)])
def test_nothing_to_transport_is_an_empty_plan(solver, shape):
    cost = torch.zeros(shape)
    assert transport_plan(cost, *full(cost), problem(solver=solver)).shape == shape


@pytest.mark.parametrize("solver", BALANCED)
@pytest.mark.parametrize("regularisation", [0.1, 0.01])
def test_no_plan_is_cheaper_than_the_optimum(solver, regularisation):
    """Catches underflow: an infeasible plan costs less than is possible."""
    cost = random_costs(pairs=16, m=12, n=15)
    plan = transport_plan(cost, *full(cost), converged(solver, regularisation))
    optimum = value(transport_plan(cost, *full(cost), problem(solver="exact")), cost)
    assert (value(plan, cost) >= optimum - 1e-3).all()


@pytest.mark.parametrize(("solver", "gap"), [("sinkhorn", 0.02), ("ipot", 1e-3)])
def test_a_sharp_plan_is_nearly_optimal(solver, gap):
    cost = random_costs(pairs=8, m=12, n=12)
    plan = transport_plan(cost, *full(cost), converged(solver, 0.01))
    optimum = value(transport_plan(cost, *full(cost), problem(solver="exact")), cost)
    assert (value(plan, cost) <= optimum + gap).all()


@pytest.mark.parametrize("solver", BALANCED)
def test_a_plan_is_not_the_product_of_its_marginals(solver):
    """Catches a sign error, whose marginals are perfect: the plan must be better than no alignment at all."""
    cost = random_costs()
    plan = transport_plan(cost, *full(cost), problem(solver=solver, regularisation=0.05))
    assert (value(plan, cost) < 0.8 * cost.mean((1, 2))).all()


def test_pot_proximal_is_still_wrong():
    """A canary for POT issue 842. When it fails, POT is fixed: test its proximal solver as a peer of ipot."""
    import ot.batch

    cost = random_costs(pairs=4, m=8, n=8)
    plan = ot.batch.solve_batch(cost, max_iter=500).plan
    optimum = value(transport_plan(cost, *full(cost), problem(solver="exact")), cost)
    assert (value(plan, cost) > optimum + 0.1).all()


@pytest.mark.parametrize(("regularisation", "spread"), [(0.5, 2), (0.1, 2), (0.03, 0)])
@pytest.mark.parametrize("iterations", [1, 2, 10, 60])
def test_sinkhorn_has_the_iterates_of_the_log_domain(regularisation, iterations, spread):
    """Equal after each number of iterations, as far as float32 can tell potentials of size 2 / regularisation apart.

    The vectors fill three dimensions only, and weights may be a hundred times apart: the potentials travel far.
    """
    cost, weights = random_costs(pairs=16, m=20, n=13, seed=4, dimensions=3), spread_weights(16, 20, spread)
    rows, columns = (marginals(mask, weight) for mask, weight in zip(full(cost), (weights, None), strict=True))
    chosen = problem(regularisation=regularisation, iterations=iterations, tolerance=0.0)
    difference = sinkhorn(cost, rows, columns, chosen) - log_domain_plan(
        cost, rows, columns, regularisation, iterations
    )
    assert difference.abs().sum((1, 2)).max() < 1e-5 + 5e-7 / regularisation


def spread_weights(pairs, tokens, spread):
    """Return weights that are up to 10 ** spread times apart."""
    return 10 ** (-spread * torch.rand(pairs, tokens, generator=torch.Generator().manual_seed(5)))


def log_domain_plan(cost, rows, columns, regularisation, iterations):
    """Over-relaxed Sinkhorn in the log domain and float64, where a pair's error has shrunk since the last look."""
    score, rows, columns = cost.double() / -regularisation, rows.double(), columns.double()
    f, g = torch.zeros(*rows.shape, 1, dtype=torch.double), torch.zeros(len(rows), 1, columns.shape[1])
    power, misplaced = torch.ones(len(rows), 1, 1), torch.zeros(len(rows))
    for done in range(iterations):
        f = f + power * (rows.log()[:, :, None] - torch.logsumexp(score + g, 2, keepdim=True) - f)
        g = g + power * (columns.log()[:, None] - torch.logsumexp(score + f, 1, keepdim=True) - g)
        if done % BLOCK == 0:
            before, misplaced = misplaced, misplaced_mass((score + f + g).exp(), rows, columns)
            power = torch.where(misplaced < before, OVER_RELAXATION, 1.0)[:, None, None]
    return (score + f + g).exp().float()


@pytest.mark.parametrize("regularisation", [0.1, 0.03, 0.01, 0.003, 0.001])
@pytest.mark.parametrize("spread", [0, 4])
def test_sinkhorn_misplaces_no_more_than_the_tolerance(regularisation, spread):
    """This holds for sharp plans and for weights up to 10,000 times apart."""
    cost, weights = random_costs(pairs=16, m=20, n=13, seed=4, dimensions=3), spread_weights(16, 20, spread)
    rows, columns = (marginals(mask, weight) for mask, weight in zip(full(cost), (weights, None), strict=True))
    chosen = problem(regularisation=regularisation, iterations=10**5, tolerance=1e-3)
    plan = sinkhorn(cost, rows, columns, chosen)
    assert misplaced_mass(plan, rows, columns).max() < 1e-3


def test_sinkhorn_survives_what_float32_can_not_hold():
    """Costs two thousand times the regularisation, weights a million times apart: finite, feasible, no free lunch."""
    cost = 4 * random_costs(pairs=8, m=16, n=16, seed=2)
    weights = 10 ** (-6 * torch.rand(8, 16, generator=torch.Generator().manual_seed(3)))
    masks = full(cost)
    weighted = problem(marginals="idf", regularisation=0.004, iterations=500, tolerance=0.0)
    plan = transport_plan(cost, *masks, weighted, weights, weights.flip(1))
    assert plan.isfinite().all()
    torch.testing.assert_close(plan.sum(1), marginals(masks[1], weights.flip(1)), atol=1e-4, rtol=1e-3)
    optimum = transport_plan(cost, *masks, problem(solver="exact", marginals="idf"), weights, weights.flip(1))
    row_error = (plan.sum(2) - marginals(masks[0], weights)).abs().sum(1)
    assert (value(plan, cost) >= value(optimum, cost) - 8 * row_error - 1e-3).all()


@pytest.mark.parametrize("beta", [0.5, 0.05, 0.01])
def test_ipot_has_the_iterates_of_algorithm_1(beta):
    """Xie et al.'s algorithm 1 as printed, in the plain domain, where float64 is wide enough for it."""
    cost = random_costs(pairs=6, m=9, n=7, seed=7)
    rows, columns = (marginals(mask).double() for mask in full(cost))
    kernel, plan = (cost.double() / -beta).exp(), torch.ones_like(cost, dtype=torch.double)
    b = torch.ones(6, 7, dtype=torch.double)
    for _ in range(20):
        q = kernel * plan
        a = rows / (q * b[:, None]).sum(2)
        b = columns / (q * a[:, :, None]).sum(1)
        plan = a[:, :, None] * q * b[:, None]
    ours = transport_plan(cost, *full(cost), problem(solver="ipot", regularisation=beta, iterations=20))
    torch.testing.assert_close(ours, plan.float(), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("solver", list(SOLVERS))
@given(data=strategies.data())
@settings(max_examples=8, deadline=None)
def test_padding_changes_nothing(solver, data):
    m, n = data.draw(strategies.integers(1, 7)), data.draw(strategies.integers(1, 7))
    more_m, more_n = data.draw(strategies.integers(0, 5)), data.draw(strategies.integers(0, 5))
    cost = random_costs(2, m, n, seed=data.draw(strategies.integers(0, 99)))
    few = {
        "tolerance": 0.0,
        "iterations": 50,
    }  # after a thousand of ipot's, last digits decide
    chosen = problem(solver=solver, regularisation=data.draw(strategies.sampled_from([0.1, 0.01])), **few)
    plan = transport_plan(cost, *full(cost), chosen)
    padded_cost = torch.full((2, m + more_m, n + more_n), data.draw(strategies.sampled_from([0.0, 1.0, 2.0])))
    padded_cost[:, :m, :n] = cost
    masks = torch.zeros(2, m + more_m, dtype=torch.bool), torch.zeros(2, n + more_n, dtype=torch.bool)
    masks[0][:, :m], masks[1][:, :n] = True, True
    padded = transport_plan(padded_cost, *masks, chosen)
    torch.testing.assert_close(padded[:, :m, :n], plan, atol=2e-5, rtol=1e-3)
    padded[:, :m, :n] = 0
    assert (padded == 0).all()


@pytest.mark.parametrize("solver", list(SOLVERS))
def test_reordering_tokens_reorders_the_plan(solver):
    cost = random_costs(3, 7, 6, seed=4)
    chosen = problem(solver=solver, regularisation=0.1)
    rows, columns = torch.randperm(7), torch.randperm(6)
    plan = transport_plan(cost, *full(cost), chosen)
    reordered = cost[:, rows][:, :, columns]
    torch.testing.assert_close(
        transport_plan(reordered, *full(cost), chosen), plan[:, rows][:, :, columns], atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("solver", list(SOLVERS))
def test_a_pair_without_tokens_has_no_plan_and_delays_nobody(solver):
    cost = random_costs(4)
    masks = full(cost)
    masks[0][0], masks[1][0] = False, False
    masks[0][1], masks[1][2] = False, False
    chosen = problem(solver=solver, regularisation=0.2, iterations=2000, tolerance=1e-3)
    plan = transport_plan(cost, *masks, chosen)
    assert (plan[:3] == 0).all()
    torch.testing.assert_close(plan[3:], transport_plan(cost[3:], masks[0][3:], masks[1][3:], chosen))


@pytest.mark.parametrize("solver", ["sinkhorn", "ipot"])
def test_what_stands_at_padding_is_not_looked_at(solver):
    """A free padding token beside dear real ones, far more than the regularisation apart: no sum may see it."""
    cost = torch.full((1, 3, 3), 2.0)
    cost[0, 2], cost[0, :, 2] = 0.0, 0.0
    cost[0, 2, 2] = -5.0
    mask = torch.tensor([[True, True, False]])
    plan = transport_plan(cost, mask, mask, problem(solver=solver, regularisation=0.01, iterations=1, tolerance=0.0))
    torch.testing.assert_close(plan[0, :2, :2], torch.full((2, 2), 0.25), atol=1e-4, rtol=0)


@pytest.mark.parametrize("solver", ["sinkhorn", "ipot"])
def test_iteration_stops_once_the_marginals_hold(solver, monkeypatch):
    """Counts log-sum-exps and kernels: the budget of a million iterations is not spent, empty pair or not."""
    import optical.losses.transport as module

    calls = []
    original = module._exp
    monkeypatch.setattr(module, "_exp", lambda x: calls.append(1) or original(x))
    cost = random_costs(3)
    masks = full(cost)
    masks[0][0] = False
    transport_plan(cost, *masks, problem(solver=solver, regularisation=0.2, iterations=10**6, tolerance=1e-3))
    assert len(calls) < 5000


def test_iteration_goes_on_until_the_marginals_hold():
    """Every pair must be within the tolerance, however many are so from the start."""
    cost = random_costs(pairs=16, m=20, n=20)
    cost[:15] = 1.0
    plan = transport_plan(cost, *full(cost), problem(regularisation=0.03, iterations=10**4, tolerance=1e-4))
    early = transport_plan(cost, *full(cost), problem(regularisation=0.03, iterations=5))
    assert (early.sum(2) - 1 / 20).abs().sum(1).max() > 1e-3
    assert (plan.sum(2) - 1 / 20).abs().sum(1).max() < 2e-4


@pytest.mark.parametrize("solver", list(SOLVERS))
@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_costs_give_float32_plans(solver, precision):
    cost = random_costs(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plan = transport_plan(cost.to(precision), *full(cost), problem(solver=solver))
    assert plan.dtype == torch.float32
    expected = transport_plan(cost.to(precision).float(), *full(cost), problem(solver=solver))
    torch.testing.assert_close(plan, expected, atol=0, rtol=0)


def test_the_cost_is_float32_under_autocast_and_has_a_gradient():
    vectors = torch.nn.functional.normalize(torch.randn(2, 5, 16), dim=-1).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cost = token_cost(vectors, vectors.detach())
    assert cost.dtype == torch.float32
    torch.testing.assert_close(cost.diagonal(dim1=1, dim2=2), torch.zeros(2, 5), atol=1e-6, rtol=0)
    assert torch.autograd.grad(cost.sum(), vectors)[0].abs().sum() > 0


def test_a_plan_is_a_constant_unless_unrolled():
    cost = random_costs().requires_grad_()
    assert not transport_plan(cost, *full(cost), problem()).requires_grad
    assert transport_plan(cost, *full(cost), problem(), unroll=True).requires_grad


@pytest.mark.parametrize("solver", UNROLLABLE)
def test_unrolled_gradient_matches_finite_differences(solver):
    cost = random_costs(1, 4, 3, seed=5).requires_grad_()
    masks = full(cost)
    masks[0][0, -1] = False
    chosen = problem(solver=solver, regularisation=0.3, iterations=25, tolerance=0.0)

    def loss(cost):
        return (transport_plan(cost, *masks, chosen, unroll=True) * cost).sum()

    gradient = torch.autograd.grad(loss(cost), cost)[0]
    assert gradient.isfinite().all() and (gradient[0, -1] == 0).all()
    step, numeric = 1e-2, torch.zeros_like(cost)
    for i in range(4):
        for j in range(3):
            shift = torch.zeros_like(cost)
            shift[0, i, j] = step
            numeric[0, i, j] = (loss(cost + shift) - loss(cost - shift)).detach() / (2 * step)
    torch.testing.assert_close(gradient, numeric, atol=2e-3, rtol=1e-2)


def test_marginals_follow_the_weights_and_never_the_padding():
    mask = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 0, 0]])
    weights = torch.tensor([[1.0, 3.0, float("nan")], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    expected = torch.tensor([[0.25, 0.75, 0.0], [1 / 3, 1 / 3, 1 / 3], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(marginals(mask, weights), expected)


@pytest.mark.parametrize("solver", BALANCED)
def test_a_token_of_weight_zero_takes_no_part(solver):
    cost = random_costs(1, 3, 3)
    weights = torch.tensor([[1.0, 0.0, 2.0]])
    plan = transport_plan(cost, *full(cost), converged(solver, 0.1, marginals="idf"), weights, weights)
    assert (plan[0, 1] == 0).all() and (plan[0, :, 1] == 0).all()
    torch.testing.assert_close(plan.sum(2), torch.tensor([[1 / 3, 0.0, 2 / 3]]), atol=1e-3, rtol=0)


def test_uniform_marginals_ignore_the_weights():
    cost = random_costs(1, 3, 3)
    weights = torch.tensor([[1.0, 5.0, 2.0]])
    torch.testing.assert_close(
        transport_plan(cost, *full(cost), problem(), weights, weights), transport_plan(cost, *full(cost), problem())
    )


def test_greedy_takes_the_cheapest_pair_first_even_where_that_is_not_optimal():
    cost = torch.tensor([[[0.1, 0.2], [0.2, 0.9]]])
    plan = greedy(cost, torch.full((1, 2), 0.5), torch.full((1, 2), 0.5), TransportSettings())
    torch.testing.assert_close(plan, torch.tensor([[[0.5, 0.0], [0.0, 0.5]]]))


def test_greedy_matches_one_to_one_and_leaves_the_rest():
    cost = random_costs(5, 7, 4, seed=6)
    plan = transport_plan(cost, *full(cost), problem(solver="greedy"))
    assert set(plan.unique().tolist()) == {0.0, 0.25}
    assert ((plan > 0).sum(1) == 1).all() and ((plan > 0).sum(2) <= 1).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"solver": "simplex"},
        {"regularisation": 0.0},
        {"iterations": 0},
        {"tolerance": -1.0},
        {"regularization": 0.1},
    ],
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TransportSettings.read(wrong, "transport")


def test_the_solvers_are_those_that_a_config_may_name():
    assert set(SOLVERS) == set(get_args(TransportSettings.model_fields["solver"].annotation))


def test_weights_that_the_marginals_need_must_be_there():
    cost = random_costs()
    with pytest.raises(ConfigError, match=r"token weights.*\[transport\]"):
        transport_plan(cost, *full(cost))


@pytest.mark.parametrize("solver", sorted(set(SOLVERS) - set(UNROLLABLE)))
def test_what_has_no_gradient_is_not_unrolled(solver):
    cost = random_costs()
    with pytest.raises(ConfigError, match="unrolled"):
        transport_plan(cost, *full(cost), problem(solver=solver), unroll=True)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("empty", [0, 1])
@pytest.mark.parametrize("widths", [(4, 16), (16, 4)])
def test_a_pair_without_tokens_on_one_side_spoils_no_batch_whose_widths_differ_fourfold(solver, empty, widths):
    cost_BMN = random_costs(2, *widths).requires_grad_()
    masks = [torch.ones(2, width, dtype=torch.bool) for width in widths]
    masks[empty][1] = False
    settings = TransportSettings(solver=solver, regularisation=0.05, marginals="uniform")
    plan_BMN = transport_plan(cost_BMN, *masks, settings)
    (plan_BMN * cost_BMN).sum().backward()
    assert plan_BMN.isfinite().all() and cost_BMN.grad.isfinite().all()
    assert (plan_BMN[1] == 0).all() and abs(plan_BMN[0].sum() - 1) < 1e-3
