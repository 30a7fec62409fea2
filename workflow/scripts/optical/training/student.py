"""Distilling the teacher into a student for another language, from sentence pairs (OPTICAL, section on distillation).

The teacher reads the English sentence, the student its translation; an objective moves the student's token vectors.
The teacher's vectors do not change, so they are computed once and shared by methods, seeds and epochs.

Shape suffixes: B pairs, M tokens of the student's side, N tokens of the teacher's side, D vector size, T tokens.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optical.losses.objectives import PairBatch, build_objective
from optical.models.encoder import Encoder
from optical.runtime.devices import send
from optical.text.token_files import TokenFile
from optical.training.batches import EpochBatches
from optical.training.loop import TrainingSettings
from optical.training.teacher_vectors import TeacherVectors


class DistillationLoss:
    """The objective of one part of one step, over one or both sides (`query`, `document`) of the encoder."""

    def __init__(self, student: Encoder, tokens: Path, vectors: Path, settings: TrainingSettings, values: dict):
        self.student, self.settings = student, settings
        self.english, self.foreign = TokenFile(tokens / "english"), TokenFile(tokens / "foreign")
        self.teacher = {side: TeacherVectors(vectors / side) for side in values["sides"]}
        self.objective = build_objective(values["objectives"], values.get("transport"))
        self.special_tokens = values["special_tokens"]
        self.weights = _token_weights(self.english, self.foreign, student) if _needs_weights(values) else None
        self.batches = EpochBatches(self.foreign.lengths, settings.batch_size, settings.seed)
        self.device = next(student.parameters()).device

    def __call__(self, step: int, part: int) -> tuple[Tensor, dict[str, Tensor]]:
        pairs = self.batches[step * self.settings.accumulation + part]
        losses, figures = zip(*(self.objective(self._batch(pairs, side)) for side in self.teacher), strict=True)
        means = {name: sum(of_side[name] for of_side in figures) / len(figures) for name in figures[0]}
        return torch.stack(losses).mean(), means

    def _batch(self, pairs: np.ndarray, side: str) -> PairBatch:
        ids_BM, attention_BM, keep_BM = self.student.frame([self.foreign[pair] for pair in pairs], side)
        english_BN, english_attention_BN, english_keep_BN = self.student.frame(
            [self.english[pair] for pair in pairs], side
        )
        teacher_BND = self.teacher[side].padded(pairs, english_keep_BN)
        if not self.special_tokens:
            keep_BM = keep_BM & self.student.content_mask(ids_BM, attention_BM)
            english_keep_BN = english_keep_BN & self.student.content_mask(english_BN, english_attention_BN)
        weights = {}
        if self.weights is not None:
            english_weights, foreign_weights = self.weights
            weights["student_weights_BM"] = send(foreign_weights[ids_BM], self.device)
            weights["teacher_weights_BN"] = send(english_weights[english_BN], self.device)
        return PairBatch(
            student_BMD=self.student(ids_BM, attention_BM),
            student_mask_BM=send(keep_BM, self.device),
            teacher_BND=send(teacher_BND, self.device),
            teacher_mask_BN=send(english_keep_BN, self.device),
            **weights,
        )


def _needs_weights(values: dict) -> bool:
    return values.get("transport", {}).get("marginals", "uniform") != "uniform"


def _token_weights(english: TokenFile, foreign: TokenFile, student: Encoder) -> tuple[Tensor, Tensor]:
    """Return the inverse document frequency of every token id on each side of the bitext."""
    vocabulary_size = student.tokeniser.get_vocab_size()
    sides = (english, foreign)
    special_ids = student.special_ids
    return tuple(torch.from_numpy(side.inverse_document_frequency(vocabulary_size, special_ids)) for side in sides)
