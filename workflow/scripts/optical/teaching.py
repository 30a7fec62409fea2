"""Training the English teacher from triples with ColBERT's losses (Khattab and Zaharia, SIGIR 2020).

Shape suffixes: B triples of a batch, N negatives of a triple, P documents of a batch, L and M tokens, D vector size.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from optical.encoder import DOCUMENT, QUERY, Encoder
from optical.errors import DataError
from optical.objectives import max_sim
from optical.tokens import TokenFile, batch_of_step
from optical.training import TrainingSettings
from optical.triples import MISSING, open_triples


def ranking_loss(scores_BP: Tensor, targets_B: Tensor, forbidden_BP: Tensor) -> Tensor:
    """Return the mean softmax cross-entropy of the positives among the documents that a query may be compared with.

    >>> scores = torch.tensor([[9.0, 0.0, 9.0]])
    >>> forbidden = torch.tensor([[False, False, True]])
    >>> ranking_loss(scores, torch.tensor([0]), forbidden).item() < 0.001
    True
    """
    return nn.functional.cross_entropy(scores_BP.masked_fill(forbidden_BP, float("-inf")), targets_B)


class TeacherLoss:
    """The ranking loss of one part of one step: each query's positive against its negatives, or all of the batch's."""

    def __init__(self, encoder: Encoder, training_set: Path, settings: TrainingSettings, in_batch_negatives: bool):
        self.encoder, self.settings, self.in_batch_negatives = encoder, settings, in_batch_negatives
        self.queries, self.documents = TokenFile(training_set / "queries"), TokenFile(training_set / "documents")
        self.triples = open_triples(training_set / "triples")
        self.lengths = self.documents.lengths[self.triples[:, 1]]
        self.device = next(encoder.parameters()).device
        if not in_batch_negatives and self.triples.shape[1] < 3:
            raise DataError(
                "the triples hold no negatives", where=training_set, hint="set teacher.in_batch_negatives: true"
            )

    def __call__(self, step: int, part: int) -> tuple[Tensor, dict[str, float]]:
        position = step * self.settings.accumulation + part
        rows = batch_of_step(self.lengths, self.settings.batch_size, position, self.settings.seed)
        triples = np.asarray(self.triples[rows])
        documents = np.unique(triples[:, 1:][triples[:, 1:] != MISSING])  # each document is encoded once a batch
        query_BMD, query_keep_BM = self._encode([self.queries[row] for row in triples[:, 0]], QUERY)
        document_PLD, document_keep_PL = self._encode([self.documents[row] for row in documents], DOCUMENT)
        scores_BP = max_sim(query_BMD, query_keep_BM, document_PLD, document_keep_PL)
        targets_B = torch.from_numpy(np.searchsorted(documents, triples[:, 1])).to(self.device)
        forbidden_BP = torch.from_numpy(self._forbidden(triples, documents)).to(self.device)
        return ranking_loss(scores_BP, targets_B, forbidden_BP), {}

    def _encode(self, texts: list, kind: str) -> tuple[Tensor, Tensor]:
        ids_BL, attention_BL, keep_BL = self.encoder.frame(texts, kind)
        return self.encoder(ids_BL.to(self.device), attention_BL.to(self.device)), keep_BL.to(self.device)

    def _forbidden(self, triples: np.ndarray, documents: np.ndarray) -> np.ndarray:
        """Return which documents a query is not compared with: others' (unless in-batch), and its other positives."""
        if self.in_batch_negatives:
            same_query_BB = triples[:, :1] == triples[None, :, 0]
            positive_BP = triples[:, 1:2] == documents[None, :]
            return (same_query_BB.astype(np.int32) @ positive_BP.astype(np.int32) > 0) & ~positive_BP
        own_BP = (triples[:, 1:, None] == documents[None, None, :]).any(axis=1)
        return ~own_BP
