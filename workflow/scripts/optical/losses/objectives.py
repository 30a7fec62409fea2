"""The distillation losses: what the student makes of a foreign sentence against what the teacher makes of its English.

Shapes: B sentence pairs, M student tokens, N teacher tokens, D dimensions, 1 an axis that broadcasts.
Vectors are of unit length; masks are true at real tokens.

Each objective is a small module over a PairBatch that returns a scalar: the mean over the pairs that have tokens on
both sides, in float32, with gradient to the student only. build_objective sums several of them, as the config says.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from optical.errors import ConfigError
from optical.losses.late_interaction import max_sim
from optical.losses.transport import UNROLLABLE, TransportSettings, greedy, marginals, token_cost, transport_plan


@dataclass
class PairBatch:
    """Translations of each other, encoded: the student's foreign sentences and the teacher's English ones.

    The weights are those of tokens in the marginals (IDF, say; any scale).
    """

    student_BMD: Tensor
    student_mask_BM: Tensor
    teacher_BND: Tensor
    teacher_mask_BN: Tensor
    student_weights_BM: Tensor | None = None
    teacher_weights_BN: Tensor | None = None

    def real_pairs(self) -> Tensor:
        """Pairs with a token on both sides, the only ones that count: bool (B,)."""
        return self.student_mask_BM.bool().any(1) & self.teacher_mask_BN.bool().any(1)


def mean_over_pairs(loss_B: Tensor, real_B: Tensor) -> Tensor:
    """Mean over the real pairs; 0, still attached to the graph, if there is none.

    >>> mean_over_pairs(torch.tensor([1.0, 3.0, 9.0]), torch.tensor([True, True, False]))
    tensor(2.)
    """
    return torch.where(real_B, loss_B, 0.0).sum() / real_B.sum().clamp(min=1)


class OptimalTransport(nn.Module):
    """OPTICAL (Huang, Yu, Allan 2023): the cost of carrying the student's tokens to the teacher's along the best plan.

    The plan is a constant unless `unroll` differentiates through the solver's iterations. On a GPU one kernel does it
    all where that works, to the same numbers; `fused: false` does without.
    """

    def __init__(self, transport: TransportSettings | Mapping | None = None, unroll: bool = False, fused: bool = True):
        super().__init__()
        self.transport = TransportSettings.from_config(transport)
        self.unroll = unroll
        self.fused = fused and not unroll and importlib.util.find_spec("triton") is not None
        if unroll and self.transport.solver not in UNROLLABLE:
            what = f"solver {self.transport.solver!r} cannot be unrolled"
            raise ConfigError(what, where="optimal_transport", hint=f"use one of {', '.join(UNROLLABLE)}")

    def forward(self, batch: PairBatch) -> Tensor:
        return mean_over_pairs(self._pair_losses(batch), batch.real_pairs())

    def _pair_losses(self, batch: PairBatch) -> Tensor:
        vectors = batch.student_BMD, batch.teacher_BND.detach()
        masks = batch.student_mask_BM, batch.teacher_mask_BN
        weights = batch.student_weights_BM, batch.teacher_weights_BN
        if self.fused and batch.student_BMD.is_cuda:
            from optical.losses.transport_fused import fused_runs, fused_transport_loss

            if fused_runs(*vectors, self.transport, *weights):
                return fused_transport_loss(*vectors, *masks, self.transport, *weights)
        cost_BMN = token_cost(*vectors)
        plan_BMN = transport_plan(cost_BMN, *masks, self.transport, *weights, unroll=self.unroll)
        return (plan_BMN * cost_BMN).sum((1, 2))


class SentenceMSE(nn.Module):
    """Mean-pooled student close to mean-pooled teacher (Reimers and Gurevych 2020): squared distance of the two means.

    Summed over the dimensions, so that it has the scale of a cosine distance and can be added to the others; the mean
    over the dimensions, as in the paper, is `mean_over_dimensions`. With `token_weights` a token counts in its mean as
    it does in the marginals of transport.
    """

    def __init__(self, mean_over_dimensions: bool = False, token_weights: bool = False):
        super().__init__()
        self.mean_over_dimensions, self.token_weights = mean_over_dimensions, token_weights

    def forward(self, batch: PairBatch) -> Tensor:
        weights = (batch.student_weights_BM, batch.teacher_weights_BN) if self.token_weights else (None, None)
        if self.token_weights and weights[0] is None:
            hint = "give the method transport: {marginals: idf}"
            raise ConfigError("token_weights, but tokens weigh the same", where="sentence_mse", hint=hint)
        student_BD = self._pool(batch.student_BMD, marginals(batch.student_mask_BM, weights[0]))
        teacher_BD = self._pool(batch.teacher_BND.detach(), marginals(batch.teacher_mask_BN, weights[1]))
        squared_BD = (student_BD - teacher_BD).square()
        loss_B = squared_BD.mean(1) if self.mean_over_dimensions else squared_BD.sum(1)
        return mean_over_pairs(loss_B, batch.real_pairs())

    @staticmethod
    def _pool(vectors_BMD: Tensor, mass_BM: Tensor) -> Tensor:
        return (vectors_BMD.float() * mass_BM[:, :, None]).sum(1)


class GreedyMSE(nn.Module):
    """DR.DECR (Li et al. 2022): tokens matched one to one, the closest first; squared distance within the matches.

    Summed over the dimensions (for unit vectors twice their cosine distance), averaged over a pair's matches.
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


class Contrastive(nn.Module):
    """The English sentence of its own pair has to score highest among those of the batch, in the place of documents.

    Cross-entropy over MaxSim scores (summed over query tokens, as in ColBERT) divided by the temperature. English
    vectors are those of the side that is distilled: of the query side, where the student reads queries alone.
    """

    def __init__(self, temperature: float = 1.0):
        super().__init__()
        self.temperature = _positive(temperature, "contrastive")

    def forward(self, batch: PairBatch) -> Tensor:
        score_BB = max_sim(batch.student_BMD, batch.student_mask_BM, batch.teacher_BND.detach(), batch.teacher_mask_BN)
        real_B = batch.real_pairs()
        # minus infinity is right for a document without tokens, but not in a row that must stay finite to count nothing
        score_BB = torch.where(real_B[:, None], score_BB, 0.0)
        target_B = torch.arange(len(real_B), device=real_B.device)
        return mean_over_pairs(F.cross_entropy(score_BB / self.temperature, target_B, reduction="none"), real_B)


class ScoreKD(nn.Module):
    """The student has to distribute its scores over the batch's English sentences as the teacher does for its own.

    Kullback-Leibler divergence, teacher to student, of the softmax over MaxSim scores divided by the temperature.
    """

    def __init__(self, temperature: float = 1.0):
        super().__init__()
        self.temperature = _positive(temperature, "score_kd")

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


def _positive(temperature: float, where: str) -> float:
    if not temperature > 0:
        raise ConfigError("temperature must be positive", where=where, hint="1 leaves the scores as they are")
    return temperature


OBJECTIVES: dict[str, type[nn.Module]] = {
    "optimal_transport": OptimalTransport,
    "sentence_mse": SentenceMSE,
    "greedy_mse": GreedyMSE,
    "contrastive": Contrastive,
    "score_kd": ScoreKD,
}


class WeightedSum(nn.Module):
    """Several objectives at once; returns their weighted sum and the value of each before weighting, detached."""

    def __init__(self, terms: Mapping[str, tuple[float, nn.Module]]):
        super().__init__()
        self.weights = {name: weight for name, (weight, _) in terms.items()}
        self.terms = nn.ModuleDict({name: module for name, (_, module) in terms.items()})

    def forward(self, batch: PairBatch) -> tuple[Tensor, dict[str, Tensor]]:
        values = {name: term(batch) for name, term in self.terms.items()}
        loss = torch.stack([self.weights[name] * value for name, value in values.items()]).sum()
        return loss, {name: value.detach() for name, value in values.items()}


def build_objective(spec: Mapping[str, object], transport_settings: Mapping | TransportSettings | None) -> WeightedSum:
    """The weighted sum that a config section asks for: `name: weight`, or `name: {weight: ..., setting: ...}`.

    >>> spec = {"optimal_transport": 1.0, "contrastive": {"weight": 0.5, "temperature": 2.0}}
    >>> build_objective(spec, {"solver": "sinkhorn"}).weights
    {'optimal_transport': 1.0, 'contrastive': 0.5}
    """
    if not spec:
        raise ConfigError("no objective given", where="objectives", hint="for instance {optimal_transport: 1.0}")
    terms = {}
    for name, value in spec.items():
        if name not in OBJECTIVES:
            raise ConfigError(f"unknown objective {name!r}", where="objectives", hint=f"use {', '.join(OBJECTIVES)}")
        settings = dict(value) if isinstance(value, Mapping) else {"weight": value}
        weight = settings.pop("weight", 1.0)
        if name == "optimal_transport":
            settings = {"transport": transport_settings, **settings}
        try:
            terms[name] = (float(weight), OBJECTIVES[name](**settings))
        except (TypeError, ValueError) as error:
            hint = "a weight is a number; the settings are those of the class in OBJECTIVES"
            raise ConfigError(str(error), where=f"objectives: {name}", hint=hint) from error
    return WeightedSum(terms)
