"""Multiple-choice questions, MMLU's and Belebele's, as retrieval of the right option."""

from collections.abc import Mapping
from typing import NamedTuple

from optical.config.collections import ChoicesCollection
from optical.corpora.belebele import read_passages
from optical.corpora.blocks import as_list, by_language
from optical.corpora.files import Collection
from optical.corpora.named_columns import read_csv
from optical.corpora.passages import Document
from optical.errors import DataError


class Question(NamedTuple):
    """A multiple-choice question; `answer` is the index of the right option."""

    text: str
    options: list[str]
    answer: int


def read_mmlu(path: str) -> list[Question]:
    """Read MMLU (Hendrycks et al., 2021) or a translation: CSV rows of question, four options, letter of the answer."""
    questions = []
    for number, row in enumerate(read_csv(path), start=1):
        if len(row) != 6 or row[5].strip() not in tuple("ABCD"):
            raise DataError(f"row {number} is not a question", where=path, hint="question,A,B,C,D,letter of the answer")
        questions.append(
            Question(row[0].strip(), [option.strip() for option in row[1:5]], "ABCD".index(row[5].strip()))
        )
    return questions


def read_belebele_questions(path: str) -> list[Question]:
    """Read Belebele's questions (Bandarkar et al., 2024); a question's text is the question and then its passage.

    Truncation, where the encoder reads less, thus takes the end of the passage and not the question.
    """
    questions = []
    for number, row in enumerate(read_passages(path), start=1):
        for item in row.items:
            right = [place for place, answer in enumerate(item.answers) if answer.correct]
            if len(item.answers) != 4 or len(right) != 1:
                what = f"a question of passage {number} has not four answers of which one is right"
                raise DataError(what, where=path, hint="is it a file of Belebele?")
            options = [answer.text for answer in item.answers]
            questions.append(Question(f"{item.question} {row.text}", options, right[0]))
    return questions


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
        if not rows:
            raise DataError(
                "no question in it", where=", ".join(as_list(paths[lang])) or lang, hint="is it the right file?"
            )
        if [row.answer for row in rows] != [row.answer for row in questions[first]]:
            what, hint = f"its rows do not run parallel to those in {first}", "take all files from one version"
            raise DataError(what, where=", ".join(as_list(paths[lang])), hint=hint)
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
