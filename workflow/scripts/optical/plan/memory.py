"""How much memory a training takes on a processor, from the encoder, the texts, the batches and the precision.

It is computed when a job is about to start, from the files that it reads: `config.json` has the size of the encoder,
and token files have the lengths of the texts. docs/benchmarks.md compares it with what trainings take.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from optical.config.fitting import fitted, kind_of
from optical.files import read_json
from optical.plan.resources import megabytes_within

STARTED_MB = 400  # Python, torch and transformers
HELD_BYTES = 16  # of a trained weight: itself, its gradient, and AdamW's two moments
STORED_BYTES = 4  # of a weight that is not trained, or is written
SUBWORD_BYTES = 1_200  # of a subword in the tokeniser, measured with XLM-R's kind, which takes most
LARGE = 50_000  # subwords, above which a training holds those in use alone: optical.training.subwords
# Kept for the gradient, by layer: of a token in bytes for each hidden unit, and of a pair of tokens for each head.
TOKEN_BYTES = {"fp32": 90, "bf16": 48}
PAIR_BYTES = {"fp32": 6, "bf16": 5}
LONGEST = 512  # tokens of a text, where nothing says it
FRAME = 3  # tokens around a text's own
MARGIN = 1.1  # what freed memory of other sizes leaves unused


class Shape(NamedTuple):
    """The size of an encoder."""

    layers: int
    hidden: int
    heads: int
    intermediate: int
    rows: int
    width: int  # of a row of the subword table

    @property
    def body(self) -> int:
        """Return the weights beside the table."""
        return self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.intermediate)


@dataclass(frozen=True)
class Texts:
    """Texts that a step reads with a gradient: the token file, how many, and where they are cut off."""

    folder: Path
    count: int
    longest: int


def shape_of(model: str | Path) -> Shape | None:
    """Return the size of an encoder of BERT's kind; None where the folder is not there yet, or says it otherwise."""
    path = Path(model, "config.json")
    config: Mapping[str, Any] = read_json(path) if path.is_file() else {}
    keys = [
        ("num_hidden_layers", "n_layers"),
        ("hidden_size", "dim"),
        ("num_attention_heads", "n_heads"),
        ("intermediate_size", "hidden_dim"),
    ]
    sizes = [config.get(one, config.get(other)) for one, other in keys]
    rows = config.get("vocab_size")
    if not rows or not all(sizes):
        return None
    layers, hidden, heads, intermediate = sizes
    return Shape(layers, hidden, heads, intermediate, rows, config.get("embedding_size", hidden))


def distilling_mb(given: Mapping[str, Any], start: str, tokens: str, vectors: str, precision: str) -> float | None:
    """Return the megabytes that `distil_student` takes; None where the size of its encoder is not known.

    Args:
        given: its settings.
        start: the folder of the model that the student starts from.
        tokens: the folder of the tokenised sentence pairs.
        vectors: the folder of the teacher's vectors, or nothing.
        precision: of the matrix products: fp32, bf16 or auto.
    """
    settings, lengths = fitted("student", given, kind_of(start)), _lengths(start)
    foreign, count = Path(tokens, "foreign"), settings["batch_size"]
    texts = [Texts(foreign, count, lengths[f"{side}_length"]) for side in settings["sides"]]
    return training_mb(start, texts, precision, [tokens, vectors], averaged=bool(settings.get("average")))


def ranking_mb(given: Mapping[str, Any], start: str, training_set: str, precision: str) -> float | None:
    """Return the megabytes that `train_teacher` or `retrain_student` takes, as `distilling_mb` does.

    A retrained student that learns from queries alone has a teacher beside it, which reads the documents.
    """
    settings = fitted("student" if "sides" in given else "teacher", given, kind_of(start))
    lengths = _lengths(start) | settings.get("encoder", {})
    sides, count = settings.get("sides", ["query", "document"]), settings["batch_size"]
    negatives = min(settings["negatives"], _negatives_in(training_set))
    counts = {"query": count, "document": count * (1 + negatives)}
    files = {"query": "queries", "document": "documents"}
    texts = [Texts(Path(training_set, files[side]), counts[side], lengths[f"{side}_length"]) for side in sides]
    beside, averaged = int("document" not in sides), bool(settings.get("average"))
    return training_mb(start, texts, precision, [training_set], beside, averaged)


def _negatives_in(training_set: str) -> float:
    """Return how many negatives each query of a training set has; infinity where it is not there yet."""
    path = Path(training_set, "triples.npy")
    if not path.is_file():
        return math.inf
    import numpy as np

    return int(np.load(path, mmap_mode="r").shape[1]) - 2


def _lengths(model: str) -> dict[str, int]:
    """Return the most tokens of a query and of a document of a late-interaction model."""
    path = Path(model, "config_sentence_transformers.json")
    saved: Mapping[str, Any] = read_json(path) if path.is_file() else {}
    return {key: saved.get(key) or LONGEST for key in ("query_length", "document_length")}


def training_mb(
    model: str | Path,
    texts: list[Texts],
    precision: str,
    mapped: Sequence[str],
    models_beside: int = 0,
    averaged: bool = False,
) -> float | None:
    """Return the megabytes that a training takes; None where the size of its encoder is not known.

    Args:
        model: the folder that it starts from.
        texts: what a part of a step reads.
        precision: of the matrix products: fp32, bf16 or auto.
        mapped: folders whose files are mapped into memory.
        models_beside: how many more of this size are in memory, untrained.
        averaged: whether the mean of the trained weights is in memory, too.
    """
    shape = shape_of(model)
    if shape is None:
        return None
    weights, table = shape.body + shape.rows * shape.width, shape.rows * shape.width
    trained, stored = weights, models_beside * weights
    if shape.rows > LARGE:
        in_use = min(shape.rows, sum(subwords_of(some.folder) for some in texts))
        trained, stored = shape.body + in_use * shape.width, stored + table
    kind = "bf16" if precision == "bf16" else "fp32"  # auto may be either
    tokens = pairs = 0
    for some in texts:
        read, longest = longest_batch(some)
        tokens, pairs = tokens + read, pairs + some.count * longest**2
    kept = shape.layers * (tokens * shape.hidden * TOKEN_BYTES[kind] + pairs * shape.heads * PAIR_BYTES[kind])
    held = HELD_BYTES + STORED_BYTES * averaged
    taken = STARTED_MB + (trained * held + stored * STORED_BYTES + shape.rows * SUBWORD_BYTES + kept) / 1e6
    return MARGIN * taken + sum(megabytes_within(folder) for folder in mapped)


@functools.cache
def subwords_of(folder: Path) -> int:
    """Return how many different subwords a token file holds; of one that does not say so, how many tokens."""
    path = folder / "meta.json"
    meta = read_json(path) if path.is_file() else {}
    return int(meta.get("subwords", meta.get("tokens", 0)))


@functools.cache
def longest_batch(texts: Texts) -> tuple[int, int]:
    """Return the tokens of the longest batch, special ones included, and those of its longest text.

    Batches are of texts of similar length, drawn from sixteen batches at a time (`training.batches`). None is longer
    than the longest 64th of all texts would be on average, apart from chance.
    """
    path = texts.folder / "offsets.npy"
    if not path.is_file():
        return texts.count * texts.longest, texts.longest
    import numpy as np

    lengths = np.minimum(np.diff(np.load(path, mmap_mode="r")) + FRAME, texts.longest)
    few = min(len(lengths), max(texts.count, len(lengths) // 64))
    longest = np.partition(lengths, len(lengths) - few)[len(lengths) - few :]
    return int(texts.count * longest.mean()), int(longest.max())
