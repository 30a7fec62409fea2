"""Searches of one start, each with an encoder of its own: what the exact and the pruned search share.

Shape suffixes: Q queries, M tokens of a query, D vector size.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from optical.corpora.files import read_queries
from optical.models.folders import load_encoder
from optical.search.encoding import encode_queries
from optical.search.exact import Hits, to_run
from optical.search.runs import write_run

log = logging.getLogger("optical")

Find = Callable[[Mapping, Tensor, Tensor], list[Hits]]


def write_runs(
    jobs: Iterable[Mapping], find: Find, device: torch.device, precision: str, in_full: bool = False
) -> None:
    """Write a run for each job `{encoder, queries, out, tag}`: `find` gives its hits from query vectors and mask.

    `in_full` keeps all digits of the scores, for runs that are merged.
    """
    for job in jobs:
        encoder = load_encoder(job["encoder"]).to(device)
        query_ids, texts = zip(*read_queries(job["queries"]), strict=True)
        vectors_QMD, mask_QM = encode_queries(encoder, list(texts), precision=precision)
        hits = find(job, vectors_QMD, mask_QM)
        write_run(Path(job["out"]), to_run(query_ids, hits), job["tag"], in_full=in_full)
        log.info("%s: %d queries", job["tag"], len(texts))
