"""The downloads of an experiment: files, models and ids of ir_datasets."""

from collections.abc import Iterable
from pathlib import Path

from optical.config.names import check_names
from optical.plan.changes import below
from optical.plan.experiment import DATA, Experiment
from optical.plan.models import models_of_hub, pretraining_texts, reads_bitext_in_pretraining
from optical.plan.sources import (
    bitext_files,
    catalogue_of_collection,
    catalogue_of_training_set,
    collection_files,
    excluded_files,
    file_exists,
    file_of,
    flatten,
    training_set_files,
)


def fetched_of_collection(experiment: Experiment, name: str) -> list[str]:
    """Return the records of the downloads that a collection of ir_datasets needs."""
    return [record_of(id_) for id_, _ in catalogue_of_collection(experiment, name)]


def fetched_of_training_set(experiment: Experiment, owner: str, lang: str) -> list[str]:
    """Return the records of the downloads that a training set of ir_datasets needs."""
    return [record_of(id_) for id_, _ in catalogue_of_training_set(experiment, owner, lang)]


def dataset_row(experiment: Experiment, name: str) -> list[str]:
    """Return what identifies a download, so that a changed address or checksum fetches it again."""
    check_names([name], "config/datasets.tsv", experiment.datasets, "add a row")
    return list(experiment.datasets[name][:4])


def record_of(name: str) -> str:
    """Return the file that records the download of an id of ir_datasets.

    >>> record_of("msmarco-passage/train")
    'results/data/ir_datasets/msmarco-passage--train.json'
    """
    return f"{DATA}/ir_datasets/{'--'.join(Path(name).parts)}.json"


def parts_of_catalogue(experiments: Iterable[Experiment], catalogue: str) -> tuple[str, list[str]]:
    """Return an id of ir_datasets and the parts of it that any block of the experiments takes."""
    parts: dict[str, set[str]] = {}
    for experiment in experiments:
        asked = [name for name in experiment.config.collection_table if experiment.languages_of(name)]
        blocks = [catalogue_of_collection(experiment, name) for name in asked]
        blocks += [catalogue_of_training_set(experiment, *owner) for owner in experiment.training_sets()]
        for name, wanted in (row for block in blocks for row in block):
            parts.setdefault(name, set()).update(wanted)
    names = {Path(record_of(name)).stem: name for name in parts}
    check_names([catalogue], "collection_table", names, "name it in a block")
    return names[catalogue], sorted(parts[names[catalogue]])


def everything(experiment: Experiment) -> list[str]:
    """Return what an experiment downloads, and what its variants and the points of its grid do."""
    return flatten([needed_downloads(each) for each in [experiment, *below(experiment)]])


def needed_downloads(experiment: Experiment) -> list[str]:
    """Return every file and model that an experiment downloads, so that what follows can run without a network."""
    config = experiment.config
    learnt = experiment.bitext_languages()
    needed: list[object] = [
        bitext_files(experiment, lang) + excluded_files(experiment, lang)
        for lang in config.languages
        if lang in learnt or reads_bitext_in_pretraining(experiment, lang)
    ]
    for name in [*experiment.judged_collections(), *experiment.searchable_collections()]:
        needed += collection_files(experiment, name) + fetched_of_collection(experiment, name)
    for owner in experiment.training_sets():
        needed += training_set_files(experiment, *owner) + fetched_of_training_set(experiment, *owner)
    needed += [pretraining_texts(experiment)] if experiment.trains_encoder else []
    names = config.lexicon
    needed += [file_of(experiment, names, lang) for lang in learnt if names and file_exists(experiment, names, lang)]
    needed += models_of_hub(experiment)
    return [path for path in flatten(needed) if path.startswith((f"{DATA}/", "results/models/"))]
