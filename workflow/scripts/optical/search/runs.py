"""Runs: ranked documents of each query, in memory and as TREC run files (`query_id Q0 document_id rank score tag`)."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from optical.corpora.passages import Document
from optical.errors import DataError
from optical.files import read_lines, write_lines

# query id -> (document id, score) from the best to the worst
Run = dict[str, list[tuple[str, float]]]
WordSearch = Callable[[Iterable[Document], Mapping[str, str], int], Run]  # documents, id -> query, hits a query


def write_run(path: str | Path, run: Run, tag: str, in_full: bool = False) -> int:
    """Write a TREC run file, atomically, gzip by suffix; return the number of lines.

    Queries keep the order of the dictionary, and documents their order in the list. Scores have six decimals, or all
    digits if the run will be merged with others. Raise `DataError` for ids or tags with white space, repeated
    documents, and scores that are not finite or that rise with the rank.
    """
    written = repr if in_full else "{:.6f}".format

    def lines() -> Iterable[str]:
        for query, hits in run.items():
            _check_hits(query, hits, path)
            names = [query, tag, *(document for document, _ in hits)]
            if " ".join(names).split() != names:
                broken = next(name for name in names if name.split() != [name])
                raise DataError(f"an id or the tag is empty or holds white space: {broken!r}", where=path)
            for rank, (document, score) in enumerate(hits, start=1):
                yield f"{query} Q0 {document} {rank} {written(score)} {tag}"

    return write_lines(path, lines(), sealed=True)


def read_run(path: str | Path) -> Run:
    """Read a TREC run file; documents in order of rank.

    Raise `DataError` for a line in another format, and for a query whose ranks are not 1, 2, 3, ..., whose scores rise
    with the rank, or that lists a document twice.
    """
    rows: dict[str, list[tuple[int, str, float]]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            query, _, document, rank, score, _ = fields
            rows.setdefault(query, []).append((int(rank), document, float(score)))
        except ValueError as error:
            hint = "query_id Q0 document_id rank score tag"
            raise DataError(f"line {number} is not a line of a TREC run", where=path, hint=hint) from error
    run: Run = {}
    for query, ranked in rows.items():
        ranked.sort(key=lambda row: row[0])
        if [rank for rank, _, _ in ranked] != list(range(1, len(ranked) + 1)):
            raise DataError(f"the ranks of query {query} are not 1, 2, 3, ...", where=path, hint="rank by score again")
        run[query] = [(document, score) for _, document, score in ranked]
        _check_hits(query, run[query], path)
    return run


def merge_runs(runs: Iterable[Run], top_k: int) -> Run:
    """Merge the runs of a collection's shards, given in collection order, to the run of the whole.

    Exact when each shard's run is at least `top_k` deep (or holds the whole shard). Equal scores stay in shard order.

    >>> merge_runs([{"q": [("a", 3.0), ("b", 1.0)]}, {"q": [("c", 3.0), ("d", 2.0)]}], 3)
    {'q': [('a', 3.0), ('c', 3.0), ('d', 2.0)]}
    """
    merged: Run = {}
    for run in runs:
        for query, hits in run.items():
            both = sorted([*merged.get(query, []), *hits], key=lambda hit: -hit[1])  # keeps the order of equals
            merged[query] = both[:top_k]
    return merged


def fuse_runs(runs: Sequence[Run], top_k: int, constant: float) -> Run:
    """Join runs by reciprocal rank fusion: a document gets 1 / (constant + rank) of each run that lists it.

    Equal scores stay in the order in which the runs list them.

    >>> fuse_runs([{"q": [("a", 9.0), ("b", 8.0)]}, {"q": [("b", 0.2)]}], 2, constant=0)
    {'q': [('b', 1.5), ('a', 1.0)]}
    """
    fused: Run = {}
    for query in dict.fromkeys(query for run in runs for query in run):
        scores: defaultdict[str, float] = defaultdict(float)
        for run in runs:
            for rank, (document, _) in enumerate(run.get(query, []), start=1):
                scores[document] += 1 / (constant + rank)
        fused[query] = sorted(scores.items(), key=lambda hit: -hit[1])[:top_k]
    return fused


def _check_hits(query: str, hits: list[tuple[str, float]], where: str | Path) -> None:
    scores = [score for _, score in hits]
    if not all(map(math.isfinite, scores)):
        raise DataError(f"query {query} has a score that is not finite", where=where)
    if any(after > before for before, after in zip(scores, scores[1:], strict=False)):
        raise DataError(f"the scores of query {query} rise with the rank", where=where, hint="rank by score again")
    if len({document for document, _ in hits}) < len(hits):
        raise DataError(f"query {query} lists a document twice", where=where, hint="keep its best line")
