"""Rank the translation of each foreign sentence among the English sides of held-out pairs.

Shape suffixes: Q pairs, M and L tokens, D vector size.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from optical.config.methods import LexicalSettings
from optical.losses.late_interaction import max_sim
from optical.models.encoder import DOCUMENT, QUERY, Encoder
from optical.search.lexical import index_documents, search_bm25

AT_ONCE = 32  # queries whose scores are computed together

Vectors = tuple[Tensor, Tensor]  # of some texts, padded, and where their tokens are


def english_vectors(teacher: Encoder, english: Sequence[str], precision: str = "fp32") -> Vectors:
    """Return the vectors of English sentences as documents, float32 (Q, L, D), and their mask, bool (Q, L)."""
    return _vectors(teacher, english, DOCUMENT, precision)


def ranks_by_vectors(reader: Encoder, foreign: Sequence[str], english: Vectors, precision: str = "fp32") -> np.ndarray:
    """Return the reciprocal rank of each sentence's translation by late interaction, float64 (Q,).

    Sentences with the same score rank before the translation, so a model whose vectors are all alike finds none.

    Args:
        reader: reads the foreign sentences as queries.
        foreign: the sentences.
        english: the vectors of their translations, in the same order.
        precision: of the matrix products, fp32 or bf16.
    """
    query_QMD, mask_QM = _vectors(reader, foreign, QUERY, precision)
    parts = zip(query_QMD.split(AT_ONCE), mask_QM.split(AT_ONCE), strict=True)
    scores_QQ = torch.cat([max_sim(*part, *english) for part in parts]).numpy()
    return 1 / (scores_QQ >= scores_QQ.diagonal()[:, None]).sum(1)


def ranks_by_words(foreign: Sequence[str], english: Sequence[str], settings: LexicalSettings) -> np.ndarray:
    """Return the reciprocal rank of each sentence's translation by BM25, float64 (Q,); 0 where it is not found.

    >>> ranks_by_words(["Nairobi mji", "mto"], ["the city of Nairobi", "a river"], LexicalSettings()).tolist()
    [1.0, 0.0]
    """
    index = index_documents(({"id": str(number), "text": text} for number, text in enumerate(english)), settings)
    run = search_bm25(index, {str(number): text for number, text in enumerate(foreign)}, len(english))
    ranks = []
    for name, hits in run.items():
        ids = [document for document, _ in hits]
        ranks.append(1 / (1 + ids.index(name)) if name in ids else 0.0)
    return np.array(ranks)


def _vectors(encoder: Encoder, texts: Sequence[str], kind: str, precision: str) -> Vectors:
    vectors_of = {index: vectors_LD for index, vectors_LD, _ in encoder.encode(texts, kind, precision)}
    vectors = [vectors_of[index] for index in range(len(texts))]
    lengths_Q = torch.tensor([len(vectors_LD) for vectors_LD in vectors])
    padded_QLD = pad_sequence(vectors, batch_first=True)
    return padded_QLD, torch.arange(padded_QLD.shape[1]) < lengths_Q[:, None]
