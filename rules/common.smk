"""Helpers of the rules: which files, methods, seeds and settings belong to which wildcards."""

import importlib.util
import math
import os
import re
import sys
from contextlib import suppress
from functools import wraps
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

sys.path.insert(0, f"{workflow.basedir}/scripts")
# Idle threads must sleep, not spin, where more jobs run than the machine has cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# A job without an environment of its own runs in the driver's, also where that was not activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", "")]))

from optical.config.checks import check_file, check_names, explain, objective_names, typed
from optical.config.tables import RESOURCE_LEVELS as RESOURCES
from optical.config.tables import (
    fill_codes,
    read_datasets,
    read_languages,
    resolve,
    resolve_source,
    source_files,
)
from optical.corpora.readers import READERS, TRAINING_READERS, own_keys
from optical.errors import ConfigError, OpticalError
from optical.files import as_argument
from optical.runtime.imports import library_files


def lift_rate_limit():
    """Let Snakemake choose jobs when one has ended, and not by timers too: each ended job starts one more, for good.

    They belong to its limit of 100 jobs a second; runs of some hundred jobs ended in "can't start new thread"
    (Snakemake's issue 3804). A limit that the user gives is kept.
    """
    limiter = getattr(workflow.scheduler, "job_rate_limiter", None)
    if limiter and (limiter.max_jobs, limiter.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onstart:
    lift_rate_limit()


def in_one_line(work):
    """Make a function end in one line where the config or a file of it is at fault."""

    @wraps(work)
    def guarded(*arguments, **named):
        try:
            return work(*arguments, **named)
        except OpticalError as error:
            raise WorkflowError(f"{type(error).__name__}: {error}") from None

    return guarded


@in_one_line
def check_schema():
    """Refuse a config that leaves its schema, and give it the schema's defaults."""
    path = f"{workflow.basedir}/schemas/config.schema.yaml"
    schema = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    config.update(typed(config, schema, schema))
    try:
        validate(config, path)
    except WorkflowError as error:
        raise explain(error.__context__) from None


check_schema()

SCRIPTS = "workflow/scripts"
DATASETS = in_one_line(read_datasets)("config/datasets.tsv")
LANGUAGES = in_one_line(read_languages)("config/languages.tsv", config["language_table"])
MAXSIM_KINDS = ("teacher", "extended", "distilled", "retrained", "translated")
LEXICAL_KINDS = ("lexical", "structured", "translated-lexical")
TRAINED_KINDS = ("distilled", "retrained")  # per seed
TRANSLATED_KINDS = ("translated", "translated-lexical")
BITEXT_KINDS = ("extended", *TRAINED_KINDS, *TRANSLATED_KINDS, "structured")
KINDS = ("english", *MAXSIM_KINDS, *LEXICAL_KINDS)
ATLAS_LANGUAGES = ("en", "sw", "so", "tl", "mr", "fi", "de", "fr")
ATLAS_FRAMES = sorted(str(path) for path in Path(f"{SCRIPTS}/optical/atlas").glob("*.yaml"))
ATLAS_FILES = [
    "results/atlas/documents.jsonl",
    *(
        f"results/atlas/{name}"
        for name in (
            "qrels.txt",
            "dev/qrels.txt",
            "train/documents.jsonl",
            "train/queries.tsv",
            "train/triples.tsv",
        )
    ),
    *(f"results/atlas/text/{lang}.txt" for lang in ATLAS_LANGUAGES),
    *(f"results/atlas/{part}/{lang}.tsv" for part in ("queries", "dev/queries") for lang in ATLAS_LANGUAGES),
    *(f"results/atlas/{part}/{lang}.tsv" for part in ("bitext", "lexicon") for lang in ATLAS_LANGUAGES[1:]),
    *(
        f"results/atlas/{part}/{name}"
        for part in (
            "wikiclir/sw",
            "wikiclir/tl",
            "wikiclir/fi",
            "wikiclir/de",
            "wikiclir/fr",
            "mmarco/de",
            "mmarco/fr",
        )
        for name in ("documents.jsonl", "queries.tsv", "triples.tsv")
    ),
]


def any_of(names):
    """Return a pattern that matches exactly these names, whatever signs they hold."""
    return "|".join(re.escape(name) for name in names)


# --- code: a rule's inputs are its script and the library files that it imports, found by reading the imports


def script(name):
    """Return the path of a rule's program."""
    return f"{SCRIPTS}/{name}.py"


def library(name, unused=()):
    """Return the library files that a program imports, directly or not, so that an edit reruns what depends on it.

    `unused` are modules that it imports and this experiment has no use for.
    """
    return library_files(script(name), unused)


def option(name):
    """Return a function of a rule's params: the words `--name PATH` for the input of that name, none without such."""

    def words(wildcards, input):
        paths = flatten_values(input.get(name, []))
        return [f"--{name.replace('_', '-')}", *map(str, paths)] if paths else []

    return words


# --- checks that a schema cannot make


@in_one_line
def check_config():
    """Refuse, before any job, what leads nowhere."""
    remedy = "add a row to config/languages.tsv or a block to language_table"
    check_names(config["languages"], "languages", LANGUAGES, remedy)
    for key, names in (("methods", config["methods"]), ("bitext_curve.methods", config["bitext_curve"]["methods"])):
        check_names(names, key, config["method_table"], "add it to method_table")
    check_names(config["collections"], "collections", config["collection_table"], "add it to collection_table")
    check_names([config["reference"]], "reference", config["methods"], "name one of methods")
    for table in ("collection_table", "method_table"):
        for name, block in config[table].items():
            check_names(block.get("languages", []), f"{table}.{name}.languages", LANGUAGES, remedy)
    for name, block in config["collection_table"].items():
        own_keys(block, f"collection_table.{name}", READERS)
    for owner in owners_of_training_sets():
        own_keys(*given_training_set(owner), TRAINING_READERS)
    for method in config["methods"]:
        check_method(method, f"method_table.{method}")
    for collection in config["collections"]:
        if not languages_of(collection):
            where, hint = f"collection_table.{collection}.languages", f"leave {collection} out of collections"
            raise ConfigError("no queries in any of the experiment's languages", where=where, hint=hint)
        block_of_collection(collection)
        if in_parts() and config["collection_table"][collection].get("documents_by") == "student":
            hint = f"set search.parts: 1, or let the teacher read the documents of {collection}"
            raise ConfigError("what students read is not searched in parts", where="search.parts", hint=hint)
    for owner in training_sets():
        training_set_block(owner)
    models_of_hub()


def check_method(method, where):
    """Refuse a method of the experiment that has nothing to learn from, or is asked for what its kind does not do."""
    kind, block = kind_of(method), config["method_table"][method]
    for lang in languages_of_method(method) if kind in BITEXT_KINDS else []:
        if not bitext_sources(lang):
            raise ConfigError("no sentence pairs", where=f"bitext.{lang}", hint=f"list sources for {lang}")
    if kind == "retrained":
        given = block.keys() & {"training_set", "switch"}
        if len(given) != 1:
            what = "switch swaps words of the teacher's training set alone" if given else "no training data"
            raise ConfigError(what, where=where, hint="give it a training_set, or switch")
        if "query" not in (config["student"] | block.get("student", {}))["sides"]:
            what, hint = "a retrained student learns to read queries", "let its sides have query"
            raise ConfigError(what, where=f"{where}.student.sides", hint=hint)
    if kind == "distilled":
        remedy = "see docs/add-a-method.md"
        check_names(block["objectives"], f"{where}.objectives", objective_names(), remedy)
    if kind == "extended" and not config["vocabulary"]["pieces"]:
        hint = "set vocabulary.pieces, 8000 for instance, or leave the method out"
        raise ConfigError("students keep the encoder's vocabulary", where=where, hint=hint)


# --- files that the config names


@in_one_line
def file_of(reference, lang="en"):
    """Return the path of a file that the config names: its own path, or that of a row of config/datasets.tsv."""
    return check_file(resolve(reference, LANGUAGES[lang], DATASETS, "results/data"), ATLAS_FILES)


def file_exists(reference, lang):
    """Return whether a file that the config names is there, or will be."""
    try:
        file_of(reference, lang)
    except WorkflowError:
        return False
    return True


def resolved(value, langs):
    """Replace file references by paths: in lists, by language, and one per language where a reference names one.

    English is left out where it has no file: queries need not be there in English.
    """
    if isinstance(value, list):
        return [resolved(item, langs) for item in value]
    if isinstance(value, dict):
        return {lang: resolved(item, [lang]) for lang, item in value.items() if lang in langs}
    if "{" in value:
        there = [lang for lang in langs if lang != "en" or file_exists(value, lang)]
        return {lang: file_of(value, lang) for lang in there}
    return file_of(value)


@in_one_line
def resolved_block(block, key, readers, langs):
    """Return a reader's block, which the config has under `key`, with its files resolved, and the list of those."""
    block = own_keys({name: value for name, value in block.items() if value is not None}, key, readers)
    files = {key: resolved(block[key], langs) for key in readers[block["reader"]].files if key in block}
    return block | files, flatten_values(files)


def flatten_values(value):
    """Return the leaves of nested lists and dicts, in order, each once."""
    if isinstance(value, (dict, list)):
        items = value.values() if isinstance(value, dict) else value
        return list(dict.fromkeys(leaf for item in items for leaf in flatten_values(item)))
    return [value]


@in_one_line
def dataset_row(wildcards):
    """Return what identifies a download, so that a changed address or checksum fetches it again."""
    check_names([wildcards.dataset], "config/datasets.tsv", DATASETS, "add a row")
    return list(DATASETS[wildcards.dataset][:4])


# --- languages, methods, seeds


def kind_of(method):
    """Return how a method works, one of the kinds that the schema explains."""
    return config["method_table"][method]["kind"]


def languages_of(collection):
    """Return the languages of the config that a collection has queries in."""
    own = config["collection_table"][collection].get("languages", config["languages"])
    return [lang for lang in config["languages"] if lang in own]


def languages_of_method(method):
    """Return the languages of the config that a method has data for: all, or those that its block names."""
    own = config["method_table"][method].get("languages", config["languages"])
    return [lang for lang in config["languages"] if lang in own]


def methods_for(lang, kinds):
    """Return the methods of these kinds that a language can be tried with; with English, those that read English."""
    methods = [method for method in config["methods"] if kind_of(method) in kinds]
    if lang == "en":
        return [method for method in methods if kind_of(method) == "english"]
    return [method for method in methods if lang in languages_of_method(method)]


def methods_of_kind(kind):
    """Return the methods of one kind, those of method_table that no experiment names included."""
    return [method for method in config["method_table"] if kind_of(method) == kind]


def seeds_of(method):
    """Return the seeds of a method: one where nothing is trained per seed."""
    return config["seeds"] if kind_of(method) in TRAINED_KINDS else config["seeds"][:1]


def runs_of(lang, kinds):
    """Return (method, seed) of every run of a language of these kinds."""
    return [(method, seed) for method in methods_for(lang, kinds) for seed in seeds_of(method)]


def levels():
    """Return the languages of each resource level."""
    return {
        level: [lang for lang in config["languages"] if LANGUAGES[lang]["resource"] == level] for level in RESOURCES
    }


# --- resources: functions of input size and attempt, so that a job killed for memory or time is tried again with more


def memory(base_mb, times_input, most_mb=math.inf):
    """Return a resource function: base plus a multiple of the input's size, doubled twice at most with the attempts.

    The first attempt asks for `most_mb` at most, where no more than a part of the input is read into memory.

    Most attempts of a training are no failures for want of memory: it was stopped, and goes on.
    """

    def mem_mb(wildcards, input, attempt):
        size_mb = input.size_mb + sum(map(megabytes_within, input))
        return int(min(base_mb + times_input * size_mb, most_mb) * 2 ** min(attempt - 1, 2))

    return mem_mb


def megabytes_within(folder):
    """Return the size of the files of a folder, whose own size is that of its list of names; 0 for a file."""
    found = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # a job that fills the folder may have just moved it
                found += os.stat(os.path.join(place, name)).st_size
    return found / 1e6


def duration(minutes):
    """Return a resource function: so many minutes, and as many more with each of the next attempts, twice at most."""

    def runtime(wildcards, attempt):
        return minutes * min(attempt, 3)

    return runtime


def model_resources(base_mb, times_input, minutes):
    """Return the resources of a job that runs a model: machine settings of the config, memory and time."""
    machine = config["machine"]
    return {
        "mem_mb": memory(base_mb, times_input),
        "runtime": duration(minutes),
        "gpu": min(1, machine["gpus"]),
        "device": machine["device"],
        "precision": machine["precision"],
    }


def training_resources(base_mb, times_input, minutes):
    """Return the resources of a job that trains: as of a model, its devices, and when it saves and stops.

    The next attempt goes on where it stopped, and needs no more time than this one.
    """
    machine = config["machine"]
    several = f"python -m torch.distributed.run --standalone --nproc-per-node {machine['gpus']} --"
    extra = {
        "runtime": minutes,
        "gpu": machine["gpus"],
        "launcher": several if machine["gpus"] > 1 else "python",
        "checkpoint_minutes": machine["checkpoint_minutes"],
        "checkpoint_steps": machine["checkpoint_steps"],
        "stop_before_runtime": int(machine["stop_before_runtime"]),
    }
    return model_resources(base_mb, times_input, minutes) | extra


include: "common_fetch.smk"
include: "common_models.smk"
include: "common_runs.smk"
include: "common_report.smk"
