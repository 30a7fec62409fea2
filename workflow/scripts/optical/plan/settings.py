"""The settings of each artefact: the part of the config that its program receives. Only their change reruns it.

A key whose default depends on the encoder is passed on only if it is given: the program knows the encoder, and the plan
may not know it yet.
"""

from collections.abc import Iterable

from optical.config.bitext import BitextCleaning
from optical.config.demands import Demands
from optical.config.encoder import EncoderSettings
from optical.config.fitting import default
from optical.config.names import SHARED
from optical.config.training import (
    DistillationSettings,
    PretrainingSettings,
    RetrainingSettings,
    TeacherSettings,
    TranslatorTraining,
)
from optical.config.training_sets import CatalogueTrainingSet, PlainTrainingSet
from optical.config.transport import TransportSettings
from optical.errors import ConfigError
from optical.plan.arguments import argument_file
from optical.plan.experiment import Experiment
from optical.plan.fitting import demands
from optical.plan.models import given_model
from optical.plan.sources import bitext_sources, given_training_set

Given = dict[str, object]  # settings of a program, as JSON has them


def encoder_settings(experiment: Experiment) -> Given:
    """Return how texts become vectors."""
    return experiment.config.encoder.given(EncoderSettings)


def longest_text(experiment: Experiment) -> int:
    """Return the length of the longest text that an encoder trained here reads."""
    return experiment.config.encoder.document_length or int(default("encoder.document_length", "scratch"))


def transport_settings(experiment: Experiment, method: str | None = None) -> Given:
    """Return the transport problem, with the changes of a method."""
    changes = experiment.method(method).transport if method else {}
    return experiment.config.transport.changed(**changes).given(TransportSettings)


def pretraining_settings(experiment: Experiment) -> Given:
    """Return what decides the pre-trained encoder; of pairs and transport only what its objectives use."""
    config = experiment.config
    unused = {} if config.pretraining.objectives.of_pairs() else {"pairs_batch_size": 1, "pairs_exponent": 1.0}
    return config.pretraining.given(
        PretrainingSettings,
        architecture=config.encoder.architecture,
        encoder=encoder_settings(experiment),
        transport=transport_settings(experiment) if config.pretraining.objectives.optimal_transport else None,
        **unused,
    )


def teacher_settings(experiment: Experiment) -> Given:
    """Return the settings of the teacher; refuse a distillation of scores without a file of scores."""
    block = given_training_set(experiment, "teacher")
    scored = isinstance(block, PlainTrainingSet | CatalogueTrainingSet) and block.scores
    if experiment.config.teacher.distillation and not scored:
        hint = "name a file of scores there, or set teacher.distillation: 0"
        raise ConfigError("no scores to learn from", where="teacher.training_set.scores", hint=hint)
    return experiment.config.teacher.given(TeacherSettings, encoder=encoder_settings(experiment))


def distillation_settings(experiment: Experiment, method: str, seed: int) -> Given:
    """Return what decides a student: the common settings, then what its method changes; of transport only what is used.

    So a change of `transport` trains only those students again that use it.
    """
    block = experiment.method(method)
    objectives = block.objectives
    assert objectives is not None, f"checked in planning: {method} is distilled"
    return experiment.config.student.changed(**block.student).given(
        DistillationSettings,
        objectives=objectives,
        seed=seed,
        transport=transport_settings(experiment, method) if objectives.use_transport() else None,
    )


def retraining_settings(experiment: Experiment, method: str, seed: int) -> Given:
    """Return what decides a retrained student: as many steps as a distilled one, and the teacher's ranking loss.

    Its queries are compared with all documents of the batch, because not every training set has negatives.
    """
    changes = experiment.method(method).student | {"special_tokens": False}
    return experiment.config.student.changed(**changes).given(
        RetrainingSettings,
        in_batch_negatives=True,
        negatives=experiment.config.teacher.negatives,
        seed=seed,
    )


def translator_settings(experiment: Experiment, owner: str = SHARED) -> Given:
    """Return what decides a translator that is trained here: the experiment's, or a method's own."""
    return experiment.translator_block(owner).given(TranslatorTraining, alignment=experiment.config.word_alignment)


def vocabulary_settings(experiment: Experiment) -> dict[str, object]:
    """Return what decides the subwords of a language."""
    return {"pieces": experiment.config.vocabulary.pieces, "alignment": experiment.config.word_alignment}


def cleaning_settings(experiment: Experiment) -> BitextCleaning:
    """Return what decides which pairs are kept; the excluded texts are inputs."""
    return experiment.config.bitext_cleaning.changed(exclude=[])


def language_rows(experiment: Experiment, lang: str) -> dict[str, dict[str, str]]:
    """Return the rows of the languages of a bitext: a change of them cleans it again, a change of others does not."""
    beside = [source.english_side for source in bitext_sources(experiment, lang) if source.english_side != "en"]
    return {code: dict(experiment.languages[code]) for code in [lang, *beside] if code in experiment.languages}


def alignment_settings(experiment: Experiment) -> Given:
    """Return what decides the measured plans: the experiment's transport, and how a bare encoder reads."""
    return {"transport": transport_settings(experiment), "encoder": encoder_settings(experiment)}


def shown_settings(experiment: Experiment) -> dict[str, object]:
    """Return the config without settings of the machine: no figure depends on them, and they contain paths."""
    return experiment.config.model_dump(mode="json", exclude={"machine", "mirror"}, exclude_none=True)


def keeps_vocabulary(experiment: Experiment) -> bool:
    """Return whether students read with the encoder's subwords alone."""
    return not experiment.config.vocabulary.pieces


def demands_file(experiments: Iterable[Experiment], folder: str) -> str:
    """Return what experiments ask of a model that arrives, as the program that brings it takes it."""
    return argument_file({"demands": demands_on(experiments, folder)})


def demands_on(experiments: Iterable[Experiment], folder: str) -> list[Demands]:
    """Return what experiments ask of a model, each demand once; nothing where none starts from it."""
    asked = [demands(experiment) for experiment in experiments if given_model(experiment) == folder]
    return [each for number, each in enumerate(asked) if each not in asked[:number]]
