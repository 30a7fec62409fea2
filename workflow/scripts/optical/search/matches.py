"""The words of a passage that match a query: their token is the most similar one to a token of the query.

Shape suffixes: M tokens of the query, L tokens of the document, D vector size.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from optical.models.dense import DenseEncoder
from optical.models.encoder import DOCUMENT, QUERY, Encoder


class Match(NamedTuple):
    """A word of a passage: where it stands in the text, how similar it is, and the query's tokens that chose it."""

    start: int
    end: int
    similarity: float
    query_tokens: list[str]


def query_tokens(encoder: Encoder, text: str, mask_M: Tensor) -> tuple[list[str], Tensor]:
    """Return the query's own tokens and where they are among its vectors (bool, (M,)): no [CLS], marker or [MASK].

    There are none where one vector stands for the whole query.
    """
    if isinstance(encoder, DenseEncoder):
        return [], torch.zeros(len(mask_M), dtype=torch.bool)
    ids_BL, attention_BL, keep_BL = encoder.frame(encoder.pieces(text), QUERY)
    kept = ids_BL[0][keep_BL[0]]
    content = encoder.content_mask(kept[None], attention_BL[0][keep_BL[0]][None], QUERY)[0]
    content_M = torch.zeros(len(mask_M), dtype=torch.bool)
    content_M[: len(content)] = content
    return [str(encoder.tokeniser.id_to_token(token)) for token in kept[content].tolist()], content_M


def matches(
    encoder: Encoder,
    tokeniser: Tokenizer,
    query_tokens: Sequence[str],
    query_MD: Tensor,
    text: str,
    document_LD: np.ndarray,
) -> list[Match]:
    """Return the words that the query's tokens chose by MaxSim, in the order of the text.

    If the tokens do not belong to the vectors, nothing matches.

    Args:
        encoder: of the settings that the document was encoded with.
        tokeniser: the one that the document was encoded with.
        query_tokens: the tokens whose matches are wanted, without special ones.
        query_MD: their vectors.
        text: the document.
        document_LD: its vectors.
    """
    encoding = tokeniser.encode(text, add_special_tokens=False)
    ids_BL, attention_BL, keep_BL = encoder.frame([encoding.ids], DOCUMENT)
    positions = keep_BL[0].nonzero()[:, 0]
    if len(positions) != len(document_LD) or not len(query_MD):
        return []
    content = encoder.content_mask(ids_BL, attention_BL, DOCUMENT)[0][positions]
    if not content.any():
        return []
    similarity_ML = query_MD.float() @ torch.from_numpy(document_LD).float().T
    best = similarity_ML.masked_fill(~content, float("-inf")).max(dim=1)
    words: dict[tuple[int, int], Match] = {}  # by place: the tokeniser may make several words of one sign
    for token, similarity, index in zip(query_tokens, best.values.tolist(), best.indices.tolist(), strict=True):
        piece = int(positions[index]) - len(encoder.before(DOCUMENT))
        span = _span(encoding, encoding.word_ids[piece], text)
        known = words.get(span) or Match(*span, similarity, [])
        words[span] = known._replace(
            similarity=max(similarity, known.similarity), query_tokens=[*known.query_tokens, token]
        )
    return sorted(words.values())


def _span(encoding: Encoding, word: int | None, text: str) -> tuple[int, int]:
    """Return where a word of a text begins and ends, without the space that a subword of SentencePiece begins with."""
    spans = [span for span, other in zip(encoding.offsets, encoding.word_ids, strict=True) if other == word]
    begin, end = spans[0][0], spans[-1][1]
    begin += len(text[begin:end]) - len(text[begin:end].lstrip())
    return begin, begin + len(text[begin:end].rstrip())
