"""Belebele as retrieval: the English passage that answers a foreign question."""

from optical.config.collections import BelebeleCollection
from optical.corpora.blocks import query_files
from optical.corpora.files import Collection
from optical.corpora.passages import Document
from optical.errors import DataError
from optical.files import read_jsonl


def read_belebele(block: BelebeleCollection, languages: list[str]) -> Collection:
    """Read Belebele (Bandarkar et al., 2024) as retrieval: which English passage answers this question?

    The files are JSON Lines of `{"text", "items": [{"question", ...}]}` whose rows are the same passage in each
    language. The English texts are the documents. The passages are FLORES articles: never train
    on FLORES for this test.
    """
    files = query_files(block.questions, ["en", *languages])
    rows = {lang: list(read_jsonl(path)) for lang, path in files.items()}
    for lang, lang_rows in rows.items():
        if [len(row["items"]) for row in lang_rows] != [len(row["items"]) for row in rows["en"]]:
            raise DataError("passages and questions do not run parallel to the English file", where=files[lang])
    documents = [Document(id=f"b{number}", text=row["text"]) for number, row in enumerate(rows["en"])]
    queries = {
        lang: [
            (f"b{number}-{k}", item["question"])
            for number, row in enumerate(lang_rows)
            for k, item in enumerate(row["items"])
        ]
        for lang, lang_rows in rows.items()
    }
    qrels = [(query_id, query_id.split("-")[0], 1) for query_id, _ in queries["en"]]
    return Collection(documents, queries, qrels)
