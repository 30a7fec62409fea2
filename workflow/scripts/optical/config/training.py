"""The blocks of what is trained: `pretraining`, `teacher`, `student`, `translator`, and what their programs receive."""

from typing import Annotated, Literal

from annotated_types import Ge, MinLen
from pydantic import Field

from optical.config.base import (
    NOT_GIVEN,
    AtLeastZero,
    Count,
    Flag,
    FromEncoder,
    NotNegative,
    Numeric,
    Positive,
    Settings,
    Share,
    ShareBelowOne,
)
from optical.config.bitext import WordAlignment
from optical.config.encoder import Architecture, EncoderSettings, Revision, Vocabulary
from optical.config.objectives import Objectives, PretrainingObjectives
from optical.config.training_sets import TrainingSet
from optical.config.transport import TransportSettings

Code = Annotated[str, Field(pattern="^[A-Za-z_{}-]*$")]
FittedCount = Annotated[Count, FromEncoder]
FittedRate = Annotated[Positive, FromEncoder]


class Training(Settings):
    """How anything is trained; its seed comes beside."""

    steps: Count = 1000
    """optimiser steps"""

    batch_size: Count = 32
    """texts (pairs or triples) per part of a step"""

    accumulation: Count = 1
    """parts per step; several devices share them"""

    learning_rate: Positive = 1e-4
    """maximum learning rate"""

    warmup: Share = 0.1
    """share of the steps during which the rate rises"""

    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """how the rate falls afterwards"""

    weight_decay: NotNegative = 0.01
    """AdamW's weight decay"""

    gradient_clip: Positive = 1.0
    """maximum norm of the gradient"""

    dropout: ShareBelowOne | None = None
    """share of activations set to zero; null for the encoder's own, which takes a third of a step on CPUs"""

    average: Share = 0.0
    """share of the last steps over which the weights are averaged; 0 for the weights of the last step"""


class TrainingSettings(Training):
    """What decides the result of any training."""

    seed: AtLeastZero = 1
    """seed of everything random"""


# --- pretraining


class PretrainingTraining(TrainingSettings):
    """What the block `pretraining` and its program share."""

    objectives: PretrainingObjectives = Field(default_factory=PretrainingObjectives)

    pairs_batch_size: Count = 32
    """sentence pairs per part of a step"""

    pairs_exponent: Share = 0.5
    """a language's share of the pairs is its number of pairs to this power: 1 in proportion, 0 evenly"""

    mask_share: Share = 0.2
    """share of tokens that are masked"""

    steps: Count = 300
    batch_size: Count = 64
    learning_rate: Positive = 1e-3


class Pretraining(PretrainingTraining):
    """Masked language modelling and objectives over sentence pairs, if `encoder.source` is train."""

    text: str | list[str] = []
    """one text per line, one file per language by {lang}, English included; a list of files, or bitext for the sentence
    pairs"""


class PretrainingSettings(PretrainingTraining):
    """What decides a pre-trained encoder."""

    transport: TransportSettings | None = None
    """the transport problem, where an objective solves it"""

    architecture: Architecture = Field(default_factory=Architecture)
    encoder: EncoderSettings = Field(default_factory=EncoderSettings)


# --- teacher


class RankingSettings(TrainingSettings):
    """A training on queries, their relevant documents and others."""

    in_batch_negatives: Flag = True
    """use every document of the batch as a negative, not only the query's own"""

    negatives: AtLeastZero = 1
    """number of negatives per query in each step, taken from its training example"""

    distillation: Share = 0.0
    """share of the loss that comes from a cross-encoder's scores in `training_set.scores`: the divergence
    (KL) of the softmax over a query's positive and negatives; the rest is the ranking by labels"""


class Teacher(RankingSettings):
    """The English late-interaction model."""

    steps: FittedCount = NOT_GIVEN
    batch_size: FittedCount = NOT_GIVEN
    learning_rate: FittedRate = NOT_GIVEN
    dropout: Annotated[ShareBelowOne | None, FromEncoder] = None

    source: str = "train"
    """train, or a ColBERT model in the layout of PyLate or of Stanford's code, as a folder or by its id on the hub; its
    own lengths, markers and dimension then hold, whatever `encoder` says"""

    revision: Revision = None

    training_set: TrainingSet | None = None
    """a reader and its files, as in `collection_table`; plain takes documents, queries, triples, scores"""


class TeacherSettings(RankingSettings):
    """What decides a teacher that is trained here."""

    encoder: EncoderSettings = Field(default_factory=EncoderSettings)


# --- students


class StudentTraining(Training):
    """What the block `student` and its programs share."""

    sides: Annotated[list[Literal["query", "document"]], MinLen(1)] = ["query"]
    """sides of the encoder that are distilled"""

    special_tokens: Flag = False
    """whether [CLS], the marker and [SEP] take part in the objectives; IDF marginals give them no mass, because every
    text has them"""

    dropout: ShareBelowOne | None = 0.0


class Student(StudentTraining):
    """Training of a student, the same for every distilled method; its seed is one of `seeds`."""

    steps: FittedCount = NOT_GIVEN
    learning_rate: FittedRate = NOT_GIVEN


class StudentSettings(StudentTraining, TrainingSettings):
    """What decides any student."""


class DistillationSettings(StudentSettings):
    """What decides a distilled student."""

    objectives: Objectives
    """weights and settings of what it learns"""

    transport: TransportSettings | None = None
    """the transport problem, where an objective solves it or weighs tokens by its marginals"""


class RetrainingSettings(StudentSettings, RankingSettings):
    """What decides a retrained student: as many steps as a distilled one, and the teacher's ranking loss."""


# --- translator


class TranslatorSettings(TrainingSettings):
    """The shape of a translator, which is BERT's where it starts from one, and what it learns from."""

    layers: Count = 2
    """layers of encoder and decoder, without a warm start"""

    hidden_size: Count = 128
    """size of a hidden state, without a warm start"""

    heads: Count = 4
    """attention heads, without a warm start"""

    intermediate_size: Count = 512
    """size of the feed-forward layer, without a warm start"""

    longest: Annotated[int, Ge(4), Numeric] = 96
    """maximum number of tokens of a sentence, special tokens included; the rest is truncated"""

    dropout: ShareBelowOne = 0.0
    """share of activations set to zero"""

    label_smoothing: Share = 0.1
    """label smoothing of the cross-entropy"""

    guidance: NotNegative = 1.0
    """weight of the loss that draws attention to the word alignment"""

    copied_share: Share = 0.15
    """share of examples that copy English, so that the translator keeps names"""

    fragment_share: Share = 0.5
    """share of examples that are short phrases, so that the translator learns words"""


class Translator(TranslatorSettings):
    """The translator behind `nmt` and `nmt-bm25`, from each language into English."""

    hidden_size: FittedCount = NOT_GIVEN
    intermediate_size: FittedCount = NOT_GIVEN
    steps: FittedCount = NOT_GIVEN
    learning_rate: FittedRate = NOT_GIVEN

    source: str = "train"
    """train (on the students' bitext), or a sequence-to-sequence model's folder or id on the hub"""

    revision: Revision = None

    source_code: Code = ""
    """the language in the model's own code, such as {flores}"""

    target_code: Code = ""
    """English in the model's own code, such as eng_Latn"""

    beams: Count = 4
    """number of beams"""

    warm_start: Annotated[Flag | None, FromEncoder] = None
    """whether training starts from the encoder, a BERT; null for yes where the encoder is trained here"""


class TranslatorTraining(TranslatorSettings):
    """What decides a translator that is trained here."""

    alignment: WordAlignment = Field(default_factory=WordAlignment)


# --- what is made of trained models


class VocabularySettings(Vocabulary):
    """What decides the further subwords of a language."""

    alignment: WordAlignment = Field(default_factory=WordAlignment)


class AlignmentSettings(Settings):
    """What decides the measured transport plans."""

    transport: TransportSettings = Field(default_factory=TransportSettings)

    encoder: EncoderSettings = Field(default_factory=EncoderSettings)
    """how an encoder that nothing was trained from reads texts"""
