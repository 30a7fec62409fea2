"""The token files of sentence pairs, and a warning where a vocabulary does not know a language."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from optical.files import atomic_folder
from optical.models.framing import unknown_id
from optical.text.token_files import TokenFile, write_token_file
from optical.text.tokeniser import load_tokeniser

log = logging.getLogger(__name__)

MOST_UNKNOWN = 0.05  # share of a side's tokens, from where the log warns


def tokenise_bitext(
    folder: str | Path, texts: Mapping[str, Iterable[str]], tokenisers: Mapping[str, str | Path]
) -> int:
    """Write a token file of each side of a bitext; return the number of pairs.

    Args:
        folder: is made, with a token file for each side.
        texts: of the sides `english` and `foreign`, in the same order.
        tokenisers: folder of each side's tokeniser.
    """
    pairs = 0
    with atomic_folder(folder) as temporary:
        for side, tokeniser in tokenisers.items():
            pairs = write_token_file(temporary / side, tokeniser, texts[side])
            _warn_of_unknown(temporary / side, tokeniser)
    return pairs


def _warn_of_unknown(folder: Path, tokeniser: str | Path) -> None:
    """Warn where a vocabulary lacks many words of a side: a model cannot tell one unknown token from another."""
    unknown = unknown_id(load_tokeniser(tokeniser))
    share = TokenFile(folder).share_of(unknown) if unknown is not None else 0.0
    if share > MOST_UNKNOWN:
        log.warning(
            "%.0f %% of the %s tokens are unknown to the encoder's vocabulary. "
            "Hint: name an encoder that knows the script, or encoder.source: train",
            *(100 * share, folder.name),
        )
