"""AfriQA: African questions and English gold passages, as a collection and as training pairs."""

import logging
from collections.abc import Iterable, Iterator

from optical.corpora.files import Collection, TrainingSet, as_list, comparable, passage_id, query_files
from optical.errors import ConfigError, DataError
from optical.files import read_jsonl

log = logging.getLogger("optical")


def read_afriqa(settings: dict, languages: list[str]) -> Collection:
    """Read AfriQA (Ogundepo et al., EMNLP 2023): African questions, their human translations, English gold passages.

    `questions` `{sw: FILE}` are the gold-passage files whose questions are the queries; `passages` lists the gold-
    passage files whose contexts, together with those of the questions and each text once, are the documents, but for
    those of the files in `without`: what a teacher has learned from. A question's own passage is the relevant one.
    Rows without a context are left out. Documents keep the title of their page unless `titles: false`: it moves
    BM25's reciprocal rank by .03 to .04.
    """
    files = query_files(settings["questions"], languages)
    if len(files) != 1:
        raise ConfigError(
            "AfriQA's questions differ from language to language: one language a collection", where=sorted(files)
        )
    [(lang, path)] = files.items()
    rows = _afriqa_rows(path)
    left_out = {passage_id(row["context"]) for file in as_list(settings.get("without")) for row in _afriqa_rows(file)}
    others = (row for file in as_list(settings.get("passages")) for row in _afriqa_rows(file))
    contexts = [*rows, *(row for row in others if passage_id(row["context"]) not in left_out)]
    queries = {
        "en": [(row["id"], row["question_translated"]) for row in rows],
        lang: [(row["id"], row["question_lang"]) for row in rows],
    }
    qrels = [(row["id"], passage_id(row["context"]), 1) for row in rows]
    return Collection(_afriqa_documents(contexts, settings.get("titles", True)), queries, qrels)


def read_afriqa_pairs(settings: dict) -> TrainingSet:
    """Read English question and passage pairs from AfriQA's other languages, to train an English retriever.

    `pairs` lists gold-passage files (train and dev of other languages), `held_out` the files of the test questions: a
    pair that shares the question (in either language) or the passage with one of those is left out. The triples have
    no negatives: the other passages of the batch serve.
    """
    held_out = [row for path in as_list(settings["held_out"]) for row in _afriqa_rows(path)]
    forbidden = {
        comparable(row[key]) for row in held_out for key in ("question_lang", "question_translated", "context")
    }
    rows: dict[tuple[str, str], dict] = {}
    dropped = 0
    for path in as_list(settings["pairs"]):
        for row in _afriqa_rows(path):
            question, context = comparable(row["question_translated"]), comparable(row["context"])
            if question in forbidden or context in forbidden or comparable(row["question_lang"]) in forbidden:
                dropped += 1
            else:
                rows.setdefault((question, context), row)
    log.info("%d pairs kept, %d left out because they share a question or passage with the test", len(rows), dropped)
    question_ids: dict[str, str] = {}
    for question, _ in rows:
        question_ids.setdefault(question, f"q{len(question_ids)}")
    texts = {question_ids[question]: row["question_translated"] for (question, _), row in rows.items()}
    triples = [(question_ids[question], passage_id(row["context"])) for (question, _), row in rows.items()]
    documents = _afriqa_documents(rows.values(), settings.get("titles", True))
    return TrainingSet(documents, texts.items(), triples, source=settings["pairs"])


def _afriqa_rows(path: str) -> list[dict]:
    """Return the rows of an AfriQA gold-passage file that have a passage and both questions."""
    keys = ("context", "question_lang", "question_translated")
    rows = list(read_jsonl(path))
    if not rows or not all(key in rows[0] for key in keys):
        raise DataError("not a gold-passage file of AfriQA", where=path, hint=f"each line needs {', '.join(keys)}")
    return [row for row in rows if all((row[key] or "").strip() for key in keys)]


def _afriqa_documents(rows: Iterable[dict], titles: bool) -> Iterator[dict]:
    """Yield each passage once."""
    seen = set()
    for row in rows:
        document_id = passage_id(row["context"])
        if document_id not in seen:
            seen.add(document_id)
            title = {"title": row["title"]} if titles and row.get("title") else {}
            yield {"id": document_id, "text": row["context"]} | title
