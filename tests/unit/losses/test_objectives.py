"""Losses that vanish at the goal, lead towards it, ignore padding, and move the student only."""

import inspect

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings, strategies

from optical.config.objectives import Objectives
from optical.config.transport import TransportSettings
from optical.errors import ConfigError
from optical.losses.late_interaction import max_sim
from optical.losses.objectives import OBJECTIVES, OptimalTransport, PairBatch, build_objective
from optical.losses.transport import transport_plan

SHARP = TransportSettings(regularisation=0.02, iterations=100, marginals="uniform")
EXACT = TransportSettings(solver="exact", marginals="uniform")
SOLVING = [name for name, objective in OBJECTIVES.items() if "transport" in inspect.signature(objective).parameters]


def unit(*shape, seed=0):
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def make(name, **chosen):
    if name in SOLVING:
        chosen = {"transport": SHARP, **chosen}
    return OBJECTIVES[name](**chosen)


def batch_of(pairs=4, m=5, n=6, dimensions=16, seed=0, lengths=True):
    """A batch of ragged pairs; the vectors at padding are of unit length too, to be noticed if used."""
    student_mask, teacher_mask = torch.ones(pairs, m, dtype=torch.bool), torch.ones(pairs, n, dtype=torch.bool)
    if lengths:
        for pair in range(pairs):
            student_mask[pair, m - pair % m :], teacher_mask[pair, n - (pair + 1) % n :] = False, False
    return PairBatch(
        unit(pairs, m, dimensions, seed=seed).requires_grad_(),
        student_mask,
        unit(pairs, n, dimensions, seed=seed + 1).requires_grad_(),
        teacher_mask,
    )


def gradients(objective, batch):
    loss = objective(batch)
    return loss, torch.autograd.grad(loss, [batch.student_BMD, batch.teacher_BND], allow_unused=True)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_only_the_student_gets_a_gradient(name):
    loss, (student, teacher) = gradients(make(name), batch_of())
    assert loss.shape == () and loss.dtype == torch.float32 and loss.isfinite()
    assert student.abs().sum() > 0
    assert teacher is None


@pytest.mark.parametrize("name", OBJECTIVES)
def test_no_gradient_reaches_padding(name):
    batch = batch_of()
    _, (student, _) = gradients(make(name), batch)
    assert (student[~batch.student_mask_BM] == 0).all()


@pytest.mark.parametrize("name", OBJECTIVES)
@given(seed=strategies.integers(0, 50), more_m=strategies.integers(0, 4), more_n=strategies.integers(0, 4))
@settings(max_examples=8, deadline=None)
def test_padding_changes_nothing(name, seed, more_m, more_n):
    batch = batch_of(seed=seed)
    padded = PairBatch(
        torch.cat([batch.student_BMD, unit(4, more_m, 16, seed=8)], 1).detach(),
        F.pad(batch.student_mask_BM, (0, more_m)),
        torch.cat([batch.teacher_BND, unit(4, more_n, 16, seed=9)], 1).detach(),
        F.pad(batch.teacher_mask_BN, (0, more_n)),
    )
    objective = make(name)
    torch.testing.assert_close(objective(padded), objective(batch), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_pairs_without_tokens_do_not_count(name):
    batch = batch_of()
    empty = batch_of(pairs=7, seed=0, lengths=False)
    real = [0, 2, 4, 6]
    for field in ("student_BMD", "student_mask_BM", "teacher_BND", "teacher_mask_BN"):
        getattr(empty, field).data[real] = getattr(batch, field).data
    empty.student_mask_BM[1], empty.teacher_mask_BN[3] = False, False
    empty.student_mask_BM[5], empty.teacher_mask_BN[5] = False, False
    # an English sentence alone would rightly stay a document for the others
    empty.teacher_mask_BN[1] = False
    loss, (student, _) = gradients(make(name), empty)
    expected, (expected_student, _) = gradients(make(name), batch)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(student[real], expected_student, atol=1e-5, rtol=1e-3)
    assert (student[[1, 3, 5]] == 0).all()


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_batch_of_nothing_costs_nothing(name):
    batch = batch_of()
    batch.student_mask_BM[:] = False
    loss, (student, _) = gradients(make(name), batch)
    assert loss == 0 and (student == 0).all()


@pytest.mark.parametrize("name", SOLVING)
@pytest.mark.parametrize(("iterations", "share"), [(1000, 0.0), (1, 1.0)])
def test_plans_that_need_more_iterations_are_counted_among_the_real_pairs(name, iterations, share):
    batch = batch_of()
    batch.student_mask_BM[2] = False
    objective = make(name, transport=SHARP.changed(iterations=iterations))
    objective(batch)
    assert objective.figures["unconverged"] == share
    for transport in (EXACT, SHARP.changed(tolerance=0)):
        objective = make(name, transport=transport)
        objective(batch)
        assert objective.figures == {}


@pytest.mark.parametrize("name", ["optimal_transport", "sentence_mse", "greedy_mse", "score_kd"])
def test_identical_sides_cost_nothing(name):
    batch = batch_of(n=5)
    batch.teacher_BND, batch.teacher_mask_BN = batch.student_BMD.detach(), batch.student_mask_BM
    objective = make(name, transport=EXACT) if name == "optimal_transport" else make(name)
    assert objective(batch).abs() < 1e-5
    different = batch_of(n=5)
    assert objective(different) > 1e-2


@pytest.mark.parametrize("name", [*SOLVING, "sentence_mse", "greedy_mse"])
def test_the_order_of_the_tokens_does_not_matter(name):
    batch = batch_of(m=6, n=6, lengths=False)
    order = torch.randperm(6)
    shuffled = PairBatch(batch.student_BMD[:, order], batch.student_mask_BM, batch.teacher_BND, batch.teacher_mask_BN)
    objective = make(name)
    torch.testing.assert_close(objective(shuffled), objective(batch), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_few_steps_go_downhill(name):
    batch = batch_of()
    free = batch.student_BMD.detach().clone().requires_grad_()
    optimiser = torch.optim.SGD([free], lr=0.3)
    objective, losses = make(name), []
    for _ in range(15):
        batch.student_BMD = F.normalize(free, dim=-1)
        losses.append(objective(batch))
        optimiser.zero_grad()
        losses[-1].backward()
        optimiser.step()
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize(("name", "unroll"), [*((name, False) for name in OBJECTIVES), ("optimal_transport", True)])
def test_the_gradient_matches_finite_differences(name, unroll):
    """At the optimum a constant plan gives the right gradient (envelope theorem); short of it, unrolling does."""
    batch = batch_of(pairs=3, m=3, n=3, dimensions=4)
    objective = make(name)
    if name in SOLVING:
        unrolled = {"unroll": True, "transport": SHARP.changed(regularisation=0.3)}
        objective = make(name, **(unrolled if unroll else {"transport": EXACT}))
    _, (gradient, _) = gradients(objective, batch)
    vectors, step = batch.student_BMD.detach().clone(), 1e-3
    for index in torch.cartesian_prod(torch.arange(3), torch.arange(2), torch.arange(4)).tolist():
        losses = []
        for sign in (1, -1):
            batch.student_BMD = vectors.clone()
            batch.student_BMD[tuple(index)] += sign * step
            losses.append(objective(batch).item())
        numeric = (losses[0] - losses[1]) / (2 * step)
        assert gradient[tuple(index)].item() == pytest.approx(numeric, abs=2e-3, rel=2e-2)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_half_precision_vectors_under_autocast_give_a_float32_loss(name):
    batch = batch_of()
    expected = make(name)(batch)
    batch.student_BMD, batch.teacher_BND = batch.student_BMD.bfloat16(), batch.teacher_BND.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = make(name)(batch)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected, atol=2e-2, rtol=2e-2)


def test_token_weights_reach_the_plan():
    batch = batch_of(lengths=False)
    batch.student_weights_BM, batch.teacher_weights_BN = torch.zeros(4, 5), torch.zeros(4, 6)
    batch.student_weights_BM[:, 2], batch.teacher_weights_BN[:, 3] = 7.0, 0.1
    loss = OptimalTransport()(batch)
    torch.testing.assert_close(loss, (1 - (batch.student_BMD[:, 2] * batch.teacher_BND[:, 3]).sum(1)).mean())


def test_transport_by_default_wants_token_weights_and_says_so():
    with pytest.raises(ConfigError, match=r"marginals 'idf' need token weights.*\[transport\]. Hint: use marginals"):
        OptimalTransport()(batch_of())


def test_max_sim_never_takes_a_masked_token():
    """A product with zero would make the padding win against a negative cosine."""
    query, document = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]), torch.tensor([[[-0.6, -0.8], [1.0, 0.0]]])
    all_real = torch.ones(1, 2, dtype=torch.bool)
    score = max_sim(query, all_real, document, torch.tensor([[True, False]]))
    torch.testing.assert_close(score, torch.tensor([[-1.4]]))
    score = max_sim(query, torch.tensor([[False, True]]), document, all_real)
    torch.testing.assert_close(score, torch.tensor([[0.0]]))


def by_definition(batch):
    """Return the scores query by query and document by document; minus infinity where a document has no token."""
    rows = []
    for query_MD, mask_M in zip(batch.student_BMD, batch.student_mask_BM, strict=True):
        documents = zip(batch.teacher_BND, batch.teacher_mask_BN, strict=True)
        scores = [
            (query_MD[mask_M] @ document_ND[mask_N].T).max(1).values.sum() if mask_N.any() else torch.tensor(-torch.inf)
            for document_ND, mask_N in documents
        ]
        rows.append(torch.stack(scores))
    return torch.stack(rows)


@pytest.mark.parametrize("lengths", [True, False])
def test_max_sim_equals_the_definition_and_so_does_its_gradient(lengths):
    batch = batch_of(pairs=7, lengths=lengths)
    if lengths:
        batch.student_mask_BM[1], batch.teacher_mask_BN[2] = False, False
    vectors = [batch.student_BMD, batch.teacher_BND]
    weights_BB = torch.randn(7, 7, generator=torch.Generator().manual_seed(1))
    scores_BB = max_sim(vectors[0], batch.student_mask_BM, vectors[1], batch.teacher_mask_BN)
    expected_BB = by_definition(batch)
    torch.testing.assert_close(scores_BB, expected_BB)
    finite_BB = expected_BB.isfinite()
    sums = [(torch.where(finite_BB, scores, 0.0) * weights_BB).sum() for scores in (scores_BB, expected_BB)]
    torch.testing.assert_close(*(torch.autograd.grad(one, vectors) for one in sums))


def test_contrastive_is_the_cross_entropy_of_max_sim():
    batch = batch_of(lengths=False)
    score = max_sim(batch.student_BMD, batch.student_mask_BM, batch.teacher_BND, batch.teacher_mask_BN)
    expected = F.cross_entropy(score / 0.5, torch.arange(4))
    torch.testing.assert_close(make("contrastive", temperature=0.5)(batch), expected)


@pytest.mark.parametrize("solver", ["sinkhorn", "exact", "greedy"])
def test_token_contrast_is_the_cross_entropy_of_the_plan_over_all_english_tokens(solver):
    batch = batch_of()
    problem = SHARP.changed(solver=solver)
    cost_BMN = 1 - batch.student_BMD @ batch.teacher_BND.transpose(1, 2)
    plan_BMN = transport_plan(cost_BMN, batch.student_mask_BM, batch.teacher_mask_BN, problem)
    english_TD = batch.teacher_BND[batch.teacher_mask_BN]
    expected, before = 0.0, 0
    for pair in range(4):
        length = int(batch.teacher_mask_BN[pair].sum())
        for token in range(5):
            log_share_T = (batch.student_BMD[pair, token] @ english_TD.T / 0.2).log_softmax(0)
            of_pair = log_share_T[before : before + length]
            expected -= (plan_BMN[pair, token, :length] * of_pair).sum() / 4
        before += length
    torch.testing.assert_close(make("token_contrast", transport=problem, temperature=0.2)(batch), expected)


def test_the_sum_is_weighted_and_reports_its_parts():
    batch = batch_of()
    chosen = {"optimal_transport": 1.0, "contrastive": {"weight": 0.5, "temperature": 2.0}, "sentence_mse": 0}
    loss, terms = build_objective(Objectives.read(chosen), SHARP)(batch)
    assert list(terms) == [*sorted(chosen), "unconverged"] and not any(term.requires_grad for term in terms.values())
    torch.testing.assert_close(terms["contrastive"], make("contrastive", temperature=2.0)(batch).detach())
    torch.testing.assert_close(loss.detach(), terms["optimal_transport"] + 0.5 * terms["contrastive"])


def test_a_config_may_name_each_objective_and_say_all_that_it_takes():
    batch = batch_of()
    batch.student_weights_BM, batch.teacher_weights_BN = (
        mask.float() for mask in (batch.student_mask_BM, batch.teacher_mask_BN)
    )
    assert list(Objectives.model_fields) == sorted(OBJECTIVES)
    for name, objective in OBJECTIVES.items():
        built = build_objective(Objectives.read({name: 1.0})).terms[name]
        torch.testing.assert_close(built(batch), objective()(batch))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({}, "no objective"),
        ({"optimal": 1.0}, "unknown key 'optimal' .*optimal_transport"),
        ({"contrastive": {"temprature": 1.0}}, "temprature.*temperature"),
        ({"contrastive": {"temperature": 0}}, "temperature"),
        ({"score_kd": {"temperature": -1.0}}, "temperature"),
        ({"optimal_transport": "much"}, "much"),
    ],
)
def test_a_wrong_section_is_named(chosen, message):
    with pytest.raises(ConfigError, match=message):
        Objectives.read(chosen, "objectives")


def test_a_solver_that_cannot_be_unrolled_is_named():
    with pytest.raises(ConfigError, match=r"'exact' cannot be unrolled \[optimal_transport\]"):
        build_objective(Objectives.read({"optimal_transport": {"unroll": True}}), EXACT)


@pytest.mark.parametrize("solver", ["sinkhorn", "ipot"])
def test_transport_finds_a_permuted_vocabulary(solver):
    """The method in small: foreign words learn whose vectors to take from nothing but pairs of shuffled sentences."""
    generator = torch.Generator().manual_seed(0)
    words, translation = 40, torch.randperm(40, generator=generator)
    teacher = F.normalize(torch.randn(words, 16, generator=generator), dim=-1)
    student = torch.randn(words, 16, generator=generator).requires_grad_()
    optimiser = torch.optim.Adam([student], lr=0.05)
    objective = OptimalTransport(SHARP.changed(solver=solver, regularisation=0.1, iterations=20))
    mask = torch.ones(64, 6, dtype=torch.bool)
    for _ in range(150):
        english = torch.randint(words, (64, 6), generator=generator)
        order = torch.rand(64, 6, generator=generator).argsort(1)
        foreign = translation[english].gather(1, order)
        loss = objective(PairBatch(F.normalize(student[foreign], dim=-1), mask, teacher[english], mask))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    nearest = (F.normalize(student.detach(), dim=-1) @ teacher.T).argmax(1)
    assert (nearest[translation] == torch.arange(words)).float().mean() > 0.95


def test_token_weights_say_how_much_a_token_counts_in_the_means():
    batch = batch_of(lengths=False)
    batch.student_weights_BM = torch.ones(batch.student_mask_BM.shape)
    batch.teacher_weights_BN = torch.ones(batch.teacher_mask_BN.shape)
    plain, weighted = make("sentence_mse"), make("sentence_mse", token_weights=True)
    torch.testing.assert_close(weighted(batch), plain(batch))
    batch.student_weights_BM[:, 1] = batch.teacher_weights_BN[:, 0] = 0.0
    without = batch_of(lengths=False)
    without.student_mask_BM[:, 1], without.teacher_mask_BN[:, 0] = False, False
    torch.testing.assert_close(weighted(batch), plain(without))
    assert (plain(batch) - plain(without)).abs() > 1e-3
    with pytest.raises(ConfigError, match="marginals: idf"):
        weighted(without)
