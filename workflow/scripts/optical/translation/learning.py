"""The training examples of a translator: sentence pairs, phrases, copies of English sides, and links between words.

Marian's guided alignment (Chen et al., AMTA 2016) is the heart of it: without it the attention to the source is not
learned from some hundred pairs, and the decoder only recites English sentences.

Shape suffixes: B examples, S source tokens, T target tokens, K target tokens that are no padding, H hidden size,
A heads, E subwords of the bitext's English side, V vocabulary.
"""

from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from optical.bitext.word_alignment import align, count_tables
from optical.config.bitext import WordAlignment
from optical.config.training import TranslatorSettings
from optical.errors import DataError
from optical.models.unpadding import Transformer
from optical.runtime.devices import send
from optical.text.token_files import TokenFile
from optical.training.batches import EpochBatches
from optical.translation.model import IdTable, keep_to, start_words_as_translations

NO_CLASS = -100  # label of a subword that cannot be written; never a target
LONGEST_PHRASE = 4  # English subwords
TRIALS = 10  # random spans that are looked at for one phrase


class Example(NamedTuple):
    """Source and target subwords, and the share of each source subword in each target subword, (T, S)."""

    source: np.ndarray
    target: np.ndarray
    links_TS: np.ndarray


class AlignedBitext:
    """The aligned subwords of a bitext, and random training examples from it."""

    def __init__(self, tokens: str | Path, alignment: WordAlignment = WordAlignment()):
        """Align a tokenised bitext.

        Raises:
            DataError: it is empty.
        """
        self.english, self.foreign = TokenFile(Path(tokens) / "english"), TokenFile(Path(tokens) / "foreign")
        if not len(self.english.tokens) or not len(self.foreign.tokens):
            raise DataError("the bitext is empty", where=tokens, hint="a translator needs some hundreds of pairs")
        sides = zip(self.english, self.foreign, strict=True)
        pairs = [(english.tolist(), foreign.tolist()) for english, foreign in sides]
        links = align(pairs, alignment)
        table, _ = count_tables(pairs, links)
        self.table = cast(IdTable, table)  # the aligner is written for words, and takes numbers as well
        self.links = [
            _shares(len(english), len(foreign), of_pair)
            for (english, foreign), of_pair in zip(pairs, links, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.english)

    def ids_read(self) -> list[np.ndarray]:
        """Return the ids of all subwords of both sides, in two arrays."""
        return [self.english.tokens, self.foreign.tokens]

    def whole(self, pair: int) -> Example:
        """Return a sentence pair."""
        return Example(self.foreign[pair], self.english[pair], self.links[pair])

    def copied(self, pair: int) -> Example:
        """Return the English sentence of a pair as its own source."""
        english = self.english[pair]
        return Example(english, english, np.eye(len(english), dtype=np.float32))

    def phrase(self, generator: np.random.Generator) -> Example:
        """Return a random phrase of a random pair whose words are linked to each other and to no others.

        That is the phrase of Koehn et al. (NAACL 2003). Where a few trials find none, a pair is taken whole.
        """
        for _ in range(TRIALS):
            pair = int(generator.integers(len(self)))
            links_TS = self.links[pair]
            length = min(int(generator.integers(1, LONGEST_PHRASE + 1)), len(links_TS))
            start = int(generator.integers(len(links_TS) - length + 1))
            end = start + length
            linked = np.flatnonzero(links_TS[start:end].any(axis=0))
            if not len(linked):
                continue
            first, last = linked[0], linked[-1] + 1
            outside = links_TS[:start, first:last].any() or links_TS[end:, first:last].any()
            if not outside and last - first <= 2 * length + 3:
                span = links_TS[start:end, first:last]
                return Example(self.foreign[pair][first:last], self.english[pair][start:end], span)
        return self.whole(pair)

    def phrases(self, length: int, generator: np.random.Generator) -> Example:
        """Return random phrases in a row until the source has `length` subwords or slightly more."""
        parts = [self.phrase(generator)]
        while sum(len(part.source) for part in parts) < length:
            parts.append(self.phrase(generator))
        source, target = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
        links_TS = np.zeros((len(target), len(source)), dtype=np.float32)
        row = column = 0
        for part in parts:  # scipy's block_diag takes ten times as long
            rows, columns = part.links_TS.shape
            links_TS[row : row + rows, column : column + columns] = part.links_TS
            row, column = row + rows, column + columns
        return Example(source, target, links_TS)

    def example(self, pair: int, settings: TranslatorSettings, generator: np.random.Generator) -> Example:
        """Return phrases, a copied or a whole pair, with the probabilities of the settings."""
        dice = generator.random()
        if dice < settings.fragment_share:
            return self.phrases(len(self.foreign[pair]), generator)  # as long as its neighbours: little padding
        return self.copied(pair) if dice < settings.fragment_share + settings.copied_share else self.whole(pair)


def _shares(targets: int, sources: int, links: set[tuple[int, int]]) -> np.ndarray:
    links_TS = np.zeros((targets, sources), dtype=np.float32)
    for target, source in links:
        links_TS[target, source] = 1.0
    return links_TS / np.maximum(1.0, links_TS.sum(axis=1, keepdims=True))


class TranslationLoss:
    """The loss of one part of one step: cross-entropy of the English pieces, and guidance of the attention."""

    def __init__(self, model: Transformer, bitext: AlignedBitext, settings: TranslatorSettings):
        """Start foreign words from the vectors of their translations, and let the model write only English words.

        Args:
            model: from `new_translator`; is trained.
            bitext: what it learns from.
            settings: shares of the kinds of examples, smoothing, and weight of the guidance.
        """
        self.model, self.bitext, self.settings = model, bitext, settings
        self.batches = EpochBatches(bitext.foreign.lengths, settings.batch_size, settings.seed)
        self.device = next(model.parameters()).device
        config = model.config
        self.start_id, self.end_id = config.decoder_start_token_id, config.eos_token_id
        self.pad_id = config.pad_token_id
        self.longest = min(settings.longest, config.max_position_embeddings)
        english = np.unique(np.append(bitext.english.tokens, self.end_id)).astype(np.int64)
        start_words_as_translations(model, bitext.table, english.tolist())
        self.reachable_E = torch.from_numpy(english).to(self.device)
        keep_to(model, self.reachable_E)
        self.class_V = torch.full((config.vocab_size,), NO_CLASS, device=self.device)
        self.class_V[self.reachable_E] = torch.arange(len(english), device=self.device)

    def __call__(self, position: int) -> tuple[Tensor, dict[str, Tensor]]:
        pairs = self.batches[position]
        generator = np.random.default_rng([self.settings.seed, position])
        examples = [self.bitext.example(int(pair), self.settings, generator) for pair in pairs]
        source_BS = self._framed([example.source for example in examples])
        target_BT = self._framed([example.target for example in examples])
        output = self.model.model(
            input_ids=source_BS,
            attention_mask=(source_BS != self.pad_id).long(),
            decoder_input_ids=target_BT[:, :-1],
            output_attentions=True,
            use_cache=False,
        )
        loss = self._cross_entropy(output.last_hidden_state, target_BT[:, 1:])
        unguided = self._guidance(output.cross_attentions[-1], examples)
        return loss + self.settings.guidance * unguided, {"unguided": unguided.detach()}

    def _cross_entropy(self, hidden_BTH: Tensor, expected_BT: Tensor) -> Tensor:
        """Return the cross-entropy over English subwords only, which take a tenth of the vocabulary and of the time."""
        real_BT = expected_BT != self.pad_id
        logits_KE = nn.functional.linear(hidden_BTH[real_BT], self.model.get_input_embeddings()(self.reachable_E))
        expected_K = self.class_V[expected_BT[real_BT]]
        return nn.functional.cross_entropy(logits_KE.float(), expected_K, label_smoothing=self.settings.label_smoothing)

    def _guidance(self, attention_BATS: Tensor, examples: list[Example]) -> Tensor:
        """Return the mean cross-entropy between links and attention, averaged over heads; [SEP] is free."""
        mean_BTS = attention_BATS.float().mean(dim=1)
        links_BTS = torch.zeros(mean_BTS.shape)
        for row, example in enumerate(examples):
            links_TS = example.links_TS[: self.longest - 2, : self.longest - 2]
            targets, sources = links_TS.shape
            links_BTS[row, :targets, 1 : sources + 1] = torch.from_numpy(links_TS)  # the source begins with [CLS]
        links_BTS = send(links_BTS, self.device)
        return -(links_BTS * mean_BTS.clamp_min(1e-6).log()).sum() / links_BTS.sum().clamp_min(1.0)

    def _framed(self, texts: list[np.ndarray]) -> Tensor:
        """Return [CLS] pieces [SEP], padded, int64 (B, longest of the batch)."""
        pieces = [text[: self.longest - 2] for text in texts]
        ids_BL = np.full((len(pieces), max(map(len, pieces)) + 2), self.pad_id, dtype=np.int64)
        for row, piece in enumerate(pieces):
            ids_BL[row, : len(piece) + 2] = self.start_id, *piece, self.end_id
        return send(torch.from_numpy(ids_BL), self.device)
