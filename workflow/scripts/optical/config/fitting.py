"""Defaults that depend on the encoder, and the range that a value usually lies in: one table of each.

A learning rate that suits a small encoder trained here destroys one that somebody else has pretrained. So keys of these
tables have no fixed default. The config leaves them null, and a program fills them in when it knows the encoder.

The column `small` has the values of `config/subwords.yaml`, chosen on development data for an English MiniLM, and the
steps that suited multilingual-e5-small in trials. `base` follows published recipes for BERT-base and was not tuned
here.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from optical.config.base import Settings
from optical.config.encoder import EncoderSettings
from optical.config.model_folders import in_form, json_of
from optical.config.training import TranslatorSettings
from optical.config.transport import TransportSettings
from optical.errors import ConfigError

log = logging.getLogger(__name__)

Kind = Literal["scratch", "small", "base"]  # small and trained here from random weights, or pretrained and of this size
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES: dict[Kind, str] = {"scratch": "trained here", "small": "pretrained, small", "base": "pretrained, base size"}
BASE_HIDDEN_SIZE = 512  # from here on an encoder is of base size: BERT-base has 768
FROM_SCRATCH = "trained_from_scratch"  # a key of config.json, which copies and further training keep
NESTED = ("encoder", "transport")  # blocks that the settings of a training hold
REFUSED = 10.0  # how many times outside the usual range a value is refused

SettingsOf = TypeVar("SettingsOf", bound=Settings)


class Row(NamedTuple):
    """A value for each kind of encoder."""

    scratch: Any
    small: Any
    base: Any


def _stated(settings: type[Settings], key: str) -> Any:
    """Return the default that a class states, which suits an encoder trained here."""
    return settings.model_fields[key].default


DEFAULTS = {
    "encoder.query_length": Row(_stated(EncoderSettings, "query_length"), 96, 96),
    "encoder.document_length": Row(_stated(EncoderSettings, "document_length"), 180, 180),
    "teacher.steps": Row(700, 250, 500),
    "teacher.batch_size": Row(48, 32, 32),
    "teacher.learning_rate": Row(2e-3, 5e-5, 2e-5),
    "teacher.dropout": Row(None, 0.0, None),
    "student.steps": Row(200, 1000, 1000),
    "student.learning_rate": Row(3e-3, 3e-4, 1e-4),
    "transport.regularisation": Row(_stated(TransportSettings, "regularisation"), 0.03, 0.03),
    "translator.hidden_size": Row(_stated(TranslatorSettings, "hidden_size"), 256, 256),
    "translator.intermediate_size": Row(_stated(TranslatorSettings, "intermediate_size"), 1024, 1024),
    "translator.steps": Row(400, 2400, 2400),
    "translator.learning_rate": Row(3e-3, 1e-3, 1e-3),
}

USUAL = {
    "encoder.query_length": Row((16, 256), (16, 256), (16, 256)),
    "encoder.document_length": Row((32, 8192), (32, 8192), (32, 8192)),
    "pretraining.learning_rate": Row((1e-4, 1e-2), (1e-4, 1e-2), (1e-4, 1e-2)),
    "teacher.steps": Row((50, 500_000), (50, 500_000), (50, 500_000)),
    "teacher.learning_rate": Row((2e-4, 1e-2), (5e-6, 1e-4), (1e-6, 5e-5)),
    "teacher.dropout": Row((0, 0.5), (0, 0.5), (0, 0.5)),
    "student.steps": Row((50, 100_000), (50, 100_000), (50, 100_000)),
    "student.learning_rate": Row((3e-4, 1e-2), (2e-5, 3e-4), (5e-6, 1e-4)),
    "student.dropout": Row((0, 0.5), (0, 0.5), (0, 0.5)),
    "transport.regularisation": Row((0.01, 0.2), (0.01, 0.2), (0.01, 0.2)),
    "translator.steps": Row((50, 500_000), (50, 500_000), (50, 500_000)),
    "translator.learning_rate": Row((1e-5, 1e-2), (1e-5, 1e-2), (1e-5, 1e-2)),
    "translator.dropout": Row((0, 0.5), (0, 0.5), (0, 0.5)),
}
# Few steps only give a warning: a run of two steps is a legitimate rehearsal. Very many are refused like other values.
NEVER_TOO_LOW = ("teacher.steps", "student.steps", "translator.steps")


def kind_of(folder: str | Path) -> Kind:
    """Return the kind of an encoder, or of a model that descends from one, by the config.json in its folder.

    A folder without that file holds only a tokeniser, which was trained here.
    """
    if not Path(folder, "config.json").is_file():
        return kind_of_size(0, from_scratch=True)
    config = json_of(folder, "config.json")
    with in_form(folder):
        return kind_of_size(config.get("hidden_size", config.get("dim", 0)), config.get(FROM_SCRATCH, False))


def kind_of_size(hidden_size: int, from_scratch: bool) -> Kind:
    """Return the kind of an encoder. Base size counts as pretrained: if trained here, it takes as many steps.

    >>> kind_of_size(384, from_scratch=False)
    'small'
    """
    if hidden_size >= BASE_HIDDEN_SIZE:
        return "base"
    return "scratch" if from_scratch else "small"


def default(key: str, kind: Kind) -> Any:
    """Return the default of a key for a kind of encoder.

    >>> default("student.learning_rate", "small")
    0.0003
    """
    return getattr(DEFAULTS[key], kind)


def fitted(block: str, given: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the settings of a program with the defaults for a kind of encoder, in the blocks within them, too.

    >>> fitted("student", {"steps": 7, "transport": {"solver": "ipot"}}, "small")["transport"]
    {'regularisation': 0.03, 'solver': 'ipot'}
    """
    own = {key.removeprefix(f"{block}."): getattr(row, kind) for key, row in DEFAULTS.items() if _block(key) == block}
    full = own | {key: value for key, value in given.items() if value is not None or key not in own}
    return full | {name: fitted(name, full[name], kind) for name in NESTED if isinstance(full.get(name), Mapping)}


def fitted_settings(
    settings: type[SettingsOf], block: str, given: Any, folder: str | Path, refuse: bool = False
) -> SettingsOf:
    """Return the settings of a program, with the defaults for the encoder in a folder; log these, and unusual values.

    Args:
        settings: their class.
        block: the block of the config that they come from.
        given: what was given, as YAML or JSON has it.
        folder: the encoder, or a model that descends from it.
        refuse: whether a value far outside the usual range is an error. The programs of the workflow only log it,
            because the plan has refused it before.

    Raises:
        ConfigError: a key is unknown or missing, a value has the wrong type or is out of bounds, or a value is refused.
    """
    if not isinstance(given, Mapping):
        return settings.read(given, "settings")
    # the defaults in a block that is left out depend on the encoder, too
    given = {name: {} for name in NESTED if name in settings.model_fields} | dict(given)
    kind = kind_of(folder)
    full = fitted(block, given, kind)
    log.info(
        "the encoder is %s; defaults from that: %s", NAMES[kind], {key: full[key] for key in full if key not in given}
    )
    parts = [(block, given), *((name, given[name]) for name in NESTED if isinstance(given.get(name), Mapping))]
    keys = [(f"{name}.{key}", value) for name, part in parts for key, value in part.items()]
    for value in unusual(((key, key, value) for key, value in keys), [kind]):
        if refuse and value.refused:
            raise value.error()
        log.warning("%s", value.message())
    return settings.read(full, "settings")


def _block(key: str) -> str:
    return key.partition(".")[0]


# --- unusual values


class Unusual(NamedTuple):
    """A given value outside the usual range; `where` is its key in the config, `key` the row of the table."""

    where: str
    key: str
    value: float
    low: float
    high: float
    kinds: Sequence[Kind]

    @property
    def refused(self) -> bool:
        """Whether it is so far outside that it is refused."""
        if self.value < self.low:
            return self.key not in NEVER_TOO_LOW and self.value <= self.low / REFUSED * 1.001
        return self.value >= self.high * REFUSED * 0.999

    def what(self) -> str:
        """Return what is wrong."""
        side = "above" if self.value > self.high else "below"
        encoder = " or ".join(NAMES[kind] for kind in self.kinds)
        return f"{_number(self.value)} is {side} the usual range for this encoder ({encoder})"

    def remedy(self) -> str:
        """Return which values work."""
        row = DEFAULTS.get(self.key)
        defaults = [getattr(row, kind) for kind in self.kinds] if row else []
        # a default of null is the encoder's own value, which is not known here
        values = list(dict.fromkeys(_number(value) for value in defaults if value is not None))
        leave = f", or leave the key out for {' or '.join(values)}" if values else ""
        return f"use {_number(self.low)} to {_number(self.high)}{leave}"

    def message(self) -> str:
        """Return both in one line."""
        return f"{self.what()} [{self.where}]. Hint: {self.remedy()}"

    def error(self) -> ConfigError:
        """Return the refusal."""
        hint = f"{self.remedy()}; set unusual_values: true if you mean it"
        return ConfigError(self.what(), where=self.where, hint=hint)


def _number(value: float) -> str:
    """Return a number as a config has it: steps in full.

    >>> _number(1000000.0), _number(3e-4)
    ('1000000', '0.0003')
    """
    return f"{value:.0f}" if float(value).is_integer() else f"{value:g}"


def unusual(values: Iterable[tuple[str, str, Any]], kinds: Sequence[Kind]) -> list[Unusual]:
    """Return the given values that lie outside the range that is usual for a kind of encoder, or for any of several.

    Args:
        values: where each stands in the config, the row of the table, and the value; null is not a given value.
        kinds: of encoder that it may be: a model that is not yet fetched may be of either size.
    """
    found = []
    for where, key, value in values:
        if key in USUAL and value is not None:
            ends = list(chain.from_iterable(getattr(USUAL[key], kind) for kind in kinds))
            if not min(ends) <= float(value) <= max(ends):
                found.append(Unusual(where, key, float(value), min(ends), max(ends), kinds))
    return found
