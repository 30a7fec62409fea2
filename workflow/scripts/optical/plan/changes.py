"""Experiments with changes: the variants of a study, its repeats, shares of the sentence pairs, points of a grid.

Each is an experiment in its own folder below that of the main experiment, made by the same rules. A share and a point
of a grid reuse what their changes do not affect. A variant of a study makes everything itself. Rules ask for
them often, and each is a config to read, so that they are kept.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import product

from optical.config.names import check_names
from optical.config.project import nested
from optical.errors import ConfigError
from optical.plan.experiment import WHOLE, Experiment
from optical.plan.jobs import ALIGNED, Job, condition, scores
from optical.plan.sources import flatten

Condition = tuple[str, int | None, Experiment]  # variant, repeat, experiment


def family(experiment: Experiment) -> dict[str, Experiment]:
    """Return an experiment and all experiments that belong to it, by folder."""
    members = [experiment, *below(experiment)]
    members += [share for member in members for share in shares(member)]
    return {member.results: member for member in members}


def below(experiment: Experiment) -> list[Experiment]:
    """Return the variants and grid points of an experiment, which may need other files than it."""
    return [*(variant for _, _, variant in variants(experiment)), *grid(experiment)]


# --- the variants of a study


@cache
def variants(experiment: Experiment) -> list[Condition]:
    """Return every variant of a study, once for each repeat: its name, its repeat, and its experiment.

    `{study}` in a change is the study's folder, where models lie that a variant takes from it. A repeat is the seed of
    encoder and teacher, and a folder below the variant's.
    """
    study = experiment.config.study
    check_names(study.only, "study.only", study.variants, "name one of study.variants")
    repeats: Sequence[int | None] = study.repeats or [None]
    conditions = product(study.only or study.variants, repeats)
    return [(name, repeat, _variant(experiment, name, repeat)) for name, repeat in conditions]


def _variant(experiment: Experiment, name: str, repeat: int | None) -> Experiment:
    results = experiment.results
    changes = json.loads(json.dumps(experiment.config.study.variants[name]).replace("{study}", results))
    folder = f"{results}/{name}" if repeat is None else f"{results}/{name}/{repeat}"
    alone = {key: value for key, value in experiment.given.items() if key not in ("study", "tuning")}
    base = Experiment.from_config(alone, experiment.folder)
    variant = base.changed({"results": folder} | changes)
    if repeat is None:
        return variant
    return variant.changed({"results": folder, "pretraining": {"seed": repeat}, "teacher": {"seed": repeat}})


def study_reference(experiment: Experiment) -> str:
    """Return what a study tests against: a variant where variants are compared, else a method."""
    return experiment.config.study.reference or experiment.config.reference


def check_study(experiment: Experiment) -> None:
    """Refuse a study that tests against an unknown variant or method."""
    study = experiment.config.study
    by_variant = study.compare == "variants"
    known, key = (study.variants, "study.variants") if by_variant else (experiment.config.methods, "methods")
    check_names([study_reference(experiment)], "study.reference", known, f"name one of {key}")


def _members(experiment: Experiment) -> list[Condition]:
    """Return the variants of a study, or the experiment itself where it has none."""
    return variants(experiment) or [("", None, experiment)]


def study_conditions(experiment: Experiment) -> list[Job]:
    """Return every condition of a study: variant, repeat, share, collection, language, and its files."""
    return [
        condition(each, collection, lang, variant=variant, repeat=repeat)
        for variant, repeat, member in _members(experiment)
        for each in [*(shares(member) if experiment.config.study.shares else []), member]
        for collection in member.test_collections()
        for lang in member.languages_of(collection)
    ]


def alignment_conditions(experiment: Experiment) -> list[Job]:
    """Return every condition of a study that has figures of the alignment of names."""
    return [
        condition(member, ALIGNED, lang, variant=variant, repeat=repeat)
        | {"scores": f"{member.results}/alignment/{lang}.tsv", "bitext": member.bitext(lang)}
        for variant, repeat, member in _members(experiment)
        for lang in member.config.languages
    ]


# --- shares of the sentence pairs


@cache
def shares(experiment: Experiment) -> list[Experiment]:
    """Return the experiment with each share of its sentence pairs below 100 %."""
    if experiment.parent:
        return []
    methods = curve_methods(experiment, check=False)
    below = [share for share in experiment.config.bitext_curve.shares if share < WHOLE] if methods else []
    return [
        experiment.changed(
            {"results": f"{experiment.results}/bitext_curve/{share:g}", "methods": methods}, experiment, share
        )
        for share in below
    ]


def curve_methods(experiment: Experiment, check: bool = True) -> list[str]:
    """Return the methods of the bitext curve: the distilled methods that the config names, or all."""
    config = experiment.config
    named = config.bitext_curve.methods or config.methods
    distilled = [name for name in config.methods if name in named and experiment.method(name).kind == "distilled"]
    if check and not distilled:
        hint = "name a distilled method of the experiment, or do not ask for the curve"
        raise ConfigError("no distilled method for the curve", where="bitext_curve.methods", hint=hint)
    return distilled


def curve_languages(experiment: Experiment) -> list[str]:
    """Return the languages of the bitext curve: those of the first collection in which the curve has a method."""
    learnt = {lang for method in curve_methods(experiment) for lang in experiment.languages_of_method(method)}
    return [lang for lang in experiment.languages_of(experiment.main_collection()) if lang in learnt]


def curve_points(experiment: Experiment) -> list[Job]:
    """Return every condition of the bitext curve: share and language, with the methods that have all shares."""
    collection, methods = experiment.main_collection(), curve_methods(experiment)
    return [
        condition(each, collection, lang, variant="", methods=methods)
        for each in [*shares(experiment), experiment]
        for lang in curve_languages(experiment)
    ]


# --- the tables of conditions

CONDITIONS = {"table": study_conditions, "alignment_quality": alignment_conditions, "bitext_curve": curve_points}


def conditions(experiment: Experiment, table: str) -> list[Job]:
    """Return the conditions in a table of `CONDITIONS`."""
    return CONDITIONS[table](experiment)


# --- a grid over keys of the config


@cache
def grid(experiment: Experiment) -> list[Experiment]:
    """Return the experiment with every combination of the values that `tuning.grid` names, on its collection."""
    if experiment.parent or not experiment.config.tuning.grid:
        return []
    check_tuning(experiment)
    method = tuning_method(experiment)
    methods = [*experiment.joined_by(method), method]
    judged = {"methods": methods, "reference": method, "collections": [experiment.config.tuning.collection]}
    return [
        experiment.changed(judged | {"results": f"{experiment.results}/tuning/{number}"} | nested(point), experiment)
        for number, point in enumerate(grid_values(experiment), start=1)
    ]


def grid_values(experiment: Experiment) -> Iterator[dict[str, object]]:
    """Yield each combination of the values of `tuning.grid`: dotted key -> value."""
    table = experiment.config.tuning.grid
    for point in product(*table.values()):
        yield dict(zip(table, point, strict=True))


def tuning_method(experiment: Experiment) -> str:
    """Return the method whose mean decides."""
    return experiment.config.tuning.method or experiment.config.reference


def check_tuning(experiment: Experiment) -> None:
    """Refuse a grid without a collection to judge it, or with a test collection."""
    tuning, config = experiment.config.tuning, experiment.config
    if not tuning.grid:
        hint = "give a grid such as {student.learning_rate: [1.0e-3, 3.0e-3]}"
        raise ConfigError("nothing to tune", where="tuning.grid", hint=hint)
    if tuning.collection is None:
        raise ConfigError(
            "no collection to judge the grid by", where="tuning.collection", hint="name one for development"
        )
    check_names([tuning.collection], "tuning.collection", config.collection_table, "add it to collection_table")
    if not config.collection_table[tuning.collection].judged:
        hint = "name one with queries and qrels"
        raise ConfigError("a collection without judgements cannot judge the grid", where="tuning.collection", hint=hint)
    check_names([tuning_method(experiment)], "tuning.method", config.method_table, "add it to method_table")
    if tuning.collection in config.collections:
        hint = "name a collection for development, and the test under collections"
        raise ConfigError("a test collection cannot judge the grid", where="tuning.collection", hint=hint)


def grid_scores(experiment: Experiment) -> list[str]:
    """Return the scores of every point of the grid."""
    check_tuning(experiment)
    return flatten([point["scores"] for point in grid_points(experiment)])


def grid_points(experiment: Experiment) -> list[Job]:
    """Return the points of the grid: the values of each, its folder, and the files of its scores."""
    collection = experiment.config.tuning.collection or ""
    return [
        {"values": point, "scores": scores(member, collection)}
        for member, point in zip(grid(experiment), grid_values(experiment), strict=True)
    ]
