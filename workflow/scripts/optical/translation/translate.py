"""Translate with any sequence-to-sequence checkpoint in the Hugging Face layout: our own, Marian, M2M-100, NLLB-200.

Shape suffixes: B texts, S source tokens, T target tokens, E subwords that may be written.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from optical.errors import ConfigError
from optical.models.layout import loading
from optical.runtime.limits import BATCH_SCORES
from optical.runtime.precision import autocast
from optical.runtime.progress import Progress
from optical.seals import check_folder
from optical.translation.model import leave_out_unreachable

log = logging.getLogger(__name__)


class Translator:
    """A checkpoint and the languages between which it translates."""

    def __init__(
        self,
        folder: str | Path,
        source_code: str = "",
        target_code: str = "",
        device: torch.device | None = None,
        precision: str = "fp32",
    ):
        """Load a folder; the codes are those of the checkpoint, and "" where it knows one direction only."""
        from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

        self.device, self.precision = device or torch.device("cpu"), precision
        check_folder(folder, whole=True)
        with loading(folder, "translator"):
            self.model: Any = AutoModelForSeq2SeqLM.from_pretrained(folder, trust_remote_code=False)
            self.tokeniser: Any = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        self.model.to(self.device).eval()
        self.model.generation_config.max_length = None  # each batch sets its own bound
        self.written_E = leave_out_unreachable(self.model)
        self.forced_id = None
        if source_code or target_code:
            self._code_id(source_code, folder)
            self.tokeniser.src_lang = source_code
            self.forced_id = self._code_id(target_code, folder)
        limits = (self.tokeniser.model_max_length, getattr(self.model.config, "max_position_embeddings", 512))
        self.longest = min(limits)

    def _code_id(self, code: str, folder: str | Path) -> int:
        unknown = (None, self.tokeniser.unk_token_id)
        if (index := self.tokeniser.convert_tokens_to_ids(f"__{code}__")) not in unknown:  # M2M-100
            return index
        if code in self.tokeniser.all_special_tokens:  # NLLB-200, mBART; "en" is also a plain subword of many
            return self.tokeniser.convert_tokens_to_ids(code)
        raise ConfigError(
            f"the translator has no language {code!r}",
            where=folder,
            hint="NLLB-200 wants codes as swh_Latn, M2M-100 as sw, a model of one direction none",
        )

    @torch.inference_mode()
    def translate(self, texts: Sequence[str], beams: int = 4, batch_tokens: int = 1024) -> list[str]:
        """Return the translation of each text, by beam search.

        A text without words stays empty. Where the search finds no word at all, the text stays untranslated, as names
        and numbers may still match; how often that happened is logged.

        Args:
            texts: in the source language; those of similar lengths are searched together, the longest first.
            beams: of the search.
            batch_tokens: source tokens searched at once, of at most as many texts as `BATCH_SCORES` allows.
        """
        translations = ["" for _ in texts]
        lengths = {
            index: len(self.tokeniser(text, truncation=True, max_length=self.longest)["input_ids"])
            for index, text in enumerate(texts)
            if text.strip()
        }
        order = sorted(lengths, key=lambda index: -lengths[index])
        batch_texts = BATCH_SCORES // self.model.get_output_embeddings().weight.shape[0]
        with Progress("translating", len(order)) as progress:
            while order:
                size = max(1, min(batch_tokens // lengths[order[0]], batch_texts))
                chosen, order = order[:size], order[size:]
                searched = self._search([texts[index] for index in chosen], beams)
                for index, translation in zip(chosen, searched, strict=True):
                    translations[index] = " ".join(translation.split())
                progress.advance(len(chosen))
        untranslated = [index for index in lengths if not translations[index]]
        for index in untranslated:
            translations[index] = texts[index]
        if untranslated:
            log.warning("%d of %d texts stay untranslated: nothing was found", len(untranslated), len(lengths))
        return translations

    def _search(self, texts: list[str], beams: int) -> list[str]:
        batch = self.tokeniser(texts, padding=True, truncation=True, max_length=self.longest, return_tensors="pt")
        ids_BS, attention_BS = batch["input_ids"].to(self.device), batch["attention_mask"].to(self.device)
        codes = {} if self.forced_id is None else {"forced_bos_token_id": self.forced_id}
        with autocast(self.device, self.precision):
            output_BT = self.model.generate(
                input_ids=ids_BS,
                attention_mask=attention_BS,
                num_beams=beams,
                do_sample=False,
                max_new_tokens=min(2 * ids_BS.shape[1] + 8, self.longest - 2),
                **codes,
            )
        if self.written_E is not None:
            output_BT = self.written_E[output_BT]
        # the code of the target language is no word, though some tokenisers do not hold it for special
        written = [[token for token in row if token != self.forced_id] for row in output_BT.tolist()]
        return self.tokeniser.batch_decode(written, skip_special_tokens=True)
