"""The block `method_table`: what a row of the table is."""

from typing import Annotated, Any, Literal

from annotated_types import MinLen
from pydantic import Field, model_validator

from optical.config.base import AtLeastZero, Changes, Flag, NotNegative, Refused, Settings, Share, Unique
from optical.config.objectives import Objectives
from optical.config.training import Student, Translator
from optical.config.training_sets import TrainingSet
from optical.config.transport import Transport


class Switch(Settings):
    """The teacher's training queries, with words swapped for those of an aligner's dictionary."""

    probability: Share = 0.5
    """probability of swapping a word that the dictionary has"""

    minimum_probability: Share = 0.1
    """smallest probability of a translation that counts"""

    seed: AtLeastZero = 1
    """seed of the swaps"""


class LexicalSettings(Settings):
    """Settings of BM25, for lexical, structured and translated-lexical."""

    k1: NotNegative = 0.9
    """BM25's k1: how much repeats of a word count"""

    b: Share = 0.4
    """weight of a document's length"""

    stop_words: Flag = False
    """remove English stop words"""

    stemming: Flag = False
    """compare English stems, by PyStemmer"""

    count_repeats: Flag = False
    """count a word twice that is twice in a query; in foreign queries it is mostly a function word"""

    minimum_probability: Share = 0.01
    """structured: smallest probability of a translation that counts"""

    cumulative_probability: Share = 0.95
    """structured: use a word's likeliest translations until their probabilities add up to this"""

    keep_unknown: Flag = True
    """structured: search a word without a translation as it is"""


class Fusion(Settings):
    """Methods whose runs are made into one by reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""

    methods: Annotated[Unique[str], MinLen(2)]
    """two methods or more of the experiment, such as [optical, bm25]"""

    constant: NotNegative = 60
    """what is added to each rank: a document gets 1 / (constant + rank) of each method that finds it"""


class Method(Settings):
    """What a method does."""

    kind: Literal[
        "english",
        "teacher",
        "extended",
        "distilled",
        "retrained",
        "dense",
        "dense-distilled",
        "lexical",
        "structured",
        "translated",
        "translated-lexical",
        "fused",
    ]
    """english: human English queries read by the teacher; teacher: the teacher reads the foreign query;
    extended: it does, with the subwords of `vocabulary`, before any distillation;
    distilled: a student trained with `objectives`; retrained: a student trained to rank, on `training_set` or
    `switch`; dense: the encoder itself, with one vector for a text (see `dense`); dense-distilled: a student of it,
    trained with `objectives`; lexical: BM25; structured: BM25 through a lexical table;
    translated: the teacher reads the query as `translator` has it; translated-lexical: BM25 does;
    fused: the ranks of the methods of `fusion` are joined"""

    languages: list[str] | None = None
    """the languages that the method has data for; the cells of the others stay empty; null for all"""

    training_set: TrainingSet | None = None
    """retrained: foreign queries and English documents, as in `teacher.training_set`; with {lang}"""

    switch: Switch | None = None
    """retrained: the teacher's training queries with swapped words"""

    objectives: Objectives | None = None
    """distilled, dense-distilled: objectives and their weights, such as {optimal_transport: 1.0, contrastive: 0.5}"""

    multilingual: Flag = False
    """distilled, dense-distilled: one student for all languages of the experiment, from the sentence pairs of all; each
    language has as many as the median language, so some pairs are left out or repeated"""

    student: Annotated[dict[str, Any], Changes(Student)] = {}
    """what this method changes in `student`"""

    transport: Annotated[dict[str, Any], Changes(Transport)] = {}
    """what this method changes in `transport`"""

    translator: Annotated[dict[str, Any], Changes(Translator)] = {}
    """translated, translated-lexical: what this method changes in `translator`; it then has its own translator"""

    lexical: LexicalSettings = Field(default_factory=LexicalSettings)

    fusion: Fusion | None = None
    """fused: whose runs are joined"""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> "Method":
        if self.kind in ("distilled", "dense-distilled") and self.objectives is None:
            example = "{optimal_transport: 1.0}" if self.kind == "distilled" else "{sentence_mse: 1.0}"
            raise Refused("'objectives' is missing", f"a {self.kind} method learns some, such as {example}")
        if self.multilingual and self.kind not in ("distilled", "dense-distilled"):
            what = f"a {self.kind} method has no student that learns from sentence pairs"
            raise Refused(what, "remove multilingual, or give it to a distilled method")
        if self.kind == "fused" and self.fusion is None:
            raise Refused("'fusion' is missing", "a fused method joins others, such as {methods: [optical, bm25]}")
        if self.kind != "fused" and self.fusion is not None:
            raise Refused(f"a {self.kind} method joins no others", "remove 'fusion', or set kind: fused")
        return self
