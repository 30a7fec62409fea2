"""Training the English teacher from triples with ColBERT's losses (Khattab and Zaharia, SIGIR 2020).

Shape suffixes: B triples of a batch, N negatives of a triple, P documents of a batch, L and M tokens, D vector size.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from optical.encoder import DOCUMENT, QUERY, Encoder
from optical.errors import DataError
from optical.files import atomic_folder, read_json, read_rows, write_json
from optical.objectives import max_sim
from optical.tokens import TokenFile, batch_of_step
from optical.training import TrainingSettings

MISSING = -1  # fills a triple that has fewer negatives than the longest


def write_triples(
    folder: str | Path, path: str | Path, queries: Mapping[str, int], documents: Mapping[str, int]
) -> int:
    """Turn triples of ids into row numbers in a file that can be memory-mapped, in constant memory.

    Args:
        folder: receives `triples.int32`, rows of (query, positive, negatives...), and `meta.json`.
        path: `query_id positive_id [negative_id ...]`, tab-separated; the first line's width is that of all.
        queries, documents: id -> row number.
    """
    count = width = 0
    with atomic_folder(folder) as temporary:
        with (temporary / "triples.int32").open("wb") as file:
            for count, row in enumerate(read_rows(path, columns=2), start=1):
                width = width or len(row)
                numbers = [_row_of(queries, row[0], "query", path, count)]
                numbers += [_row_of(documents, name, "document", path, count) for name in row[1:width]]
                numbers += [MISSING] * (width - len(numbers))
                file.write(np.array(numbers, dtype=np.int32).tobytes())
        if not count:
            raise DataError("no training triples", where=path, hint="give at least one line: query_id positive_id")
        write_json(temporary / "meta.json", {"triples": count, "width": width})
    return count


def _row_of(rows: Mapping[str, int], name: str, kind: str, path: str | Path, line: int) -> int:
    if name not in rows:
        raise DataError(f"line {line} names the {kind} {name}, which does not exist", where=path)
    return rows[name]


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


def open_triples(folder: Path) -> np.ndarray:
    """Memory-map the rows that `write_triples` wrote, int32 of shape (triples, width)."""
    width = read_json(folder / "meta.json")["width"]
    return np.memmap(folder / "triples.int32", np.int32, "r").reshape(-1, width)
