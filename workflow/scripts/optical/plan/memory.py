"""How much memory a job with a model takes on a processor: from the encoder, the texts, the batches and the precision.

It is computed when a job is about to start, from the files that it reads: `config.json` has the size of the encoder,
and token files have the lengths of the texts. docs/benchmarks.md compares it with what jobs take.
"""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from optical.config.experiment import Search
from optical.config.fitting import fitted, kind_of
from optical.files import read_json
from optical.plan.resources import megabytes_within
from optical.runtime.limits import BATCH_SCORES, LARGE, SORTED_AT_ONCE

STARTED_MB = 500  # Python, torch and transformers
DRIVERS_MB = 450  # Snakemake in the job, which waits for the program: with Slurm's plugin twice, and srun
READING_MB = 150  # batches without a gradient, and what the models before left in pieces
HELD_BYTES = 16  # of a trained weight: itself, its gradient, and AdamW's two moments
STORED_BYTES = 4  # of a weight that is not trained, or is written
CAST_BYTES = 2  # of its copy in bf16
LOOKED_UP_BYTES = 1  # of a weight of the table that is read in fp32: it stays in its file except for rows of the texts
SUBWORD_BYTES = 1_200  # of a subword in the tokeniser, measured with XLM-R's kind, which takes most
# Kept for the gradient, by layer: of a token in bytes for each hidden unit, and of a pair of tokens for each head.
TOKEN_BYTES = {"fp32": 90, "bf16": 48}
PAIR_BYTES = {"fp32": 6, "bf16": 5}
RETRIEVER = "config_sentence_transformers.json"  # the file that a late-interaction model has
LONGEST = 512  # tokens of a text, where nothing says it
FRAME = 3  # tokens around a text's own
TEXTS_AT_ONCE = 200  # short ones that a translator searches together, unless these are more scores
SCORE_BYTES = 20  # of the score of a subword
TEXT_BYTES = 12  # of a byte of text, as the numbers of its subwords
SEARCH_MB = 100  # of a search, however small its collection is
WAITING_BYTES = 32  # of a score that waits for its comparison: `search.best_hits`
HIT_BYTES = 150  # of a hit, as it is written
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
    def table(self) -> int:
        """Return the weights of the subword table."""
        return self.rows * self.width

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


def reading_mb(models: Iterable[str], precision: str, at_once: int = 1) -> float | None:
    """Return the megabytes of a program that reads texts with models; None where the size of one is not known.

    Args:
        models: their folders.
        precision: of the matrix products: fp32, bf16 or auto.
        at_once: how many are in memory together.
    """
    shapes = list(map(shape_of, models))
    known = [shape for shape in shapes if shape is not None]
    if not known or len(known) < len(shapes):
        return None
    cast = STORED_BYTES + CAST_BYTES
    body, table = (STORED_BYTES, LOOKED_UP_BYTES) if precision == "fp32" else (cast, cast)  # auto may be either
    largest = max(shape.body * body + shape.table * table + shape.rows * SUBWORD_BYTES for shape in known)
    return DRIVERS_MB + MARGIN * (STARTED_MB + READING_MB + at_once * largest / 1e6)


def encoding_mb(model: str, collection: str, precision: str) -> float | None:
    """Return the megabytes of `encode_collection`, as `reading_mb` does.

    Args:
        model: folder of the encoder of the documents.
        collection: folder of the prepared collection.
        precision: of the matrix products.
    """
    read, counts = reading_mb([model], precision), _counts(collection)
    if read is None or not counts:
        return None
    held = min(1, SORTED_AT_ONCE / max(1, counts["documents"])) * Path(collection, "documents.jsonl").stat().st_size
    return read + held * TEXT_BYTES / 1e6


def searching_mb(files: Any, lang: str, limits: Search, precision: str) -> float | None:
    """Return the megabytes of `search_collection`, as `reading_mb` does.

    Args:
        files: its input, as Snakemake gives it to functions: the folders `encoders`, of which one is in memory at a
            time, `shards` of the documents' vectors, and the prepared `collection`.
        lang: language of the queries.
        limits: hits of a query, and memory of the search.
        precision: of the matrix products.
    """
    read, counts, shards = reading_mb(files.encoders, precision), _counts(files.collection), list(files.shards)
    sizes = [Path(shard, "meta.json") for shard in shards]
    if read is None or not counts or not all(path.is_file() for path in sizes):
        return None
    queries, documents = counts["queries"].get(lang, 0), sum(int(read_json(path)["documents"]) for path in sizes)
    mapped = sum(map(megabytes_within, shards))
    search = min(limits.memory_mb, SEARCH_MB + 2 * mapped + queries * documents * WAITING_BYTES / 1e6)
    return read + search + queries * min(limits.top_k, documents) * HIT_BYTES / 1e6


def translating_mb(model: str, beams: int) -> float | None:
    """Return the megabytes of `translate_queries`; None where the size of the translator's vocabulary is not known.

    Args:
        model: folder of the translator.
        beams: of the search, which scores every subword that may be written for each.
    """
    path = Path(model, "config.json")
    config = read_json(path) if path.is_file() else {}
    rows = config.get("vocab_size")
    if not rows:
        return None
    stored = megabytes_within(model) * (STORED_BYTES + CAST_BYTES) / STORED_BYTES
    written = config.get("subwords_written", rows) if rows > LARGE else rows
    scores = beams * min(TEXTS_AT_ONCE * written, BATCH_SCORES)
    searched = STARTED_MB + READING_MB + stored + (rows * SUBWORD_BYTES + scores * SCORE_BYTES) / 1e6
    return DRIVERS_MB + MARGIN * searched


def _counts(collection: str) -> Mapping[str, Any]:
    """Return how many documents, and queries by language, a collection has; nothing where it is not there yet."""
    path = Path(collection, "collection.json")
    return read_json(path) if path.is_file() else {}


def _negatives_in(training_set: str) -> float:
    """Return how many negatives each query of a training set has; infinity where it is not there yet."""
    path = Path(training_set, "triples.npy")
    if not path.is_file():
        return math.inf
    import numpy as np

    return int(np.load(path, mmap_mode="r").shape[1]) - 2


def _lengths(model: str) -> dict[str, int]:
    """Return the most tokens of a query and of a document of a late-interaction model."""
    path = Path(model, RETRIEVER)
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
    weights = shape.body + shape.table
    trained, stored = weights, models_beside * weights
    if shape.rows > LARGE:
        in_use = min(shape.rows, sum(subwords_of(some.folder) for some in texts))
        trained, stored = shape.body + in_use * shape.width, stored + shape.table
    if not Path(model, RETRIEVER).is_file():  # markers are added: its table is copied, and stays mapped from its file
        stored += shape.table
    kind = "bf16" if precision == "bf16" else "fp32"  # auto may be either
    tokens = pairs = 0
    for some in texts:
        read, longest = longest_batch(some)
        tokens, pairs = tokens + read, pairs + some.count * longest**2
    kept = shape.layers * (tokens * shape.hidden * TOKEN_BYTES[kind] + pairs * shape.heads * PAIR_BYTES[kind])
    held = HELD_BYTES + STORED_BYTES * averaged
    taken = STARTED_MB + (trained * held + stored * STORED_BYTES + shape.rows * SUBWORD_BYTES + kept) / 1e6
    return DRIVERS_MB + MARGIN * taken + sum(megabytes_within(folder) for folder in mapped)


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
