"""Where what an experiment reads comes from: files that the config names, sentence pairs, models, downloads."""

import importlib.util
import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from pathlib import Path
from typing import TypeVar

from optical.config.base import Settings
from optical.config.bitext import BitextSource
from optical.config.collections import CatalogueCollection, CollectionBlock, files_of
from optical.config.names import check_names
from optical.config.tables import fill_codes, resolve, resolve_source
from optical.config.training_sets import CatalogueTrainingSet, PlainTrainingSet, TrainingSetBlock
from optical.corpora.ir_datasets import ids_and_parts, names_english_queries
from optical.errors import ConfigError
from optical.plan.experiment import DATA, Experiment
from optical.plan.methods import KINDS

OWN = "results/"  # what lies below it, some rule makes
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
COMMIT = re.compile(r"[0-9a-f]{40}")
# What the rules make for one experiment may serve another, a variant of a study.
MADE_MODEL = re.compile(r"results(/[\w.-]+)*/(encoder|teacher|students/\w+/[^/]+/\d+)")
Block = TypeVar("Block", bound=Settings)
BITEXT_EN = ("bitext", "en")  # sentence pairs as text: those of each language bring the English side

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
    path = resolve(reference, experiment.languages[lang], experiment.datasets, DATA)
    return _check_file(path, experiment.folder)


def _check_file(path: str, folder: Path) -> str:
    if path.startswith(f"{OWN}atlas/") and path not in ATLAS_FILES:
        what = f"the bundled collection has no {path.removeprefix(f'{OWN}atlas/')}"
        raise ConfigError(what, where=path, hint="it is in eight languages; give files of your own for another")
    if not path.startswith(OWN) and not Path(folder, path).exists():
        hint = "give a path from the project's folder, or a name of config/datasets.tsv"
        raise ConfigError("no such file", where=path, hint=hint)
    return path


def file_exists(experiment: Experiment, reference: str, lang: str) -> bool:
    """Return whether a file that the config names is there, or will be."""
    try:
        file_of(experiment, reference, lang)
    except ConfigError:
        return False
    return True


def resolved(experiment: Experiment, value: object, langs: list[str]) -> object:
    """Replace file references by paths: in lists, by language, and one per language where a reference names one.

    English is left out where it has no file: queries need not be there in English.
    """
    if isinstance(value, list):
        return [resolved(experiment, item, langs) for item in value]
    if isinstance(value, dict):
        return {lang: resolved(experiment, item, [lang]) for lang, item in value.items() if lang in langs}
    reference = str(value)
    if "{" in reference:
        there = [lang for lang in langs if lang != "en" or file_exists(experiment, reference, lang)]
        return {lang: file_of(experiment, reference, lang) for lang in there}
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
    """Return the sources of a language's sentence pairs, files resolved; none where the config names none."""
    table = experiment.config.bitext
    sources = [
        resolve_source(source, experiment.languages[lang], experiment.datasets, DATA)
        for source in table.get(lang, table.get("*", []))
    ]
    for path in _files_of_sources(sources):
        _check_file(path, experiment.folder)
    return sources


def _files_of_sources(sources: list[BitextSource]) -> list[str]:
    return flatten([files_of(source) for source in sources])


def bitext_files(experiment: Experiment, lang: str) -> list[str]:
    """Return the files that a language's sentence pairs are made from."""
    return _files_of_sources(bitext_sources(experiment, lang))


def excluded_files(experiment: Experiment, lang: str) -> list[str]:
    """Return the files of evaluation texts that no training pair may contain."""
    return flatten([resolved(experiment, item, [lang]) for item in experiment.config.bitext_cleaning.exclude])


def excluded_collections(experiment: Experiment, lang: str) -> list[str]:
    """Return the collections whose queries no training pair may contain.

    One that is cut by a tokeniser which is trained here may itself wait for sentence pairs.
    """
    config = experiment.config
    names = dict.fromkeys([*config.collections, *([config.tuning.collection] if config.tuning.collection else [])])
    asked = [name for name in names if lang in experiment.languages_of(name)]
    trained = tokeniser(experiment) == experiment.place("tokeniser", "tokeniser")
    return [experiment.collection(name) for name in asked if not (trained and splits_by_tokens(experiment, name))]


# --- collections and training sets


@cache
def collection_block(experiment: Experiment, name: str) -> CollectionBlock:
    """Return the block of a collection, files resolved."""
    langs = ["en", *experiment.languages_of(name)]
    return _with_files(experiment, experiment.config.collection_table[name], langs)


def _with_files(experiment: Experiment, block: Block, langs: list[str]) -> Block:
    return block.changed(**{key: resolved(experiment, value, langs) for key, value in files_of(block).items()})


def collection_files(experiment: Experiment, name: str) -> list[str]:
    """Return the files that a collection is made from."""
    return flatten(files_of(collection_block(experiment, name)))


def training_set_files(experiment: Experiment, owner: str, lang: str) -> list[str]:
    """Return the files that a training set is made from."""
    return flatten(files_of(training_set_block(experiment, owner, lang)))


def splitting_tokeniser(experiment: Experiment, collection: str) -> list[str]:
    """Return the folder of the tokeniser whose tokens the length of a passage counts; nothing where it counts words."""
    return [tokeniser(experiment)] if splits_by_tokens(experiment, collection) else []


def splits_by_tokens(experiment: Experiment, collection: str) -> bool:
    """Return whether the length of a collection's passages counts tokens."""
    split = experiment.config.collection_table[collection].split
    return split is not None and split.unit == "tokens"


def has_english(experiment: Experiment, collection: str) -> bool:
    """Return whether a collection has English queries: its files or ids tell, or its reader brings them."""
    block = collection_block(experiment, collection)
    if isinstance(block, CatalogueCollection):
        return names_english_queries(block)
    files = [value for key, value in files_of(block).items() if key in ("queries", "topics")]
    return all(isinstance(by_language, dict) and "en" in by_language for by_language in files)


def given_training_set(experiment: Experiment, owner: str) -> TrainingSetBlock:
    """Return the training set of the teacher or of a method, as the config has it.

    Triples beside qrels, which stand in place of them, come from the default config.
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


def _with_codes(value: object, language: object) -> object:
    """Replace {lang} and tools' codes in every text of a block."""
    if isinstance(value, dict):
        return {key: _with_codes(item, language) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_codes(item, language) for item in value]
    return fill_codes(value, language) if isinstance(value, str) else value


# --- models


def model_folder(experiment: Experiment, key: str, trained: str, lang: str = "en") -> str:
    """Return where a model lies: `trained`, a given folder, one inside an installed package, or one of the hub's."""
    block = getattr(experiment.config, key)
    source = fill_codes(block.source, experiment.languages[lang])
    if source == "train":
        return trained
    if source.startswith("package:"):
        source = _folder_in_package(key, source.removeprefix("package:"))
    if Path(experiment.folder, source, "config.json").is_file() or MADE_MODEL.fullmatch(source):
        return source
    if HUB_ID.fullmatch(source) and not Path(experiment.folder, source).exists():
        return "--".join([f"results/models/{Path(source).parent}", Path(source).name, _commit(block, key, lang)])
    hint = "give a folder in the Hugging Face layout, or 'train'"
    raise ConfigError(f"no model folder: {source}", where=f"{key}.source", hint=hint)


def _folder_in_package(key: str, place: str) -> str:
    package, _, inside = place.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        hint = f"pip install {package.replace('_', '-')}, or give a folder"
        raise ConfigError(f"Python package {package!r} is missing", where=f"{key}.source", hint=hint)
    return f"{found.submodule_search_locations[0]}/{inside}"


def _commit(block: object, key: str, lang: str) -> str:
    revision = getattr(block, "revision", None)
    revision = revision.get(lang) if isinstance(revision, dict) else revision
    if not COMMIT.fullmatch(revision or ""):
        hint = f"give a folder in the Hugging Face layout, or for a model of the hub its commit as {key}.revision"
        what = f"no model folder, and no commit: {getattr(block, 'source', '')}"
        raise ConfigError(what, where=f"{key}.source", hint=hint)
    return revision


def given_teacher(experiment: Experiment) -> str:
    """Return the folder of a teacher that is not trained here, or nothing."""
    return model_folder(experiment, "teacher", "")


def tokeniser(experiment: Experiment) -> str:
    """Return the folder that holds tokenizer.json: trained, or the given teacher's or encoder's own."""
    own = experiment.place("tokeniser", "tokeniser")
    return given_teacher(experiment) or model_folder(experiment, "encoder", own)


def encoder(experiment: Experiment) -> str:
    """Return the folder of the encoder that the teacher starts from: pre-trained here, or given; or a given teacher."""
    own = experiment.place("encoder", "encoder")
    return given_teacher(experiment) or model_folder(experiment, "encoder", own)


def trains_encoder(experiment: Experiment) -> bool:
    """Return whether the encoder is trained here."""
    return experiment.config.encoder.source == "train" and not given_teacher(experiment)


def teacher(experiment: Experiment) -> str:
    """Return the folder of the teacher: trained here, or given."""
    return model_folder(experiment, "teacher", experiment.place("teacher", "teacher"))


def translator(experiment: Experiment, lang: str) -> str:
    """Return the folder of a language's translator: trained on its sentence pairs, or given."""
    return model_folder(experiment, "translator", experiment.place("translators", "translators", lang), lang)


def query_encoder(experiment: Experiment, lang: str, method: str, seed: int) -> str:
    """Return the folder of the model that reads the queries of a run."""
    reader = KINDS[experiment.method(method).kind].reader
    if reader == "student":
        return experiment.student(lang, method, seed)
    return experiment.place("start", "extended", lang) if reader == "extended" else teacher(experiment)


def extended(experiment: Experiment, lang: str) -> list[str]:
    """Return the folder of the model with word pieces of a language, which its students start from.

    Nothing where the vocabulary stays the encoder's: they start from the teacher.
    """
    return [experiment.place("start", "extended", lang)] if experiment.config.vocabulary.pieces else []


def tokens(experiment: Experiment, lang: str) -> str:
    """Return the tokenised sentence pairs of a language, in the encoder's word pieces."""
    return experiment.place("tokens", "tokens", "bitext", lang)


def student_tokens(experiment: Experiment, lang: str) -> str:
    """Return the tokenised sentence pairs of a language as its students read them."""
    own_pieces = experiment.config.vocabulary.pieces
    return experiment.place("start", "tokens", "extended", lang) if own_pieces else tokens(experiment, lang)


def student_tokeniser(experiment: Experiment, lang: str) -> str:
    """Return the folder that holds tokenizer.json as the students of a language read it; its translator does, too."""
    return next(iter(extended(experiment, lang)), tokeniser(experiment))


def teacher_vectors(experiment: Experiment, lang: str) -> list[str]:
    """Return the folder of the teacher's vectors that the students of a language share.

    Nothing where the encoder is trained here. That one is small: to encode sentence pairs with it takes a student less
    time than one more job takes to start.
    """
    small = trains_encoder(experiment)
    return [] if small else [experiment.place("teacher_vectors", "teacher_vectors", lang)]


def translator_code(experiment: Experiment, key: str, lang: str) -> str:
    """Return the code of a language, or of English, as the translator calls it: `key` names it; "" for none."""
    return fill_codes(getattr(experiment.config.translator, key), experiment.languages[lang])


def training_set_of(experiment: Experiment, method: str, lang: str) -> str:
    """Return the tokenised training set of a retrained method: its own, or the teacher's."""
    own = experiment.method(method).training_set is not None
    place = (method, lang) if own else ("teacher", "en")
    return experiment.place("training_tokens", "tokens", "training_sets", *place)


def switched_queries(experiment: Experiment, method: str, lang: str) -> list[str]:
    """Return the queries with swapped words, where a method trains on such."""
    switched = experiment.method(method).switch is not None
    return [f"{experiment.results}/switched_queries/{lang}/{method}.tsv"] if switched else []


def translator_start(experiment: Experiment, lang: str) -> list[str]:
    """Return the folder of the BERT that a translator starts from: with the word pieces of its language, if any."""
    warm = experiment.config.translator.warm_start
    return (extended(experiment, lang) or [encoder(experiment)]) if warm else []


def models_of_hub(experiment: Experiment) -> list[str]:
    """Return the folders of the models of the hub that the config names; the rule that fetches one reads its name."""
    places = [*product(["encoder", "teacher"], ["en"]), *product(["translator"], experiment.translated_languages())]
    folders = {model_folder(experiment, key, "", lang) for key, lang in places}
    return sorted(folder for folder in folders if folder.startswith("results/models/"))


# --- pre-training


def pretraining_text(experiment: Experiment, lang: str) -> list[str]:
    """Return the text files of a language; its clean sentence pairs where the bundled text does not have it."""
    texts = experiment.config.pretraining.text
    named = [texts] if isinstance(texts, str) else texts
    return [_one_text(experiment, text, lang) for text in named if (text, lang) != BITEXT_EN]


def _one_text(experiment: Experiment, text: str, lang: str) -> str:
    bundled = text.startswith("results/atlas/") and not file_exists(experiment, text, lang)
    return experiment.whole_bitext(lang) if bundled or text == "bitext" else file_of(experiment, text, lang)


def pretraining_texts(experiment: Experiment) -> list[str]:
    """Return the text files of all languages that the encoder is pre-trained on."""
    return flatten([pretraining_text(experiment, lang) for lang in ["en", *experiment.config.languages]])


def pretraining_bitext(experiment: Experiment) -> list[str]:
    """Return the tokenised sentence pairs of all languages that have some, where pre-training reads such."""
    langs = experiment.config.languages if experiment.config.pretraining.objectives.of_pairs() else []
    return [tokens(experiment, lang) for lang in langs if bitext_sources(experiment, lang)]


def unused_in_pretraining(experiment: Experiment) -> list[str]:
    """Return the modules that only objectives over sentence pairs need, where there are none of these."""
    return [] if experiment.config.pretraining.objectives.of_pairs() else ["training.encoder_pairs"]


def _pretraining_reads_bitext(experiment: Experiment, lang: str) -> bool:
    pairs = bool(experiment.config.pretraining.objectives.of_pairs()) and bool(bitext_sources(experiment, lang))
    side = experiment.whole_bitext(lang) in pretraining_text(experiment, lang)
    return trains_encoder(experiment) and (side or pairs)


# --- downloads


def catalogue_of_collection(experiment: Experiment, name: str) -> list[tuple[str, list[str]]]:
    """Return the ids of ir_datasets that a collection needs, and the parts that are taken from each."""
    block = experiment.config.collection_table[name]
    return ids_and_parts(block, experiment.languages_of(name)) if isinstance(block, CatalogueCollection) else []


def catalogue_of_training_set(experiment: Experiment, owner: str, lang: str) -> list[tuple[str, list[str]]]:
    """Return the ids of ir_datasets that a training set needs, and the parts that are taken from each."""
    block = training_set_block(experiment, owner, lang)
    return ids_and_parts(block, []) if isinstance(block, CatalogueTrainingSet) else []


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
    """Return the file that says that an id of ir_datasets was downloaded.

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


def downloads(experiment: Experiment) -> list[str]:
    """Return every file and model that an experiment downloads, so that what follows can run without a network."""
    config = experiment.config
    learnt = experiment.bitext_languages()
    needed: list[object] = [
        bitext_files(experiment, lang) + excluded_files(experiment, lang)
        for lang in config.languages
        if lang in learnt or _pretraining_reads_bitext(experiment, lang)
    ]
    for name in config.collections:
        needed += collection_files(experiment, name) + fetched_of_collection(experiment, name)
    for owner in experiment.training_sets():
        needed += training_set_files(experiment, *owner) + fetched_of_training_set(experiment, *owner)
    needed += [pretraining_texts(experiment)] if trains_encoder(experiment) else []
    names = config.lexicon
    needed += [file_of(experiment, names, lang) for lang in learnt if names and file_exists(experiment, names, lang)]
    needed += models_of_hub(experiment)
    return [path for path in flatten(needed) if path.startswith((f"{DATA}/", "results/models/"))]
