"""The block `collection_table`: what can be searched. One class for each reader; `corpora.readers` has their functions.

A key that names files holds paths once the plan has resolved it. Where files differ by language it holds a map.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from optical.config.base import AtLeastZero, Count, File, Files, FilesByLanguage, Integer, Settings

Ids = str | dict[str, str]


class Split(Settings):
    """Cuts documents into passages; a document scores as its best one."""

    length: Count = 180
    """of a passage"""

    stride: Count = 90
    """from where one passage begins to the next"""

    unit: Literal["words", "tokens"] = "words"
    """what both count; tokens are those of the encoder"""


class CollectionBlock(Settings):
    """Keys that any collection takes, whoever reads it."""

    languages: list[str] | None = None
    """the languages that have queries here, where not all of `languages` do"""

    documents_by: Literal["teacher", "student"] = "teacher"
    """who reads the documents: the teacher, or each student, where they are in its language"""

    split: Split | None = None
    """cuts documents into passages; null keeps them whole"""


class PlainCollection(CollectionBlock):
    """Documents, queries and judgements of one's own."""

    reader: Literal["plain"]

    documents: File
    """JSON lines with id and text, or id<TAB>text"""

    queries: FilesByLanguage
    """id<TAB>text; one file per language, by {lang} or as a map"""

    qrels: File
    """TREC's four columns"""

    partial_qrels: bool = False
    """leave out judgements of what is not there"""


class CatalogueCollection(CollectionBlock):
    """A collection of ir_datasets; `id` gives documents, queries and qrels, the other ids replace it for one of them."""

    reader: Literal["ir_datasets"]

    id: Ids | None = None
    """by language where it differs: by {lang} or as a map"""

    documents_id: Ids | None = None
    """the id of the documents"""

    queries_id: Ids | None = None
    """the id of the queries"""

    qrels_id: Ids | None = None
    """the id of the judgements"""

    documents: Literal["all", "pooled"] = "all"
    """pooled: the judged ones alone"""

    min_grade: Integer = 1
    """the grade from which a document is relevant"""

    query_field: str | None = None
    """title, description, ... in place of the text of a query"""

    max_queries: Count | None = None
    """so many of each language, the first ones; null for all"""

    max_documents: AtLeastZero | None = None
    """so many, the judged ones first; null for all"""

    @model_validator(mode="after")
    def _has_ids(self) -> "CatalogueCollection":
        _require_ids(self, ("documents_id", "queries_id", "qrels_id"))
        return self


def _require_ids(block: Any, keys: tuple[str, ...]) -> None:
    missing = [key for key in keys if block.id is None and getattr(block, key) is None]
    if missing:
        raise ValueError(f"has neither id nor {missing[0]}")


class ClefCollection(CollectionBlock):
    """A collection of CLEF: newspapers in SGML, topics by language."""

    reader: Literal["clef"]

    documents: Files
    """folders or files"""

    topics: FilesByLanguage
    """one file per language, by {lang} or as a map"""

    qrels: Files
    """one file or several"""

    fields: Literal["title", "description", "both"] = "both"
    """which part of a topic is the query"""

    encoding: str = "iso-8859-1"
    """of documents and SGML topics"""


class AfriQaCollection(CollectionBlock):
    """Questions of AfriQA and the English passages that answer them."""

    reader: Literal["afriqa"]

    questions: FilesByLanguage
    """one file per language"""

    passages: Files | None = None
    """further files, whose passages are documents, too"""

    without: Files | None = None
    """files whose passages are left out, such as those that the teacher learns from"""

    titles: bool = True
    """keep the titles of the pages"""


class FloresCollection(CollectionBlock):
    """FLORES-200: which English article does this foreign sentence come from?"""

    reader: Literal["flores_articles"]

    sentences: FilesByLanguage
    """one file per language, English included"""

    metadata: File
    """the table with the address of each sentence's page"""

    part: Literal["dev", "test"] = "test"
    """which half of the articles the queries come from"""

    seed: Integer = 0
    """decides which articles are in which part"""


class BelebeleCollection(CollectionBlock):
    """Questions of Belebele about English passages."""

    reader: Literal["belebele"]

    questions: FilesByLanguage
    """one file per language, English included"""


class Multi30kCollection(CollectionBlock):
    """Captions of Multi30k: a caption in another language finds the English captions of its picture."""

    reader: Literal["multi30k"]

    captions: Files
    """English files, parallel to `images`"""

    images: File
    """names of the pictures"""

    queries: FilesByLanguage
    """one file per language"""

    query_images: File | None = None
    """names of the queries' pictures, where they are others"""

    leave_out_source: bool = False
    """drop the caption that a query translates"""


class MtopCollection(CollectionBlock):
    """Utterances of MTOP."""

    reader: Literal["mtop"]

    utterances: File
    """the file of XSemPLR"""

    relevance: Literal["parallel", "intent"] = "parallel"
    """relevant is the same utterance, or every one of the same intent"""

    document_language: str = "en"
    """of the documents, which the teacher reads"""


class MiraclSwahiliCollection(CollectionBlock):
    """The slice of MIRACL whose passages TyDi QA has: Swahili questions, Swahili passages."""

    reader: Literal["miracl_swahili"]

    topics: FilesByLanguage
    """topics of MIRACL"""

    passages: Files
    """files of TyDi QA"""


class ChoicesCollection(CollectionBlock):
    """Questions whose answer is one of several English options."""

    reader: Literal["choices"]

    questions: FilesByLanguage
    """one file per language, or a list of files, English included"""

    form: Literal["mmlu", "belebele"] = "mmlu"
    """of the files"""


COLLECTION_KINDS = (
    PlainCollection,
    CatalogueCollection,
    ClefCollection,
    AfriQaCollection,
    FloresCollection,
    BelebeleCollection,
    Multi30kCollection,
    MtopCollection,
    MiraclSwahiliCollection,
    ChoicesCollection,
)


def by_reader(kinds: tuple[type[Settings], ...]) -> Any:
    """Return the type of a block that its `reader` tells, one of these kinds.

    A block inherits keys where a config changes the reader of one that the default has: those of other readers are
    left out, and so is what is null.
    """
    keys = {get_args(kind.model_fields["reader"].annotation)[0]: kind.model_fields.keys() for kind in kinds}
    known = {key for fields in keys.values() for key in fields}

    def own(values: object) -> object:
        if not isinstance(values, Mapping) or values.get("reader") not in keys:
            return values
        foreign = known - keys[values["reader"]]
        return {key: value for key, value in values.items() if key not in foreign and value is not None}

    return Annotated[reduce(or_, kinds), Field(discriminator="reader"), BeforeValidator(own)]


Collection = by_reader(COLLECTION_KINDS)


def files_of(block: Settings) -> dict[str, Any]:
    """Return the keys of a block that name files, with their values; those that are not given are left out."""
    from optical.config.base import IsFile

    named = {
        name: getattr(block, name)
        for name, field in type(block).model_fields.items()
        if IsFile in field.metadata
        or any(IsFile in getattr(part, "__metadata__", ()) for part in get_args(field.annotation))
    }
    return {name: value for name, value in named.items() if value is not None}
