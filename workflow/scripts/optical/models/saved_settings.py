"""How a saved late-interaction model turns texts into vectors, as the library that saved it does.

- PyLate's layout is also ours: markers, lengths and prompts in `config_sentence_transformers.json`.
- sentence-transformers 6 (MultiVectorEncoder) has markers among the prompts, and the rest in folders of modules.
- Stanford ColBERT has all of it in `artifact.metadata`.

What this project cannot do as that library does is refused.
"""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from optical.config.encoder import EncoderSettings
from optical.config.model_folders import in_form, json_of, longest_text
from optical.errors import DataError
from optical.files import read_json
from optical.text.tokeniser import load_tokeniser

OTHER = "take another checkpoint"
PROJECTION, SKIP_WORDS = "projection", "skip_words"  # keys of our own: is 1_Dense an identity, what is not punctuation
PYLATE = {"query_length", "document_length", "query_prefix", "document_prefix", "do_query_expansion"}
SIDES = {"query_prompt": ("query",), "document_prompt": ("document", "passage", "corpus")}  # names of their prompts
MODULES = (["Transformer", "Dense", "MultiVectorMask", "Normalize"], ["Transformer", "MultiVectorMask", "Normalize"])
UNBOUNDED = 512  # tokens of a text, where a folder says nothing of lengths


def saved_settings(folder: str | Path) -> EncoderSettings | None:
    """Return how a late-interaction model turns texts into vectors; None where the folder is a bare transformer."""
    folder = Path(folder)
    saved = json_of(folder, "config_sentence_transformers.json")
    with in_form(folder):
        if saved.get("model_type") == "MultiVectorEncoder":
            found = _of_sentence_transformers(folder, saved)
        elif saved.get("model_type") == "ColBERT" or PYLATE & saved.keys():
            found = _of_pylate(folder, saved)
        elif (folder / "artifact.metadata").is_file():
            found = _of_stanford(folder, json_of(folder, "artifact.metadata"))
        else:
            return None
    return EncoderSettings.read(found, str(folder))


def settings_of_retriever(folder: str | Path) -> EncoderSettings:
    """Return how a late-interaction model turns texts into vectors; refuse a folder that holds none."""
    if (settings := saved_settings(folder)) is None:
        raise DataError("the folder is not a late-interaction model", where=folder, hint="train a teacher first")
    return settings


def prompts_of(saved: Mapping[str, Any]) -> dict[str, str]:
    """Return the prompts of queries and of documents: those of their names, else the one that is named as default."""
    prompts: Mapping[str, str] = saved.get("prompts") or {}
    default = prompts.get(saved.get("default_prompt_name") or "")
    found = {side: [prompts[name] for name in names if name in prompts] for side, names in SIDES.items()}
    return {side: (values[0] if values else default) or "" for side, values in found.items()}


def _of_pylate(folder: Path, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a folder of PyLate, of whatever version; a key that is missing has that code's default."""
    ours = PROJECTION in saved

    def value(key: str, default: Any) -> Any:
        return default if saved.get(key) is None else saved[key]

    if ours:
        words = {"skip_punctuation": bool(value("skiplist_words", True)), "skip_words": saved.get(SKIP_WORDS)}
    else:
        words = {"skip_words": value("skiplist_words", list(string.punctuation))}
    prompts = prompts_of(saved)
    if saved.get("default_prompt_name") and not ours:  # PyLate puts that one before queries and documents
        prompts = dict.fromkeys(SIDES, (saved.get("prompts") or {}).get(saved["default_prompt_name"]) or "")
    expansion = bool(value("do_query_expansion", True))
    projected = saved.get(PROJECTION, (folder / "1_Dense").is_dir())
    return {
        "dimension": _size_of_projection(folder) if projected else 0,
        "query_length": value("query_length", 32),
        "document_length": value("document_length", 180),
        "query_marker": value("query_prefix", "[Q] "),
        "document_marker": value("document_prefix", "[D] "),
        "query_expansion": expansion,
        "attend_to_expansion": expansion and bool(value("attend_to_expansion_tokens", False)),
        **words,
        **prompts,
    }


def _of_sentence_transformers(folder: Path, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a MultiVectorEncoder; a prompt that is one added token is a marker."""
    modules = _modules(folder)
    if list(modules) not in MODULES:
        what = f"its modules are {', '.join(modules)}; {', '.join(MODULES[0])} can be read"
        raise DataError(what, where=folder, hint=OTHER)
    reading, mask = (
        json_of(folder / modules[kind], name)
        for kind, name in (("Transformer", "sentence_bert_config.json"), ("MultiVectorMask", "config.json"))
    )
    tokens = json_of(folder, "tokenizer_config.json")
    expansion = reading.get("query_expansion") or {}
    refused = {
        "query_expansion": expansion and (expansion.get("strategy") != "fixed"),
        "query_expansion.token": expansion.get("token") not in (None, tokens.get("mask_token")),
        "skiplist_tasks": mask.get("skiplist_tasks") not in (None, ["document"], "document"),
        "keep_only_token_ids": mask.get("keep_only_token_ids"),
        "processing_kwargs": reading.get("processing_kwargs"),
    }
    if key := next((key for key, is_refused in refused.items() if is_refused), None):
        raise DataError(f"its {key} is not the usual one, and cannot be read", where=folder, hint=OTHER)
    bounds = [tokens.get("model_max_length"), longest_text(json_of(folder, "config.json"))]
    longest = int(min((bound for bound in bounds if bound), default=UNBOUNDED))
    tokeniser = load_tokeniser(folder)
    added = {token.content for token in tokeniser.get_added_tokens_decoder().values()}
    prompts = prompts_of(saved)
    markers = {key: prompt if prompt in added else "" for key, prompt in prompts.items()}
    return {
        "dimension": _size_of_projection(folder) if "Dense" in modules else 0,
        "query_length": expansion.get("length") or reading.get("query_length") or longest,
        "document_length": reading.get("document_length") or longest,
        "query_marker": markers["query_prompt"],
        "document_marker": markers["document_prompt"],
        "query_expansion": bool(expansion),
        "attend_to_expansion": bool(expansion.get("attend")),
        # words without a token are dropped there; in PyLate they stand for the unknown token
        "skip_words": [word for word in mask.get("skiplist_words") or [] if tokeniser.token_to_id(word) is not None],
    } | {key: "" if markers[key] else prompt for key, prompt in prompts.items()}


def _modules(folder: Path) -> dict[str, str]:
    """Return the kinds of modules and the folder of each, as `modules.json` lists them."""
    path = folder / "modules.json"
    listed = read_json(path) if path.is_file() else []
    return {str(module["type"]).rpartition(".")[2]: str(module["path"]) for module in listed}


def _size_of_projection(folder: Path) -> int:
    """Return the size of a token vector; refuse a projection that is more than one matrix."""
    layer = json_of(folder, "1_Dense/config.json")
    activation = layer.get("activation_function") or "Identity"
    more = layer.get("bias") or layer.get("use_residual") or (folder / "2_Dense").is_dir()
    if more or not activation.endswith("Identity"):
        raise DataError("its projection is more than one matrix", where=folder, hint=OTHER)
    if not isinstance(layer.get("out_features"), int):
        raise DataError("the projection has no out_features", where=folder / "1_Dense/config.json", hint=OTHER)
    return int(layer["out_features"])


def _of_stanford(folder: Path, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a checkpoint of Stanford ColBERT; a key that is missing has that code's default."""
    saved = saved.get("config", saved)
    return {
        "dimension": saved.get("dim", 128),
        "query_length": saved.get("query_maxlen", 32),
        "document_length": saved.get("doc_maxlen", 220),
        "query_marker": saved.get("query_token_id", "[unused0]"),
        "document_marker": saved.get("doc_token_id", "[unused1]"),
        "query_expansion": not _pads_with_mask(folder),
        "attend_to_expansion": bool(saved.get("attend_to_mask_tokens", False)),
        "skip_punctuation": bool(saved.get("mask_punctuation", True)),
    }


def _pads_with_mask(folder: Path) -> bool:
    """Return whether [MASK] is the padding token: Stanford's code adds it to every query, and never scores padding."""
    pad, mask = (json_of(folder, "tokenizer_config.json").get(f"{name}_token") for name in ("pad", "mask"))
    return pad is not None and pad == mask
