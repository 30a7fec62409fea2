"""AfriQA: African questions and English gold passages, as a collection and as training pairs."""

import logging
from collections.abc import Iterable, Iterator
from itertools import chain

from optical.config.collections import AfriQaCollection
from optical.config.training_sets import AfriQaTrainingSet
from optical.corpora.blocks import as_list, query_files
from optical.corpora.files import Collection, TrainingSet, comparable, passage_id
from optical.corpora.json_rows import Row, Text, read_jsonl_rows
from optical.corpora.passages import Document, new_document

log = logging.getLogger("optical")


class GoldPassage(Row):
    """A line of a gold-passage file; where a passage or a question is missing, it is an empty text here."""

    id: str
    context: Text
    question_lang: Text
    question_translated: Text
    title: str | None = None


def read_afriqa(block: AfriQaCollection, languages: list[str]) -> Collection:
    """Read AfriQA (Ogundepo et al., EMNLP 2023): African questions, their human translations, English gold passages.

    `questions` are the gold-passage files whose questions are the queries. Each language asks its own, so a query's id
    is the language and the id in the file, and the English queries are the translations of all languages. The documents
    are the contexts of these files and of `passages`, each text once, except those of `without`, from which a teacher
    has learned. A question's own passage is the relevant one. Rows without a context are left out. Titles of pages move
    BM25's reciprocal rank by .03 to .04.
    """
    asked = {
        lang: [(f"{lang}-{row.id}", row) for row in _afriqa_rows(path)]
        for lang, path in query_files(block.questions, languages).items()
    }
    every = [*chain.from_iterable(asked.values())]
    left_out = {passage_id(row.context) for file in as_list(block.without) for row in _afriqa_rows(file)}
    others = (row for file in as_list(block.passages) for row in _afriqa_rows(file))
    contexts = [*(row for _, row in every), *(row for row in others if passage_id(row.context) not in left_out)]
    queries = {lang: [(name, row.question_lang) for name, row in rows] for lang, rows in asked.items()}
    queries["en"] = [(name, row.question_translated) for name, row in every]
    qrels = [(name, passage_id(row.context), 1) for name, row in every]
    return Collection(_afriqa_documents(contexts, block.titles), queries, qrels)


def read_afriqa_pairs(block: AfriQaTrainingSet) -> TrainingSet:
    """Read English question and passage pairs from AfriQA's other languages, to train an English retriever.

    `pairs` lists gold-passage files (train and dev of other languages), `held_out` the files of the test questions: a
    pair that shares the question (in either language) or the passage with one of those is left out. The triples have
    no negatives: the other passages of the batch serve.
    """
    held_out = [row for path in as_list(block.held_out) for row in _afriqa_rows(path)]
    forbidden = {
        comparable(text) for row in held_out for text in (row.question_lang, row.question_translated, row.context)
    }
    rows: dict[tuple[str, str], GoldPassage] = {}
    dropped = 0
    for path in as_list(block.pairs):
        for row in _afriqa_rows(path):
            question, context = comparable(row.question_translated), comparable(row.context)
            if question in forbidden or context in forbidden or comparable(row.question_lang) in forbidden:
                dropped += 1
            else:
                rows.setdefault((question, context), row)
    log.info("%d pairs kept, %d left out because they share a question or passage with the test", len(rows), dropped)
    question_ids: dict[str, str] = {}
    for question, _ in rows:
        question_ids.setdefault(question, f"q{len(question_ids)}")
    texts = {question_ids[question]: row.question_translated for (question, _), row in rows.items()}
    triples = [(question_ids[question], passage_id(row.context)) for (question, _), row in rows.items()]
    documents = _afriqa_documents(rows.values(), block.titles)
    return TrainingSet(documents, texts.items(), triples, source=block.pairs)


def _afriqa_rows(path: str) -> list[GoldPassage]:
    """Return the rows of an AfriQA gold-passage file that have a passage and both questions."""
    rows = read_jsonl_rows(path, GoldPassage, "a gold-passage file of AfriQA")
    return [row for row in rows if all(map(str.strip, (row.context, row.question_lang, row.question_translated)))]


def _afriqa_documents(rows: Iterable[GoldPassage], titles: bool) -> Iterator[Document]:
    """Yield each passage once."""
    seen = set()
    for row in rows:
        document_id = passage_id(row.context)
        if document_id not in seen:
            seen.add(document_id)
            yield new_document(document_id, row.context, row.title if titles else None)
