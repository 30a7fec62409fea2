"""One pass over the pairs by this project's own loop, and by the loop that one writes first.

Shape suffixes: B pairs, M tokens of the student's side, N tokens of the teacher's side, D vector size, L tokens.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot
import torch
from measuring import seconds
from torch import Tensor

from optical.config.objectives import Objectives
from optical.config.training import DistillationSettings, TrainingSettings
from optical.config.transport import TransportSettings
from optical.losses.objectives import build_objective
from optical.losses.transport import marginals
from optical.models.encoder import Encoder
from optical.models.export import PaddedEncoder
from optical.models.folders import load_encoder
from optical.runtime.machine import Machine
from optical.text.token_files import TokenFile, bitext_token_weights
from optical.training.loop import train
from optical.training.student import DistillationLoss
from optical.training.subwords import saving

TRANSPORT = TransportSettings()
OBJECTIVES = {"optical": Objectives(optimal_transport=1.0), "mse": Objectives(sentence_mse=1.0)}
PairLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # vectors and token weights of both sides


def our_loss(
    folder: Path,
    objective: str,
    settings: TrainingSettings,
    precision: str,
    device: str,
    transport: TransportSettings = TRANSPORT,
) -> DistillationLoss:
    """This project's own objective, with a student that starts as the teacher's weights."""
    student = load_encoder(folder / "teacher").to(device)
    settings = DistillationSettings(**settings.model_dump(), objectives=OBJECTIVES[objective], transport=transport)
    built = build_objective(settings.objectives, settings.transport)
    return DistillationLoss(student, folder / "tokens", folder / "vectors" / precision, settings, built)


def our_seconds(folder: Path, objective: str, settings: TrainingSettings, precision: str, device: str) -> float:
    """Time of one pass of this project's own loop, start-up aside."""
    loss = our_loss(folder, objective, settings, precision, device)
    saving(loss.student, loss.ids_read())  # as the program does: of a large vocabulary only the rows in use are trained
    call = lambda: train(loss.student, loss, settings, Machine(precision=precision), None, objective)  # noqa: E731
    return seconds(call, device)


def pair_losses(transport: TransportSettings) -> dict[str, PairLoss]:
    """The objectives for a single pair, as POT and torch have them at hand."""

    def optical(student_MD: Tensor, teacher_ND: Tensor, weights_M: Tensor, weights_N: Tensor) -> Tensor:
        student_MD, masses_M = _with_mass(student_MD, weights_M)
        teacher_ND, masses_N = _with_mass(teacher_ND, weights_N)
        cost_MN = 1 - student_MD @ teacher_ND.T
        settings = {"numItermax": transport.iterations, "stopThr": transport.tolerance, "warn": False}
        plan_MN = ot.sinkhorn(masses_M, masses_N, cost_MN.detach(), transport.regularisation, **settings)
        return (plan_MN * cost_MN).sum()

    def mse(student_MD: Tensor, teacher_ND: Tensor, *_: Tensor) -> Tensor:
        return (student_MD.mean(0) - teacher_ND.mean(0)).square().sum()

    return {"optical": optical, "mse": mse}


def _with_mass(vectors_LD: Tensor, weights_L: Tensor) -> tuple[Tensor, Tensor]:
    """The tokens that have mass, by which POT divides, and how much they have."""
    masses_L = marginals(torch.ones_like(weights_L)[None], weights_L[None])[0]
    return vectors_LD[masses_L > 0], masses_L[masses_L > 0]


class PlainLoss:
    """The loss of some pairs in one padded batch, the teacher read again and the objective taken pair by pair."""

    def __init__(self, student: Encoder, teacher: Encoder, tokens: Path, pair_loss: PairLoss):
        self.student, self.teacher, self.pair_loss = student, teacher, pair_loss
        self.read_foreign, self.read_english = PaddedEncoder(student), PaddedEncoder(teacher)
        self.english, self.foreign = TokenFile(tokens / "english"), TokenFile(tokens / "foreign")
        weights = bitext_token_weights(tokens, student.tokeniser.get_vocab_size())
        self.english_weights, self.foreign_weights = map(torch.from_numpy, weights)
        self.device = next(student.parameters()).device

    def __call__(self, pairs: np.ndarray) -> Tensor:
        ids_BM, attention_BM, _ = self.student.frame([self.foreign[pair] for pair in pairs], "query")
        english_BN, english_attention_BN, _ = self.teacher.frame([self.english[pair] for pair in pairs], "query")
        with torch.no_grad():
            teacher_BND = self.read_english(english_BN.to(self.device), english_attention_BN.to(self.device))
        student_BMD = self.read_foreign(ids_BM.to(self.device), attention_BM.to(self.device))
        keep_BM = self.student.content_mask(ids_BM, attention_BM, "query")
        keep_BN = self.teacher.content_mask(english_BN, english_attention_BN, "query")
        losses = []
        for row in range(len(pairs)):
            keep_M, keep_N = keep_BM[row], keep_BN[row]
            weights_M = self.foreign_weights[ids_BM[row][keep_M]].to(self.device)
            weights_N = self.english_weights[english_BN[row][keep_N]].to(self.device)
            losses.append(self.pair_loss(student_BMD[row][keep_M], teacher_BND[row][keep_N], weights_M, weights_N))
        return torch.stack(losses).mean()


def plain_seconds(folder: Path, pair_loss: PairLoss, batches: int, batch_size: int, device: str) -> float:
    """Time of some batches, drawn blindly, of the loop that one writes first, start-up aside."""
    student, teacher = (load_encoder(folder / "teacher").to(device) for _ in range(2))
    loss_of = PlainLoss(student, teacher, folder / "tokens", pair_loss)
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-4)
    order = np.random.default_rng(1).permutation(len(loss_of.foreign))

    def step(pairs: np.ndarray) -> None:
        optimiser.zero_grad()
        loss_of(pairs).backward()
        optimiser.step()

    return seconds(lambda: [step(order[i * batch_size : (i + 1) * batch_size]) for i in range(batches)], device)
