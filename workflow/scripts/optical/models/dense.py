"""An encoder as its authors use it: one vector for a text, the mean of its tokens', compared by cosine.

It is a late-interaction encoder that keeps a single vector, at the place of a text's first token. Search, distillation
and the check of students need nothing else: MaxSim over one vector is the cosine. Its folder is what
sentence-transformers loads as a model with a mean pooling.

Shape suffixes: B texts, L tokens of the longest text, T tokens of all texts, H hidden size.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from optical.config.encoder import Dense, EncoderSettings
from optical.config.model_folders import json_of
from optical.files import write_json
from optical.models.encoder import DOCUMENT, QUERY, Encoder, Pieces
from optical.models.own_settings import longest_texts
from optical.models.saved_settings import UNBOUNDED, prompts_of
from optical.models.unpadding import read_tokens

FILE = "config_sentence_transformers.json"
POOLING, MEAN = "pooling", "mean"  # a key of our own, by which a folder says that it holds a model of this kind
MODULES = (
    ("", "sentence_transformers.models.Transformer"),
    ("1_Pooling", "sentence_transformers.models.Pooling"),
    ("2_Normalize", "sentence_transformers.models.Normalize"),
)


class DenseEncoder(Encoder):
    """A transformer and the mean over its tokens; `forward` gives one unit vector a text, and zeros behind it."""

    def forward(self, ids_BL: Tensor, attention_BL: Tensor) -> Tensor:
        """Return the unit vector of each text at its first token, float32 of shape (B, L, H); zeros elsewhere."""
        hidden_TH, layout = read_tokens(self.transformer, ids_BL, attention_BL, attention_BL.bool())
        hidden_BLH = layout.pad(hidden_TH.float())
        mean_BH = hidden_BLH.sum(1) / attention_BL.sum(1, keepdim=True).to(hidden_BLH.device)
        first_B1H = nn.functional.normalize(mean_BH, dim=-1)[:, None]
        return torch.cat([first_B1H, torch.zeros_like(hidden_BLH[:, 1:])], 1)

    def frame(self, texts: Sequence[Pieces], kind: str) -> tuple[Tensor, Tensor, Tensor]:
        """Frame ids as `Encoder.frame` does; of each text only the first position gives a vector."""
        ids_BL, attention_BL, keep_BL = super().frame(texts, kind)
        return ids_BL, attention_BL, _first(keep_BL)

    def content_mask(self, ids_BL: Tensor, attention_BL: Tensor, kind: str) -> Tensor:
        """Return where a text's vector is, bool (B, L)."""
        return _first(attention_BL.bool())

    def save_retriever(self, folder: Path) -> None:
        """Write what makes a transformer a model of sentence-transformers: pooling, prompts and the longest text."""
        settings, size = self.settings, self.transformer.config.hidden_size
        modules = enumerate(MODULES)
        write_json(
            folder / "modules.json",
            [{"idx": number, "name": str(number), "path": path, "type": kind} for number, (path, kind) in modules],
        )
        for path, _ in MODULES[1:]:
            (folder / path).mkdir(exist_ok=True)
        pooling = {"word_embedding_dimension": size, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
        write_json(folder / "1_Pooling/config.json", pooling)
        write_json(
            folder / FILE,
            {
                "prompts": {QUERY: settings.query_prompt, DOCUMENT: settings.document_prompt},
                "similarity_fn_name": "cosine",
                "model_type": "SentenceTransformer",
                POOLING: MEAN,
            },
        )
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": settings.document_length})


def _first(keep_BL: Tensor) -> Tensor:
    first_BL = torch.zeros_like(keep_BL)
    first_BL[:, :1] = keep_BL[:, :1]
    return first_BL


def saved_dense_settings(folder: str | Path) -> EncoderSettings | None:
    """Return how a saved encoder of this kind reads texts; None for any other model."""
    saved = json_of(Path(folder), FILE)
    if saved.get(POOLING) != MEAN:
        return None
    longest = json_of(Path(folder), "sentence_bert_config.json")["max_seq_length"]
    return dense_settings(longest, prompts_of(saved))


def own_dense_settings(folder: str | Path, given: Dense) -> EncoderSettings:
    """Return how an encoder reads texts into one vector: with the prompts that are given, or those of its files."""
    own = prompts_of(json_of(folder, FILE))
    prompts = own | given.model_dump(exclude_none=True)
    return dense_settings(min([UNBOUNDED, *longest_texts(folder)]), prompts)


def dense_settings(longest: int, prompts: dict[str, str]) -> EncoderSettings:
    """Return the settings of an encoder of this kind: neither markers nor a projection."""
    lengths = {"query_length": longest, "document_length": longest}
    markers = {"query_marker": "", "document_marker": ""}
    return EncoderSettings.read({"dimension": 0, "skip_punctuation": False} | lengths | markers | prompts, "dense")
