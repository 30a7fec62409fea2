"""What an experiment asks of the model that it starts from, and whether a model can do that.

The plan checks it before any job if the model's files are there. If they arrive during the run, the program that brings
them does so, before anything is trained.
"""

from pathlib import Path

from optical.config.base import Flag, Number, Settings
from optical.config.encoder import EncoderBlock
from optical.config.fitting import kind_of, unusual
from optical.config.model_folders import (
    check_extensible,
    check_lengths,
    in_form,
    json_of,
    kind_of_subwords,
    model_config,
)


class GivenValue(Settings):
    """A value of the config whose usual range depends on the encoder."""

    where: str
    """its key in the config"""

    key: str
    """its row in the table of usual ranges"""

    value: Number
    """what is given"""


class Demands(Settings):
    """What an experiment asks of the model that it starts from."""

    is_teacher: Flag = False
    """whether it is the teacher, whose own files say how long texts are"""

    extensible: Flag = False
    """whether its tokeniser gets subwords of languages"""

    encoder: EncoderBlock = EncoderBlock()
    """how it reads texts, where its own files do not say"""

    values: list[GivenValue] = []
    """values that are refused if they are far outside the usual range"""


def read_demands(values: list[object]) -> list[Demands]:
    """Return the demands of several experiments, as JSON has them.

    >>> [each.extensible for each in read_demands([{"extensible": True}, {}])]
    [True, False]
    """
    return [Demands.read(each, "demands") for each in values]


def check_model(folder: str | Path, demands: Demands) -> None:
    """Refuse a model that cannot be read as an encoder, or cannot do what is asked. Its weights need not be there yet.

    Args:
        folder: of the model, in the Hugging Face layout.
        demands: of an experiment.

    Raises:
        DataError: the model is of a kind that is not read.
        ConfigError: a text would be longer than the model reads, its tokeniser cannot be extended, or a value of the
            config does not fit its size.
    """
    config = model_config(folder)
    own = json_of(folder, "config_sentence_transformers.json") if demands.is_teacher else demands.encoder.model_dump()
    with in_form(folder):
        check_lengths(config, {key: own.get(key) for key in ("query_length", "document_length")})
    if demands.extensible and (kind := kind_of_subwords(folder)):
        check_extensible(kind)
    for value in unusual(((each.where, each.key, each.value) for each in demands.values), [kind_of(folder)]):
        if value.refused:
            raise value.error()
