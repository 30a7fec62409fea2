"""The block `training_set` of the teacher and of retrained methods. One class for each reader, as for collections."""

from typing import Literal

from pydantic import model_validator

from optical.config.base import AtLeastZero, Count, File, Files, Integer, Settings
from optical.config.collections import Ids, _require_ids, by_reader


class TrainingSetBlock(Settings):
    """Keys that any training set takes, whoever reads it."""

    max_triples: Count | None = None
    """so many only; null for all"""


class Judged(TrainingSetBlock):
    """Keys of a training set that may come from judgements."""

    min_grade: Integer = 1
    """with qrels: the grade from which a document is relevant"""

    negatives: AtLeastZero = 0
    """with qrels: judged documents below that grade that go with each relevant one"""

    swap: bool = False
    """exchange queries and documents"""

    query_words: Count = 32
    """with swap: of a document's beginning that becomes a query"""


class PlainTrainingSet(Judged):
    """Documents and queries of one's own, with triples or judgements."""

    reader: Literal["plain"]

    documents: File
    """JSON lines with id and text, or id<TAB>text"""

    queries: File
    """id<TAB>text"""

    triples: File | None = None
    """ids of a query, a relevant document and others"""

    qrels: File | None = None
    """judgements in place of triples"""

    scores: File | None = None
    """scores of a cross-encoder, for `teacher.distillation`"""

    @model_validator(mode="after")
    def _has_pairs(self) -> "PlainTrainingSet":
        if self.triples is None and self.qrels is None:
            raise ValueError("needs triples or qrels")
        return self


class CatalogueTrainingSet(Judged):
    """A training set of ir_datasets; `id` gives all of it, the other ids replace it for one part."""

    reader: Literal["ir_datasets"]

    id: Ids | None = None
    """the id of the set"""

    documents_id: Ids | None = None
    """the id of the documents"""

    queries_id: Ids | None = None
    """the id of the queries"""

    triples_id: Ids | None = None
    """the id of triples or judgements"""

    triples: Literal["docpairs", "qrels"] = "docpairs"
    """what the pairs come from"""

    query_field: str | None = None
    """title, description, ... in place of the text of a query"""

    scores: File | None = None
    """scores of a cross-encoder, for `teacher.distillation`"""

    @model_validator(mode="after")
    def _has_ids(self) -> "CatalogueTrainingSet":
        _require_ids(self, ("documents_id", "queries_id", "triples_id"))
        return self


class AfriQaTrainingSet(TrainingSetBlock):
    """Questions of AfriQA with the passages that answer them."""

    reader: Literal["afriqa"]

    pairs: Files
    """files of questions"""

    held_out: Files
    """files whose questions are left out"""

    titles: bool = True
    """keep the titles of the pages"""


class Multi30kTrainingSet(TrainingSetBlock):
    """English captions of the same picture."""

    reader: Literal["multi30k"]

    captions: Files
    """English files, parallel to `images`"""

    images: File
    """names of the pictures"""

    held_out_images: Files | None = None
    """pictures of a test, which must not be among them"""

    held_out: Files | None = None
    """captions that are left out"""


class MtopTrainingSet(TrainingSetBlock):
    """Utterances of MTOP of the same intent, and of another."""

    reader: Literal["mtop"]

    utterances: File
    """the file of XSemPLR"""

    held_out: Files | None = None
    """files whose utterances are left out"""

    language: str = "en"
    """of the utterances"""

    triples_each: Count = 4
    """triples of each utterance"""

    seed: Integer = 1
    """decides which triples are drawn"""


TrainingSet = by_reader(
    (PlainTrainingSet, CatalogueTrainingSet, AfriQaTrainingSet, Multi30kTrainingSet, MtopTrainingSet)
)
