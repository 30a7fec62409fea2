"""Training sets from judgements and plain files: triples, pairs, and the two sides exchanged."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from optical.corpora_files import TrainingSet, read_documents, read_qrels, read_queries, read_triples
from optical.errors import ConfigError

QUERY_WORDS = 32  # of a document's beginning that serves as a query


def read_plain_training(settings: dict) -> TrainingSet:
    """Read a training set of the user's own, or MS MARCO's: `documents`, `queries`, and `triples` or `qrels`.

    Documents are JSON Lines or `id<TAB>text`, as MS MARCO's `collection.tsv` is; triples are ids, as in
    `qidpidtriples.train.full.tsv`. From `qrels` come pairs, as `training_from_qrels` says, which also explains `swap`;
    of triples with swapped sides the negatives are left out.
    """
    documents, queries = read_documents(settings["documents"]), read_queries(settings["queries"])
    if settings.get("triples") and settings.get("swap", False):
        pairs = (triple[:2] for triple in read_triples(settings["triples"]))
        return swap_sides(documents, queries, pairs, settings.get("query_words", QUERY_WORDS))
    if settings.get("triples"):
        return TrainingSet(documents, queries, read_triples(settings["triples"]), source=settings["triples"])
    if settings.get("qrels"):
        return training_from_qrels(documents, queries, read_qrels(settings["qrels"]), settings)
    raise ConfigError("a training set needs triples or qrels", where=settings["documents"])


def training_from_qrels(
    documents: Iterable[dict], queries: Iterable[tuple[str, str]], qrels: Iterable[tuple[str, str, int]], settings: dict
) -> TrainingSet:
    """Make a training set of judgements: every document of grade `min_grade` (1) or more is a positive.

    `negatives` (0) is how many judged documents below that grade go with it; `swap: true` exchanges the sides, for
    collections such as WikiCLIR whose queries are English and documents foreign; `query_words` (32) is then how much of
    a document's beginning becomes a query.
    """
    triples = triples_from_qrels(qrels, settings.get("min_grade", 1), settings.get("negatives", 0))
    if not settings.get("swap", False):
        return TrainingSet(documents, queries, triples, source="qrels")
    if settings.get("negatives", 0):
        raise ConfigError("negatives are documents: they cannot serve with swapped sides", hint="negatives: 0")
    return swap_sides(documents, queries, triples, settings.get("query_words", QUERY_WORDS))


def triples_from_qrels(
    qrels: Iterable[tuple[str, str, int]], min_grade: int = 1, negatives: int = 0
) -> Iterator[tuple[str, ...]]:
    """Yield query, positive and up to `negatives` judged documents below the grade, one query in memory at a time.

    The rows of a query must stand together, as qrels files have them.

    >>> list(triples_from_qrels([("q", "a", 2), ("q", "b", 0), ("q", "c", 1)], min_grade=1, negatives=1))
    [('q', 'a', 'b'), ('q', 'c', 'b')]
    """
    for query_id, rows in groupby(qrels, key=lambda row: row[0]):
        judged = list(rows)
        others = [document_id for _, document_id, grade in judged if grade < min_grade][:negatives]
        for _, document_id, grade in judged:
            if grade >= min_grade:
                yield (query_id, document_id, *others)


def swap_sides(
    documents: Iterable[dict], queries: Iterable[tuple[str, str]], pairs: Iterable[tuple[str, ...]], query_words: int
) -> TrainingSet:
    """Turn the beginning of each positive document into a query and each query into a document."""
    swapped = [(document_id, query_id) for query_id, document_id in pairs]
    wanted = {document_id for document_id, _ in swapped}
    beginnings = ((d["id"], " ".join(d["text"].split()[:query_words])) for d in documents if d["id"] in wanted)
    return TrainingSet(({"id": q, "text": text} for q, text in queries), beginnings, swapped, source="qrels")
