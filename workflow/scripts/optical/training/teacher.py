"""Training the English teacher from triples with ColBERT's losses (Khattab and Zaharia, SIGIR 2020), and from scores
of a cross-encoder with ColBERTv2's (Santhanam et al., NAACL 2022, section 3.1).

Shape suffixes: B triples of a batch, N documents of a triple, P documents of a batch, L and M tokens, D vector size.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optical.config.training import RankingSettings
from optical.errors import DataError
from optical.losses.late_interaction import max_sim
from optical.losses.ranking import distillation_loss, ranking_loss
from optical.models.encoder import DOCUMENT, QUERY, Encoder
from optical.runtime.devices import send
from optical.seals import check_file
from optical.text.token_files import TokenFile
from optical.training.batches import EpochBatches
from optical.training.triples import MISSING, Scores, open_scores, pair_numbers, places_among, scores_of


class TeacherLoss:
    """The loss of one part of one step: each query's positive against its negatives, or all of the batch's.

    A document that is known to be relevant to a query is never its negative, wherever in the batch it comes from.
    The share `settings.distillation` of the loss compares the scores of the query's own documents with those of a
    cross-encoder.
    """

    def __init__(
        self,
        encoder: Encoder,
        training_set: Path,
        settings: RankingSettings,
        document_encoder: Encoder | None = None,
        queries: Sequence[np.ndarray] | None = None,
    ):
        """Open a tokenised training set.

        Args:
            encoder: is trained, on queries and documents.
            training_set: folder that `tokenise_training_set` makes.
            settings: the negatives of a query, and the share of the loss from a cross-encoder.
            document_encoder: reads the documents instead, and does not change.
            queries: subwords that replace those of the training set, int32, one text for each.

        Raises:
            DataError: the training set lacks the negatives or the scores that the settings ask for.
        """
        self.encoder, self.settings = encoder, settings
        self.document_encoder = document_encoder and document_encoder.eval().requires_grad_(False)
        self.documents = TokenFile(training_set / "documents")
        self.queries: Sequence[np.ndarray] = TokenFile(training_set / "queries")
        if queries is not None:
            if len(queries) != len(self.queries):
                what, hint = f"{len(queries)} queries replace {len(self.queries)}", "make both from one training set"
                raise DataError(what, where=training_set, hint=hint)
            self.queries = queries
        check_file(training_set / "triples.npy")
        self.triples = np.load(training_set / "triples.npy", mmap_mode="r")
        lengths = self.documents.lengths[self.triples[:, 1]]
        self.batches = EpochBatches(lengths, settings.batch_size, settings.seed)
        self.positives = np.unique(self._codes(self.triples[:, 0], self.triples[:, 1]))
        self.device = next(encoder.parameters()).device
        if not settings.in_batch_negatives and self.triples.shape[1] < 3:
            raise DataError(
                "the triples hold no negatives", where=training_set, hint="set teacher.in_batch_negatives: true"
            )
        self.scores = self._open_scores(training_set) if settings.distillation else None

    def _open_scores(self, training_set: Path) -> Scores:
        if not (training_set / "scores").is_dir():
            hint = "name a file as teacher.training_set.scores, or set teacher.distillation: 0"
            raise DataError("the training set has no scores", where=training_set, hint=hint)
        if min(self.settings.negatives, self.triples.shape[1] - 2) < 1:
            hint = "set teacher.negatives to 1 or more, and give triples that have some"
            raise DataError("a query has no second document to compare scores of", where=training_set, hint=hint)
        return open_scores(training_set / "scores")

    def ids_read(self) -> list[np.ndarray]:
        """Return the ids of the subwords that the trained encoder reads, in arrays of any length."""
        texts = [self.queries] if self.document_encoder else [self.queries, self.documents]
        return [some.tokens if isinstance(some, TokenFile) else np.concatenate(some) for some in texts]

    def __call__(self, position: int) -> tuple[Tensor, dict[str, Tensor]]:
        rows = self.batches[position]
        queries, candidates_BN = self._candidates(np.asarray(self.triples[rows]), position)
        documents = np.unique(candidates_BN[candidates_BN != MISSING])  # each document is encoded once a batch
        query_BMD, query_keep_BM = self._encode(self.encoder, [self.queries[row] for row in queries], QUERY)
        texts = [self.documents[row] for row in documents]
        with torch.no_grad() if self.document_encoder else contextlib.nullcontext():
            document_PLD, document_keep_PL = self._encode(self.document_encoder or self.encoder, texts, DOCUMENT)
        scores_BP = max_sim(query_BMD, query_keep_BM, document_PLD, document_keep_PL)
        targets_B = send(torch.from_numpy(np.searchsorted(documents, candidates_BN[:, 0])), self.device)
        forbidden_BP = send(torch.from_numpy(self._forbidden(queries, candidates_BN, documents)), self.device)
        ranking = ranking_loss(scores_BP, targets_B, forbidden_BP)
        if self.scores is None:
            return ranking, {}
        scores_BN = scores_of(self.scores, self._codes(queries[:, None], candidates_BN))
        places_BN, wanted_BN, present_BN = (
            send(torch.from_numpy(array), self.device)
            for array in (np.searchsorted(documents, candidates_BN), scores_BN, candidates_BN != MISSING)
        )
        distillation = distillation_loss(scores_BP.gather(1, places_BN), wanted_BN, present_BN)
        figures = {"ranking": ranking.detach(), "distillation": distillation.detach()}
        return torch.lerp(ranking, distillation, self.settings.distillation), figures

    def _candidates(self, triples: np.ndarray, position: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the queries, and of each its positive and some of its negatives, in turn by batch."""
        wanted, known = self.settings.negatives, triples.shape[1] - 2
        turn = [2 + (position * wanted + number) % known for number in range(min(wanted, known))]
        return triples[:, 0], triples[:, [1, *turn]]

    def _encode(self, encoder: Encoder, texts: Sequence[np.ndarray], kind: str) -> tuple[Tensor, Tensor]:
        ids_BL, attention_BL, keep_BL = encoder.frame(texts, kind)
        return encoder(ids_BL, attention_BL), send(keep_BL, self.device)

    def _forbidden(self, queries: np.ndarray, candidates_BN: np.ndarray, documents: np.ndarray) -> np.ndarray:
        """Return which documents each query is not compared with: its other positives, and others' candidates."""
        _, relevant_BP = places_among(self.positives, self._codes(queries[:, None], documents[None, :]))
        forbidden_BP = relevant_BP & (candidates_BN[:, :1] != documents[None, :])
        if not self.settings.in_batch_negatives:
            forbidden_BP |= ~(candidates_BN[:, :, None] == documents[None, None, :]).any(axis=1)
        return forbidden_BP

    def _codes(self, queries: np.ndarray, documents: np.ndarray) -> np.ndarray:
        """Return one number for each pair of a query and a document."""
        return pair_numbers(queries, documents, len(self.documents))
