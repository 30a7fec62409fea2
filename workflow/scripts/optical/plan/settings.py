"""What decides each artefact: the part of the config that its program receives, so that only its change reruns it."""

from optical.config.base import Settings
from optical.config.bitext import BitextCleaning
from optical.config.encoder import EncoderSettings
from optical.config.training import (
    DistillationSettings,
    PretrainingSettings,
    RetrainingSettings,
    TeacherSettings,
    TranslatorTraining,
)
from optical.config.training_sets import CatalogueTrainingSet, PlainTrainingSet
from optical.errors import ConfigError
from optical.plan.experiment import Experiment
from optical.plan.sources import bitext_sources, given_training_set


def encoder_settings(experiment: Experiment) -> EncoderSettings:
    """Return how texts become vectors."""
    return EncoderSettings.of(experiment.config.encoder)


def pretraining_settings(experiment: Experiment) -> PretrainingSettings:
    """Return what decides the pre-trained encoder; of pairs and transport only what its objectives use."""
    config = experiment.config
    unused = {} if config.pretraining.objectives.of_pairs() else {"pairs_batch_size": 1, "pairs_exponent": 1.0}
    return PretrainingSettings.of(
        config.pretraining,
        architecture=config.encoder.architecture,
        encoder=encoder_settings(experiment),
        transport=config.transport if config.pretraining.objectives.optimal_transport else None,
        **unused,
    )


def teacher_settings(experiment: Experiment) -> TeacherSettings:
    """Return what decides the teacher; refuse a distillation of scores that nobody names."""
    block = given_training_set(experiment, "teacher")
    scored = isinstance(block, PlainTrainingSet | CatalogueTrainingSet) and block.scores
    if experiment.config.teacher.distillation and not scored:
        hint = "name a file of scores there, or set teacher.distillation: 0"
        raise ConfigError("no scores to learn from", where="teacher.training_set.scores", hint=hint)
    return TeacherSettings.of(experiment.config.teacher, encoder=encoder_settings(experiment))


def distillation_settings(experiment: Experiment, method: str, seed: int) -> DistillationSettings:
    """Return what decides a student: the common settings, then what its method changes; of transport only what is used.

    So a change of `transport` trains those students again that know of it.
    """
    block = experiment.method(method)
    objectives = block.objectives
    assert objectives is not None, f"checked in planning: {method} is distilled"
    transport = experiment.config.transport.changed(**block.transport)
    return DistillationSettings.of(
        experiment.config.student.changed(**block.student),
        objectives=objectives,
        seed=seed,
        transport=transport if objectives.use_transport() else None,
    )


def retraining_settings(experiment: Experiment, method: str, seed: int) -> RetrainingSettings:
    """Return what decides a retrained student: as many steps as a distilled one, and the teacher's ranking loss.

    Its queries meet all documents of the batch, as not every training set has negatives of its own.
    """
    return RetrainingSettings.of(
        experiment.config.student.changed(**experiment.method(method).student | {"special_tokens": False}),
        in_batch_negatives=True,
        negatives=experiment.config.teacher.negatives,
        seed=seed,
    )


def translator_settings(experiment: Experiment) -> TranslatorTraining:
    """Return what decides a translator that is trained here."""
    return TranslatorTraining.of(experiment.config.translator, alignment=experiment.config.word_alignment)


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


def alignment_settings(experiment: Experiment) -> dict[str, Settings]:
    """Return what decides the measured plans: the experiment's transport, and how a bare encoder reads."""
    return {"transport": experiment.config.transport, "encoder": encoder_settings(experiment)}


def shown_settings(experiment: Experiment) -> dict[str, object]:
    """Return the config without the machine's block, which decides no figure."""
    return experiment.config.model_dump(mode="json", exclude={"machine"}, exclude_none=True)


def keeps_vocabulary(experiment: Experiment) -> bool:
    """Return whether students read with the encoder's subwords alone."""
    return not experiment.config.vocabulary.pieces
