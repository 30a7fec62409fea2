"""Any language to any language: the tables of a collection with passages in several languages.

Queries in each language search the passages in each language, and all passages in one index. English counts as a
language of queries where the collection has English ones.
"""

from optical.errors import ConfigError
from optical.plan.experiment import Experiment
from optical.plan.jobs import Job, evaluations, files_in, folders_of
from optical.plan.sources import has_english


def matrix_collections(experiment: Experiment) -> list[str]:
    """Return the collections that methods are compared on whose passages are in several languages."""
    return [name for name in experiment.test_collections() if experiment.collections_by_language(name)]


def passages_of(experiment: Experiment, collection: str) -> dict[str, str]:
    """Return the collections in one language each that a collection is made of, with the language of each.

    Raises:
        ConfigError: its passages are in one language.
    """
    names = experiment.collections_by_language(collection)
    if not names:
        where, hint = f"collection_table.{collection}.passage_languages", "name several, such as [en, sw]"
        raise ConfigError("a matrix needs passages in several languages", where=where, hint=hint)
    return {name: lang for lang, name in names.items()}


def query_languages(experiment: Experiment, collection: str) -> list[str]:
    """Return the languages of a collection's queries, English first where it has English ones."""
    english = ["en"] if has_english(experiment, collection) else []
    return [*english, *experiment.languages_of(collection)]


def matrix_scores(experiment: Experiment, collection: str) -> list[str]:
    """Return the scores of all pairs: a file for each collection in one language, and language of queries."""
    langs = query_languages(experiment, collection)
    parts = passages_of(experiment, collection)
    return [f"{experiment.results}/scores/{name}/{lang}.tsv" for name in parts for lang in langs]


def index_runs(experiment: Experiment, collection: str) -> list[Job]:
    """Return the runs in one index of all passages, in every language, of methods that read the query as it is."""
    jobs = [
        job for lang in query_languages(experiment, collection) for job in evaluations(experiment, collection, lang)
    ]
    return [job for job in jobs if experiment.kind_of(str(job["method"])).queries != "english"]


def folders_of_index_runs(experiment: Experiment, collection: str) -> list[str]:
    """Return the folders of `index_runs`."""
    return folders_of(files_in(index_runs(experiment, collection), "run"))


def passage_languages(experiment: Experiment) -> list[str]:
    """Return the languages of the passages of all collections that methods are compared on."""
    names = experiment.test_collections()
    return list(dict.fromkeys(lang for name in names for lang in experiment.passage_languages(name)))


def references(experiment: Experiment) -> list[str]:
    """Return the methods that the others are tested against."""
    return experiment.config.matrix.references or [experiment.config.reference]


def matrix_targets(experiment: Experiment) -> list[str]:
    """Return the tables and figures of any language to any language."""
    return [
        f"{experiment.results}/{name}"
        for each in matrix_collections(experiment)
        for name in (f"tables/{each}/matrix.tsv", f"tables/{each}/one_index.tsv", f"figures/{each}/matrix.svg")
    ]
