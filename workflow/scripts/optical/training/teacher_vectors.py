"""The teacher's vectors of the English sentences, computed once for all epochs, methods and seeds.

Shape suffixes: B pairs, N tokens of the teacher's side, D vector size, T tokens.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from optical.models.encoder import Encoder
from optical.runtime.devices import send
from optical.search.vectors import TokenVectors, write_vectors
from optical.text.token_files import TokenFile


def encode_english(teacher: Encoder, english: TokenFile, sides: Sequence[str], folder: Path, precision: str) -> None:
    """Write the teacher's vectors of every English sentence, in half precision, as shards of `search.vectors`.

    Args:
        teacher: does not change.
        english: the English side of a bitext.
        sides: QUERY, DOCUMENT or both, how the teacher reads them.
        folder: where the shard of each side goes.
        precision: of the matrix products.
    """
    for side in sides:
        with write_vectors(folder / side, teacher.dimension, "float16") as writer:
            for index, vectors_TD, _ in teacher.encode(english, side, precision=precision):
                writer.append([index], [str(index)], [len(vectors_TD)], vectors_TD)


class TeacherVectors:
    """The teacher's vectors of the English sentences, by the number of the pair."""

    def __init__(self, folder: Path):
        shard = TokenVectors.open(folder)
        self.vectors_TD = np.asarray(shard.tokens_between(0, shard.tokens))
        place_of_pair = np.argsort(shard.order)
        self.starts, self.ends = shard.offsets[:-1][place_of_pair], shard.offsets[1:][place_of_pair]

    def padded(self, pairs: np.ndarray, keep_BN: Tensor, device: torch.device) -> Tensor:
        """Return the vectors of some pairs laid out where `keep_BN` is true, float32 of shape (B, N, D), on a device.

        They travel as they are stored, without padding.
        """
        flat_TD = np.concatenate([self.vectors_TD[self.starts[pair] : self.ends[pair]] for pair in pairs])
        places_T = keep_BN.flatten().nonzero()[:, 0]
        teacher_TD = torch.zeros(keep_BN.numel(), flat_TD.shape[1], device=device)
        teacher_TD[send(places_T, device)] = send(torch.from_numpy(flat_TD), device).float()
        return teacher_TD.view(*keep_BN.shape, -1)
