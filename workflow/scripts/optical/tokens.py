"""Text -> token ids in memory-mapped files, and batches of similar length drawn from them.

A token file is a folder with `tokens.npy` (int32, all texts joined), `offsets.npy` (int64, one more than there are
texts) and `meta.json`. It holds word pieces only: the encoder adds [CLS], [Q], [SEP] itself, so one file serves as
query and as document.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from optical.errors import DataError
from optical.files import atomic_folder, read_json, sha256_of, write_json

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
    tokeniser = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary_size, special_tokens=SPECIAL_TOKENS, min_frequency=2, show_progress=False
    )
    tokeniser.train_from_iterator(texts, trainer)
    return tokeniser


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
        self.tokens = numpy.load(folder / "tokens.npy", mmap_mode="r")
        self.offsets = numpy.load(folder / "offsets.npy")
        self.meta = read_json(folder / "meta.json")

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> numpy.ndarray:
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> numpy.ndarray:
        """Tokens per text."""
        return numpy.diff(self.offsets)

    def counts(self, vocabulary_size: int) -> numpy.ndarray:
        """Return in how many texts each token id occurs (its document frequency)."""
        text_of_token = numpy.repeat(numpy.arange(len(self)), self.lengths)
        pairs = numpy.unique(text_of_token * numpy.int64(vocabulary_size) + self.tokens)
        return numpy.bincount(pairs % vocabulary_size, minlength=vocabulary_size)


def write_token_file(folder: str | Path, tokeniser_path: Path, texts: Iterable[str]) -> int:
    """Tokenise texts into a token file; return how many tokens it holds."""
    tokeniser = load_tokeniser(tokeniser_path)
    chunks, lengths = [], []
    for ids in tokenise(tokeniser, texts):
        chunks.append(numpy.asarray(ids, dtype=numpy.int32))
        lengths.append(len(ids))
    with atomic_folder(folder) as temporary:
        tokens = numpy.concatenate(chunks) if chunks else numpy.zeros(0, dtype=numpy.int32)
        numpy.save(temporary / "tokens.npy", tokens)
        numpy.save(temporary / "offsets.npy", numpy.concatenate([[0], numpy.cumsum(lengths, dtype=numpy.int64)]))
        write_json(temporary / "meta.json", {"texts": len(lengths), "tokeniser": sha256_of(tokeniser_path)})
    return len(tokens)


def batch_of_step(lengths: numpy.ndarray, batch_size: int, step: int, seed: int) -> numpy.ndarray:
    """Return the text indices of one training step, all of similar length.

    A pure function of (seed, step), so a resumed run sees the batches it would have seen, with nothing to save.
    Each epoch is a new permutation; within it, windows of 16 batches are sorted by length and cut into batches,
    whose order is then shuffled: little padding, and every text once an epoch (but the last few that fill no batch).

    >>> lengths = numpy.array([9, 2, 8, 3, 7, 1])
    >>> epoch = [batch_of_step(lengths, 2, step, seed=0) for step in range(3)]
    >>> sorted(numpy.concatenate(epoch).tolist())
    [0, 1, 2, 3, 4, 5]
    """
    texts = len(lengths)
    batch_size = min(batch_size, texts)
    per_epoch = texts // batch_size
    epoch, position = divmod(step, per_epoch)
    generator = numpy.random.default_rng([seed, epoch])
    order = generator.permutation(texts)[: per_epoch * batch_size]
    window = 16 * batch_size
    for start in range(0, len(order), window):
        part = order[start : start + window]
        order[start : start + window] = part[numpy.argsort(lengths[part], kind="stable")]
    chosen = generator.permutation(per_epoch)[position]
    return order[chosen * batch_size : (chosen + 1) * batch_size]
