"""Data of the studies: MTOP utterances, the Swahili slice of MIRACL, and multiple-choice questions."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from random import Random
from typing import NamedTuple

from optical.corpora_files import Collection, TrainingSet, as_list, comparable, path_for, query_files, read_queries
from optical.corpora_open import passage_id
from optical.errors import ConfigError, DataError
from optical.files import open_text, read_json, read_jsonl

MTOP_RELEVANCE = ("parallel", "intent")


def read_mtop(settings: dict, languages: list[str]) -> Collection:
    """Read MTOP (Li et al., EACL 2021), as XSemPLR publishes it, as retrieval of utterances.

    `utterances` is the file; the documents are the utterances in `document_language` (the teacher's, `en`), the queries
    the same utterances in the others. Relevant is, with `relevance: parallel`, the same utterance (and any that reads
    the same); with `relevance: intent`, every utterance of the same top intent.
    """
    relevance = settings.get("relevance", "parallel")
    if relevance not in MTOP_RELEVANCE:
        raise ConfigError(f"no relevance {relevance!r} in MTOP", hint=" or ".join(MTOP_RELEVANCE))
    source = settings.get("document_language", "en")
    rows = _mtop_rows(settings["utterances"], [source, *languages])
    groups: dict[str, list[str]] = defaultdict(list)
    key_of = {
        row["id"]: row["question"][source] if relevance == "parallel" else _top_intent(row, source) for row in rows
    }
    for utterance_id, key in key_of.items():
        groups[key].append(utterance_id)
    queries = {lang: [(row["id"], row["question"][lang]) for row in rows] for lang in dict.fromkeys(["en", *languages])}
    documents = [{"id": row["id"], "text": row["question"][source]} for row in rows]
    return Collection(documents, queries, [(q, d, 1) for q, key in key_of.items() for d in groups[key]])


def mtop_pairs(path: str, source: str, codes: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the parallel utterances of `source` and of the language that goes by one of `codes`, to serve as bitext."""
    rows = _mtop_rows(path, [source])
    target = next((code for code in rows[0]["question"] if code in codes), None)
    if target is None:
        hint = f"its languages are {', '.join(rows[0]['question'])}"
        raise DataError(f"no utterances in {'/'.join(sorted(codes))}", where=path, hint=hint)
    for row in _mtop_rows(path, [source, target]):
        yield row["question"][source], row["question"][target]


def read_mtop_pairs(settings: dict) -> TrainingSet:
    """Read training triples from MTOP in one language: an utterance, one of the same intent, and one of another.

    `utterances` is the file, `language` the language (`en`); utterances of the files in `held_out` are left out.
    `triples_each` (4) go with each utterance, drawn with `seed` (1). An utterance alone with its intent is no query.
    """
    language = settings.get("language", "en")
    held_out = {
        comparable(row["question"][language])
        for path in as_list(settings.get("held_out"))
        for row in _mtop_rows(path, [language])
    }
    rows = [
        row
        for row in _mtop_rows(settings["utterances"], [language])
        if comparable(row["question"][language]) not in held_out
    ]
    texts = {row["id"]: row["question"][language] for row in rows}
    intents: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        intents[_top_intent(row, language)].append(row["id"])
    random = Random(settings.get("seed", 1))
    triples = []
    for members in intents.values():
        others = [utterance for other in intents.values() if other is not members for utterance in other]
        for query_id in members if len(members) > 1 and others else []:
            alike = [utterance for utterance in members if utterance != query_id]
            for _ in range(settings.get("triples_each", 4)):
                triples.append((query_id, random.choice(alike), random.choice(others)))
    documents = ({"id": name, "text": text} for name, text in texts.items())
    return TrainingSet(documents, texts.items(), triples, source=settings["utterances"])


def _mtop_rows(path: str, languages: list[str]) -> list[dict]:
    """Return the utterances of an MTOP file; every one must exist in every language asked for."""
    rows = read_json(path)
    for row in rows:
        if missing := [lang for lang in languages if not row["question"].get(lang)]:
            raise DataError(f"utterance {row['id']} is not there in {missing[0]}", where=path)
    return rows


def _top_intent(row: dict, lang: str) -> str:
    """Return the outermost intent: `IN:CREATE_CALL` of `[IN:CREATE_CALL [SL:CONTACT ... ] ]`."""
    return row["mr"]["slot_intent"][lang].split()[0].removeprefix("[")


def read_miracl_swahili(settings: dict, languages: list[str]) -> Collection:
    """Read the slice of MIRACL (Zhang et al., TACL 2023) that TyDi QA's gold passages allow without MIRACL's corpus.

    `topics` is MIRACL's topic file, `passages` the TyDi QA files (SQuAD form). A topic whose text is a TyDi question
    has that question's passages as relevant documents; the documents are all passages, each text once. Queries and
    documents are both Swahili; other topics are left out.
    """
    if len(languages) != 1:
        raise ConfigError("the Swahili slice of MIRACL has one language", where=languages, hint="languages: [sw]")
    lang = languages[0]
    questions: dict[str, dict[str, None]] = defaultdict(dict)
    documents: dict[str, dict] = {}
    for path in as_list(settings["passages"]):
        for article in read_json(path)["data"]:
            for paragraph in article["paragraphs"]:
                document_id = passage_id(paragraph["context"])
                documents.setdefault(document_id, {"id": document_id, "text": paragraph["context"]})
                for item in paragraph["qas"]:
                    questions[comparable(item["question"])][document_id] = None
    topics = [pair for pair in read_queries(path_for(settings["topics"], lang)) if comparable(pair[1]) in questions]
    qrels = [(query_id, d, 1) for query_id, text in topics for d in questions[comparable(text)]]
    return Collection(documents.values(), {lang: topics}, qrels)


class Question(NamedTuple):
    """A multiple-choice question; `answer` is the index of the right option."""

    text: str
    options: list[str]
    answer: int


def read_mmlu(path: str) -> list[Question]:
    """Read MMLU (Hendrycks et al., 2021) or a translation: CSV rows of question, four options, letter of the answer."""
    with open_text(path) as file:
        rows = list(csv.reader(io.StringIO(file.read(), newline="")))
    questions = []
    for number, row in enumerate(rows, start=1):
        if len(row) != 6 or row[5].strip() not in "ABCD" or not row[5].strip():
            raise DataError(f"row {number} is no question", where=path, hint="question,A,B,C,D,letter of the answer")
        questions.append(
            Question(row[0].strip(), [option.strip() for option in row[1:5]], "ABCD".index(row[5].strip()))
        )
    return questions


def read_belebele_questions(path: str) -> list[Question]:
    """Read Belebele's questions (Bandarkar et al., 2024); a question's text is the question and then its passage.

    Truncation, where the encoder reads less, thus takes the end of the passage and not the question.
    """
    return [
        Question(
            f"{item['question']} {row['text']}",
            [answer["text"] for answer in item["answers"]],
            [answer["correct"] for answer in item["answers"]].index(True),
        )
        for row in read_jsonl(path)
        for item in row["items"]
    ]


QUESTION_READERS = {"mmlu": read_mmlu, "belebele": read_belebele_questions}


def read_parallel_questions(paths: dict[str, str | list[str]], form: str = "mmlu") -> dict[str, list[Question]]:
    """Read the same questions in several languages; raise `DataError` where a file does not run parallel.

    `paths` is `{lang: FILE or [FILES]}`; parallel means as many rows with the same right answers.
    """
    questions = {
        lang: [question for path in as_list(value) for question in QUESTION_READERS[form](path)]
        for lang, value in paths.items()
    }
    first = next(iter(questions))
    for lang, rows in questions.items():
        if [row.answer for row in rows] != [row.answer for row in questions[first]]:
            raise DataError(f"its rows do not run parallel to those in {first}", where=paths[lang])
    return questions


def read_choices(settings: dict, languages: list[str]) -> Collection:
    """Read multiple-choice questions as retrieval of the right option: foreign questions, English options.

    `questions` is `{lang: FILE or [FILES]}`, English included, rows in parallel; `form` is `mmlu` or `belebele`. Only a
    question's own options are judged, the wrong ones with 0, so that accuracy is `P(judged_only=True)@1`.
    """
    form = settings.get("form", "mmlu")
    if form not in QUESTION_READERS:
        raise ConfigError(f"no form {form!r} of questions", hint=" or ".join(QUESTION_READERS))
    questions = read_parallel_questions(query_files(settings["questions"], ["en", *languages]), form)
    english = questions["en"]
    documents = [
        {"id": f"q{number}-{letter}", "text": option}
        for number, question in enumerate(english)
        for letter, option in zip("ABCD", question.options, strict=True)
    ]
    qrels = [
        (f"q{number}", f"q{number}-{letter}", int(place == question.answer))
        for number, question in enumerate(english)
        for place, letter in enumerate("ABCD")
    ]
    queries = {
        lang: [(f"q{number}", question.text) for number, question in enumerate(rows)]
        for lang, rows in questions.items()
    }
    return Collection(documents, queries, qrels)
