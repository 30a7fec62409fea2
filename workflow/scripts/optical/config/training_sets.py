"""The block `training_set` of the teacher and of retrained methods. One class for each reader, as for collections."""

from typing import Any, Literal

from pydantic import model_validator

from optical.config.base import AtLeastZero, Count, File, Files, Flag, Integer, Refused, Settings, checked
from optical.config.readers import Ids, by_reader, require_ids


class TrainingSetBlock(Settings):
    """Keys that any training set takes, for every reader."""

    max_triples: Count | None = None
    """number of triples to keep; null for all"""


class Judged(TrainingSetBlock):
    """Keys of a training set that may come from judgements."""

    min_grade: Integer = 1
    """with qrels: lowest grade of a relevant document"""

    negatives: AtLeastZero = 0
    """with qrels: number of judged documents below that grade per relevant one"""

    swap: Flag = False
    """exchange queries and documents"""

    query_words: Count = 32
    """with swap: words of a document's beginning that become a query"""


class PlainTrainingSet(Judged):
    """Your own documents and queries, with triples or judgements."""

    reader: Literal["plain"]

    documents: File
    """JSON lines with id and text, or id<TAB>text"""

    queries: File
    """id<TAB>text"""

    triples: File | None = None
    """ids of a query, a relevant document and others"""

    qrels: File | None = None
    """judgements, instead of triples"""

    scores: File | None = None
    """scores of a cross-encoder, for `teacher.distillation`"""

    @model_validator(mode="after")
    def _has_pairs(self) -> "PlainTrainingSet":
        if self.triples is None and self.qrels is None:
            raise Refused("'triples' is missing", "triples: ids of a query, a relevant document and others; or qrels")
        return self


class CatalogueTrainingSet(Judged):
    """A training set of ir_datasets; `id` gives all of it, the other ids replace it for one part."""

    reader: Literal["ir_datasets"]

    id: Ids | None = None
    """id of the set in the catalogue; use {lang} or a map if it differs by language"""

    documents_id: Ids | None = None
    """id of the documents, if it differs"""

    queries_id: Ids | None = None
    """id of the queries, if it differs"""

    triples_id: Ids | None = None
    """id of triples or judgements, if it differs"""

    triples: Literal["docpairs", "qrels"] = "docpairs"
    """where pairs come from: the set's own triples, or its judgements"""

    query_field: str | None = None
    """field of a query that is read, such as title or description; null for its text"""

    scores: File | None = None
    """scores of a cross-encoder, for `teacher.distillation`"""

    @model_validator(mode="after")
    def _has_ids(self) -> "CatalogueTrainingSet":
        require_ids(self, ("documents_id", "queries_id", "triples_id"))
        return self


class AfriQaTrainingSet(TrainingSetBlock):
    """Questions of AfriQA with the passages that answer them."""

    reader: Literal["afriqa"]

    pairs: Files
    """files of questions"""

    held_out: Files
    """files whose questions are removed"""

    titles: Flag = True
    """keep the titles of the pages"""


class Multi30kTrainingSet(TrainingSetBlock):
    """English captions of the same picture."""

    reader: Literal["multi30k"]

    captions: Files
    """English files, parallel to `images`"""

    images: File
    """names of the pictures"""

    held_out_images: Files | None = None
    """pictures of a test set, which are excluded"""

    held_out: Files | None = None
    """captions that are removed"""


class MtopTrainingSet(TrainingSetBlock):
    """Utterances of MTOP of the same intent, and of another."""

    reader: Literal["mtop"]

    utterances: File
    """the file of XSemPLR"""

    held_out: Files | None = None
    """files whose utterances are removed"""

    language: str = "en"
    """language of the utterances"""

    triples_each: Count = 4
    """triples per utterance"""

    seed: Integer = 1
    """seed for the choice of triples"""


TRAINING_SET_KINDS = (
    PlainTrainingSet,
    CatalogueTrainingSet,
    AfriQaTrainingSet,
    Multi30kTrainingSet,
    MtopTrainingSet,
)

TrainingSet: Any = by_reader(TRAINING_SET_KINDS)


def read_training_set(values: object, where: str = "training_set") -> TrainingSetBlock:
    """Return the block of a training set, of the class of its reader."""
    return checked(TrainingSet, values, where)
