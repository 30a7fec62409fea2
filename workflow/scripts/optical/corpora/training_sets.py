"""Training sets from judgements and plain files: triples, pairs, scores, and the two sides exchanged."""

import math
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from optical.config.training_sets import Judged, PlainTrainingSet
from optical.corpora.files import (
    Judgement,
    Query,
    TrainingSet,
    file_of,
    read_documents,
    read_qrels,
    read_queries,
    read_triples,
    unique_qrels,
)
from optical.corpora.passages import Document
from optical.errors import ConfigError, DataError
from optical.files import parse_json, read_lines

EXAMPLE = "[query_id, [positive_id, score], [negative_id, score], ...]"

# Line number, query id, and documents' ids, each with its score or None.
Example = tuple[int, str, list[tuple[str, object]]]


def read_plain_training(block: PlainTrainingSet) -> TrainingSet:
    """Read a training set of the user's own, or MS MARCO's: `documents`, `queries`, and `triples` or `qrels`.

    Documents are JSON Lines or `id<TAB>text`, as MS MARCO's `collection.tsv` is; triples are ids, as in
    `qidpidtriples.train.full.tsv` or in the examples of ColBERTv2. From `qrels` come pairs, as `training_from_qrels`
    says, which also explains `swap`; of triples with swapped sides the negatives are left out.
    """
    documents, queries = read_documents(block.documents), read_queries(block.queries)
    if block.triples:
        return _training_set(documents, queries, read_candidates(block.triples), block, block.triples)
    if block.qrels:
        return training_from_qrels(documents, queries, read_qrels(block.qrels), block)
    raise ConfigError("a training set needs triples or qrels", where=block.documents, hint="name a file of one")


def training_from_qrels(
    documents: Iterable[Document], queries: Iterable[Query], qrels: Iterable[Judgement], block: Judged
) -> TrainingSet:
    """Make a training set of judgements: every document of grade `min_grade` or more is a positive.

    Args:
        documents: all of them.
        queries: all of them.
        qrels: their judgements, which can be read twice.
        block: its `negatives` says how many judged documents below the grade go with each positive. With `swap` the
            sides are exchanged, for collections such as WikiCLIR whose queries are English and documents foreign.
    """
    if block.swap and block.negatives:
        raise ConfigError("negatives are documents: they cannot serve with swapped sides", hint="negatives: 0")
    triples = triples_from_qrels(qrels, block.min_grade, block.negatives)
    return _training_set(documents, queries, triples, block, file_of(qrels, "qrels"))


def triples_from_qrels(qrels: Iterable[Judgement], min_grade: int, negatives: int) -> Iterator[tuple[str, ...]]:
    """Yield query, positive and up to `negatives` judged documents below the grade.

    The judgements are read twice. Where the rows of each query stand together, one query is in memory at a time,
    otherwise all are.

    >>> list(triples_from_qrels([("q", "a", 2), ("q", "b", 0), ("q", "c", 1)], min_grade=1, negatives=1))
    [('q', 'a', 'b'), ('q', 'c', 'b')]

    Raises:
        DataError: a document is judged twice, with two grades.
    """
    for query_id, rows in _by_query(qrels):
        judged = unique_qrels(rows, file_of(qrels, "qrels"))
        others = [document_id for _, document_id, grade in judged if grade < min_grade][:negatives]
        for _, document_id, grade in judged:
            if grade >= min_grade:
                yield (query_id, document_id, *others)


def _by_query(qrels: Iterable[Judgement]) -> Iterator[tuple[str, Iterable[Judgement]]]:
    """Yield each query once, with its judgements, in the order in which the queries come first."""
    seen: set[str] = set()
    for query_id, _ in groupby(row[0] for row in qrels):
        if query_id in seen:
            break
        seen.add(query_id)
    else:
        yield from groupby(qrels, key=lambda row: row[0])
        return
    rows: dict[str, list[Judgement]] = {}
    for row in qrels:
        rows.setdefault(row[0], []).append(row)
    yield from rows.items()


def _training_set(
    documents: Iterable[Document],
    queries: Iterable[Query],
    triples: Iterable[tuple[str, ...]],
    block: Judged,
    source: object,
) -> TrainingSet:
    """Return a training set; with `swap`, positive documents' beginnings are the queries, and queries the documents."""
    if not block.swap:
        return TrainingSet(documents, queries, triples, source)
    swapped = [(document_id, query_id) for query_id, document_id, *_ in triples]
    wanted = {document_id for document_id, _ in swapped}
    beginnings = ((d["id"], " ".join(d["text"].split()[: block.query_words])) for d in documents if d["id"] in wanted)
    return TrainingSet((Document(id=q, text=text) for q, text in queries), beginnings, swapped, source)


def read_candidates(path: str | Path) -> Iterator[tuple[str, ...]]:
    """Yield query id, positive id and negative ids: rows of a triples file, or JSON Lines of ColBERT."""
    if not _is_json(path):
        yield from read_triples(path)
        return
    for _, query_id, candidates in _examples(path):
        yield query_id, *(document_id for document_id, _ in candidates)


def read_scores(path: str | Path) -> Iterator[tuple[str, str, float]]:
    """Yield `(query id, document id, score)`: rows of three columns, or JSON Lines of ColBERTv2 (NAACL 2022).

    Raise `DataError` with line and ids where a score is missing or is no finite number, and where a document has two
    scores in neighbouring lines of a query.
    """
    scored: tuple[str, dict[str, float]] = ("", {})
    for number, query_id, candidates in _examples(path) if _is_json(path) else _rows_of_scores(path):
        for document_id, cell in candidates:
            score = _as_number(cell)
            if not math.isfinite(score):
                raise DataError(
                    f"line {number}: query {query_id} and document {document_id} have no score",
                    where=path,
                    hint=f"query_id<TAB>document_id<TAB>score, or {EXAMPLE}",
                )
            if query_id != scored[0]:
                scored = (query_id, {})
            if (before := scored[1].setdefault(document_id, score)) != score:
                what = f"line {number}: query {query_id} and document {document_id} have two scores"
                raise DataError(f"{what}, {before} and {score}", where=path, hint="remove one of the two")
            yield query_id, document_id, score


def _is_json(path: str | Path) -> bool:
    return next(read_lines(path), "").startswith("[")


def _examples(path: str | Path) -> Iterator[Example]:
    """Yield the lines of a file of ColBERT, whose documents are ids or pairs of id and score."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        row = parse_json(line, path, number)
        pairs = [item if isinstance(item, list) else [item, None] for item in row[1:]] if isinstance(row, list) else []
        if not pairs or not all(_is_id(item) for item in [row[0], *(pair[0] for pair in pairs if pair)]):
            raise DataError(f"line {number} is not an example", where=path, hint=EXAMPLE)
        if any(len(pair) != 2 for pair in pairs):
            raise DataError(f"line {number} is not an example", where=path, hint=EXAMPLE)
        yield number, str(row[0]), [(str(document_id), score) for document_id, score in pairs]


def _is_id(item: object) -> bool:
    return isinstance(item, str | int)


def _rows_of_scores(path: str | Path) -> Iterator[Example]:
    for number, line in enumerate(read_lines(path), start=1):
        query_id, _, rest = line.partition("\t")
        document_id, _, score = rest.partition("\t")
        if line.strip():
            yield number, query_id, [(document_id, score)]


def _as_number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.nan
