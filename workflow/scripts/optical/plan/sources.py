"""The files that an experiment reads: sentence pairs, collections, training sets, and others that the config names."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar

from optical.config.base import Settings
from optical.config.bitext import BitextSource
from optical.config.collections import CatalogueCollection, CollectionBlock, files_of
from optical.config.tables import fill_codes, resolve, resolve_source
from optical.config.training_sets import CatalogueTrainingSet, PlainTrainingSet, TrainingSetBlock
from optical.corpora.ir_datasets import ids_and_parts, names_english_queries
from optical.errors import ConfigError
from optical.plan.experiment import DATA, Experiment, Language

OWN = "results/"  # what lies below it, some rule makes
Block = TypeVar("Block", bound=Settings)

ATLAS_LANGUAGES = ("en", "sw", "so", "tl", "mr", "fi", "de", "fr")
_FOREIGN = ATLAS_LANGUAGES[1:]
_TRAINING = [f"wikiclir/{lang}" for lang in ("sw", "tl", "fi", "de", "fr")] + ["mmarco/de", "mmarco/fr"]
# Every file of the bundled collection.
ATLAS_FILES = [
    f"results/atlas/{name}"
    for name in [
        "documents.jsonl",
        "qrels.txt",
        "dev/qrels.txt",
        *(f"train/{name}" for name in ("documents.jsonl", "queries.tsv", "triples.tsv")),
        *(f"text/{lang}.txt" for lang in ATLAS_LANGUAGES),
        *(f"{part}/{lang}.tsv" for part in ("queries", "dev/queries") for lang in ATLAS_LANGUAGES),
        *(f"{part}/{lang}.tsv" for part in ("bitext", "lexicon") for lang in _FOREIGN),
        *(f"{part}/{name}" for part in _TRAINING for name in ("documents.jsonl", "queries.tsv", "triples.tsv")),
    ]
]

# --- files that the config names


def file_of(experiment: Experiment, reference: str, lang: str = "en") -> str:
    """Return the path of a file that the config names: its own path, or that of a row of config/datasets.tsv.

    Raises:
        ConfigError: there is no such file, and no rule makes it.
    """
    path = resolve(reference, experiment.languages[lang], experiment.datasets, DATA, experiment.folder)
    return _check_file(path, experiment.folder)


def _lacks(path: str) -> bool:
    """Return whether a path lies in the bundled collection, which has no such file."""
    return path.startswith(f"{OWN}atlas/") and path not in ATLAS_FILES


def _check_file(path: str, folder: Path) -> str:
    if _lacks(path):
        what = f"the bundled collection has no {path.removeprefix(f'{OWN}atlas/')}"
        raise ConfigError(
            what,
            where=path,
            hint=f"it has {' '.join(ATLAS_LANGUAGES)}; name your own files for another language in the config",
        )
    if not path.startswith(OWN) and not Path(folder, path).exists():
        hint = "give a path from the project's folder, or a name of config/datasets.tsv"
        raise ConfigError("no such file", where=path, hint=hint)
    return path


def file_exists(experiment: Experiment, reference: str, lang: str) -> bool:
    """Return whether a file that the config names exists or will be made."""
    try:
        file_of(experiment, reference, lang)
    except ConfigError:
        return False
    return True


def resolved(experiment: Experiment, value: object, langs: list[str]) -> object:
    """Replace file references by paths: in lists, by language, and one per language if a reference contains a code.

    English is left out where it has no file: queries need not be there in English.
    """
    if isinstance(value, list):
        return [resolved(experiment, item, langs) for item in value]
    if isinstance(value, dict):
        return {lang: resolved(experiment, item, [lang]) for lang, item in value.items() if lang in langs}
    reference = str(value)
    if "{" in reference:
        having = [lang for lang in langs if lang != "en" or file_exists(experiment, reference, lang)]
        return {lang: file_of(experiment, reference, lang) for lang in having}
    return file_of(experiment, reference)


def flatten(value: object) -> list[str]:
    """Return the leaves of nested lists and maps, in order, each once.

    >>> flatten({"sw": ["a", "b"], "so": ["a"]})
    ['a', 'b']
    """
    if isinstance(value, dict | list | tuple):
        items = value.values() if isinstance(value, dict) else value
        return list(dict.fromkeys(leaf for item in items for leaf in flatten(item)))
    return [str(value)]


# --- sentence pairs


@cache
def bitext_sources(experiment: Experiment, lang: str) -> list[BitextSource]:
    """Return the sources of a language's sentence pairs, with their files as paths."""
    sources = [
        resolve_source(source, experiment.languages[lang], experiment.datasets, DATA, experiment.folder)
        for source in named_sources(experiment, lang)
    ]
    for path in flatten([files_of(source) for source in sources]):
        if _lacks(path) and lang not in experiment.config.bitext:  # nobody named it: it comes from the key "*"
            hint = f"add bitext.{lang} with your files; the bundled pairs are for {' '.join(_FOREIGN)}"
            raise ConfigError(f"{lang} has no sentence pairs", where=f"bitext.{lang}", hint=hint)
        _check_file(path, experiment.folder)
    return sources


def named_sources(experiment: Experiment, lang: str) -> list[BitextSource]:
    """Return the sources of a language's sentence pairs as the config names them."""
    table = experiment.config.bitext
    return table.get(lang, table.get("*", []))


def bitext_files(experiment: Experiment, lang: str) -> list[str]:
    """Return the files that a language's sentence pairs are made from."""
    return flatten([files_of(source) for source in bitext_sources(experiment, lang)])


def excluded_files(experiment: Experiment, lang: str) -> list[str]:
    """Return the files of evaluation texts that no training pair may contain."""
    return flatten([resolved(experiment, item, [lang]) for item in experiment.config.bitext_cleaning.exclude])


def excluded_collections(experiment: Experiment, lang: str) -> list[str]:
    """Return the collections whose queries no training pair may contain, those of the parent included.

    A collection that is cut by a tokeniser which is trained here may itself wait for sentence pairs.
    """
    names = dict.fromkeys(name for each in experiment.lineage() for name in each.judged_collections())
    return [
        experiment.collection(name)
        for name in names
        if lang in experiment.languages_of(name)
        and not (experiment.trains_encoder and splits_by_tokens(experiment, name))
    ]


# --- collections and training sets


@cache
def collection_block(experiment: Experiment, name: str) -> CollectionBlock:
    """Return the block of a collection, files resolved."""
    queries, passages = ["en", *experiment.languages_of(name)], experiment.passage_languages(name)
    of_passages = {"documents": passages, "sentences": [*queries, *passages]}
    return _with_files(experiment, experiment.config.collection_table[name], queries, of_passages)


def _with_files(
    experiment: Experiment, block: Block, langs: list[str], of_keys: Mapping[str, list[str]] | None = None
) -> Block:
    """Return a block with its files as paths; `of_keys` gives the languages of some keys, `langs` of the others."""
    langs_of = dict.fromkeys(files_of(block), langs) | dict(of_keys or {})
    return block.changed(**{key: resolved(experiment, value, langs_of[key]) for key, value in files_of(block).items()})


def query_languages(experiment: Experiment, name: str) -> list[str]:
    """Return the languages whose queries a collection is made with; passages alone are the same for all languages."""
    judged = experiment.config.collection_table[name].judged
    return ["en", *(experiment.languages_of(name) if judged else [])]


def collection_files(experiment: Experiment, name: str) -> list[str]:
    """Return the files that a collection is made from."""
    return flatten(files_of(collection_block(experiment, name)))


def training_set_files(experiment: Experiment, owner: str, lang: str) -> list[str]:
    """Return the files that a training set is made from."""
    return flatten(files_of(training_set_block(experiment, owner, lang)))


def splits_by_tokens(experiment: Experiment, collection: str) -> bool:
    """Return whether the length of a collection's passages counts tokens."""
    split = experiment.config.collection_table[collection].split
    return split is not None and split.unit == "tokens"


def has_english(experiment: Experiment, collection: str) -> bool:
    """Return whether a collection has English queries: its files or ids tell, or its reader brings them."""
    block = experiment.config.collection_table[collection]
    if isinstance(block, CatalogueCollection):
        return names_english_queries(block)
    files = [value for key, value in files_of(block).items() if key in ("queries", "topics")]
    return all(
        "en" in value if isinstance(value, dict) else "{" in value and file_exists(experiment, value, "en")
        for value in files
    )


def given_training_set(experiment: Experiment, owner: str) -> TrainingSetBlock:
    """Return the training set of the teacher or of a method, as the config has it.

    If qrels are given, triples come from the default config and are ignored.
    """
    config = experiment.config
    block = config.teacher.training_set if owner == "teacher" else experiment.method(owner).training_set
    if block is None:
        key = "teacher" if owner == "teacher" else f"method_table.{owner}"
        raise ConfigError("no training data", where=f"{key}.training_set", hint="see Readers in config/README.md")
    return block.changed(triples=None) if isinstance(block, PlainTrainingSet) and block.qrels else block


@cache
def training_set_block(experiment: Experiment, owner: str, lang: str) -> TrainingSetBlock:
    """Return a training set, the teacher's or one of a method and language, with its files and codes filled in."""
    block = given_training_set(experiment, owner)
    filled = _with_codes(block.model_dump(), experiment.languages[lang])
    return _with_files(experiment, type(block).read(filled), [lang])


def _with_codes(value: object, language: Language) -> object:
    """Replace {lang} and tools' codes in every text of a block."""
    if isinstance(value, dict):
        return {key: _with_codes(item, language) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_codes(item, language) for item in value]
    return fill_codes(value, language) if isinstance(value, str) else value


def catalogue_of_collection(experiment: Experiment, name: str) -> list[tuple[str, list[str]]]:
    """Return the ids of ir_datasets that a collection needs, and the parts that are taken from each."""
    block = experiment.config.collection_table[name]
    return ids_and_parts(block, experiment.languages_of(name)) if isinstance(block, CatalogueCollection) else []


def catalogue_of_training_set(experiment: Experiment, owner: str, lang: str) -> list[tuple[str, list[str]]]:
    """Return the ids of ir_datasets that a training set needs, and the parts that are taken from each."""
    block = training_set_block(experiment, owner, lang)
    return ids_and_parts(block, []) if isinstance(block, CatalogueTrainingSet) else []
