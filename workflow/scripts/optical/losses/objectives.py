"""The distillation losses, which compare the student's vectors of a sentence with the teacher's of its translation.

Shapes: B sentence pairs, M student tokens, N teacher tokens, T teacher tokens of all pairs, D dimensions, 1 an axis
that broadcasts. Vectors are of unit length; masks are true at real tokens.

Each objective is a small module over a PairBatch. It returns the mean over the pairs that have tokens on both sides, a
scalar in float32, with gradient to the student only. `build_objective` sums several of them, as the config says.

Example: pull the token vectors of a student to those of a teacher.

    >>> student, teacher = nn.Linear(8, 4), torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(1))
    >>> foreign_BMH = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(2))
    >>> optimiser = torch.optim.Adam(student.parameters(), lr=0.05)
    >>> objective, losses = OptimalTransport(TransportSettings(marginals="uniform")), []
    >>> for _ in range(30):
    ...     student_BMD, teacher_BND = F.normalize(student(foreign_BMH), dim=-1), F.normalize(teacher, dim=-1)
    ...     loss = objective(PairBatch(student_BMD, torch.ones(3, 5), teacher_BND, torch.ones(3, 6)))
    ...     loss.backward()
    ...     optimiser.step()
    ...     optimiser.zero_grad()
    ...     losses.append(loss.item())
    >>> losses[-1] < losses[0] / 2
    True
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from optical.config.objectives import (
    Objectives,
    OptimalTransportObjective,
    SentenceMSEObjective,
    TemperatureObjective,
    TokenContrastObjective,
)
from optical.config.transport import TransportSettings
from optical.errors import ConfigError
from optical.losses.late_interaction import max_sim
from optical.losses.transport import (
    UNROLLABLE,
    both_marginals,
    check_can_unroll,
    greedy,
    marginals,
    misplaced_mass,
    token_cost,
    transport_plan,
)

# The defaults of what an objective takes beside its batch have one home, the config.
TRANSPORT, MSE, SCORES = OptimalTransportObjective(), SentenceMSEObjective(), TemperatureObjective()
TOKENS = TokenContrastObjective()


@dataclass
class PairBatch:
    """Encoded sentence pairs: the student's foreign sentences and the teacher's English ones.

    Attributes:
        student_BMD: unit vectors of the student's tokens, of any float type.
        student_mask_BM: true at real tokens.
        teacher_BND: unit vectors of the teacher's tokens.
        teacher_mask_BN: true at real tokens.
        student_weights_BM: weights of tokens in the marginals, not negative, on any scale (such as inverse document
            frequencies); None where all weigh the same.
        teacher_weights_BN: the same for the teacher's side.
    """

    student_BMD: Tensor
    student_mask_BM: Tensor
    teacher_BND: Tensor
    teacher_mask_BN: Tensor
    student_weights_BM: Tensor | None = None
    teacher_weights_BN: Tensor | None = None

    def real_pairs(self) -> Tensor:
        """Return which pairs have a token on both sides; only these count: bool (B,)."""
        return self.student_mask_BM.bool().any(1) & self.teacher_mask_BN.bool().any(1)

    def swapped(self) -> "PairBatch":
        """Return the batch in which the English side learns from the foreign one."""
        weights = (self.teacher_weights_BN, self.student_weights_BM)
        return PairBatch(self.teacher_BND, self.teacher_mask_BN, self.student_BMD, self.student_mask_BM, *weights)


def unconverged(misplaced_B: Tensor, real_B: Tensor, transport: TransportSettings) -> dict[str, Tensor]:
    """Return the share of the real pairs whose plan misplaces more mass than the tolerance, by name, to be shown.

    Solvers that do not iterate, and those that never stop early, have no such figure.
    """
    if transport.solver not in UNROLLABLE or not transport.tolerance:
        return {}
    return {"unconverged": mean_over_pairs((misplaced_B > transport.tolerance).float(), real_B)}


def mean_over_pairs(loss_B: Tensor, real_B: Tensor) -> Tensor:
    """Return the mean over the real pairs; 0 with a gradient of 0 if no pair is real.

    >>> mean_over_pairs(torch.tensor([1.0, 3.0, 9.0]), torch.tensor([True, True, False]))
    tensor(2.)
    """
    return torch.where(real_B, loss_B, 0.0).sum() / real_B.sum().clamp(min=1)


class OptimalTransport(nn.Module):
    """OPTICAL (Huang, Yu, Allan, WSDM 2023): the transport cost between the student's and the teacher's tokens.

    On a GPU that supports it, one fused kernel computes the same numbers. After a call, `figures` holds the share of
    pairs whose plan misplaces more mass than the tolerance (`unconverged`). The default problem weighs tokens by their
    inverse document frequency: batches then carry `student_weights_BM` and `teacher_weights_BN`.

    >>> words = torch.eye(2)[None]
    >>> batch = PairBatch(words, torch.ones(1, 2), words.flip(1), torch.ones(1, 2))
    >>> OptimalTransport(TransportSettings(marginals="uniform"))(batch) < 1e-6
    tensor(True)
    """

    def __init__(
        self,
        transport: TransportSettings = TransportSettings(),
        unroll: bool = TRANSPORT.unroll,
        fused: bool = TRANSPORT.fused,
    ):
        """Choose the transport problem and how to solve it.

        Args:
            transport: the problem and its solver.
            unroll: differentiate through the iterations of the solver; otherwise the plan is a constant.
            fused: use the fused kernel on a GPU.

        Raises:
            ConfigError: the solver cannot be unrolled.
        """
        super().__init__()
        self.transport, self.unroll = transport, unroll
        self.figures: dict[str, Tensor] = {}
        self.fused = fused and not unroll and importlib.util.find_spec("triton") is not None
        if unroll:
            check_can_unroll(transport, "optimal_transport")

    def forward(self, batch: PairBatch) -> Tensor:
        loss_B, misplaced_B = self._solve(batch)
        real_B = batch.real_pairs()
        self.figures = unconverged(misplaced_B, real_B, self.transport)
        return mean_over_pairs(loss_B, real_B)

    def _solve(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        """Return the loss of each pair and the mass that its plan misplaces."""
        vectors = batch.student_BMD, batch.teacher_BND.detach()
        masks = batch.student_mask_BM, batch.teacher_mask_BN
        weights = batch.student_weights_BM, batch.teacher_weights_BN
        if self.fused and batch.student_BMD.is_cuda:
            from optical.losses.transport_fused import fused_runs, fused_transport_loss

            if fused_runs(*vectors, self.transport, *weights):
                return fused_transport_loss(*vectors, *masks, self.transport, *weights)
        cost_BMN = token_cost(*vectors)
        plan_BMN = transport_plan(cost_BMN, *masks, self.transport, *weights, unroll=self.unroll)
        misplaced_B = misplaced_mass(plan_BMN, *both_marginals(*masks, self.transport, *weights))
        return (plan_BMN * cost_BMN).sum((1, 2)), misplaced_B


class SentenceMSE(nn.Module):
    """Squared distance between mean-pooled student and mean-pooled teacher (Reimers and Gurevych 2020).

    It is summed over the dimensions, so that it has the scale of a cosine distance and can be added to the others.

    >>> batch = PairBatch(torch.eye(2)[:1, None], torch.ones(1, 1), torch.eye(2)[1:, None], torch.ones(1, 1))
    >>> SentenceMSE()(batch), SentenceMSE(mean_over_dimensions=True)(batch)
    (tensor(2.), tensor(1.))
    """

    def __init__(self, mean_over_dimensions: bool = MSE.mean_over_dimensions, token_weights: bool = MSE.token_weights):
        """Choose how to average.

        Args:
            mean_over_dimensions: divide by the number of dimensions, as in the paper.
            token_weights: weigh the tokens in the mean as in the marginals of transport.
        """
        super().__init__()
        self.mean_over_dimensions, self.token_weights = mean_over_dimensions, token_weights

    def forward(self, batch: PairBatch) -> Tensor:
        student_weights_BM = teacher_weights_BN = None
        if self.token_weights:
            student_weights_BM, teacher_weights_BN = batch.student_weights_BM, batch.teacher_weights_BN
            if student_weights_BM is None:
                what = "token_weights needs token weights, and the batch has none"
                hint = "give the method transport: {marginals: idf}"
                raise ConfigError(what, where="sentence_mse", hint=hint)
        student_BD = self._pool(batch.student_BMD, marginals(batch.student_mask_BM, student_weights_BM))
        teacher_BD = self._pool(batch.teacher_BND.detach(), marginals(batch.teacher_mask_BN, teacher_weights_BN))
        squared_BD = (student_BD - teacher_BD).square()
        loss_B = squared_BD.mean(1) if self.mean_over_dimensions else squared_BD.sum(1)
        return mean_over_pairs(loss_B, batch.real_pairs())

    @staticmethod
    def _pool(vectors_BMD: Tensor, mass_BM: Tensor) -> Tensor:
        return (vectors_BMD.float() * mass_BM[:, :, None]).sum(1)


class GreedyMSE(nn.Module):
    """Squared distance between tokens matched one to one, the closest first (DR.DECR; Li et al. 2022).

    It is summed over the dimensions (for unit vectors twice their cosine distance), and averaged over a pair's matches.

    >>> words = torch.eye(2)[None]
    >>> GreedyMSE()(PairBatch(words, torch.ones(1, 2), words.flip(1), torch.ones(1, 2)))
    tensor(0.)
    """

    def forward(self, batch: PairBatch) -> Tensor:
        student_BMD, teacher_BND = batch.student_BMD.float(), batch.teacher_BND.detach().float()
        weights = marginals(batch.student_mask_BM), marginals(batch.teacher_mask_BN)
        cost_BMN = token_cost(batch.student_BMD, teacher_BND)
        match_BMN = greedy(cost_BMN, *weights, TransportSettings(solver="greedy"))
        squared_BMN = (
            student_BMD.square().sum(2)[:, :, None] + teacher_BND.square().sum(2)[:, None] - 2 * (1 - cost_BMN)
        )
        return mean_over_pairs((match_BMN * squared_BMN).sum((1, 2)), batch.real_pairs())


class TokenContrast(nn.Module):
    """Each foreign token must be nearest to the English tokens that its plan carries it to, among those of the batch.

    This is the cross-entropy -sum_ij T_ij log softmax_j(s_i . t_j / temperature), whose softmax runs over the English
    tokens of all sentences of the batch. Transport alone pulls a token to its translations; here it is also pushed away
    from all other words. With the matches of `transport: {solver: greedy, marginals: uniform}` in place of the plan, it
    is the same for the matching of DR.DECR. After a call, `figures` is that of `OptimalTransport`.

    >>> words, mask = torch.eye(3)[:, None], torch.ones(3, 1)
    >>> translated = TokenContrast(TransportSettings(marginals="uniform"))(PairBatch(words, mask, words, mask))
    >>> shuffled = TokenContrast(TransportSettings(marginals="uniform"))(PairBatch(words, mask, words.flip(0), mask))
    >>> translated < 0.001 < shuffled
    tensor(True)
    """

    def __init__(self, transport: TransportSettings = TransportSettings(), temperature: float = TOKENS.temperature):
        super().__init__()
        self.transport, self.temperature = transport, temperature
        self.figures: dict[str, Tensor] = {}

    def forward(self, batch: PairBatch) -> Tensor:
        student_BMD, teacher_BND = batch.student_BMD.float(), batch.teacher_BND.detach().float()
        masks = batch.student_mask_BM, batch.teacher_mask_BN
        weights = batch.student_weights_BM, batch.teacher_weights_BN
        cost_BMN = token_cost(student_BMD, teacher_BND)
        plan_BMN = transport_plan(cost_BMN, *masks, self.transport, *weights)
        misplaced_B = misplaced_mass(plan_BMN, *both_marginals(*masks, self.transport, *weights))
        self.figures = unconverged(misplaced_B, batch.real_pairs(), self.transport)
        # a large number in place of infinity keeps a batch without English tokens finite, and its gradient 0
        logit_BMT = (student_BMD @ teacher_BND.flatten(0, 1).T) / self.temperature
        logit_BMT = logit_BMT.masked_fill(~batch.teacher_mask_BN.bool().flatten(), -1e4)
        attracted_B = (plan_BMN * (1 - cost_BMN)).sum((1, 2)) / self.temperature
        repelled_B = (plan_BMN.sum(2) * logit_BMT.logsumexp(2)).sum(1)
        return mean_over_pairs(repelled_B - attracted_B, batch.real_pairs())


class Contrastive(nn.Module):
    """Each foreign sentence must score its own English sentence highest among those of the batch.

    This is the cross-entropy over late-interaction scores (summed over query tokens, as in ColBERT) divided by the
    temperature. English sentences are read as the side that is distilled: as queries if the student reads only queries.

    >>> words, mask = torch.eye(3)[:, None], torch.ones(3, 1)
    >>> translated = Contrastive(temperature=0.1)(PairBatch(words, mask, words, mask))
    >>> shuffled = Contrastive(temperature=0.1)(PairBatch(words, mask, words.flip(0), mask))
    >>> translated < 0.001 < shuffled
    tensor(True)
    """

    def __init__(self, temperature: float = SCORES.temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, batch: PairBatch) -> Tensor:
        score_BB = max_sim(batch.student_BMD, batch.student_mask_BM, batch.teacher_BND.detach(), batch.teacher_mask_BN)
        real_B = batch.real_pairs()
        # minus infinity is right for a document without tokens, but not in a row that must stay finite to count nothing
        score_BB = torch.where(real_B[:, None], score_BB, 0.0)
        target_B = torch.arange(len(real_B), device=real_B.device)
        return mean_over_pairs(F.cross_entropy(score_BB / self.temperature, target_B, reduction="none"), real_B)


class ScoreKD(nn.Module):
    """The student must distribute its scores over the English sentences of the batch as the teacher does.

    This is the Kullback-Leibler divergence, teacher to student, of the softmax over late-interaction scores divided by
    the temperature. It is not multiplied by the square of the temperature, as Hinton et al. (2015) do: in a sum with
    other objectives, a higher temperature needs a higher weight.

    >>> words, mask = torch.eye(3)[:, None], torch.ones(3, 1)
    >>> ScoreKD()(PairBatch(words, mask, words, mask))
    tensor(0.)
    """

    def __init__(self, temperature: float = SCORES.temperature):
        super().__init__()
        self.temperature = temperature

    def forward(self, batch: PairBatch) -> Tensor:
        english_BND, mask_BN = batch.teacher_BND.detach(), batch.teacher_mask_BN
        real_B, usable_B = batch.real_pairs(), mask_BN.bool().any(1)
        with torch.no_grad():
            teacher_BB = max_sim(english_BND, mask_BN, english_BND, mask_BN)
        student_BB = max_sim(batch.student_BMD, batch.student_mask_BM, english_BND, mask_BN)
        # finite, then equally impossible on both sides: inf - inf would be NaN, in the value or in the gradient
        teacher_BB, student_BB = (torch.where(usable_B, x, -1e4) / self.temperature for x in (teacher_BB, student_BB))
        log_teacher_BB, log_student_BB = teacher_BB.log_softmax(1), student_BB.log_softmax(1)
        return mean_over_pairs((log_teacher_BB.exp() * (log_teacher_BB - log_student_BB)).sum(1), real_B)


OBJECTIVES: dict[str, type[nn.Module]] = {
    "optimal_transport": OptimalTransport,
    "sentence_mse": SentenceMSE,
    "greedy_mse": GreedyMSE,
    "contrastive": Contrastive,
    "score_kd": ScoreKD,
    "token_contrast": TokenContrast,
}


class WeightedSum(nn.Module):
    """Several objectives at once: their weighted sum, and the value of each before weighting."""

    def __init__(self, terms: Mapping[str, tuple[float, nn.Module]]):
        """Take the terms in the order in which they are summed: name -> weight and objective."""
        super().__init__()
        self.weights = {name: weight for name, (weight, _) in terms.items()}
        self.terms = nn.ModuleDict({name: objective for name, (_, objective) in terms.items()})

    def forward(self, batch: PairBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, a scalar with gradient, and the detached value and further figures of each term."""
        losses = {name: term(batch) for name, term in self.terms.items()}
        loss = torch.stack([self.weights[name] * value for name, value in losses.items()]).sum()
        figures = {name: value.detach() for name, value in losses.items()}
        for term in self.terms.values():
            figures |= getattr(term, "figures", {})
        return loss, figures


def build_objective(objectives: Objectives, transport: TransportSettings | None = None) -> WeightedSum:
    """Return the weighted sum of the chosen objectives, in alphabetical order.

    Args:
        objectives: the weight and the settings of each.
        transport: the problem of `optimal_transport` and `token_contrast`; None for the default one.

    Raises:
        ConfigError: the solver cannot be unrolled.

    >>> objectives = Objectives(optimal_transport=1.0, contrastive={"weight": 0.5, "temperature": 2.0})
    >>> build_objective(objectives, TransportSettings(solver="ipot")).weights
    {'contrastive': 0.5, 'optimal_transport': 1.0}
    """
    terms = {}
    for name, objective in objectives.chosen():
        options = objective.model_dump(exclude={"weight"})
        if objective.solves_transport:
            options["transport"] = transport or TransportSettings()
        terms[name] = (objective.weight, OBJECTIVES[name](**options))
    return WeightedSum(terms)
