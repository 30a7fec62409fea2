"""Distil a teacher into a student of another language with one call, from sentence pairs and without the workflow.

    from optical import Retriever, distil

    print(distil("teacher", "pairs.tsv", to="student"))
    retriever = Retriever.load("student", teacher="teacher")

The workflow does the same with pairs that it cleans, for many languages, methods and seeds, and compares them.

Shape suffix: Q held-out pairs.
"""

import logging
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from babel import Locale

from optical.bitext.filters import clean_text, refuse_swapped
from optical.bitext.readers import read_bitext
from optical.config.base import Flag, Settings
from optical.config.bitext import BitextSource
from optical.config.fitting import fitted_settings
from optical.config.training import DistillationSettings
from optical.errors import ConfigError, DataError
from optical.evaluation.held_out import UNKNOWN, WORSE, verdict_on
from optical.evaluation.significance import randomisation_test
from optical.files import read_json
from optical.losses.objectives import build_objective
from optical.models.encoder import Encoder
from optical.models.folders import load_encoder
from optical.runtime.base import base_of
from optical.runtime.devices import device_of
from optical.runtime.machine import Machine, torch_settings_kept
from optical.runtime.precision import chosen
from optical.search.translations import english_vectors, ranks_by_vectors
from optical.text.token_files import TokenFile
from optical.training.bitext_tokens import tokenise_bitext
from optical.training.session import Session
from optical.training.student import DistillationLoss, train_student
from optical.training.teacher_vectors import encode_english

log = logging.getLogger(__name__)

NO_SETTINGS: Mapping[str, Any] = {}
BEST_ON_REAL_DATA = {"objectives": {"token_contrast": 1.0}}  # docs/results.md
MOST_HELD_OUT = 200  # pairs
HELD_OUT_SHARE = 10  # one pair of so many at most
SIDES = ("english", "foreign")
DOUBTS = {
    WORSE: "Training made the student worse than its teacher. Hint: check the pairs and the settings",
    UNKNOWN: "The held-out pairs cannot tell whether training helped. Hint: give more sentence pairs",
}

Texts = tuple[str, str]  # in English, and in the other language


class UnusualValues(Settings):
    """The key of the config that lets values pass which are far outside their usual range."""

    unusual_values: Flag = False
    """whether such values are meant"""


class Distilled(NamedTuple):
    """A student, and how well it reads held-out sentences.

    Each foreign sentence looks for its translation among the English sides of all held-out pairs. `student` and
    `teacher` are the mean reciprocal ranks, `p_value` is that of their difference (paired randomisation test).
    `verdict` says in words what that means.
    """

    folder: Path
    pairs: int
    held_out: int
    student: float
    teacher: float
    p_value: float

    @property
    def verdict(self) -> str:
        """Return how the student compares with its teacher: better, worse, or cannot tell."""
        return verdict_on(self.student, self.teacher, self.p_value)

    def __str__(self) -> str:
        what = f"{self.folder}: learnt from {self.pairs} sentence pairs"
        if not self.held_out:
            return f"{what}; too few to hold some out"
        return (
            f"{what}; {self.held_out} held-out sentences find their translation with a mean reciprocal rank of "
            f"{self.student:.3f}, the teacher's {self.teacher:.3f}: {self.verdict} (p = {self.p_value:.3f})"
        )


def distil(
    teacher: str | Path,
    pairs: str | Path | BitextSource | Iterable[Texts],
    to: str | Path,
    settings: Mapping[str, Any] = NO_SETTINGS,
    lang: str = "",
    device: str | torch.device = "auto",
    precision: str = "fp32",
    base: str | Path | None = None,
    checkpoints: str | Path | None = None,
) -> Distilled:
    """Train a student that reads another language into the vector space of a teacher; write its folder.

    A tenth of the pairs, 200 at most, is held out and tells whether training helped.

    Args:
        teacher: folder of a late-interaction model that reads English: of the workflow, PyLate or Stanford ColBERT.
        pairs: English and foreign sentences; or a file of them, as a table, CSV, JSON Lines, TMX or a zip of OPUS; or a
            source as the config describes one.
        to: folder of the student; an existing student is replaced.
        settings: what decides the result, as `DistillationSettings` has it: `steps`, `learning_rate`, `objectives`,
            `transport`, `sides`, `seed` and others. What is not given suits the teacher's size; the objective is
            then `token_contrast`. A value ten times outside the range usual for that size is refused, unless
            `unusual_values` is true.
        lang: code of the language as it is called in a CSV, JSON Lines, TMX or zip file; "" if the file does not say.
        device: cpu, cuda, cuda:N or auto, which is a GPU where there is one.
        precision: of the matrix products: fp32, bf16, or auto, which is bf16 where the device is faster in it.
        base: folder of the base of a teacher that is stored as changes, if the base has moved.
        checkpoints: folder of checkpoints, from which an interrupted call goes on; None for none.

    Returns:
        The student's folder, and what its training has gained on the held-out pairs. A warning is logged if training
        made the student worse, or if the pairs cannot tell whether it helped.

    Raises:
        DataError: the teacher or the pairs cannot be read, there are no pairs, or their sides are swapped.
        ConfigError: a setting is unknown, out of bounds, or far outside its usual range.

    >>> pairs = [("where is the river", "mto uko wapi"), ("the moon", "mwezi")]
    >>> print(distil(model, pairs, folder, {"steps": 2}, device="cpu"))  # doctest: +ELLIPSIS
    /...: learnt from 2 sentence pairs; too few to hold some out
    """
    _check_place(to, teacher)
    fitted = _fitted(settings, teacher)
    taught, held_out = _split(_read(pairs, lang))
    place = device_of(device)
    machine = Machine(_in_full(place), chosen(precision, place), torch.get_num_threads())
    with torch_settings_kept(), tempfile.TemporaryDirectory(prefix="optical-") as temporary:
        tokens, vectors = Path(temporary, "tokens"), Path(temporary, "vectors")
        texts = dict(zip(SIDES, zip(*taught, strict=True), strict=True))
        tokenise_bitext(tokens, texts, dict.fromkeys(SIDES, base_of(teacher, base) or teacher))
        session = Session(fitted, {"teacher": teacher, "tokens": tokens}, machine, checkpoints, __file__)
        student = load_encoder(teacher, base=base).to(session.device)  # the teacher still
        encode_english(student, TokenFile(tokens / "english"), fitted.sides, vectors, machine.precision)
        ranks = _ranks_of(held_out, student, machine.precision)
        before_Q = ranks(student)
        objective = build_objective(fitted.objectives, fitted.transport)
        loss = DistillationLoss(student, tokens, vectors, fitted, objective)
        # whole if a base has moved: changes to a teacher that does not know where it lies could not be loaded
        train_student(session, loss, to, None if base else teacher)
    if not held_out:
        return Distilled(Path(to), len(taught), 0, 0.0, 0.0, 1.0)
    after_Q = ranks(student)
    p_value = float(randomisation_test(after_Q - before_Q))
    made = Distilled(Path(to), len(taught), len(held_out), float(after_Q.mean()), float(before_Q.mean()), p_value)
    if made.verdict in DOUBTS:
        log.warning("%s [%s]", DOUBTS[made.verdict], to)
    return made


def _check_place(to: str | Path, teacher: str | Path) -> None:
    """Refuse a folder that a student must not replace, before hours of training."""
    place = Path(to)
    if place.resolve() == Path(teacher).resolve():
        raise ConfigError("the teacher's own folder", where=to, hint="give the student another one")
    record = read_json(place / "provenance.json") if (place / "provenance.json").is_file() else {}
    if place.exists() and not {"teacher", "tokens"} <= record.get("inputs", {}).keys():
        raise ConfigError("the folder is not a student, so it is not replaced", where=to, hint="name a new folder")


def _fitted(settings: Any, teacher: str | Path) -> DistillationSettings:
    """Return the settings with the defaults for a teacher; refuse unusual values as the workflow does."""
    if not isinstance(settings, Mapping):
        return DistillationSettings.read(settings, "settings")
    asked = {**BEST_ON_REAL_DATA, **settings}
    own = {name: asked.pop(name) for name in UnusualValues.model_fields if name in asked}
    # a folder without config.json does not tell the teacher's size; loading it says what is wrong
    refuse = not UnusualValues.read(own, "settings").unusual_values and Path(teacher, "config.json").is_file()
    return fitted_settings(DistillationSettings, "student", asked, teacher, refuse)


def _read(pairs: str | Path | BitextSource | Iterable[Texts], lang: str) -> list[Texts]:
    """Return cleaned pairs, each once, without those that lack a side."""
    given: Iterable[Texts]
    if isinstance(pairs, str | Path):
        pairs = BitextSource(pairs=str(pairs))
    if isinstance(pairs, BitextSource):
        name = str(pairs.pairs or pairs.english)
        names = {lang, Locale("en").languages.get(lang, lang)} if lang else {"foreign"}
        given = ((pair.english, pair.foreign) for pair in read_bitext(pairs, names))
    else:
        name, given = "pairs", pairs
    cleaned = ((clean_text(english), clean_text(foreign)) for english, foreign in given)
    read = list(dict.fromkeys(pair for pair in cleaned if all(pair)))
    if not read:
        raise DataError("no sentence pairs", where=name, hint="give tuples of an English sentence and its translation")
    refuse_swapped(read, name)
    return read


def _split(pairs: list[Texts]) -> tuple[list[Texts], list[Texts]]:
    """Return the pairs to learn from, and those to hold out, which lie at even distances.

    >>> taught, held_out = _split([(str(number), "") for number in range(20)])
    >>> len(taught), [english for english, _ in held_out]
    (18, ['0', '10'])
    """
    distance = max(HELD_OUT_SHARE, -(-len(pairs) // MOST_HELD_OUT))
    held_out = pairs[::distance] if len(pairs) >= 2 * HELD_OUT_SHARE else []
    left_out = set(held_out)
    return [pair for pair in pairs if pair not in left_out], held_out


def _ranks_of(held_out: list[Texts], teacher: Encoder, precision: str) -> Callable[[Encoder], np.ndarray]:
    """Return a function that gives the reciprocal ranks of a reader of the foreign sides, float64 (Q,)."""
    if not held_out:
        return lambda reader: np.zeros(0)
    english, foreign = map(list, zip(*held_out, strict=True))
    vectors = english_vectors(teacher, english, precision)
    return lambda reader: ranks_by_vectors(reader, foreign, vectors, precision)


def _in_full(device: torch.device) -> str:
    """Return the name of a device with its number: a GPU named without one would be locked for this process."""
    return f"cuda:{device.index or 0}" if device.type == "cuda" else str(device)
