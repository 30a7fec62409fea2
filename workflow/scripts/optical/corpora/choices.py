"""Multiple-choice questions, MMLU's and Belebele's, as retrieval of the right option."""

import csv
import io
from collections.abc import Mapping
from typing import NamedTuple

from optical.config.collections import ChoicesCollection
from optical.corpora.blocks import as_list, by_language
from optical.corpora.files import Collection
from optical.corpora.passages import Document
from optical.errors import DataError
from optical.files import open_text, read_jsonl


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
            raise DataError(f"row {number} is not a question", where=path, hint="question,A,B,C,D,letter of the answer")
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


def read_parallel_questions(paths: Mapping[str, str | list[str]], form: str) -> dict[str, list[Question]]:
    """Read the same questions in several languages; raise `DataError` where a file does not run parallel.

    `paths` is `{lang: FILE or [FILES]}`; parallel means as many rows with the same right answers.
    """
    questions = {
        lang: [question for path in as_list(files) for question in QUESTION_READERS[form](path)]
        for lang, files in paths.items()
    }
    first = next(iter(questions))
    for lang, rows in questions.items():
        if [row.answer for row in rows] != [row.answer for row in questions[first]]:
            raise DataError(f"its rows do not run parallel to those in {first}", where=", ".join(as_list(paths[lang])))
    return questions


def read_choices(block: ChoicesCollection, languages: list[str]) -> Collection:
    """Read multiple-choice questions as retrieval of the right option: foreign questions, English options.

    The rows of all languages run parallel. Only a question's own options are judged, the wrong ones with 0, so that
    accuracy is `P(judged_only=True)@1`.
    """
    questions = read_parallel_questions(by_language(block.questions, ["en", *languages]), block.form)
    english = questions["en"]
    documents = [
        Document(id=f"q{number}-{letter}", text=option)
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
