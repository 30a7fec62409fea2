"""MKQA as retrieval: a foreign question finds its English original among all of them."""

from optical.config.collections import MkqaCollection
from optical.corpora.blocks import query_files
from optical.corpora.files import Collection, passage_id
from optical.corpora.json_rows import Row, Text, read_jsonl_rows, read_zipped_rows
from optical.corpora.passages import Document
from optical.errors import DataError


class Question(Row):
    """A line of MKQA; an id is the number of the question and a code, such as `-27_fi`."""

    id: str
    question: Text

    @property
    def number(self) -> str:
        """What a question and its translations share."""
        return self.id.partition("_")[0]


def read_mkqa(block: MkqaCollection, languages: list[str]) -> Collection:
    """Read MKQA (Longpre et al., TACL 2021) in the form of the MIA 2022 shared task: which question is this in English?

    Translators wrote the foreign questions, so this measures how well meaning is found, not how well passages are. The
    documents are the English questions, equal ones once. English queries are the documents themselves: an upper bound
    close to 1. A language may ask fewer questions than there are documents: Tagalog has 350. Of the 5,000 Finnish ones
    of the test, 27 equal another in all but case and punctuation while the English differ.

    Raises:
        DataError: a question has no English original.
    """
    files = query_files(block.questions, ["en", *languages])
    questions = {lang: _read_questions(path, lang) for lang, path in files.items()}
    english = {question.number: question.question for question in questions["en"]}
    for lang, asked in questions.items():
        if lost := [question.id for question in asked if question.number not in english]:
            what = f"{len(lost)} questions in {lang} have no English original, e.g. {lost[0]}"
            raise DataError(what, where=files[lang], hint="take all files from the test set, or all from dev")
    documents = {passage_id(text): text for text in english.values()}
    queries = {lang: [(question.number, question.question) for question in asked] for lang, asked in questions.items()}
    qrels = [(number, passage_id(text), 1) for number, text in english.items()]
    return Collection([Document(id=name, text=text) for name, text in documents.items()], queries, qrels)


def _read_questions(path: str, lang: str) -> list[Question]:
    """Return the questions of a file, or of the member of a zip file that is named after the language."""
    if path.lower().endswith(".zip"):
        return read_zipped_rows(path, rf"mkqa-{lang}(_\w+)?\.jsonl", Question, f"questions of MKQA in {lang}")
    return read_jsonl_rows(path, Question, f"questions of MKQA in {lang}")
