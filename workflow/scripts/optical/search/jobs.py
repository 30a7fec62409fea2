"""Several searches in one process, each with its own encoder: shared by the exact and the pruned search.

Shape suffixes: Q queries, M tokens of a query, D vector size.
"""

import logging
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import NotRequired, TypedDict

import torch
from torch import Tensor

from optical.corpora.files import read_queries
from optical.models.folders import load_encoder
from optical.search.encoding import encode_queries
from optical.search.exact import Hits, to_run
from optical.search.runs import write_run

log = logging.getLogger("optical")


class SearchJob(TypedDict):
    """One search: who reads which queries, where the run goes, and what it is called.

    `shards` are the vectors of the documents, if they differ from those that all searches share.
    """

    encoder: str
    queries: str
    out: str
    tag: str
    shards: NotRequired[list[str]]


Find = Callable[[SearchJob, Tensor, Tensor], list[Hits]]


def write_runs(
    jobs: Iterable[SearchJob],
    find: Find,
    device: torch.device,
    precision: str,
    in_full: bool = False,
    base: str | None = None,
) -> None:
    """Write the run of each job; queries that an encoder reads for several jobs are encoded once.

    Args:
        jobs: the searches.
        find: gives the hits of a job from its query vectors and their mask.
        device: where queries are encoded.
        precision: of the matrix products.
        in_full: keep all digits of the scores, for runs that are merged.
        base: folder of the base of encoders that are stored as changes, if it has moved.
    """
    read = itemgetter("encoder", "queries")
    for (folder, queries), with_same in groupby(sorted(jobs, key=read), key=read):
        query_ids, texts = zip(*read_queries(queries), strict=True)
        encoder = load_encoder(folder, base=base).to(device)
        vectors_QMD, mask_QM = encode_queries(encoder, list(texts), precision=precision)
        del encoder  # before the next is loaded: each may be large
        for job in with_same:
            hits = find(job, vectors_QMD, mask_QM)
            write_run(Path(job["out"]), to_run(query_ids, hits), job["tag"], in_full=in_full)
            log.info("%s: %d queries", job["out"], len(texts))
