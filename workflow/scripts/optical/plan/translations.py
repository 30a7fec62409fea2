"""The translations of queries and held-out sentences: which translators there are, and the files of each."""

from optical.config.names import SHARED
from optical.plan.experiment import Experiment
from optical.plan.methods import KINDS, kinds
from optical.plan.searching import methods_on, searched_together

Job = dict[str, object]


def translated_queries(experiment: Experiment, collection: str, lang: str, kind: str) -> list[str]:
    """Return the translations that methods of this kind search a collection with, a folder for each translator."""
    names = searched_together(experiment, collection) if KINDS[kind].search == "maxsim" else [collection]
    methods = [method for name in names for method in methods_on(experiment, name, lang, [kind])]
    owners = dict.fromkeys(map(experiment.translator_of, methods))
    return [translated_folder(experiment, lang, owner) for owner in owners]


def translated_folder(experiment: Experiment, lang: str, owner: str) -> str:
    """Return the folder of the translations of a language by the shared translator, or by a method's own."""
    return f"{experiment.results}/translations/{lang}/{owner}"


def collections_of_language(experiment: Experiment, lang: str) -> list[str]:
    """Return the collections whose queries of a language are translated."""
    return [experiment.collection(name) for name in _translated_collections(experiment, lang)]


def _translated_collections(experiment: Experiment, lang: str) -> list[str]:
    names = experiment.collections_of_language(lang)
    return [name for name in names if methods_on(experiment, name, lang, kinds(queries="translated"))]


def queries_to_translate(experiment: Experiment, lang: str) -> list[str]:
    """Return what is translated for a language: its held-out sentences, and the queries of all its collections."""
    names = _translated_collections(experiment, lang)
    return [experiment.bitext(lang, "dev"), *(f"{experiment.collection(name)}/queries/{lang}.tsv" for name in names)]


def translations_of_queries(experiment: Experiment, lang: str, owner: str = SHARED) -> list[str]:
    """Return where their translations are written, in the same order."""
    folder = translated_folder(experiment, lang, owner)
    names = _translated_collections(experiment, lang)
    return [f"{folder}/held_out.tsv", *(translations_file(folder, name) for name in names)]


def translations_file(folder: str, collection: str) -> str:
    """Return the translated queries of a collection among the translations of a language."""
    return f"{folder}/queries/{collection}.tsv"


def translations(experiment: Experiment) -> list[str]:
    """Return the translations of every language by every translator that serves it."""
    return [translated_folder(experiment, lang, owner) for lang, owner in _translating(experiment)]


def translation_scores(experiment: Experiment) -> list[Job]:
    """Return the translations to score: one per language and translator, which has the name of its first method."""
    return [
        {
            "lang": lang,
            "method": _shared_by(experiment, lang)[0] if owner == SHARED else owner,
            "translations": f"{translated_folder(experiment, lang, owner)}/held_out.tsv",
        }
        for lang, owner in _translating(experiment)
    ]


def _shared_by(experiment: Experiment, lang: str) -> list[str]:
    """Return the methods that use the experiment's translator, those that search with vectors first."""
    methods = [name for kind in kinds(queries="translated") for name in experiment.methods_for(lang, [kind])]
    return [name for name in methods if experiment.translator_of(name) == SHARED]


def _translating(experiment: Experiment) -> list[tuple[str, str]]:
    langs = experiment.translated_languages()
    return [(lang, owner) for lang in langs for owner in experiment.translators_of(lang)]


def translation_table(experiment: Experiment) -> list[str]:
    """Return the table of the translators' scores, where a method translates and sentence pairs are held out."""
    scored = experiment.holds_out and experiment.translated_languages()
    return [f"{experiment.results}/translation_table.tsv"] if scored else []
