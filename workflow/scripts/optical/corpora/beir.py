"""Collections in the layout of BEIR (Thakur et al., 2021), in which many English test collections are published."""

from collections.abc import Iterable, Iterator
from typing import Any

from optical.config.collections import BeirCollection
from optical.corpora.blocks import query_files
from optical.corpora.files import GRADE, Collection, FromFile, Judgement, Query
from optical.corpora.passages import Document, new_document
from optical.errors import DataError
from optical.files import numbered_jsonl, numbered_rows

ITEM = '{"_id": "d1", "text": "..."}'
JUDGEMENT = "query-id<TAB>corpus-id<TAB>score"


def read_beir(block: BeirCollection, languages: list[str]) -> Collection:
    """Read a collection in BEIR's layout; queries.jsonl holds those of all splits, and only judged ones are kept."""
    qrels = FromFile(block.qrels, lambda: _judgements(block.qrels), "judgements", JUDGEMENT)
    judged = {query for query, _, _ in qrels}
    files = query_files(block.queries, languages)
    queries = {lang: _queries(path, judged) for lang, path in files.items()}
    documents = FromFile(block.corpus, lambda: _documents(block.corpus), "documents", ITEM)
    return Collection(documents, queries, qrels, block.partial_qrels)


def _documents(path: str) -> Iterator[tuple[int, Document]]:
    for number, item in _items(path):
        yield number, new_document(item["_id"], item["text"], item["title"])


def _queries(path: str, judged: set[str]) -> Iterable[Query]:
    queries = ((number, (item["_id"], item["text"])) for number, item in _items(path) if item["_id"] in judged)
    return FromFile(path, lambda: queries, "judged queries", ITEM)


def _items(path: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number and object of a JSON Lines file; refuse one whose fields are not text."""
    for number, item in numbered_jsonl(path):
        fields = item if isinstance(item, dict) else {}
        read = {"_id": fields.get("_id"), "text": fields.get("text"), "title": fields.get("title") or ""}
        if not read["_id"] or not all(isinstance(value, str) for value in read.values()):
            raise DataError(f"line {number} has no _id or text", where=path, hint=f"one a line, in quotes: {ITEM}")
        yield number, read


def _judgements(path: str) -> Iterator[tuple[int, Judgement]]:
    for number, row in numbered_rows(path, 3):
        grade = GRADE.fullmatch(row[2])
        if grade:
            yield number, (row[0], row[1], int(grade[1]))
        elif number > 1:
            raise DataError(f"line {number} is not a judgement", where=path, hint=f"{JUDGEMENT}, below a header")
