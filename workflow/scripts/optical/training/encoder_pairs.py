"""Pre-training on sentence pairs: translation language modelling, and transport between the tokens of the two sides.

Translation language modelling (TLM; Conneau and Lample, NeurIPS 2019) hides tokens of both sides in one input, so that
a masked word can be guessed from its translation. Positions begin again with the second side, as in that paper: words
that translate each other then have similar positions, and a pair needs no more positions than a sentence. The model has
no language embeddings, because retrieval has none.

For the objectives of distillation, the encoder reads the two sides separately, as retrieval does. Each side in turn is
the teacher, which gets no gradient, so both sides move. The transport cost alone is smallest if all vectors are equal.
Two objectives prevent that. Masked language modelling must tell words apart, but small differences satisfy it. A
contrastive weight requires a translation to be nearer than the other sentences of the batch.

Shape suffixes: P pairs (with repetitions), B pairs of a batch, M foreign tokens, N English tokens, L tokens of a whole
input, D vector size, G languages, V vocabulary.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optical.config.objectives import Objectives
from optical.config.training import PretrainingSettings
from optical.config.transport import TransportSettings
from optical.errors import DataError
from optical.losses.objectives import PairBatch, build_objective
from optical.models.encoder import DOCUMENT
from optical.runtime.devices import send
from optical.text.token_files import TokenFile, bitext_token_weights
from optical.text.tokeniser import vocabulary_size
from optical.training.batches import EpochBatches
from optical.training.encoder import MaskedLanguageModel

TLM = "tlm"


def places_of_pairs(sizes: Sequence[int], exponent: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the language and the row of every pair of an epoch, with pairs of small languages repeated.

    A language's share is its number of pairs to the power of `exponent` (Conneau and Lample 2019: 0.5). The largest
    language is read once; the pairs of the others are repeated in their order.

    >>> [part.tolist() for part in places_of_pairs([4, 1], 0.5)]
    [[0, 0, 0, 0, 1, 1], [0, 1, 2, 3, 0, 0]]
    """
    most = max(sizes, default=0)
    counts = [round(size**exponent * most ** (1 - exponent)) if size else 0 for size in sizes]
    languages_P = np.repeat(np.arange(len(sizes)), counts)
    rows = [np.resize(np.arange(size), count) for size, count in zip(sizes, counts, strict=True)]
    return languages_P, np.concatenate([np.empty(0, np.int64), *rows]).astype(np.int64)


class PairTokens:
    """The tokenised sentence pairs of several languages, as often as an epoch reads each."""

    def __init__(self, folders: Sequence[str | Path], exponent: float):
        """Open the token files.

        Args:
            folders: tokenised bitext, one for each language.
            exponent: a language's share of the pairs is its number of pairs to this power.

        Raises:
            DataError: no language has a pair.
        """
        self.folders = folders
        self.english = [TokenFile(Path(folder) / "english") for folder in folders]
        self.foreign = [TokenFile(Path(folder) / "foreign") for folder in folders]
        self.languages_P, self.rows_P = places_of_pairs([len(side) for side in self.foreign], exponent)
        if not len(self.rows_P):
            where = ", ".join(map(str, folders)) or "pretraining.objectives"
            hint = "list sources under bitext that have some, or leave tlm and the like at 0"
            raise DataError("no sentence pair to pre-train on", where=where, hint=hint)

    @property
    def lengths_P(self) -> np.ndarray:
        """Return the number of tokens of both sides of each pair together."""
        per_language = [one.lengths + other.lengths for one, other in zip(self.english, self.foreign, strict=True)]
        starts = np.cumsum([0, *(len(lengths) for lengths in per_language)])
        return np.concatenate(per_language)[starts[self.languages_P] + self.rows_P]

    def texts(self, pairs: Sequence[int] | np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the token ids of the English and of the foreign sides."""
        places = [(self.languages_P[pair], self.rows_P[pair]) for pair in pairs]
        return [self.english[lang][row] for lang, row in places], [self.foreign[lang][row] for lang, row in places]

    def token_weights(self, rows: int) -> tuple[Tensor, Tensor]:
        """Return the inverse document frequencies of English and foreign tokens by language, float32 (G, V) each.

        They count the pairs of one language: over all languages, every word of a small language would be rare.
        """
        of_languages = [bitext_token_weights(folder, rows) for folder in self.folders]
        english_GV, foreign_GV = (torch.from_numpy(np.stack(side)) for side in zip(*of_languages, strict=True))
        return english_GV, foreign_GV


class PairLoss:
    """The weighted objectives over sentence pairs of one part of one step: `tlm`, and objectives of distillation."""

    def __init__(self, model: MaskedLanguageModel, pairs: PairTokens, settings: PretrainingSettings):
        """Prepare the loss.

        Args:
            model: is trained, and is its own teacher.
            pairs: of all languages.
            settings: the weights of the objectives, the transport problem, and the batches.
        """
        self.model, self.pairs, self.settings = model, pairs, settings
        weights = settings.objectives.of_pairs()
        self.tlm = weights.pop(TLM, 0.0)
        transport = (settings.transport or TransportSettings()) if "optimal_transport" in weights else None
        self.objective = build_objective(Objectives.read(weights), transport) if weights else None
        weighed = transport is not None and transport.marginals != "uniform"
        self.token_weights = pairs.token_weights(vocabulary_size(model.encoder.tokeniser)) if weighed else None
        self.batches = EpochBatches(pairs.lengths_P, settings.pairs_batch_size, settings.seed)
        self.device = next(model.parameters()).device

    def __call__(self, position: int) -> tuple[Tensor, dict[str, Tensor]]:
        pairs = self.batches[position]
        english, foreign = (self.model.encoder.frame(texts, DOCUMENT) for texts in self.pairs.texts(pairs))
        losses, figures = [], {}
        if self.tlm:
            loss = self.translation_language_model(english, foreign)
            losses.append(self.tlm * loss)
            figures[TLM] = loss.detach()
        if self.objective:
            loss, terms = self.alignment(english, foreign, torch.from_numpy(self.pairs.languages_P[pairs]))
            losses.append(loss)
            figures |= terms
        return torch.stack(losses).sum(), figures

    def translation_language_model(self, english: tuple[Tensor, ...], foreign: tuple[Tensor, ...]) -> Tensor:
        """Return the mean cross-entropy of tokens masked on either side, with both sides in one input.

        `english` and `foreign` are framed texts (ids, attention, ...). Padding between the two is not attended to.
        """
        ids_BL, attention_BL = (torch.cat(both, 1) for both in zip(english[:2], foreign[:2], strict=True))
        positions_L = torch.cat([torch.arange(side[0].shape[1]) for side in (english, foreign)])
        return self.model(ids_BL, attention_BL, self.settings.mask_share, positions_L)

    def alignment(
        self, english: tuple[Tensor, ...], foreign: tuple[Tensor, ...], languages_B: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the weighted objectives, and the value of each, as means over both directions.

        As in distillation, only words take part: no special tokens and no punctuation.
        """
        assert self.objective is not None, "called where an objective of distillation has a weight"
        english_table_GV, foreign_table_GV = self.token_weights or (None, None)
        english_BND, english_mask_BN, english_weights_BN = self._side(english, languages_B, english_table_GV)
        foreign_BMD, foreign_mask_BM, foreign_weights_BM = self._side(foreign, languages_B, foreign_table_GV)
        weights = (foreign_weights_BM, english_weights_BN)
        batch = PairBatch(foreign_BMD, foreign_mask_BM, english_BND, english_mask_BN, *weights)
        loss, figures = self.objective(batch)
        loss_back, figures_back = self.objective(batch.swapped())
        return (loss + loss_back) / 2, {name: (value + figures_back[name]) / 2 for name, value in figures.items()}

    def _side(
        self, framed: tuple[Tensor, ...], languages_B: Tensor, table_GV: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return one side of a batch: unit vectors, where words are, and the weights of tokens, if they differ."""
        ids_BL, attention_BL, keep_BL = framed
        mask_BL = keep_BL & self.model.encoder.content_mask(ids_BL, attention_BL, DOCUMENT)
        vectors_BLD = self.model.token_vectors(ids_BL, attention_BL)
        weights_BL = None if table_GV is None else send(table_GV[languages_B[:, None], ids_BL], self.device)
        return vectors_BLD, send(mask_BL, self.device), weights_BL
