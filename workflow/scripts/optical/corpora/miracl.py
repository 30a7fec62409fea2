"""The Swahili slice of MIRACL, made of the gold passages of TyDi QA."""

from collections import defaultdict

from optical.config.collections import MiraclSwahiliCollection
from optical.corpora.blocks import as_list, query_files
from optical.corpora.files import Collection, comparable, passage_id, read_queries
from optical.corpora.json_rows import Row, read_json_object
from optical.corpora.passages import Document
from optical.errors import ConfigError


class Question(Row):
    """A question about a paragraph."""

    question: str


class Paragraph(Row):
    """A passage with its questions."""

    context: str
    qas: list[Question]


class Article(Row):
    """The paragraphs of a page."""

    paragraphs: list[Paragraph]


class Squad(Row):
    """A file in the form of SQuAD."""

    data: list[Article]


def read_miracl_swahili(block: MiraclSwahiliCollection, languages: list[str]) -> Collection:
    """Read the slice of MIRACL (Zhang et al., TACL 2023) that TyDi QA's gold passages allow without MIRACL's corpus.

    A topic whose text is a question of TyDi QA (SQuAD form) has that question's passages as relevant documents; the
    documents are all passages, each text once. Queries and documents are both Swahili; other topics are left out.
    """
    if len(languages) != 1:
        raise ConfigError("the Swahili slice of MIRACL has one language", where=languages, hint="languages: [sw]")
    lang = languages[0]
    questions: dict[str, dict[str, None]] = defaultdict(dict)
    documents: dict[str, Document] = {}
    for path in as_list(block.passages):
        for article in read_json_object(path, Squad, "a file of TyDi QA in the form of SQuAD").data:
            for paragraph in article.paragraphs:
                document_id = passage_id(paragraph.context)
                documents.setdefault(document_id, {"id": document_id, "text": paragraph.context})
                for item in paragraph.qas:
                    questions[comparable(item.question)][document_id] = None
    file = block.topics if isinstance(block.topics, str) else query_files(block.topics, languages)[lang]
    topics = [pair for pair in read_queries(file) if comparable(pair[1]) in questions]
    qrels = [(query_id, d, 1) for query_id, text in topics for d in questions[comparable(text)]]
    return Collection(documents.values(), {lang: topics}, qrels)
