"""What stands around a text when an encoder reads it: the special tokens of its tokeniser, and a prompt's subwords."""

from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from optical.config.encoder import EncoderSettings
from optical.config.model_folders import TAKE, in_form, json_of
from optical.errors import ConfigError
from optical.runtime.base import base_of
from optical.text.tokeniser import vocabulary_size

KINDS = ("query", "document")
NEW_MARKERS: tuple[str, str] = ("[Q]", "[D]")  # a vocabulary that lacks them gets them

# Names in tokenizer_config.json, and the tokens of known vocabularies where it names none.
CLS = ("cls_token", "bos_token"), ("[CLS]", "<s>", "<bos>")
SEP = ("sep_token", "eos_token"), ("[SEP]", "</s>", "<eos>")
PAD = (), ("[PAD]", "<pad>")
MASK = ("mask_token",), ("[MASK]", "<mask>")
UNKNOWN = ("[UNK]", "<unk>")
# How texts begin that show whether a tokeniser splits them behind a prompt as it does alone.
BEGINNINGS = ("moon", "The moon", "7 moons", "(moon)", "Éa", "चंद्र", "月")


class Framing(NamedTuple):
    """The ids of special tokens, and of the marker and the prompt of each kind of text."""

    cls: int
    sep: int
    pad: int
    mask: int
    markers: dict[str, int]
    prompts: dict[str, list[int]]


def framing_of(tokeniser: Tokenizer, folder: str | Path, settings: EncoderSettings) -> Framing:
    """Return what stands around a text.

    Args:
        tokeniser: has the new markers.
        folder: of the tokeniser.
        settings: markers, prompts and lengths.

    Raises:
        ConfigError: a special token or a marker is missing, a prompt changes the text behind it, or a text has no room.
    """
    tokens, values = special_tokens(tokeniser, folder), settings.model_dump()
    named = {kind: values[f"{kind}_marker"] for kind in KINDS if values[f"{kind}_marker"]}
    markers = {kind: _marker(tokeniser, token, f"{kind}_marker") for kind, token in named.items()}
    prompts = {kind: prompt_ids(tokeniser, values[f"{kind}_prompt"], f"encoder.{kind}_prompt") for kind in KINDS}
    for kind in KINDS:
        length = values[f"{kind}_length"]
        if length - 2 - (kind in markers) - len(prompts[kind]) < 1:  # [CLS] and [SEP] stand around all
            what = f"{length} tokens have no room for a text beside its prompt"
            raise ConfigError(what, where=f"encoder.{kind}_length", hint="raise it, or shorten the prompt")
    return Framing(*tokens, markers, prompts)


def new_markers(tokeniser: Tokenizer, rows: int, settings: EncoderSettings) -> list[str]:
    """Return the markers that a vocabulary lacks and gets.

    Args:
        tokeniser: does not change.
        rows: of the model's table of subwords.
        settings: the markers.

    Raises:
        ConfigError: the tokeniser has subwords beyond the rows, or none can be added to it.
    """
    markers = (settings.query_marker, settings.document_marker)
    new = [name for name in markers if name in NEW_MARKERS and tokeniser.token_to_id(name) is None]
    known = vocabulary_size(tokeniser)
    if known > rows:
        what = f"the tokeniser has subwords up to the number {known - 1}, the model has {rows} rows"
        raise ConfigError(what, where="encoder.source", hint="take the tokeniser that belongs to the model")
    if new and tokeniser.get_vocab_size() < known:
        what = "the numbers of the tokeniser's subwords have a hole, so that no marker can be added"
        raise ConfigError(what, where="encoder.query_marker", hint="name two tokens of its vocabulary as markers")
    return new


def _marker(tokeniser: Tokenizer, token: str, key: str) -> int:
    if (index := tokeniser.token_to_id(token)) is None:
        hint = "name a token of its vocabulary, such as BERT's [unused0], or leave the key out"
        raise ConfigError(f"the tokeniser has no {token!r}", where=f"encoder.{key}", hint=hint)
    return index


def special_tokens(tokeniser: Tokenizer, folder: str | Path) -> tuple[int, int, int, int]:
    """Return the ids of [CLS], [SEP], [PAD] and [MASK], by whatever names a tokeniser has them.

    What it puts around a text itself comes first, then what the files beside it name, then known names. [PAD] goes by
    its known names alone, because checkpoints of Stanford ColBERT may name another. Without a token for hiding, queries
    are filled up with [SEP], as by PyLate; without one for padding, that is [CLS], which no text ends with.

    Raises:
        ConfigError: it does not put one token before a text and one behind it.
    """
    encoded = tokeniser.encode("")
    around = [index for index, special in zip(encoded.ids, encoded.special_tokens_mask, strict=True) if special]
    place = base_of(folder) or folder
    named = json_of(place, "tokenizer_config.json")
    if len(around) == 2:
        cls, sep = around
    else:
        with in_form(place):
            found = [_first(tokeniser, named, *token) for token in (CLS, SEP)]
        if len(around) not in (0, 2) or None in found:
            what = f"the tokeniser puts {len(around)} special tokens around a text, not one before and one behind it"
            raise ConfigError(what, where="encoder.source", hint=TAKE)
        cls, sep = (index for index in found if index is not None)
    with in_form(place):
        pad, mask = (_first(tokeniser, named, *token) for token in (PAD, MASK))
    return cls, sep, cls if pad is None else pad, sep if mask is None else mask


def _first(tokeniser: Tokenizer, named: dict[str, Any], keys: tuple[str, ...], tokens: tuple[str, ...]) -> int | None:
    values = [named[key] for key in keys if named.get(key)]
    names = [value["content"] if isinstance(value, dict) else value for value in values]
    ids = (tokeniser.token_to_id(name) for name in (*names, *tokens))
    return next((index for index in ids if index is not None), None)


def unknown_id(tokeniser: Tokenizer) -> int | None:
    """Return the id of the unknown token, if there is one."""
    return next((index for token in UNKNOWN if (index := tokeniser.token_to_id(token)) is not None), None)


def prompt_ids(tokeniser: Tokenizer, prompt: str, key: str) -> list[int]:
    """Return the subwords of a prompt, which stand before those of any text.

    Raises:
        ConfigError: the first word of a text is split otherwise behind the prompt, so that its subwords depend on it.
    """
    if not prompt:
        return []
    found = set()
    for text in BEGINNINGS:
        alone = tokeniser.encode(text, add_special_tokens=False).ids
        together = tokeniser.encode(prompt + text, add_special_tokens=False).ids
        place = len(together) - len(alone)
        found.add(tuple(together[:place]) if together[place:] == alone else None)
    if len(found) > 1 or None in found:
        what = f"the tokeniser splits a text otherwise behind the prompt {prompt!r} than alone"
        raise ConfigError(what, where=key, hint="give an empty text for no prompt, or take another encoder")
    (ids,) = found
    return list(ids or ())
