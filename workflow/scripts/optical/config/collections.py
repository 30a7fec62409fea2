"""The block `collection_table`: what can be searched. One class for each reader; `corpora.readers` has their functions.

A key that names files holds paths once the plan has resolved it. Where files differ by language it holds a map.
"""

from typing import Annotated, Any, ClassVar, Literal, get_args

from annotated_types import MinLen
from pydantic import model_validator

from optical.config.base import (
    AtLeastZero,
    Count,
    Encoding,
    File,
    FileByLanguage,
    Files,
    FilesByLanguage,
    Flag,
    Integer,
    IsFile,
    Language,
    Refused,
    Settings,
    Unique,
    checked,
)
from optical.config.readers import Ids, by_reader, require_ids


class Split(Settings):
    """Cuts documents into passages; a document scores as its best one."""

    length: Count = 180
    """length of a passage"""

    stride: Count = 90
    """distance between the starts of two passages"""

    unit: Literal["words", "tokens"] = "words"
    """unit of length and stride; tokens are those of the encoder"""


class CollectionBlock(Settings):
    """Keys that any collection takes, for every reader."""

    reads_several: ClassVar[bool] = False  # whether the reader knows passages in several languages

    languages: list[str] | None = None
    """the languages that have queries here; null for all"""

    passage_languages: Annotated[Unique[Language], MinLen(1)] = ["en"]
    """languages of the passages. The teacher reads English ones; a method reads those of another language as it reads
    queries of that language, for example with its student. Several languages, in the readers plain and flores_articles,
    also make a collection for each, such as `<name>-sw`, and the tables of docs/any-to-any.md"""

    split: Split | None = None
    """splits documents into passages; a document scores as its best passage; null keeps documents whole"""

    @property
    def judged(self) -> bool:
        """Whether there are queries and judgements, so that methods can be compared."""
        return True

    @model_validator(mode="after")
    def _knows_its_languages(self) -> "CollectionBlock":
        if len(self.passage_languages) > 1 and not self.reads_several:
            raise Refused("passages in several languages", "this reader takes one; plain takes a file for each")
        return self


class PlainCollection(CollectionBlock):
    """Your own documents, queries and judgements."""

    reads_several = True

    reader: Literal["plain"]

    documents: FileByLanguage
    """JSON lines with id and text, or id<TAB>text; if languages differ in it, one file per language of the passages, by
    {lang} or as a map"""

    queries: FileByLanguage | None = None
    """id<TAB>text; one file per language, by {lang} or as a map; null, with `qrels`, for passages to search alone"""

    qrels: File | None = None
    """TREC's four columns"""

    partial_qrels: Flag = False
    """drop judgements of documents and queries that do not exist; otherwise they are an error"""

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> "PlainCollection":
        if (self.queries is None) != (self.qrels is None):
            missing = "qrels" if self.qrels is None else "queries"
            raise Refused(f"{missing!r} is missing", "give queries and qrels, or neither for passages to search alone")
        if len(self.passage_languages) > 1 and isinstance(self.documents, str) and "{" not in self.documents:
            raise Refused("one file for passages in several languages", "give a file for each, by {lang} or as a map")
        return self

    @property
    def judged(self) -> bool:
        return self.qrels is not None


class CatalogueCollection(CollectionBlock):
    """A collection of ir_datasets: `id` gives documents, queries and qrels, and other ids replace it for one part."""

    reader: Literal["ir_datasets"]

    id: Ids | None = None
    """id of the collection in the catalogue; use {lang} or a map if it differs by language"""

    documents_id: Ids | None = None
    """id of the documents, if it differs"""

    queries_id: Ids | None = None
    """id of the queries, if it differs"""

    qrels_id: Ids | None = None
    """id of the judgements, if it differs"""

    documents: Literal["all", "pooled"] = "all"
    """all documents, or only the judged ones"""

    min_grade: Integer = 1
    """lowest grade of a relevant document"""

    query_field: str | None = None
    """field of a query that is searched, such as title or description; null for its text"""

    max_queries: Count | None = None
    """read only the first so many of each language; null for all"""

    max_documents: AtLeastZero | None = None
    """read only so many documents, judged ones first; null for all"""

    @model_validator(mode="after")
    def _has_ids(self) -> "CatalogueCollection":
        require_ids(self, ("documents_id", "queries_id", "qrels_id"))
        return self


class BeirCollection(CollectionBlock):
    """A collection in the layout of BEIR: corpus.jsonl, queries.jsonl, and qrels in tables with a header."""

    reader: Literal["beir"]

    corpus: File
    """JSON lines with _id, text and perhaps title"""

    queries: FileByLanguage
    """JSON lines with _id and text; one file per language, by {lang} or as a map; only judged ones are read"""

    qrels: File
    """a table with the columns query-id, corpus-id and score, such as qrels/test.tsv"""

    partial_qrels: Flag = False
    """drop judgements of documents and queries that do not exist; otherwise they are an error"""


class ClefCollection(CollectionBlock):
    """A collection of CLEF: newspapers in SGML, topics by language."""

    reader: Literal["clef"]

    documents: Files
    """folders or files"""

    topics: FileByLanguage
    """one file per language, by {lang} or as a map"""

    qrels: Files
    """one file or several"""

    fields: Literal["title", "description", "both"] = "both"
    """which part of a topic is the query"""

    encoding: Encoding = "iso-8859-1"
    """encoding of documents and SGML topics; a file with a byte-order mark is read as that says"""


class AfriQaCollection(CollectionBlock):
    """Questions of AfriQA and the English passages that answer them."""

    reader: Literal["afriqa"]

    questions: FileByLanguage
    """one file per language; the questions differ from language to language"""

    passages: Files | None = None
    """more files; their passages are also documents"""

    without: Files | None = None
    """files whose passages are removed, such as those that the teacher learns from"""

    titles: Flag = True
    """keep the titles of the pages"""


class FloresCollection(CollectionBlock):
    """FLORES-200: which article does this sentence come from?"""

    reads_several = True

    reader: Literal["flores_articles"]

    sentences: FileByLanguage
    """one file per language of queries or passages, English included"""

    metadata: File
    """the table with the address of each sentence's page"""

    part: Literal["dev", "test", "all"] = "test"
    """which articles the queries come from: one half, the other half, or all"""

    seed: Integer = 0
    """decides which articles are in which part"""


class BelebeleCollection(CollectionBlock):
    """Questions of Belebele about English passages."""

    reader: Literal["belebele"]

    questions: FileByLanguage
    """one file per language, English included"""


class MkqaCollection(CollectionBlock):
    """Questions of MKQA: a foreign question finds its English original, and an English one itself."""

    reader: Literal["mkqa"]

    questions: FileByLanguage
    """one file per language, English included: JSON lines, or a zip file with mkqa-LANG.jsonl"""


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
    """names of the queries' pictures; null if they are those of `images`"""

    leave_out_source: Flag = False
    """drop the caption that a query translates"""


class MtopCollection(CollectionBlock):
    """Utterances of MTOP."""

    reader: Literal["mtop"]

    utterances: File
    """the file of XSemPLR"""

    relevance: Literal["parallel", "intent"] = "parallel"
    """what is relevant: the same utterance, or every utterance with the same intent"""

    document_language: str = "en"
    """language of the documents, which the teacher reads"""


class MiraclSwahiliCollection(CollectionBlock):
    """The slice of MIRACL whose passages TyDi QA has: Swahili questions, Swahili passages."""

    reader: Literal["miracl_swahili"]

    topics: FileByLanguage
    """topics of MIRACL"""

    passages: Files
    """files of TyDi QA"""


class ChoicesCollection(CollectionBlock):
    """Questions whose answer is one of several English options."""

    reader: Literal["choices"]

    questions: FilesByLanguage
    """one file per language, or a list of files, English included"""

    form: Literal["mmlu", "belebele"] = "mmlu"
    """form of the files: MMLU's CSV (question, four options, letter), or Belebele's JSON lines"""


COLLECTION_KINDS = (
    PlainCollection,
    CatalogueCollection,
    BeirCollection,
    ClefCollection,
    AfriQaCollection,
    FloresCollection,
    BelebeleCollection,
    MkqaCollection,
    Multi30kCollection,
    MtopCollection,
    MiraclSwahiliCollection,
    ChoicesCollection,
)


Collection: Any = by_reader(COLLECTION_KINDS)


def read_collection(values: object, where: str = "collection") -> CollectionBlock:
    """Return the block of a collection, of the class of its reader.

    >>> type(read_collection({"reader": "belebele", "questions": {"en": "en.jsonl"}})).__name__
    'BelebeleCollection'
    """
    return checked(Collection, values, where)


def files_of(block: Settings) -> dict[str, Any]:
    """Return the keys of a block that name files, with their values; those that are not given are left out."""
    named = {
        name: getattr(block, name)
        for name, field in type(block).model_fields.items()
        if IsFile in field.metadata
        or any(IsFile in getattr(part, "__metadata__", ()) for part in get_args(field.annotation))
    }
    return {name: value for name, value in named.items() if value is not None}
