"""Token files: the token ids of many texts, memory-mapped.

A token file is a folder with `tokens.int32` (raw, all texts joined), `offsets.npy` (int64, one more than there are
texts) and `meta.json`. It holds subwords only: the encoder adds [CLS], [Q], [SEP] itself, so one file serves as
query and as document.
"""

from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from optical.errors import DataError
from optical.files import atomic_folder, read_json, write_json
from optical.runtime.progress import with_progress
from optical.seals import check_folder
from optical.text.tokeniser import load_tokeniser, tokenise


class TokenFile(Sequence):
    """The token ids of many texts, memory-mapped: `file[3]` is the fourth text's ids, int32."""

    def __init__(self, folder: str | Path):
        folder = Path(folder)
        if not (folder / "meta.json").is_file():
            raise DataError("no token file", where=folder, hint="run the rule that makes it again")
        check_folder(folder)
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

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]  # nobody asks for a slice
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]

    @property
    def lengths(self) -> np.ndarray:
        """Tokens per text."""
        return np.diff(self.offsets)

    def share_of(self, token_id: int) -> float:
        """Return the share of the tokens that have this id."""
        return float(np.mean(self.tokens == token_id)) if len(self.tokens) else 0.0

    def inverse_document_frequency(self, vocabulary_size: int, in_every_text: Sequence[int] = ()) -> np.ndarray:
        """Return log((texts + 1) / (texts with the token + 1)) of each token id, float32 of shape (vocabulary,).

        `in_every_text` are the ids that frame a text when it is read, [CLS] for one: the file does not hold them.
        """
        text_of_token = np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)
        pairs = np.unique(text_of_token * vocabulary_size + self.tokens)
        counts = np.bincount(pairs % vocabulary_size, minlength=vocabulary_size)
        counts[list(in_every_text)] = len(self)
        return np.log((len(self) + 1) / (counts + 1)).astype(np.float32)


def bitext_token_weights(
    folder: str | Path, vocabulary_size: int, in_every_text: Sequence[int] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of tokens in the marginals of transport: the inverse document frequency on their own side.

    Args:
        folder: a tokenised bitext, with the token files `english` and `foreign`.
        vocabulary_size: of the tokeniser.
        in_every_text: ids that frame a text when it is read, such as [CLS], which the files do not hold.

    Returns:
        Those of English and those of foreign tokens, float32 (vocabulary,) each.
    """
    english, foreign = (
        TokenFile(Path(folder, side)).inverse_document_frequency(vocabulary_size, in_every_text)
        for side in ("english", "foreign")
    )
    return english, foreign


def write_token_file(folder: str | Path, tokeniser_path: str | Path, texts: Iterable[str]) -> int:
    """Tokenise texts into a token file, in constant memory except for the offsets; return how many texts it holds."""
    tokeniser = load_tokeniser(tokeniser_path)
    offsets, subwords = array("q", [0]), set[int]()
    with atomic_folder(folder) as temporary:
        with (temporary / "tokens.int32").open("wb") as file:
            for ids in with_progress(tokenise(tokeniser, texts), "tokenising texts"):
                file.write(np.asarray(ids, dtype=np.int32).tobytes())
                offsets.append(offsets[-1] + len(ids))
                subwords.update(ids)
        np.save(temporary / "offsets.npy", np.frombuffer(offsets, dtype=np.int64))
        meta = {"texts": len(offsets) - 1, "tokens": offsets[-1], "subwords": len(subwords)}
        write_json(temporary / "meta.json", meta)
    return len(offsets) - 1
