"""Paths of an experiment's models and tokens: trained here, given as folders, or taken from the hub or a package."""

import importlib.util
import re
from pathlib import Path

from optical.config.encoder import EncoderBlock
from optical.config.fitting import Kind, kind_of, kind_of_size
from optical.config.model_folders import kind_of_subwords
from optical.config.names import SHARED
from optical.config.tables import fill_codes
from optical.config.training import Teacher, Translator
from optical.errors import ConfigError
from optical.plan.experiment import Experiment, of_pairs
from optical.plan.methods import kinds
from optical.plan.sources import bitext_sources, file_exists, file_of, flatten, splits_by_tokens

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
COMMIT, SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
PACKAGE = "package:"
# A rule of another experiment may make a model, for instance that of a study for its variants.
MADE_MODEL = re.compile(r"results(/[\w.-]+)*/(encoder|teacher|students/\w+/[^/]+/\d+)")
BITEXT_EN = ("bitext", "en")  # skipped: each language adds the English side of its bitext


def model_folder(experiment: Experiment, key: str, trained: str, lang: str = "en", owner: str = SHARED) -> str:
    """Return the folder of a model: `trained`, a given folder, or where a model of the hub or of a package is stored.

    Args:
        key: config block that describes the model.
        trained: folder of the model if it is trained here.
        lang: language whose codes fill the placeholders in `source` and `revision`.
        owner: method that has its own translator; SHARED for the experiment's model.
    """
    own = owner != SHARED
    block = experiment.translator_block(owner) if own else getattr(experiment.config, key)
    where = f"method_table.{owner}.{key}" if own else key
    source = fill_codes(block.source, experiment.languages[lang])
    if source == "train":
        return trained
    if source.startswith(PACKAGE):
        if _is_packed(block):
            return _unpacked_folder(experiment, block, where)
        source = place_in_package(source, f"{where}.source")
    if Path(experiment.folder, source, "config.json").is_file() or MADE_MODEL.fullmatch(source):
        return source
    if HUB_ID.fullmatch(source) and not Path(experiment.folder, source).exists():
        return "--".join([f"results/models/{Path(source).parent}", Path(source).name, _commit(block, where, lang)])
    hint = "give a folder in the Hugging Face layout, or 'train'"
    raise ConfigError(f"no model folder: {source}", where=f"{where}.source", hint=hint)


def place_in_package(source: str, where: str = "encoder.source") -> str:
    """Return the path of a folder or file in an installed package, given as `package:NAME/PLACE`.

    Raises:
        ConfigError: the package is not installed.
    """
    package, _, inside = source.removeprefix(PACKAGE).partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        hint = f"pip install {package.replace('_', '-')}, or give a folder"
        raise ConfigError(f"Python package {package!r} is missing", where=where, hint=hint)
    return f"{spec.submodule_search_locations[0]}/{inside}"


def _is_packed(block: EncoderBlock | Teacher | Translator) -> bool:
    """Return whether a model is one file in a Python package: then its revision is a SHA-256."""
    revision = block.revision
    return block.source.startswith(PACKAGE) and isinstance(revision, str) and bool(SHA256.fullmatch(revision))


def _unpacked_folder(experiment: Experiment, block: EncoderBlock | Teacher | Translator, key: str) -> str:
    """Return the folder in which a rule unpacks a model. The package is only needed until then."""
    package, _, inside = block.source.removeprefix(PACKAGE).partition("/")
    folder = f"results/models/{package}--{inside}--{block.revision}"
    if not Path(experiment.folder, folder, "config.json").is_file():
        file = place_in_package(block.source, f"{key}.source")
        if not Path(file).is_file():
            raise ConfigError(f"no such file: {file}", where=f"{key}.source", hint="name a file of the package")
    return folder


def weights_note(experiment: Experiment) -> str | None:
    """Return the note on 4-bit weights for the tables, or None if the encoder is not from a package.

    A teacher that comes from elsewhere has an encoder of its own.
    """
    teacher = given_teacher(experiment)
    if not _is_packed(experiment.config.encoder) or (teacher and not MADE_MODEL.fullmatch(teacher)):
        return None
    place = experiment.config.encoder.source.removeprefix(PACKAGE)
    return f"The encoder is {place}, a file in a Python package; its weights were stored in 4 bits."


def _commit(block: EncoderBlock | Teacher | Translator, key: str, lang: str) -> str:
    revision = block.revision.get(lang) if isinstance(block.revision, dict) else block.revision
    if revision is None or not COMMIT.fullmatch(revision):
        hint = f"give a folder in the Hugging Face layout, or for a model of the hub its commit as {key}.revision"
        raise ConfigError(f"no model folder, and no commit: {block.source}", where=f"{key}.source", hint=hint)
    return revision


def given_teacher(experiment: Experiment) -> str:
    """Return the folder of a given teacher; "" if the teacher is trained here."""
    return model_folder(experiment, "teacher", "")


def given_model(experiment: Experiment) -> str:
    """Return the folder of the given teacher or encoder that an experiment starts from; "" for none.

    A given teacher that a rule has not made yet is skipped: the `encoder` block then decides.
    """
    for key in ("teacher", "encoder"):
        folder = model_folder(experiment, key, "")
        if folder and (is_there(experiment, folder) or not MADE_MODEL.fullmatch(folder)):
            return folder
    return ""


def is_there(experiment: Experiment, folder: str) -> bool:
    """Return whether the model's files exist. Those of the hub or of a package may arrive during the run."""
    return Path(experiment.folder, folder, "config.json").is_file()


def subwords_of_given(experiment: Experiment) -> str | None:
    """Return the kind of the given tokeniser, such as `Unigram`; None if its files do not exist yet."""
    folder = given_model(experiment)
    if folder and (kind := kind_of_subwords(Path(experiment.folder, folder))):
        return kind
    block = experiment.config.teacher if folder == given_teacher(experiment) else experiment.config.encoder
    return "Unigram" if folder and _is_packed(block) else None  # packed models have the subwords of XLM-R


def encoder_kinds(experiment: Experiment) -> list[Kind]:
    """Return the kind of the encoder, or both sizes if it is pretrained and not fetched yet."""
    if not (folder := given_model(experiment)):
        return [kind_of_size(experiment.config.encoder.architecture.hidden_size, from_scratch=True)]
    return [kind_of(Path(experiment.folder, folder))] if is_there(experiment, folder) else ["small", "base"]


def tokeniser(experiment: Experiment) -> str:
    """Return the folder of tokenizer.json: trained here, or that of the given teacher or encoder."""
    return given_teacher(experiment) or model_folder(experiment, "encoder", experiment.place("tokeniser", "tokeniser"))


def splitting_tokeniser(experiment: Experiment, collection: str) -> list[str]:
    """Return the tokeniser that cuts documents into passages; [] if the collection is cut by words."""
    return [tokeniser(experiment)] if splits_by_tokens(experiment, collection) else []


def encoder(experiment: Experiment) -> str:
    """Return the folder of the encoder that the teacher starts from, or of the given teacher."""
    return given_teacher(experiment) or model_folder(experiment, "encoder", experiment.place("encoder", "encoder"))


def teacher(experiment: Experiment) -> str:
    """Return the folder of the teacher: trained here, or given."""
    return model_folder(experiment, "teacher", experiment.place("teacher", "teacher"))


def dense(experiment: Experiment) -> str:
    """Return the folder of the dense encoder, which gives one vector for a text."""
    return experiment.place("dense", "dense")


def teacher_of(experiment: Experiment, method: str) -> str:
    """Return the folder of a method's teacher, which also encodes the documents that the method searches."""
    return dense(experiment) if experiment.kind_of(method).documents == "dense" else teacher(experiment)


def translator(experiment: Experiment, lang: str, owner: str = SHARED) -> str:
    """Return the folder of the translator of a language that methods share, or of one that a method (`owner`) has."""
    trained = experiment.place("translators", "translators", lang, owner)
    return model_folder(experiment, "translator", trained, lang, owner)


def query_encoder(experiment: Experiment, lang: str, method: str, seed: int) -> str:
    """Return the folder of the model that encodes the queries of a run. The teacher encodes English queries."""
    reader = experiment.kind_of(method).reader
    if lang == "en":
        return teacher_of(experiment, method)
    if reader == "student":
        return experiment.student(lang, method, seed)
    return experiment.place("start", "extended", lang) if reader == "extended" else teacher_of(experiment, method)


def extended(experiment: Experiment, lang: str, method: str | None = None) -> list[str]:
    """Return the folder of the model with added subwords of a language, from which its students start.

    Returns [] if students keep the encoder's vocabulary, and for students of the dense encoder: these start from their
    teacher.
    """
    pooled = method is not None and experiment.kind_of(method).documents == "dense"
    own_pieces = experiment.config.vocabulary.pieces and not pooled
    return [experiment.place("start", "extended", lang)] if own_pieces else []


def student_bases(experiment: Experiment, lang: str) -> list[str]:
    """Return the models that students start from; with a large vocabulary a student stores only what changed."""
    pooled = experiment.methods_for(lang, kinds(reader="student", documents="dense"))
    return [teacher(experiment), *extended(experiment, lang), *([dense(experiment)] if pooled else [])]


def passage_encoder(experiment: Experiment, model: str) -> str:
    """Return the folder of a model that encodes passages in place of the teacher.

    Args:
        experiment: that its vectors belong to.
        model: dense, extended/LANG or students/LANG/METHOD/SEED, where LANG is the language of the passages, also for a
            multilingual student.
    """
    kind, *parts = model.split("/")
    if kind == "students":
        lang, method, seed = parts
        return experiment.student(lang, method, int(seed))
    return experiment.place("start" if kind == "extended" else kind, model)


def passage_encoder_bases(experiment: Experiment, model: str) -> list[str]:
    """Return the models that a model of `passage_encoder` needs beside it: those that a student starts from."""
    kind, *parts = model.split("/")
    return student_bases(experiment, parts[0]) if kind == "students" else []


def tokens(experiment: Experiment, lang: str) -> str:
    """Return the tokenised sentence pairs of a language, or of all of them, in the encoder's subwords."""
    return experiment.place(of_pairs("tokens", lang), "tokens", "bitext", lang)


def student_tokens(experiment: Experiment, lang: str, method: str | None = None) -> str:
    """Return the tokenised sentence pairs that the students of a language, or of one method, are trained on."""
    own_pieces = extended(experiment, lang, method)
    return experiment.place("start", "tokens", "extended", lang) if own_pieces else tokens(experiment, lang)


def student_tokeniser(experiment: Experiment, lang: str) -> str:
    """Return the folder of the tokenizer.json that students and translator of a language use."""
    return next(iter(extended(experiment, lang)), tokeniser(experiment))


def teacher_vectors(experiment: Experiment, lang: str, method: str) -> list[str]:
    """Return the folder of the teacher's token vectors that the students of a language share.

    Returns [] if the encoder is trained here: it is small, so a student encodes the sentence pairs faster than another
    job starts. Also returns [] for students of the dense encoder, which are too few to share.
    """
    alone = experiment.trains_encoder or experiment.kind_of(method).documents == "dense"
    return [] if alone else [experiment.place(of_pairs("teacher_vectors", lang), "teacher_vectors", lang)]


def translator_code(experiment: Experiment, key: str, lang: str, owner: str = SHARED) -> str:
    """Return the translator's code of a language, given by the config key `key`; "" for none."""
    return fill_codes(getattr(experiment.translator_block(owner), key), experiment.languages[lang])


def training_set_of(experiment: Experiment, method: str, lang: str) -> str:
    """Return the tokenised training set of a retrained method: its own, or the teacher's."""
    place = (method, lang) if experiment.method(method).training_set else ("teacher", "en")
    return experiment.place("training_tokens", "tokens", "training_sets", *place)


def switched_queries(experiment: Experiment, method: str, lang: str) -> list[str]:
    """Return the file of queries with swapped words; [] if the method does not train on it."""
    switched = experiment.method(method).switch is not None
    return [f"{experiment.results}/switched_queries/{lang}/{method}.tsv"] if switched else []


def translator_start(experiment: Experiment, lang: str, owner: str = SHARED) -> list[str]:
    """Return the folder of the BERT that a translator starts from; [] if it starts from random weights."""
    given = experiment.translator_block(owner).warm_start
    warm = encoder_kinds(experiment) == ["scratch"] if given is None else given
    return (extended(experiment, lang) or [encoder(experiment)]) if warm else []


def models_of_hub(experiment: Experiment) -> list[str]:
    """Return the folders of all models that a rule fetches from the hub or unpacks from a Python package."""
    folders = {given_teacher(experiment) or model_folder(experiment, "encoder", "")}
    for lang in experiment.translated_languages():
        folders |= {translator(experiment, lang, owner) for owner in experiment.translators_of(lang)}
    return sorted(folder for folder in folders if folder.startswith("results/models/"))


# --- pre-training


def pretraining_text(experiment: Experiment, lang: str) -> list[str]:
    """Return the text files of a language. Its clean bitext replaces bundled text that does not exist."""
    texts = experiment.config.pretraining.text
    named = [texts] if isinstance(texts, str) else texts
    return [_one_text(experiment, text, lang) for text in named if (text, lang) != BITEXT_EN]


def _one_text(experiment: Experiment, text: str, lang: str) -> str:
    bundled = text.startswith("results/atlas/") and not file_exists(experiment, text, lang)
    return experiment.whole_bitext(lang) if bundled or text == "bitext" else file_of(experiment, text, lang)


def pretraining_texts(experiment: Experiment) -> list[str]:
    """Return the pre-training text files of English and all languages."""
    return flatten([pretraining_text(experiment, lang) for lang in ["en", *experiment.config.languages]])


def pretraining_bitext(experiment: Experiment) -> list[str]:
    """Return the tokenised bitext of all languages; [] if no pre-training objective uses sentence pairs."""
    langs = experiment.config.languages if experiment.config.pretraining.objectives.of_pairs() else []
    return [tokens(experiment, lang) for lang in langs if bitext_sources(experiment, lang)]


def unused_in_pretraining(experiment: Experiment) -> list[str]:
    """Return the modules that pre-training does not import: those for sentence pairs, if no objective uses them."""
    return [] if experiment.config.pretraining.objectives.of_pairs() else ["training.encoder_pairs"]


def reads_bitext_in_pretraining(experiment: Experiment, lang: str) -> bool:
    """Return whether pre-training uses the bitext of a language."""
    if not experiment.trains_encoder:
        return False
    pairs = experiment.config.pretraining.objectives.of_pairs() and bitext_sources(experiment, lang)
    return bool(pairs) or experiment.whole_bitext(lang) in pretraining_text(experiment, lang)
