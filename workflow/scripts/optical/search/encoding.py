"""Encode collections and queries into token vectors.

Shape suffixes: Q queries, M tokens of a query, T tokens, D vector size.
"""

import logging
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from optical.corpora.passages import Document, text_of
from optical.models.encoder import QUERY, Encoder
from optical.runtime.limits import SORTED_AT_ONCE
from optical.runtime.progress import Progress
from optical.search.pooling import pool_tokens
from optical.search.vectors import write_vectors
from optical.text.tokeniser import tokenise

log = logging.getLogger(__name__)

WRITTEN_AT_ONCE = 512


def encode_documents(
    encoder: Encoder,
    documents: Iterable[Document],
    kind: str,
    folder: str | Path,
    precision: str = "fp32",
    made_by: str = "",
    pool: int = 1,
    total: int = 0,
) -> int:
    """Encode documents into a shard of token vectors, in memory bounded by `SORTED_AT_ONCE`; return how many.

    Args:
        encoder: reads the documents.
        documents: in the order of the collection.
        kind: QUERY or DOCUMENT, how they are read.
        folder: of the shard.
        precision: of the matrix products, fp32 or bf16.
        made_by: a hash of the encoder, written beside the vectors: shards of two encoders are not searched together.
        pool: how many similar vectors of a document become one; 1 keeps all.
        total: number of documents, for the progress that is shown; 0 if it is unknown.
    """
    source, done, cut = iter(documents), 0, 0
    longest = encoder.room(kind)
    with (
        write_vectors(folder, encoder.dimension, "float16", made_by) as writer,
        Progress("encoding documents", total) as progress,
    ):
        while chunk := list(islice(source, SORTED_AT_ONCE)):
            ids = list(tokenise(encoder.tokeniser, map(text_of, chunk)))
            cut += sum(len(pieces) > longest for pieces in ids)
            read = encoder.encode(ids, kind, precision=precision)
            encoded = (
                (index, pool_tokens(vectors_TD, pool) if pool > 1 else vectors_TD) for index, vectors_TD, _ in read
            )
            while batch := list(islice(encoded, WRITTEN_AT_ONCE)):
                indices, vectors = zip(*batch, strict=True)
                places = [done + index for index in indices]
                names = [chunk[index]["id"] for index in indices]
                writer.append(places, names, [len(vectors_TD) for vectors_TD in vectors], torch.cat(vectors))
                progress.advance(len(batch))
            done += len(chunk)
    if cut:
        log.warning("%d of %d passages are longer than %d tokens: only their beginning is read", cut, done, longest)
    return done


def encode_queries(encoder: Encoder, texts: list[str], precision: str = "fp32") -> tuple[Tensor, Tensor]:
    """Return query_vectors_QMD (float32) and query_mask_QM (bool) of the texts, in their order."""
    encoded = list(encoder.encode(list(tokenise(encoder.tokeniser, texts)), QUERY, precision=precision))
    longest = max((len(vectors_TD) for _, vectors_TD, _ in encoded), default=0)
    vectors_QMD = torch.zeros(len(texts), longest, encoder.dimension)
    mask_QM = torch.zeros(len(texts), longest, dtype=torch.bool)
    for index, vectors_TD, _ in encoded:
        vectors_QMD[index, : len(vectors_TD)] = vectors_TD
        mask_QM[index, : len(vectors_TD)] = True
    return vectors_QMD, mask_QM
