"""Checks before any job: values that are valid by themselves but do not fit together."""

from collections.abc import Sequence
from pathlib import Path

from optical.config.demands import check_model
from optical.config.model_folders import check_extensible, check_weights
from optical.config.names import MULTILINGUAL, check_names
from optical.config.project import read_config
from optical.errors import ConfigError
from optical.plan.changes import below, check_study, family
from optical.plan.experiment import WHOLE, Experiment
from optical.plan.fitting import demands, unusual_values
from optical.plan.fusions import check_fusion
from optical.plan.matrices import matrix_collections
from optical.plan.methods import KINDS
from optical.plan.models import MADE_MODEL, extended, given_model, is_there, models_of_hub, subwords_of_given
from optical.plan.settings import keeps_vocabulary, teacher_settings
from optical.plan.sources import bitext_sources, collection_block, training_set_block

ADD_COLLECTION, ADD_METHOD = "add it to collection_table", "add it to method_table"
LANGUAGE_REMEDY = "add a row to config/languages.tsv or a block to language_table"


def check(experiment: Experiment, files: Sequence[str | Path] = ()) -> None:
    """Raise `ConfigError` if an experiment, or one of its variants and shares, cannot run.

    Args:
        experiment: the whole experiment.
        files: its config files. They are read again because Snakemake silently takes the last of two equal keys.
    """
    read_config(files)
    for member in [experiment, *below(experiment)]:
        check_known(member)  # before their shares are made, which depend on their methods
    members = family(experiment).values()
    for member in members:
        if member.share == WHOLE:
            check_experiment(member)
    check_study(experiment)
    kinds_of: dict[str, str] = {}
    for member in members:
        for name, block in member.config.method_table.items():
            if kinds_of.setdefault(name, block.kind) != block.kind:
                hint = "give the method of the variant another name"
                raise ConfigError(f"the kind of {name!r} differs between variants", where="study.variants", hint=hint)


def check_known(experiment: Experiment) -> None:
    """Refuse unknown names of languages, methods and collections."""
    config = experiment.config
    check_names(config.languages, "languages", experiment.languages, LANGUAGE_REMEDY)
    if "en" in config.languages:
        hint = "leave en out; the method english searches with English queries"
        raise ConfigError("the teacher reads English, so no student learns it", where="languages", hint=hint)
    for key, names in (("methods", config.methods), ("bitext_curve.methods", config.bitext_curve.methods)):
        check_names(names, key, config.method_table, ADD_METHOD)
    check_names(config.collections, "collections", config.collection_table, ADD_COLLECTION)
    check_names([config.reference], "reference", config.methods, "name one of methods")
    if matrix_collections(experiment) and not experiment.parent:
        check_names(config.matrix.references, "matrix.references", config.methods, "name some of methods")
    decides = filter(None, [config.tuning.collection])
    check_names(decides, "tuning.collection", config.collection_table, ADD_COLLECTION)
    for table in ("collection_table", "method_table"):
        for name, block in getattr(config, table).items():
            check_names(block.languages or [], f"{table}.{name}.languages", experiment.languages, LANGUAGE_REMEDY)
    for name in config.method_table:
        parts, where = experiment.joined_by(name), f"method_table.{name}.fusion.methods"
        check_names(parts, where, config.method_table, ADD_METHOD)


def check_experiment(experiment: Experiment) -> None:
    """Refuse unknown names, and methods and collections that cannot run."""
    check_known(experiment)
    config = experiment.config
    for method in config.methods:
        _check_method(experiment, method, f"method_table.{method}")
    for collection in config.collections:
        _check_collection(experiment, collection)
    for owner, lang in experiment.training_sets():
        training_set_block(experiment, owner, lang)
    if config.teacher.source == "train":
        teacher_settings(experiment)
    models_of_hub(experiment)
    _check_given_model(experiment)
    for value in unusual_values(experiment):
        if value.refused and not config.unusual_values:
            raise value.error()


def warnings(experiment: Experiment) -> list[str]:
    """Return one line for each doubtful value of an experiment, or of one of its variants."""
    members = [member for member in family(experiment).values() if member.share == WHOLE]
    doubts = [value.message() for member in members for value in unusual_values(member)]
    return list(dict.fromkeys([*doubts, *(doubt for member in members for doubt in _untaught_readers(member))]))


def _untaught_readers(experiment: Experiment) -> list[str]:
    """Return a line for each method whose students encode passages but are trained on queries only."""
    config = experiment.config
    foreign = [name for name in config.collections if experiment.passage_languages(name) != ["en"]]
    trained = [name for name in config.methods if foreign and experiment.kind_of(name).reader == "student"]
    untaught = [
        name for name in trained if "document" not in config.student.changed(**experiment.method(name).student).sides
    ]
    hint = "Hint: add document to its sides"
    return [
        f"students of {name} read passages but learn to read only queries [student.sides]. {hint}" for name in untaught
    ]


def _check_given_model(experiment: Experiment) -> None:
    """Refuse a given encoder or teacher that does not fit the config. `fetch_model` checks one that arrives later."""
    place, asked = given_model(experiment), demands(experiment)
    if asked.extensible and (kind := subwords_of_given(experiment)):
        check_extensible(kind)
    if place and not MADE_MODEL.fullmatch(place) and is_there(experiment, place):
        folder = Path(experiment.folder, place)
        check_model(folder, asked)
        check_weights(folder)


def _check_collection(experiment: Experiment, name: str) -> None:
    if not experiment.languages_of(name):
        where, hint = f"collection_table.{name}.languages", f"leave {name} out of collections"
        raise ConfigError("no queries in any of the experiment's languages", where=where, hint=hint)
    collection_block(experiment, name)
    langs = experiment.passage_languages(name)
    check_names(langs, f"collection_table.{name}.passage_languages", experiment.languages, LANGUAGE_REMEDY)
    if experiment.in_parts and langs != ["en"]:
        hint = f"set search.parts: 1, or leave {name} out of collections"
        raise ConfigError("only English passages are searched in parts", where="search.parts", hint=hint)


def _check_method(experiment: Experiment, method: str, where: str) -> None:
    """Refuse a method without training data, or with settings that its kind does not support."""
    block = experiment.method(method)
    for lang in experiment.languages_of_method(method) if KINDS[block.kind].learns_from_bitext else []:
        if not bitext_sources(experiment, lang):
            raise ConfigError("no sentence pairs", where=f"bitext.{lang}", hint=f"list sources for {lang}")
    if block.kind == "retrained":
        if (block.training_set is None) == (block.switch is None):
            given = block.switch is not None
            what = "switch swaps words of the teacher's training set alone" if given else "no training data"
            raise ConfigError(what, where=where, hint="give it a training_set, or switch")
        if "query" not in experiment.config.student.changed(**block.student).sides:
            what, hint = "a retrained student learns to read queries", "let its sides have query"
            raise ConfigError(what, where=f"{where}.student.sides", hint=hint)
    if block.translator and KINDS[block.kind].queries != "translated":
        raise ConfigError(f"a {block.kind} method translates nothing", f"{where}.translator", hint="remove the block")
    if KINDS[block.kind].documents == "dense" and experiment.config.teacher.source != "train":
        hint = f"train the teacher from an encoder, or leave {method} out"
        raise ConfigError("no encoder beside the given teacher", where="teacher.source", hint=hint)
    if KINDS[block.kind].documents == "dense" and experiment.in_parts:
        hint = f"set search.parts: 1, or leave {method} out"
        raise ConfigError("one vector for a text is not searched in parts", where="search.parts", hint=hint)
    if block.multilingual and extended(experiment, MULTILINGUAL, method):
        hint = "set vocabulary.pieces to 0, or train a student for each language"
        raise ConfigError("one student cannot have added subwords of each language", f"{where}.multilingual", hint=hint)
    learnt = experiment.bitext_languages() if block.multilingual else []
    if others := [lang for lang in learnt if lang not in experiment.languages_of_method(method)]:
        hint = "name every language with sentence pairs, or leave languages out"
        raise ConfigError(f"the student of all languages also learns {others[0]}", f"{where}.languages", hint=hint)
    check_fusion(experiment, method)
    if block.kind == "extended" and keeps_vocabulary(experiment):
        hint = "set vocabulary.pieces, 8000 for instance, or leave the method out"
        raise ConfigError("students keep the encoder's vocabulary", where=where, hint=hint)
