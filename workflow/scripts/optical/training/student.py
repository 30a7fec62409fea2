"""Distilling the teacher into a student for another language, from sentence pairs (OPTICAL, section on distillation).

The teacher reads the English sentence, the student its translation; an objective moves the student's token vectors.
The teacher's vectors do not change, so they are computed once and shared by methods, seeds and epochs.

Shape suffixes: B pairs, M tokens of the student's side, N tokens of the teacher's side, D vector size, V vocabulary.
"""

import logging
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optical.config.training import DistillationSettings
from optical.config.transport import TransportSettings
from optical.losses.objectives import PairBatch, WeightedSum
from optical.models.encoder import Encoder
from optical.runtime.devices import send
from optical.text.token_files import TokenFile, bitext_token_weights
from optical.text.tokeniser import vocabulary_size
from optical.training.batches import EpochBatches
from optical.training.divergence import check_vectors
from optical.training.session import Session
from optical.training.subwords import saving
from optical.training.teacher_vectors import TeacherVectors

log = logging.getLogger(__name__)

MOST_CUT = 0.05  # share of the pairs that may be cut without a warning


class DistillationLoss:
    """The objective of one part of one step, over one or both sides (`query`, `document`) of the encoder."""

    def __init__(
        self, student: Encoder, tokens: Path, vectors: Path, settings: DistillationSettings, objective: WeightedSum
    ):
        """Open the files.

        Args:
            student: is trained; everything is computed on its device.
            tokens: folder of the tokenised sentence pairs, `english` and `foreign`.
            vectors: folder of the teacher's vectors of the English sentences, a folder for each of `settings.sides`.
            settings: which tokens take part, and the batches.
            objective: the loss; `build_objective` makes it from the settings.
        """
        self.student, self.settings, self.objective = student, settings, objective
        self.english, self.foreign = TokenFile(tokens / "english"), TokenFile(tokens / "foreign")
        self.teacher: dict[str, TeacherVectors] = {side: TeacherVectors(vectors / side) for side in settings.sides}
        transport = (settings.transport or TransportSettings()) if settings.objectives.use_transport() else None
        self.token_weights = None
        if transport and transport.marginals != "uniform":
            size = vocabulary_size(student.tokeniser)
            in_every_text = student.added_ids if settings.special_tokens else student.special_ids
            self.token_weights = [*map(torch.from_numpy, bitext_token_weights(tokens, size, in_every_text))]
        self.batches = EpochBatches(self.foreign.lengths, settings.batch_size, settings.seed)
        self.device = next(student.parameters()).device
        self._warn_of_cut_pairs()

    def _warn_of_cut_pairs(self) -> None:
        """Warn if many pairs lose their ends: what is cut from one side has its translation on the other."""
        longer = np.maximum(self.english.lengths, self.foreign.lengths)
        for side in self.settings.sides:
            room = self.student.room(side)
            if (cut := np.mean(longer > room)) > MOST_CUT:
                log.warning(
                    "%.0f %% of the sentence pairs have a side of more than %d subwords, whose end is not read. "
                    "Hint: raise encoder.%s_length, or lower bitext_cleaning.maximum_words",
                    *(100 * cut, room, side),
                )

    def ids_read(self) -> list[np.ndarray]:
        """Return the ids of the subwords that the student reads, in one array."""
        return [self.foreign.tokens]

    def __call__(self, position: int) -> tuple[Tensor, dict[str, Tensor]]:
        pairs = self.batches[position]
        losses, figures = zip(*(self.objective(self._batch(pairs, side)) for side in self.teacher), strict=True)
        means = {name: torch.stack([of_side[name] for of_side in figures]).mean() for name in figures[0]}
        return torch.stack(losses).mean(), means

    def _batch(self, pairs: np.ndarray, side: str) -> PairBatch:
        ids_BM, attention_BM, keep_BM = self.student.frame([self.foreign[pair] for pair in pairs], side)
        english_BN, english_attention_BN, english_keep_BN = self.student.frame(
            [self.english[pair] for pair in pairs], side
        )
        teacher_BND = self.teacher[side].padded(pairs, english_keep_BN, self.device)
        if not self.settings.special_tokens:
            keep_BM = keep_BM & self.student.content_mask(ids_BM, attention_BM, side)
            english_keep_BN = english_keep_BN & self.student.content_mask(english_BN, english_attention_BN, side)
        weights = {}
        if self.token_weights is not None:
            english_weights_V, foreign_weights_V = self.token_weights
            weights["student_weights_BM"] = send(foreign_weights_V[ids_BM], self.device)
            weights["teacher_weights_BN"] = send(english_weights_V[english_BN], self.device)
        return PairBatch(
            student_BMD=self.student(ids_BM, attention_BM),
            student_mask_BM=send(keep_BM, self.device),
            teacher_BND=teacher_BND,
            teacher_mask_BN=send(english_keep_BN, self.device),
            **weights,
        )


def train_student(session: Session, loss: DistillationLoss, out: str | Path, base: str | Path | None) -> None:
    """Train a student on tokenised sentence pairs and write its folder.

    Args:
        session: of the training.
        loss: has the student, which is trained in place, and the pairs.
        out: the student's folder.
        base: folder that the student was loaded from, to store changes to it where that saves space; None for none.
    """
    student = loss.student
    save = saving(student, loss.ids_read(), base=base)
    check = partial(check_vectors, student, loss.foreign, loss.settings.sides[0], str(out))
    session.train(student, loss, out, save, check)
