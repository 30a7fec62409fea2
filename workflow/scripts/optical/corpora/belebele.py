"""Belebele as retrieval: the English passage that answers a foreign question."""

from optical.config.collections import BelebeleCollection
from optical.corpora.blocks import query_files
from optical.corpora.files import Collection
from optical.corpora.json_rows import Row, read_jsonl_rows
from optical.corpora.passages import Document
from optical.errors import DataError


class Answer(Row):
    """An option of a question."""

    text: str
    correct: bool


class Item(Row):
    """A question about a passage."""

    question: str
    answers: list[Answer] = []


class Passage(Row):
    """A line of Belebele: a passage with its questions."""

    text: str
    items: list[Item]


def read_passages(path: str) -> list[Passage]:
    """Return the passages of a file of Belebele."""
    return read_jsonl_rows(path, Passage, "a file of Belebele")


def read_belebele(block: BelebeleCollection, languages: list[str]) -> Collection:
    """Read Belebele (Bandarkar et al., 2024) as retrieval: which English passage answers this question?

    The files are JSON Lines of `{"text", "items": [{"question", ...}]}` whose rows are the same passage in each
    language. The English texts are the documents. The passages are FLORES articles: never train
    on FLORES for this test.
    """
    files = query_files(block.questions, ["en", *languages])
    rows = {lang: read_passages(path) for lang, path in files.items()}
    for lang, lang_rows in rows.items():
        if [len(row.items) for row in lang_rows] != [len(row.items) for row in rows["en"]]:
            what = "passages and questions do not run parallel to the English file"
            raise DataError(what, where=files[lang], hint="take all files from one version")
    documents = [Document(id=f"b{number}", text=row.text) for number, row in enumerate(rows["en"])]
    queries = {
        lang: [
            (f"b{number}-{k}", item.question)
            for number, row in enumerate(lang_rows)
            for k, item in enumerate(row.items)
        ]
        for lang, lang_rows in rows.items()
    }
    qrels = [(query_id, query_id.split("-")[0], 1) for query_id, _ in queries["en"]]
    return Collection(documents, queries, qrels)
