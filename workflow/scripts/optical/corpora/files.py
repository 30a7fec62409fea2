"""Prepared collections and training sets: what a reader hands over, and how it is checked and written.

Everything passes through as a stream, so that forty million triples and nine million documents cost no memory but the
documents' ids.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, NotRequired, TypedDict

from optical.config.collections import Split
from optical.corpora.named_columns import ids_and_texts, is_csv, named_cells
from optical.corpora.passages import DOCUMENT, Document, document_from, split_documents, text_of
from optical.errors import DataError
from optical.files import numbered_jsonl, numbered_rows, read_lines, write_json, write_jsonl, write_lines, write_rows
from optical.runtime.progress import with_progress

log = logging.getLogger("optical")

JUDGEMENT = "query 0 document grade"
ARRAY = re.compile(r"\[\s*(\{|$)")
GRADE = re.compile(r"(-?[0-9]{1,9})(\.0+)?")  # some tools write 1.0

Query = tuple[str, str]  # id, text
Judgement = tuple[str, str, int]  # query id, document id, grade


class Collection(NamedTuple):
    """A test collection as a reader yields it.

    `documents` are `{"id", "text"}` and perhaps `"title"`; `queries` maps a language code to `(id, text)` pairs, ids
    shared across languages; `qrels` are `(query id, document id, grade)`. With `partial_qrels` a judgement of a
    document or query that is not there is dropped (and counted), otherwise it is an error.
    """

    documents: Iterable[Document]
    queries: Mapping[str, Iterable[Query]]
    qrels: Iterable[Judgement]
    partial_qrels: bool = False


class TrainingSet(NamedTuple):
    """Training data as a reader yields it; a triple is `(query id, positive id, negative ids...)`, perhaps none."""

    documents: Iterable[Document]
    queries: Iterable[Query]
    triples: Iterable[tuple[str, ...]]
    source: object = "triples"
    scores: Iterable[tuple[str, str, float]] | None = None  # query id, document id, what a cross-encoder gives them


class CollectionReport(TypedDict):
    """What `collection.json` says of a collection: its numbers of documents, queries and relevant judgements."""

    documents: int
    split: dict[str, object] | None
    queries: dict[str, int]
    relevant: int


class TrainingSetReport(TypedDict):
    """How much a training set holds."""

    documents: int
    queries: int
    triples: int
    scores: NotRequired[int]


class FromFile:
    """What a reader yields of a file, item by item, at each iteration; its text is the place of the last item."""

    def __init__(self, path: str | Path, read: Callable[[], Iterable[tuple[int, object]]], kind: str, form: str):
        self.path, self.read, self.kind, self.form, self.line = path, read, kind, form, 0

    def __iter__(self) -> Iterator:
        for number, item in self.read():
            self.line = number
            yield item
        if not self.line:
            raise DataError(f"the file holds no {self.kind}", where=self.path, hint=f"one a line: {self.form}")

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}"


def read_documents(path: str | Path, metadata: bool = False) -> Iterable[Document]:
    """Return the documents of JSON Lines or CSV (`id`, `text`, optional `title`) or of a table `id<TAB>text`.

    With `metadata`, those of JSON Lines and CSV keep language, source and date, too.
    """
    if is_csv(path):
        cells = partial(named_cells, path, ("id", "text"))
        return FromFile(path, lambda: _documents(cells(), path, metadata), "documents", "a header with id and text")
    first = next(filter(str.strip, read_lines(path)), "").lstrip()
    if ARRAY.match(first):
        raise DataError("this is a JSON array, not JSON Lines", where=path, hint=f"one a line, no commas: {DOCUMENT}")
    if first.startswith("{"):
        return FromFile(path, lambda: _documents(numbered_jsonl(path), path, metadata), "documents", DOCUMENT)

    def rows() -> Iterator[tuple[int, Document]]:
        pairs = ids_and_texts(path, "JSON Lines and CSV hold a title")
        return ((number, Document(id=name, text=text)) for number, (name, text) in pairs)

    return FromFile(path, rows, "documents", f"{DOCUMENT}, or id<TAB>text")


def _documents(items: Iterable[tuple[int, object]], path: str | Path, metadata: bool) -> Iterator[tuple[int, Document]]:
    """Yield number and document of what a file has."""
    for number, item in items:
        yield number, document_from(item, f"line {number}", path, metadata)


def read_queries(path: str | Path) -> Iterable[Query]:
    """Return `(query id, text)` of a table with tabs, or of CSV with the columns `id` and `text`."""
    return FromFile(path, lambda: ids_and_texts(path, "remove the rest"), "queries", "query_id<TAB>text")


def read_qrels(path: str | Path) -> Iterable[Judgement]:
    """Return `(query id, document id, grade)` of TREC qrels: four columns separated by white space."""
    return FromFile(path, lambda: _judgements(path), "judgements", JUDGEMENT)


def _judgements(path: str | Path) -> Iterator[tuple[int, Judgement]]:
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        row = line.split()
        grade = GRADE.fullmatch(row[-1])
        if len(row) != 4 or not grade:
            what = f"line {number} is not a TREC judgement"
            if len(row) == 4:
                what += f": the grade {row[3][:20]} is not a whole number of at most nine digits"
            raise DataError(what, where=path, hint=f"four columns: {JUDGEMENT}")
        yield number, (row[0], row[2], int(grade[1]))


def read_triples(path: str | Path) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a triples file: query id, positive id, and any number of negative ids."""
    for number, row in numbered_rows(path, columns=1):
        if len(row) < 2 or not all(row):
            raise DataError(
                f"line {number} is not a triple",
                where=path,
                hint="query_id<TAB>positive_id<TAB>negative_id; the negative may be missing",
            )
        yield tuple(row)


def comparable(text: str) -> str:
    """Return a text without case, punctuation, combining signs and spacing, to find texts that differ in no more.

    >>> comparable("Who founded  FORD-Kenya?")
    'who founded ford kenya'
    """
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())


def write_collection(
    folder: str | Path, collection: Collection, split: Split | None = None, tokeniser: str | Path | None = None
) -> CollectionReport:
    """Check a collection and write it as `documents.jsonl`, `qrels.txt`, `queries/<lang>.tsv` and `collection.json`.

    A query without a relevant document is dropped with a warning, since it has no average precision. Documents without
    any queries and judgements are written alone: they can be searched.

    Args:
        folder: where the files go.
        collection: what a reader made.
        split: cuts the documents into passages; the judgements stay those of whole documents.
        tokeniser: the folder of the tokeniser by which passages are counted, where they are.
    Returns:
        what is in `collection.json`.
    Raises:
        DataError: a duplicate id, an id with white space, an empty query, empty or contradictory qrels, or a judgement
            of something that does not exist, unless the collection's qrels are partial.
    """
    folder = Path(folder)
    judged_in = file_of(collection.qrels, "qrels")
    qrels = unique_qrels(collection.qrels, judged_in)
    if collection.queries and not any(grade > 0 for _, _, grade in qrels):
        raise DataError("no judgement says that a document is relevant", where=judged_in, hint="a grade above 0 does")
    document_ids: set[str] = set()
    documents = checked_documents(collection.documents, document_ids)
    passages = split_documents(documents, split, tokeniser) if split else documents
    count = write_jsonl(folder / "documents.jsonl", with_progress(passages, "writing documents"))
    queries = {lang: _checked_queries(pairs, lang) for lang, pairs in collection.queries.items()}
    known_queries = set().union(*queries.values())
    qrels = _known_qrels(qrels, known_queries, document_ids, collection.partial_qrels, judged_in)
    answerable = {query_id for query_id, _, grade in qrels if grade > 0}
    for lang, texts in queries.items():
        dropped = texts.keys() - answerable
        if dropped:
            log.warning("%d of %d queries in %s have no relevant document: dropped", len(dropped), len(texts), lang)
        kept = [(query_id, text) for query_id, text in texts.items() if query_id in answerable]
        if not kept:
            raise DataError(f"no query in {lang} has a relevant document", hint="do queries and qrels share their ids?")
        write_rows(folder / "queries" / f"{lang}.tsv", kept)
    qrels = [row for row in qrels if row[0] in answerable]
    if collection.queries:
        write_lines(folder / "qrels.txt", (f"{query} 0 {document} {grade}" for query, document, grade in qrels))
    report: CollectionReport = {
        "documents": count,
        "split": split.model_dump() if split else None,
        "queries": {lang: len(texts.keys() & answerable) for lang, texts in queries.items()},
        "relevant": sum(grade > 0 for _, _, grade in qrels),
    }
    write_json(folder / "collection.json", report)
    return report


def unique_qrels(qrels: Iterable[Judgement], where: object) -> list[Judgement]:
    """Return judgements in their order, each once; refuse two that contradict one another."""
    grades: dict[tuple[str, str], int] = {}
    for query_id, document_id, grade in qrels:
        if (before := grades.setdefault((query_id, document_id), grade)) != grade:
            what = f"query {query_id}, document {document_id} is judged twice, {before} and {grade}"
            raise DataError(what, where=where, hint="remove one of the two")
    return [(query_id, document_id, grade) for (query_id, document_id), grade in grades.items()]


def checked_documents(
    documents: Iterable[Document], ids: set[str] | None = None, source: Iterable | None = None
) -> Iterator[Document]:
    """Yield documents; refuse a bad id and a duplicate, and skip those without text.

    Args:
        documents: with their ids and texts.
        ids: those seen; takes the ids of the documents.
        source: what the documents are read from, for errors; None: `documents` itself.
    """
    ids = set() if ids is None else ids
    source = documents if source is None else source
    for document in with_text(documents):
        _check_id(document["id"], ids, "document", source)
        yield document


def with_text(documents: Iterable[Document]) -> Iterator[Document]:
    """Yield the documents that have a text or a title; the others are skipped with a warning that counts them."""
    kept, skipped, first = 0, 0, ""
    for document in documents:
        if text_of(document).strip():
            kept += 1
            yield document
        else:
            skipped += 1
            first = first or document["id"]
    if skipped and not kept:
        raise DataError("no document has a text", where=line_of(documents, "documents"), hint="is it the right file?")
    if skipped:
        log.warning("%d of %d documents are skipped: they have no text, as %s", skipped, kept + skipped, first)


def _check_id(item_id: str, ids: set[str], kind: str, source: Iterable) -> None:
    """Add an id to those seen; refuse one that is there already or that a run file could not hold."""
    where = line_of(source)
    if item_id.replace("\ufeff", " ").split() != [item_id]:  # a byte-order mark is lost where a table begins with it
        hint = "run files separate columns by it"
        raise DataError(f"{kind} id {item_id!r} is empty or has white space", where=where, hint=hint)
    if item_id in ids:
        raise DataError(f"duplicate {kind} id {item_id}", where=where, hint="every id once; join or rename the rows")
    ids.add(item_id)


def line_of(source: Iterable, otherwise: str = "") -> object:
    """Return, for an error, the line that a source's last item stands in; something else where it is no file."""
    return source if isinstance(source, FromFile) else otherwise


def file_of(source: Iterable, otherwise: str) -> object:
    """Return, for an error, the file that a source is read from; something else where it is none."""
    return source.path if isinstance(source, FromFile) else otherwise


def _checked_queries(pairs: Iterable[Query], lang: str) -> dict[str, str]:
    """Return the queries by id; refuse duplicate ids and empty texts."""
    texts: dict[str, str] = {}
    seen: set[str] = set()
    for query_id, text in pairs:
        _check_id(query_id, seen, f"{lang} query", pairs)
        if not text.strip():
            raise DataError(f"query {query_id} has no text", where=line_of(pairs, lang), hint="remove it")
        texts[query_id] = text
    return texts


def _known_qrels(
    qrels: list[Judgement], queries: Container[str], documents: Container[str], partial: bool, where: object
) -> list[Judgement]:
    """Return the judgements whose query and document exist; refuse the others unless the qrels may be partial."""
    known = [row for row in qrels if row[0] in queries and row[1] in documents]
    if len(known) == len(qrels):
        return known
    query_id, document_id, _ = next(row for row in qrels if row[0] not in queries or row[1] not in documents)
    lost = f"query {query_id}" if query_id not in queries else f"document {document_id}"
    if not partial:
        raise DataError(
            f"the qrels name {lost}, which does not exist or has no text ({len(qrels) - len(known)} rows do so)",
            where=where,
            hint="fix the ids, or set partial_qrels: true to drop such rows",
        )
    log.warning("%d of %d judgements left out: unknown query or document", len(qrels) - len(known), len(qrels))
    return known


def write_training_set(folder: str | Path, training: TrainingSet, max_triples: int | None = None) -> TrainingSetReport:
    """Check a training set and write `documents.jsonl`, `queries.tsv` and `triples.tsv`; return the counts.

    With `max_triples` only the first ones are kept, and only the documents and queries that they name. The triples
    themselves are never in memory. Scores go to `scores.tsv`, without those of other queries and documents.
    """
    folder = Path(folder)
    triples = folder / "triples.tsv"
    rows = with_progress(islice(training.triples, max_triples), "writing triples", max_triples or 0)
    count = write_lines(triples, map("\t".join, rows))
    if not count:
        hint = "give triples, or judgements of at least min_grade"
        raise DataError("there is not one training triple", where=training.source, hint=hint)
    needed_queries, needed_documents = _ids_of(triples) if max_triples else (None, None)
    document_ids: set[str] = set()
    query_ids: set[str] = set()
    documents = (d for d in training.documents if needed_documents is None or d["id"] in needed_documents)
    unique = checked_documents(documents, document_ids, training.documents)
    write_jsonl(folder / "documents.jsonl", with_progress(unique, "writing documents"))

    def queries() -> Iterator[Query]:
        for query_id, text in training.queries:
            if needed_queries is None or query_id in needed_queries:
                _check_id(query_id, query_ids, "query", training.queries)
                if not text.strip():
                    where = line_of(training.queries, "queries")
                    raise DataError(f"query {query_id} has no text", where=where, hint="remove it and its triples")
                yield query_id, text

    write_rows(folder / "queries.tsv", queries())
    _check_triples(triples, query_ids, document_ids, training.source)
    report: TrainingSetReport = {"documents": len(document_ids), "queries": len(query_ids), "triples": count}
    if training.scores is None:
        return report
    scores = (row for row in training.scores if row[0] in query_ids and row[1] in document_ids)
    if not (scored := write_rows(folder / "scores.tsv", scores)):
        what, hint = "not one score is of a query and a document of the training set", "all must use the same ids"
        raise DataError(what, where=training.source, hint=hint)
    report["scores"] = scored
    return report


def _ids_of(triples: Path) -> tuple[set[str], set[str]]:
    """Return the query ids and the document ids that a triples file names."""
    queries: set[str] = set()
    documents: set[str] = set()
    for query_id, *ids in read_triples(triples):
        queries.add(query_id)
        documents.update(ids)
    return queries, documents


def _check_triples(path: Path, query_ids: Container[str], document_ids: Container[str], where: object) -> None:
    """Raise `DataError` with line and id for a triple that names something unknown, or a negative that is relevant."""
    for count, (query_id, *ids) in enumerate(read_triples(path), start=1):
        if query_id not in query_ids:
            lost = f"query {query_id}"
        elif ids[0] in ids[1:]:
            what = f"triple {count} of query {query_id} has document {ids[0]} as relevant and as not"
            raise DataError(what, where=where, hint="remove it from the negatives")
        elif unknown := [document_id for document_id in ids if document_id not in document_ids]:
            lost = f"document {unknown[0]}"
        else:
            continue
        raise DataError(
            f"triple {count} names {lost}, which does not exist or has no text",
            where=where,
            hint="the three files must belong together",
        )


def passage_id(text: str) -> str:
    """Return an id made of a passage's text, so that equal passages are one document whatever file they come from.

    >>> passage_id("Dodoma is the capital.") == passage_id(" Dodoma  is the capital.\\n")
    True
    """
    return "p" + hashlib.sha256(" ".join(text.split()).encode()).hexdigest()[:12]
