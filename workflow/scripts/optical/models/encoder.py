"""The late-interaction encoder: subwords -> one unit vector per token (ColBERT, Khattab and Zaharia, SIGIR 2020).

It is a thin layer over a Hugging Face transformer, saved in the layout that PyLate and sentence-transformers load:
the transformer at the top of the folder, the projection in `1_Dense/`, markers and lengths in
`config_sentence_transformers.json`. `optical.models.folders` reads it from there.

Shape suffixes: B texts, L tokens of the longest text, H hidden size, D vector size.
"""

import copy
import string
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import processors
from torch import Tensor, nn

from optical.config.encoder import EncoderSettings
from optical.config.model_folders import check_lengths, longest_text
from optical.errors import ConfigError
from optical.files import write_json
from optical.models.framing import framing_of, new_markers, unknown_id
from optical.models.layout import quiet
from optical.models.saved_settings import PROJECTION, SKIP_WORDS
from optical.models.unpadding import Transformer, read_tokens, use_fastest_attention
from optical.runtime.precision import dtype_of
from optical.runtime.threads import results_in_order, workers_on
from optical.text.tokeniser import load_tokeniser, tokenise, vocabulary_size

QUERY, DOCUMENT = "query", "document"
Pieces = Sequence[int] | np.ndarray  # ids of a text's subwords, without special tokens
# Of an encoder's batch, padding included: what a core's cache holds, what fills a GPU.
BATCH_TOKENS = {"cpu": 1024, "cuda": 32_768}
BATCHES_AT_ONCE = 4  # that an encoder reads on a processor; more take memory


class Encoder(nn.Module):
    """A transformer and a projection; `forward` gives unit token vectors."""

    def __init__(self, transformer: Transformer, folder_of_tokeniser: str | Path, settings: EncoderSettings):
        """Join the parts; the projection starts from random weights.

        Raises:
            ConfigError: texts may be longer than the transformer has positions for, or a special token is missing.
        """
        super().__init__()
        use_fastest_attention(transformer)
        check_lengths(transformer.config.to_dict(), settings.model_dump(include={"query_length", "document_length"}))
        self.transformer: Transformer = transformer
        self.settings = settings
        self.tokeniser = load_tokeniser(folder_of_tokeniser)
        self._add_markers()
        hidden = transformer.config.hidden_size
        self.projection = nn.Linear(hidden, settings.dimension, bias=False) if settings.dimension else nn.Identity()
        framing = framing_of(self.tokeniser, folder_of_tokeniser, settings)
        self.cls_id, self.sep_id, self.pad_id, self.mask_id = framing[:4]
        self.marker_ids, self.prompt_ids = framing.markers, framing.prompts
        self.skipped_ids = np.array(self._skipped(), dtype=np.int64)

    def _add_markers(self) -> None:
        """Give the vocabulary the markers that it lacks, with random vectors."""
        rows = len(self.transformer.get_input_embeddings().weight)
        new = new_markers(self.tokeniser, rows, self.settings)
        self.tokeniser.add_special_tokens(new)
        size = vocabulary_size(self.tokeniser)
        if new and size > rows:
            self.transformer.resize_token_embeddings(size, mean_resizing=False)

    def _skipped(self) -> list[int]:
        """Return the ids whose document vectors are dropped.

        Of the words that are named, one without a token stands for the unknown token: so PyLate reads its list.
        """
        words = self.settings.skip_words
        if words is None:
            words = list(string.punctuation) if self.settings.skip_punctuation else []
            unknown = None
        else:
            unknown = unknown_id(self.tokeniser)
        ids = [self.tokeniser.token_to_id(word) for word in words]
        return [token for token in (unknown if index is None else index for index in ids) if token is not None]

    @property
    def dimension(self) -> int:
        """Return the size of a token vector."""
        return self.settings.dimension or self.transformer.config.hidden_size

    def forward(self, ids_BL: Tensor, attention_BL: Tensor) -> Tensor:
        """Return the unit vectors of every token, zeros where there is padding, float32 of shape (B, L, D).

        They are on the encoder's device; the token ids may be elsewhere.
        """
        read_BL = attention_BL.bool() | (ids_BL != self.pad_id)
        hidden_TH, layout = read_tokens(self.transformer, ids_BL, attention_BL, read_BL)
        return layout.pad(nn.functional.normalize(self.projection(hidden_TH).float(), dim=-1))

    def length(self, kind: str) -> int:
        """Return the length of the longest input of this kind in tokens, special ones included."""
        return self.settings.query_length if kind == QUERY else self.settings.document_length

    def before(self, kind: str) -> list[int]:
        """Return the ids that stand before a text's own: [CLS], the marker, the prompt.

        Raises:
            ConfigError: the kind is unknown.
        """
        if kind not in self.prompt_ids:
            raise ConfigError(f"unknown kind of text {kind!r}", where="encoder", hint=f"{QUERY} or {DOCUMENT}")
        marker = [self.marker_ids[kind]] if kind in self.marker_ids else []
        return [self.cls_id, *marker, *self.prompt_ids[kind]]

    def room(self, kind: str) -> int:
        """Return how many subwords of a text are read, beside those that frame it."""
        return self.length(kind) - len(self.before(kind)) - 1

    def read(self, texts: str | Sequence[str], kind: str) -> tuple[Tensor, Tensor]:
        """Return the token vectors of texts in one batch, with gradient: for a loss, or to score a few texts.

        `encode` reads many texts, without gradient, in batches that fit into memory.

        Args:
            texts: one or several.
            kind: "query" or "document".

        Returns:
            Unit vectors, float32 (B, L, D), and which of them count, bool (B, L), on the encoder's device.

        >>> from optical import load_encoder, max_sim
        >>> encoder = load_encoder(model)
        >>> queries, passages = encoder.read(["where is the river?"], "query"), encoder.read(["the moon"], "document")
        >>> max_sim(*queries, *passages).shape
        torch.Size([1, 1])
        """
        ids_BL, attention_BL, keep_BL = self.frame(self.pieces(texts), kind)
        vectors_BLD = self(ids_BL, attention_BL)
        return vectors_BLD, keep_BL.to(vectors_BLD.device)

    def pieces(self, texts: str | Sequence[str] | Sequence[Pieces]) -> Sequence[Pieces]:
        """Return the subwords of texts, without special tokens; what is given as subwords stays as it is."""
        if isinstance(texts, str):
            texts = [texts]
        if len(texts) > 0 and isinstance(texts[0], str):
            return list(tokenise(self.tokeniser, cast(Sequence[str], texts)))
        return cast(Sequence[Pieces], texts)

    def frame(self, texts: Sequence[Pieces], kind: str) -> tuple[Tensor, Tensor, Tensor]:
        """Frame word-piece ids as the encoder wants them and pad them to a common length.

        Args:
            texts: word-piece ids of each text, without special tokens; cut where they are too long.
            kind: QUERY or DOCUMENT.

        Returns:
            ids_BL (int64), attention_BL (int64) and keep_BL (bool): which positions give a vector.
        """
        before, room = self.before(kind), self.room(kind)
        pieces = [np.asarray(text[:room], dtype=np.int64) for text in texts]
        expand = kind == QUERY and self.settings.query_expansion
        longest = room if expand else max((len(piece) for piece in pieces), default=0)
        width, start = len(before) + longest + 1, len(before)
        ids_BL = np.full((len(pieces), width), self.mask_id if expand else self.pad_id, dtype=np.int64)
        attention_BL = np.zeros((len(pieces), width), dtype=np.int64)
        for row, piece in enumerate(pieces):
            end = start + len(piece)
            ids_BL[row, :start] = before
            ids_BL[row, start:end] = piece
            ids_BL[row, end] = self.sep_id
            attention_BL[row, : end + 1] = 1
        keep_BL = attention_BL.astype(bool)
        if expand:
            keep_BL[:] = True
            if self.settings.attend_to_expansion:
                attention_BL[:] = 1
        elif kind == DOCUMENT and len(self.skipped_ids):
            keep_BL &= ~np.isin(ids_BL, self.skipped_ids)
        return torch.from_numpy(ids_BL), torch.from_numpy(attention_BL), torch.from_numpy(keep_BL)

    def content_mask(self, ids_BL: Tensor, attention_BL: Tensor, kind: str) -> Tensor:
        """Return where the text's own subwords are: no padding, special token or prompt; bool (B, L)."""
        content_BL = attention_BL.bool() & ~torch.isin(ids_BL, torch.tensor(self.special_ids, device=ids_BL.device))
        content_BL[:, : len(self.before(kind))] = False
        return content_BL

    @property
    def special_ids(self) -> list[int]:
        """Return the ids that frame or fill texts, and never stand for a word."""
        return [self.cls_id, self.sep_id, self.pad_id, self.mask_id, *self.marker_ids.values()]

    @property
    def added_ids(self) -> list[int]:
        """Return the ids that the encoder reads beside a text's own: special ones and those of prompts."""
        return [*self.special_ids, *chain.from_iterable(self.prompt_ids.values())]

    def encode(
        self,
        texts: str | Sequence[str] | Sequence[Pieces],
        kind: str,
        precision: str = "fp32",
        batch_tokens: int | None = None,
    ) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Encode texts in batches of similar length, the longest first.

        Each of the processor's cores reads another batch. In bf16 the weights themselves are cast, because the casts of
        autocast take a third of its time.

        Args:
            texts: each as text, or as its word-piece ids without special tokens.
            kind: QUERY or DOCUMENT.
            precision: fp32 or bf16, of the matrix products.
            batch_tokens: most tokens of a batch, padding included; None for `BATCH_TOKENS`.

        Yields:
            The number of a text, its vectors (L, D), float32 on the processor, and its token ids (L,), int64.
        """
        device, dtype = next(self.parameters()).device, dtype_of(precision)
        pieces = self.pieces(texts)
        batches = self._batches(pieces, kind, batch_tokens or BATCH_TOKENS[device.type])
        reader: nn.Module = self.eval() if precision == "fp32" else self._cast(dtype).eval()

        def read(chosen: np.ndarray) -> list[tuple[int, Tensor, Tensor]]:
            ids_BL, attention_BL, keep_BL = self.frame([pieces[index] for index in chosen], kind)
            vectors_BLD = reader(ids_BL, attention_BL).cpu()
            counts = keep_BL.sum(1).tolist()
            kept = vectors_BLD[keep_BL].split(counts), ids_BL[keep_BL].split(counts)
            return list(zip(chosen.tolist(), *kept, strict=True))

        workers = min(workers_on(device), BATCHES_AT_ONCE, max(1, len(batches)))
        for encoded in results_in_order(read, batches, workers):
            yield from encoded

    def _cast(self, dtype: torch.dtype) -> "Encoder":
        """Return a copy whose weights have another type; it shares the tokeniser, which may take as much memory."""
        weights = [
            (weight, nn.Parameter(weight.detach().to(dtype), requires_grad=False)) for weight in self.parameters()
        ]
        # buffers stay as they are: rotary frequencies in bf16 would be off by radians at the end of a long text
        shared = [(each, each) for each in (*self.buffers(), self.tokeniser)]
        return copy.deepcopy(self, {id(old): new for old, new in [*weights, *shared]})

    def _batches(self, texts: Sequence[Pieces], kind: str, batch_tokens: int) -> list[np.ndarray]:
        """Return the indices of the texts of each batch, longest first."""
        expand = kind == QUERY and self.settings.query_expansion
        room, framing = self.room(kind), self.length(kind) - self.room(kind)
        lengths = np.array([min(len(text), room) + framing for text in texts], dtype=np.int64)
        order = np.argsort(-lengths, kind="stable")
        batches, start = [], 0
        while start < len(order):
            width = self.length(kind) if expand else int(lengths[order[start]])
            batches.append(order[start : start + max(1, batch_tokens // width)])
            start += len(batches[-1])
        return batches

    def save_transformer(self, folder: Path) -> None:
        """Write the transformer and its tokeniser alone, without ColBERT's parts."""
        with quiet():
            self.transformer.save_pretrained(folder)
        if not self.tokeniser.encode("").ids:  # it puts nothing around a text, and other programs rely on it
            sep, cls = ((str(self.tokeniser.id_to_token(index)), index) for index in (self.sep_id, self.cls_id))
            self.tokeniser.post_processor = processors.BertProcessing(sep, cls)
        self.tokeniser.save(str(folder / "tokenizer.json"))
        names = {"cls": self.cls_id, "sep": self.sep_id, "pad": self.pad_id, "mask": self.mask_id}
        tokens = {f"{name}_token": self.tokeniser.id_to_token(index) for name, index in names.items()}
        unknown = unknown_id(self.tokeniser)
        longest = longest_text(self.transformer.config.to_dict()) or self.settings.document_length
        write_json(
            folder / "tokenizer_config.json",
            tokens
            | {"unk_token": None if unknown is None else self.tokeniser.id_to_token(unknown)}
            | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest},
        )

    def save(self, folder: str | Path) -> None:
        """Write the encoder in the layout that `load_encoder`, PyLate and sentence-transformers read."""
        self.save_transformer(Path(folder))
        self.save_retriever(Path(folder))

    def save_retriever(self, folder: Path) -> None:
        """Write what makes a transformer a late-interaction model: projection, markers and lengths."""
        settings, hidden = self.settings, self.transformer.config.hidden_size
        prompts = {QUERY: settings.query_prompt, DOCUMENT: settings.document_prompt}
        # Without a projection an identity is written: PyLate would add a random one.
        weight_DH = self.projection.weight if isinstance(self.projection, nn.Linear) else torch.eye(hidden)
        (folder / "1_Dense").mkdir(exist_ok=True)
        weights = {"linear.weight": weight_DH.detach().cpu().contiguous()}
        save_file(weights, folder / "1_Dense" / "model.safetensors", metadata={"format": "pt"})
        write_json(
            folder / "1_Dense" / "config.json",
            {
                "in_features": hidden,
                "out_features": self.dimension,
                "bias": False,
                "activation_function": "torch.nn.modules.linear.Identity",
            },
        )
        modules = (("", "sentence_transformers.models.Transformer"), ("1_Dense", "pylate.models.Dense.Dense"))
        write_json(
            folder / "modules.json",
            [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(modules)],
        )
        write_json(
            folder / "config_sentence_transformers.json",
            {
                "query_prefix": settings.query_marker,
                "document_prefix": settings.document_marker,
                "query_length": settings.query_length,
                "document_length": settings.document_length,
                "do_query_expansion": settings.query_expansion,
                "attend_to_expansion_tokens": settings.attend_to_expansion,
                # a sign without a token would stand for [UNK], and PyLate would skip every unknown word
                "skiplist_words": settings.skip_words
                or [str(self.tokeniser.id_to_token(token)) for token in self.skipped_ids.tolist()],
                PROJECTION: bool(settings.dimension),
                "similarity_fn_name": "MaxSim",
                "model_type": "ColBERT",
            }
            | ({} if settings.skip_words is None else {SKIP_WORDS: settings.skip_words})
            | ({"prompts": prompts} if any(prompts.values()) else {}),
        )
        write_json(folder / "sentence_bert_config.json", {"max_seq_length": settings.document_length})
