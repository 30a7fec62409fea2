"""FLORES-200 as a known-item test: the article that a sentence comes from, in English or in other languages."""

import hashlib

from optical.config.collections import FloresCollection
from optical.corpora.blocks import query_files
from optical.corpora.files import Collection
from optical.corpora.passages import Document
from optical.errors import DataError
from optical.files import read_lines

HALVES = ("dev", "test")


def read_flores_articles(block: FloresCollection, languages: list[str]) -> Collection:
    """Read FLORES-200 as a known-item test: which English article does this foreign sentence come from?

    An inverse cloze task, not a real information need. An article is the sentences of one URL (first column of
    `metadata`). Its first half (rounded down) is the document, each sentence of the second half is a query, and none is
    in both. The articles fall into a `dev` and a `test` half by a hash of URL and `seed`. The queries are those of one
    half, or of all articles, as `part` says; the documents of both are searched. With passages in several languages, a
    query has one relevant document in each.

    Several designs were compared with BM25 on the devtest half (281 articles): one held-out sentence an article gives
    281 queries and tells the English from the German query with t = 12.0 (errors clustered by article); this one gives
    582 queries and t = 13.5; all sentences but the first 731 and 12.8. It is also the furthest from saturated of those
    with a document that says something: reciprocal rank .49 in English, against .58 with one sentence held out.
    """
    files = query_files(block.sentences, ["en", *languages, *block.passage_languages])
    sentences = {lang: list(read_lines(path)) for lang, path in files.items()}
    urls = [line.split("\t")[0] for line in read_lines(block.metadata)][1:]
    for lang, lines in sentences.items():
        if len(lines) != len(urls):
            raise DataError(
                f"{len(lines)} sentences in {lang}, but {len(urls)} rows of metadata",
                where=files[lang],
                hint="take devtest sentences with devtest metadata, or dev with dev",
            )
    articles: dict[str, list[int]] = {}
    for number, url in enumerate(urls):
        articles.setdefault(url, []).append(number)
    documents, asked, qrels = [], [], []
    for index, (url, numbers) in enumerate(articles.items()):
        half = max(len(numbers) // 2, 1)
        held_out = numbers[half:] if block.part in ("all", _half(url, block.seed)) else []
        asked += held_out
        for lang in block.passage_languages:
            name = f"a{index}" if lang == "en" else f"a{index}-{lang}"
            document = Document(id=name, text=" ".join(sentences[lang][number] for number in numbers[:half]))
            documents.append(document | {"language": lang} if len(block.passage_languages) > 1 else document)
            qrels += [(f"s{number}", name, 1) for number in held_out]
    queries = {
        lang: [(f"s{number}", sentences[lang][number]) for number in asked]
        for lang in dict.fromkeys(["en", *languages])
    }
    return Collection(documents, queries, qrels)


def _half(url: str, seed: int) -> str:
    """Return which half an article belongs to; the other articles of the file have no say in it."""
    return HALVES[hashlib.sha256(f"{seed}\t{url}".encode()).digest()[0] % 2]
