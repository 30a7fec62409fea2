"""What the files of an encoder say of how it reads texts: its markers and prompts, and how long a text may be."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from optical.config.encoder import EncoderSettings
from optical.config.fitting import fitted, kind_of
from optical.config.model_folders import in_form, json_of, longest_text
from optical.models.framing import NEW_MARKERS
from optical.models.saved_settings import SIDES, prompts_of, saved_settings
from optical.text.tokeniser import load_tokeniser

log = logging.getLogger(__name__)

# Spare tokens of known vocabularies: ours, English BERT's, multilingual BERT's, Gemma's.
MARKERS = (NEW_MARKERS, ("[unused0]", "[unused1]"), ("[unused1]", "[unused2]"), ("<unused0>", "<unused1>"))
# File and key that hold the most tokens of a text, in the layouts of sentence-transformers and of transformers.
LONGEST = (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length"))


def own_settings(folder: str | Path, given: Mapping[str, Any]) -> EncoderSettings:
    """Return how an encoder is to read texts: as given, else as its files say, else as suits its kind.

    A late-interaction model has markers, prompts and lengths of its own. Another encoder may have prompts, and says how
    long a text may be; markers are two spare tokens of its vocabulary, or new ones.

    Args:
        folder: of the encoder.
        given: what the config gives of the block `encoder`.

    Raises:
        ConfigError: a value that is given is wrong.
        DataError: the folder has no tokeniser.
    """
    kind = kind_of(folder)
    with in_form(folder):
        own = _of_late_interaction(folder) or {
            **_lengths(folder, fitted("encoder", {}, kind)),
            **_markers(folder),
            **_prompts(folder, given),
        }
    filled = {key: value for key, value in own.items() if given.get(key) is None}
    log.info("from the encoder's files: %s", filled or "nothing, all is given")
    return EncoderSettings.read(dict(given) | filled, "encoder")


def _of_late_interaction(folder: str | Path) -> dict[str, Any]:
    saved = saved_settings(folder)
    keys = {"query_length", "document_length", "query_marker", "document_marker", "skip_words", *SIDES}
    return saved.model_dump(include=keys) if saved else {}


def _lengths(folder: str | Path, usual: Mapping[str, int]) -> dict[str, int]:
    longest = min(longest_texts(folder), default=None)
    return {key: length if longest is None else min(length, longest) for key, length in usual.items()}


def longest_texts(folder: str | Path) -> Iterator[int]:
    """Yield what the files of an encoder say of the most tokens of a text."""
    for name, key in LONGEST:
        if length := json_of(folder, name).get(key):
            yield int(length)
    if positions := longest_text(json_of(folder, "config.json")):
        yield positions


def _prompts(folder: str | Path, given: Mapping[str, Any]) -> dict[str, str]:
    saved = json_of(folder, "config_sentence_transformers.json")
    own, known = prompts_of(saved), {name for names in SIDES.values() for name in names}
    unread = [prompt for name, prompt in (saved.get("prompts") or {}).items() if prompt and name not in known]
    if unread and not any(own.values()) and not any(given.get(side) is not None for side in SIDES):
        log.warning("its prompts %s are not put before texts; encoder.query_prompt and document_prompt can be", unread)
    return own


def _markers(folder: str | Path) -> dict[str, str]:
    tokeniser = load_tokeniser(folder)
    known = (pair for pair in MARKERS if all(tokeniser.token_to_id(marker) is not None for marker in pair))
    return dict(zip(("query_marker", "document_marker"), next(known, NEW_MARKERS), strict=True))
