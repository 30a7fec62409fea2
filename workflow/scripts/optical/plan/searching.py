"""Which methods search a collection with the queries of a language, and whose vectors of its passages they search."""

from collections.abc import Iterable

from optical.plan.experiment import Experiment, Run
from optical.plan.methods import KINDS, kinds_searching
from optical.plan.sources import flatten


def methods_on(experiment: Experiment, collection: str, lang: str, chosen: Iterable[str] = KINDS) -> list[str]:
    """Return the methods of the chosen kinds that search a collection with the queries of a language.

    Passages that are not English leave out methods that translate into English, BM25 where the queries are in another
    language, and methods that learn from sentence pairs but not from those of the passages' language.
    """
    methods = [method for method in experiment.config.methods if experiment.method(method).kind in set(chosen)]
    return [method for method in methods if _searches(experiment, method, collection, lang)]


def runs_on(experiment: Experiment, collection: str, lang: str, chosen: Iterable[str] = KINDS) -> list[Run]:
    """Return (method, seed) of every run of a language on a collection by the chosen kinds."""
    methods = methods_on(experiment, collection, lang, chosen)
    return [(method, seed) for method in methods for seed in experiment.seeds_of(method)]


def searched_together(experiment: Experiment, collection: str) -> list[str]:
    """Return the collections that one vector search covers: one for each passage language, or the collection itself."""
    return list(experiment.collections_by_language(collection).values()) or [collection]


def searched_with(experiment: Experiment, collection: str) -> str:
    """Return the collection whose vector search covers this one: the collection of all passage languages, or itself."""
    by_language = experiment.collections_by_language
    wholes = [name for name in experiment.config.collections if collection in by_language(name).values()]
    return next(iter(wholes), collection)


def vector_runs(experiment: Experiment, collection: str, lang: str) -> list[tuple[str, str, int]]:
    """Return (collection, method, seed) of every run that the vector search of a language makes.

    If the passages are in several languages, each language has its own run, on the collection of that language.
    """
    chosen = kinds_searching("maxsim", lang)
    names = searched_together(experiment, collection)
    return [(name, *run) for name in names for run in runs_on(experiment, name, lang, chosen)]


def _searches(experiment: Experiment, method: str, collection: str, lang: str) -> bool:
    kind, passages = experiment.kind_of(method), experiment.passage_languages(collection)
    if parts := experiment.joined_by(method):
        return all(_searches(experiment, part, collection, lang) for part in parts)
    if lang == "en":
        asked = kind.queries == "english" or experiment.asks_english(collection)
    else:
        asked = lang in experiment.languages_of_method(method)
    if not asked or (passages == ["en"] and lang != "en"):
        return asked
    if kind.queries == "translated" or kind.lexical_table:
        return False
    if kind.search == "lexical":
        return lang in passages
    learns = kind.reader in ("student", "extended")
    return not learns or set(passages) <= {"en", *experiment.languages_of_method(method)}


def own_documents(experiment: Experiment, collection: str, method: str, seed: int) -> list[str]:
    """Return the vectors that a run searches in place of the teacher's; the passages are in one language.

    English ones are read by the teacher, or by the encoder with one vector a text; those in another language by the
    model that reads the method's queries of that language.
    """
    kind, [lang] = experiment.kind_of(method), experiment.passage_languages(collection)
    if lang != "en" and kind.reader == "student":
        return [f"{experiment.results}/model_vectors/{collection}/students/{lang}/{method}/{seed}"]
    if lang != "en" and kind.reader == "extended":
        return [experiment.place("extended_vectors", "model_vectors", collection, "extended", lang)]
    dense = experiment.place("dense_vectors", "model_vectors", collection, "dense")
    return [dense] if kind.documents == "dense" else []


def other_vectors(experiment: Experiment, collection: str, lang: str) -> list[str]:
    """Return all documents' vectors that the runs of a language search in place of the teacher's."""
    return flatten([own_documents(experiment, *run) for run in vector_runs(experiment, collection, lang)])
