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


def vector_runs(experiment: Experiment, collection: str, lang: str) -> list[Run]:
    """Return (method, seed) of every run of a language on a collection that compares token vectors."""
    return runs_on(experiment, collection, lang, kinds_searching("maxsim", lang))


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
        return [f"{experiment.results}/student_vectors/{collection}/{lang}/{method}/{seed}"]
    if lang != "en" and kind.reader == "extended":
        return [experiment.place("extended_vectors", "extended_vectors", collection, lang)]
    return [experiment.place("dense_vectors", "dense_vectors", collection)] if kind.documents == "dense" else []


def other_vectors(experiment: Experiment, collection: str, lang: str) -> list[str]:
    """Return all documents' vectors that the runs of a language search in place of the teacher's."""
    runs = vector_runs(experiment, collection, lang)
    return flatten([own_documents(experiment, collection, *run) for run in runs])
