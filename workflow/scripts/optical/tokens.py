"""Text -> token ids in memory-mapped files, and batches of similar length drawn from them.

A token file is a folder with `tokens.int32` (raw, all texts joined), `offsets.npy` (int64, one more than there are
texts) and `meta.json`. It holds word pieces only: the encoder adds [CLS], [Q], [SEP] itself, so one file serves as
query and as document.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from optical.errors import DataError
from optical.files import atomic_folder, read_json, write_json
from optical.program import with_progress

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[Q]", "[D]"]


def train_tokeniser(texts: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """Train a word-piece tokeniser that keeps combining marks, which carry the vowels of Devanagari.

    BERT's own normaliser strips every mark of the Unicode class Mn, and with them Marathi vowels.

    >>> tokeniser = train_tokeniser(["the moon", "the sun", "चंद्र"] * 9, vocabulary_size=60)
    >>> tokeniser.encode("the moon").tokens
    ['the', 'moon']
    >>> "[UNK]" in tokeniser.encode("चंद्र").tokens
    False
    """
    vocabulary = learn_pieces(_new_tokeniser(None), texts, vocabulary_size)
    tokeniser = _new_tokeniser(vocabulary)
    tokeniser.add_special_tokens(SPECIAL_TOKENS)
    return tokeniser


def learn_pieces(blank: Tokenizer, texts: Iterable[str], vocabulary_size: int) -> dict[str, int]:
    """Return the word pieces of texts and their numbers; `blank` is a tokeniser that has none and splits into words."""
    texts = list(texts)
    # The trainer meets words in the order of a randomly seeded hash table, numbers what continues a word as it comes,
    # and the numbers break ties among merges. As special tokens they have an order of their own.
    continuing = [f"##{sign}" for sign in sorted(_continuing_signs(blank, texts))]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary_size, special_tokens=SPECIAL_TOKENS + continuing, min_frequency=2, show_progress=False
    )
    blank.train_from_iterator(texts, trainer)
    return blank.get_vocab()


def _new_tokeniser(vocabulary: dict[str, int] | None) -> Tokenizer:
    tokeniser = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.decoder = decoders.WordPiece()
    return tokeniser


def _continuing_signs(tokeniser: Tokenizer, texts: Iterable[str]) -> set[str]:
    """Return the characters that occur within words, other than as their first."""
    found: set[str] = set()
    for text in texts:
        for word, _ in tokeniser.pre_tokenizer.pre_tokenize_str(tokeniser.normalizer.normalize_str(text)):
            found.update(word[1:])
    return found


def save_tokeniser(tokeniser: Tokenizer, folder: Path, longest: int) -> None:
    """Write the tokeniser as Hugging Face libraries read it: tokenizer.json and tokenizer_config.json."""
    cls, sep = tokeniser.token_to_id("[CLS]"), tokeniser.token_to_id("[SEP]")
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", sep), ("[CLS]", cls))
    tokeniser.save(str(folder / "tokenizer.json"))
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    write_json(
        folder / "tokenizer_config.json",
        {f"{name}_token": token for name, token in names.items()}
        | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest},
    )


def load_tokeniser(path: str | Path) -> Tokenizer:
    """Load `tokenizer.json`, given itself or its folder."""
    path = Path(path)
    path = path / "tokenizer.json" if path.is_dir() else path
    if not path.is_file():
        raise DataError("no tokenizer.json", where=path, hint="save it with AutoTokenizer.save_pretrained")
    tokeniser = Tokenizer.from_file(str(path))
    tokeniser.no_truncation()
    tokeniser.no_padding()
    return tokeniser


def tokenise(tokeniser: Tokenizer, texts: Iterable[str], chunk: int = 4096) -> Iterator[list[int]]:
    """Yield the word-piece ids of each text, without special tokens."""
    pending: list[str] = []
    for text in texts:
        pending.append(text)
        if len(pending) == chunk:
            yield from _encode(tokeniser, pending)
            pending = []
    yield from _encode(tokeniser, pending)


def _encode(tokeniser: Tokenizer, texts: list[str]) -> Iterator[list[int]]:
    for encoding in tokeniser.encode_batch_fast(texts, add_special_tokens=False):
        yield encoding.ids


class TokenFile(Sequence):
    """The token ids of many texts, memory-mapped: `file[3]` is the fourth text's ids, int32."""

    def __init__(self, folder: str | Path):
        folder = Path(folder)
        if not (folder / "meta.json").is_file():
            raise DataError("no token file", where=folder, hint="run the rule that makes it again")
        self.meta = read_json(folder / "meta.json")
        self.offsets = np.load(folder / "offsets.npy")
        total = int(self.offsets[-1])
        path = folder / "tokens.int32"
        # a plain array of the mapped memory: a slice of a memmap is a memmap, which takes several times as long to make
        self.tokens = np.asarray(np.memmap(path, np.int32, "r")) if total else np.zeros(0, np.int32)
        if len(self.tokens) != total:
            raise DataError(f"{len(self.tokens)} tokens, {total} expected", where=path, hint="delete it and run again")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Tokens per text."""
        return np.diff(self.offsets)

    def inverse_document_frequency(self, vocabulary_size: int, in_every_text: Sequence[int] = ()) -> np.ndarray:
        """Return log((texts + 1) / (texts with the token + 1)) of each token id, float32 of shape (vocabulary,).

        `in_every_text` are the ids that frame a text when it is read, [CLS] for one: the file does not hold them.
        """
        text_of_token = np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)
        pairs = np.unique(text_of_token * vocabulary_size + self.tokens)
        counts = np.bincount(pairs % vocabulary_size, minlength=vocabulary_size)
        counts[list(in_every_text)] = len(self)
        return np.log((len(self) + 1) / (counts + 1)).astype(np.float32)


def write_token_file(folder: str | Path, tokeniser_path: str | Path, texts: Iterable[str]) -> int:
    """Tokenise texts into a token file, in constant memory but for the offsets; return how many texts it holds."""
    tokeniser = load_tokeniser(tokeniser_path)
    offsets = array("q", [0])
    with atomic_folder(folder) as temporary:
        with (temporary / "tokens.int32").open("wb") as file:
            for ids in with_progress(tokenise(tokeniser, texts), "tokenising texts"):
                file.write(np.asarray(ids, dtype=np.int32).tobytes())
                offsets.append(offsets[-1] + len(ids))
        np.save(temporary / "offsets.npy", np.frombuffer(offsets, dtype=np.int64))
        write_json(temporary / "meta.json", {"texts": len(offsets) - 1, "tokens": offsets[-1]})
    return len(offsets) - 1


class EpochBatches:
    """The text indices of each training step, all of similar length: `batches[step]`.

    A pure function of (seed, step), so a resumed run sees the batches it would have seen, with nothing to save.
    Each epoch is a new permutation; within it, windows of 16 batches are sorted by length and cut into batches,
    whose order is then shuffled: little padding, and every text once an epoch (but the last few that fill no batch).

    >>> batches = EpochBatches(np.array([9, 2, 8, 3, 7, 1]), batch_size=2, seed=0)
    >>> sorted(np.concatenate([batches[step] for step in range(3)]).tolist())
    [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, seed: int):
        if not len(lengths):
            raise DataError("there is no text to train on", hint="look at the log of its cleaning")
        self.lengths, self.seed = lengths, seed
        self.batch_size = min(batch_size, len(lengths))
        self.per_epoch = len(lengths) // self.batch_size
        self.epoch, self.batches = -1, np.empty((0, self.batch_size), np.int64)

    def __getitem__(self, step: int) -> np.ndarray:
        epoch, position = divmod(step, self.per_epoch)
        if epoch != self.epoch:  # kept, because drawing it takes as long as a step where there are a million texts
            self.epoch, self.batches = epoch, self._draw(epoch)
        return self.batches[position]

    def _draw(self, epoch: int) -> np.ndarray:
        generator = np.random.default_rng([self.seed, epoch])
        order = generator.permutation(len(self.lengths))[: self.per_epoch * self.batch_size]
        window = 16 * self.batch_size
        for start in range(0, len(order), window):
            part = order[start : start + window]
            order[start : start + window] = part[np.argsort(self.lengths[part], kind="stable")]
        return order.reshape(self.per_epoch, self.batch_size)[generator.permutation(self.per_epoch)]
