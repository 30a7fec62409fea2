"""What the files of a model tell before it is loaded: whether this project reads its kind, and how long texts may be.

Nothing here imports torch: the plan refuses a model by this before any job, and `optical check` says the same.
"""

import contextlib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optical.errors import ConfigError, DataError
from optical.files import parse_json, read_json

# Types that number the positions of a text from behind the number of the padding token, as RoBERTa does.
COUNTED_FROM_PADDING = (
    *("camembert", "data2vec-text", "esm", "ibert", "longformer", "luke", "mpnet", "roberta", "roberta-prelayernorm"),
    *("xlm-roberta", "xlm-roberta-xl", "xmod"),
)
# Types whose vectors of a text depend on the padding behind it, and so on what else is in the batch.
READ_PADDING = ("convbert", "fnet", "funnel", "mobilebert", "nystromformer", "reformer", "yoso")
WITH_DECODER = ("t5", "mt5", "umt5", "longt5", "switch_transformers", "t5gemma", "bart", "mbart")
EXTENSIBLE = "WordPiece"  # the kind of tokeniser, BERT's, that further subwords can be added to
TAKE = "take an encoder of the kind of BERT, RoBERTa, XLM-R or ModernBERT"
OF_THE_HUB = "huggingface_hub.snapshot_download fetches a model of the hub and returns its folder"

POINTER = b"version https://git-lfs"
DAMAGED = "download it again"
HEADER_BYTES = 8  # of a safetensors file: the length of the JSON behind them
LARGEST_HEADER = 100_000_000  # as the library of that format has it


def kind_of_subwords(folder: str | Path) -> str | None:
    """Return the kind of a tokeniser, such as WordPiece, by its tokenizer.json; None where there is none."""
    state = json_of(folder, "tokenizer.json")
    with in_form(folder):
        return str(state["model"].get("type")) if state else None


def check_extensible(kind: str) -> None:
    """Raise `ConfigError` for a tokeniser that cannot get more subwords: another kind than BERT's."""
    if kind != EXTENSIBLE:
        what = f"a tokeniser of the kind {kind} cannot be extended"
        hint = "0 keeps the encoder's own; BERT's kind can be extended"
        raise ConfigError(what, where="vocabulary.pieces", hint=hint)


def check_lengths(config: Mapping[str, Any], lengths: Mapping[str, int | None]) -> None:
    """Raise `ConfigError` where a length is above what a model reads.

    Args:
        config: of the model.
        lengths: the most tokens of a text by the key that gives them, such as `document_length`; None for not given.
    """
    longest = longest_text(config)
    for key, length in lengths.items():
        if longest is not None and length is not None and length > longest:
            what = f"the encoder reads texts of up to {longest} tokens, not of {length}"
            raise ConfigError(what, where=f"encoder.{key}", hint="lower it, or take another encoder")


def model_config(folder: str | Path) -> dict[str, Any]:
    """Return the config.json of a model; refuse a kind that is not read, with the reason."""
    config = json_of(folder, "config.json")
    with in_form(folder):
        reason = _refusal(config)
    if reason:
        raise DataError(f"this model cannot be read as an encoder: {reason}", where=folder, hint=TAKE)
    return config


def _refusal(config: Mapping[str, Any]) -> str | None:
    kind = str(config.get("model_type", ""))
    if config.get("is_encoder_decoder") or kind in WITH_DECODER:
        return f"{kind} has a decoder beside its encoder"
    architectures = config.get("architectures") or [""]
    if config.get("is_decoder") or str(architectures[0]).endswith("ForCausalLM"):
        return f"{kind} reads from left to right, as a decoder"
    if kind in READ_PADDING:
        return f"{kind} mixes padding into texts, so that vectors depend on the batch"
    if kind == "xmod" and not config.get("default_language"):
        return "xmod has parts for each language, and its config names no default_language"
    return None


def longest_text(config: Mapping[str, Any]) -> int | None:
    """Return how many tokens of a text a model reads, by the positions of its config; None where there is no bound.

    >>> longest_text({"model_type": "bert", "max_position_embeddings": 512})
    512
    >>> longest_text({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1})
    512
    """
    positions = config.get("max_position_embeddings")
    way = config.get("position_embedding_type")
    turned = way in ("rotary", "rope") or (way != "absolute" and any("rope" in key for key in config))
    relative = config.get("model_type") == "deberta-v2" and config.get("position_biased_input") is False
    if not isinstance(positions, int) or positions < 1 or turned or relative:
        return None
    positions -= first_position(config.get("model_type", ""), config.get("pad_token_id"))
    if config.get("attention_type") == "block_sparse":  # BigBird's, which reads shorter texts with full attention
        positions = min(positions, (5 + 2 * config.get("num_random_blocks", 3)) * config.get("block_size", 64))
    return positions


def first_position(model_type: str, padding_id: int | None) -> int:
    """Return the number of a text's first position."""
    if model_type not in COUNTED_FROM_PADDING:
        return 0
    return (1 if padding_id is None else padding_id) + 1


# --- files of a folder


@contextlib.contextmanager
def in_form(place: str | Path) -> Iterator[None]:
    """Say in one line that what a file of a model holds has another form than its format has.

    >>> with in_form("model"):
    ...     {"prompts": 3}["prompts"]["query"]
    Traceback (most recent call last):
    optical.errors.DataError: a file of the model holds a value of another form: ... [model]. Hint: ...
    """
    try:
        yield
    except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
        what = f"a file of the model holds a value of another form: {error}"
        raise DataError(what, where=place, hint="compare its JSON files with those of a model that works") from error


def json_of(folder: str | Path, name: str) -> dict[str, Any]:
    """Return what a JSON file of a model's folder holds; nothing where there is none."""
    path = Path(folder, name)
    if not path.is_file():
        return {}
    refuse_pointer(path)
    value = read_json(path)
    if not isinstance(value, dict):
        raise DataError("the file holds no JSON object", where=path, hint=DAMAGED)
    return value


def refuse_pointer(path: Path) -> None:
    """Raise `DataError` where a file holds only the address of what Git should have fetched."""
    if path.is_file() and _head(path, len(POINTER)) == POINTER:
        raise DataError("a pointer of Git LFS, not the file itself", where=path, hint="run: git lfs pull")


def check_weights(folder: str | Path) -> None:
    """Look at the beginning and the size of each file of weights; raise `DataError` for one that is not whole."""
    with in_form(folder):
        files = list(weight_files(folder))
    for path in files:
        refuse_pointer(path)
        if path.suffix == ".safetensors":
            with in_form(path):
                _check_safetensors(path)
        elif not zipfile.is_zipfile(path) and _head(path, 1) != b"\x80":  # torch writes zip files, once pickles
            raise DataError("the file of weights is not whole", where=path, hint=DAMAGED)


def weight_files(folder: str | Path) -> Iterator[Path]:
    """Yield the files of a folder that its weights are read from, those of its projections included."""
    for place in (Path(folder), *sorted(Path(folder).glob("[0-9]_Dense"))):
        for ending, all_of_them in ((".safetensors", "model*.safetensors"), (".bin", "pytorch_model*.bin")):
            found = sorted(place.glob(all_of_them))
            for index in place.glob(f"*{ending}.index.json"):
                shards = set((json_of(place, index.name).get("weight_map") or {}).values())
                found += [place / shard for shard in sorted(shards) if place / shard not in found]
            yield from found
            if found:
                break


def _check_safetensors(path: Path) -> None:
    if not path.is_file():
        raise DataError("a file of weights is missing", where=path, hint=DAMAGED)
    size, length = path.stat().st_size, int.from_bytes(_head(path, HEADER_BYTES), "little")
    whole = size >= HEADER_BYTES and 0 < length <= min(size - HEADER_BYTES, LARGEST_HEADER)
    if whole:
        header = parse_json(_head(path, HEADER_BYTES + length)[HEADER_BYTES:].decode("utf-8", "replace"), path)
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        whole = size == HEADER_BYTES + length + max(ends, default=0)
    if not whole:
        raise DataError("the file of weights is not whole", where=path, hint=DAMAGED)


def _head(path: Path, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(length)
    except OSError as error:
        raise DataError(f"cannot read: {error.strerror or error}", where=path, hint="check its permissions") from error
