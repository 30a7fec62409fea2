"""Helpers of the rules: which files, methods, seeds and settings belong to which wildcards."""

import ast
import importlib.util
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, f"{workflow.basedir}/scripts")
# A job without an environment of its own runs in the driver's, also where that was not activated.
# Idle threads must sleep, not spin, where more jobs run than the machine has cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

from optical.errors import OpticalError
from optical.program import as_argument
from optical.corpora import FILE_KEYS, TRAINING_FILE_KEYS
from optical.tables import RESOURCE_LEVELS as RESOURCES
from optical.tables import (
    read_datasets,
    read_languages,
    resolve,
    resolve_source,
    source_files,
)

SCRIPTS = "workflow/scripts"
DATASETS = read_datasets("config/datasets.tsv")
LANGUAGES = read_languages("config/languages.tsv", config["language_table"])
MAXSIM_KINDS = ("teacher", "distilled")
TRAINED_KINDS = ("distilled",)
LEXICAL_KINDS = ("lexical",)
ATLAS_LANGUAGES = ("en", "sw", "so", "tl", "mr", "fi", "de", "fr")
ATLAS_FRAMES = sorted(str(path) for path in Path(f"{SCRIPTS}/optical").glob("atlas_*.yaml"))
ATLAS_FILES = [
    "results/atlas/documents.jsonl",
    *(
        f"results/atlas/{name}"
        for name in (
            "qrels.txt",
            "dev/qrels.txt",
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


def library(name):
    """Return the library files that a program imports, directly or not, so that an edit reruns what depends on it."""
    found, waiting = set(), [script(name)]
    while waiting:
        for path in imports_of(waiting.pop()) - found:
            found.add(path)
            waiting.append(path)
    return sorted(found)


@cache
def imports_of(path):
    """Return the files of the modules `optical.*` that a file imports anywhere."""
    modules = set()
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("optical"):
            modules.add(node.module)
            modules.update(f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            modules.update(name.name for name in node.names if name.name.startswith("optical"))
    paths = {f"{SCRIPTS}/{module.replace('.', '/')}.py" for module in modules} | {f"{SCRIPTS}/optical/__init__.py"}
    return {path for path in paths if Path(path).is_file()}


# --- checks that a schema cannot make


def check_config():
    """Refuse, before any job, names that lead nowhere; say what, where and how to mend it."""
    for key, names, table, remedy in (
        (
            "languages",
            config["languages"],
            LANGUAGES,
            "add a row to config/languages.tsv or a block to language_table",
        ),
        (
            "methods",
            config["methods"],
            config["method_table"],
            "add it to method_table",
        ),
        (
            "collections",
            config["collections"],
            config["collection_table"],
            "add it to collection_table",
        ),
        ("reference", [config["reference"]], config["methods"], "name one of methods"),
    ):
        for name in names:
            if name not in table:
                known = ", ".join(sorted(table))
                raise WorkflowError(f"ConfigError: unknown {name!r} [{key}]. Hint: {remedy}; known are {known}")
    if any(kind_of(method) in TRAINED_KINDS for method in config["methods"]):
        for lang in config["languages"]:
            if not bitext_sources(lang):
                raise WorkflowError(f"ConfigError: no sentence pairs [bitext.{lang}]. Hint: list sources for {lang}")
    encoder(), teacher()


# --- files that the config names


def file_of(reference, lang="en"):
    """Return the path of a file that the config names: its own path, or that of a row of config/datasets.tsv."""
    try:
        return resolve(reference, LANGUAGES[lang], DATASETS, "results/data")
    except OpticalError as error:
        raise WorkflowError(f"{type(error).__name__}: {error}") from None


def resolved(value, langs):
    """Replace file references by paths: in lists, by language, and one per language where a reference names one."""
    if isinstance(value, list):
        return [resolved(item, langs) for item in value]
    if isinstance(value, dict):
        return {lang: resolved(item, [lang]) for lang, item in value.items() if lang in langs}
    if "{" in value:
        return {lang: file_of(value, lang) for lang in langs}
    return file_of(value)


def resolved_block(block, file_keys, langs):
    """Return a reader's block with its files resolved, and the list of those files."""
    if block["reader"] not in file_keys:
        known = ", ".join(file_keys)
        raise WorkflowError(f"ConfigError: unknown reader {block['reader']!r}. Hint: choose one of {known}")
    files = {key: resolved(block[key], langs) for key in file_keys[block["reader"]] if key in block}
    return block | files, flatten_values(files)


def flatten_values(value):
    """Return the leaves of nested lists and dicts, in order, each once."""
    if isinstance(value, (dict, list)):
        items = value.values() if isinstance(value, dict) else value
        return list(dict.fromkeys(leaf for item in items for leaf in flatten_values(item)))
    return [value]


def dataset_row(wildcards):
    """Return what identifies a download, so that a changed address or checksum fetches it again."""
    if wildcards.dataset not in DATASETS:
        raise WorkflowError(f"ConfigError: no data set {wildcards.dataset!r}. Hint: add a row to config/datasets.tsv")
    return list(DATASETS[wildcards.dataset][:4])


# --- languages, methods, seeds


def kind_of(method):
    """Return how a method works: english, lexical, teacher, distilled."""
    return config["method_table"][method]["kind"]


def languages_of(collection):
    """Return the languages of the config that a collection has queries in."""
    own = config["collection_table"][collection].get("languages", config["languages"])
    return [lang for lang in config["languages"] if lang in own]


def methods_of_kind(kind):
    """Return the methods of one kind, those of method_table that no experiment names included."""
    return [method for method in config["method_table"] if kind_of(method) == kind]


def seeds_of(method):
    """Return the seeds of a method: one where nothing is trained per seed."""
    return config["seeds"] if kind_of(method) in TRAINED_KINDS else config["seeds"][:1]


def runs_of(kinds):
    """Return (method, seed) of every run of these kinds."""
    return [(method, seed) for method in config["methods"] if kind_of(method) in kinds for seed in seeds_of(method)]


def levels():
    """Return the languages of each resource level."""
    return {
        level: [lang for lang in config["languages"] if LANGUAGES[lang]["resource"] == level] for level in RESOURCES
    }


# --- bitext


def bitext_sources(lang):
    """Return the bitext sources of a language, files resolved."""
    sources = config["bitext"].get(lang, config["bitext"].get("*", []))
    try:
        return [resolve_source(source, LANGUAGES[lang], DATASETS, "results/data") for source in sources]
    except OpticalError as error:
        raise WorkflowError(f"{type(error).__name__}: {error}") from None


def bitext_files(wildcards):
    """Return the files that a language's bitext is made from."""
    return flatten_values([source_files(source) for source in bitext_sources(wildcards.lang)])


def bitext_sources_argument(wildcards):
    """Return the sources of a language as a program takes them."""
    return as_argument(bitext_sources(wildcards.lang))


def bitext_cleaning():
    """Return what decides which pairs are kept."""
    return {key: value for key, value in config["bitext_cleaning"].items() if key != "exclude"}


def excluded_files(wildcards):
    """Return the evaluation texts that no training pair may contain."""
    return flatten_values([resolved(item, [wildcards.lang]) for item in config["bitext_cleaning"]["exclude"]])


# --- models


def tokeniser():
    """Return the folder that holds tokenizer.json: trained, or the given encoder's own."""
    return model_folder("encoder", "<results>/tokeniser")


def encoder():
    """Return the folder of the encoder that the teacher starts from: pre-trained here, or given."""
    return model_folder("encoder", "<results>/encoder")


def teacher():
    """Return the folder of the teacher: trained here, or given."""
    return model_folder("teacher", "<results>/teacher")


def model_folder(key, trained):
    """Return where a model lies: `trained`, a given folder, or a folder inside an installed Python package."""
    source = config[key]["source"]
    if source == "train":
        return trained
    if source.startswith("package:"):
        package, _, inside = source.removeprefix("package:").partition("/")
        found = importlib.util.find_spec(package)
        if found is None:
            hint = f"pip install {package.replace('_', '-')}, or give a folder"
            raise WorkflowError(f"ConfigError: Python package {package!r} is missing [{key}.source]. Hint: {hint}")
        source = f"{found.submodule_search_locations[0]}/{inside}"
    if not Path(source, "config.json").is_file():
        hint = "give a folder in the Hugging Face layout, or 'train'"
        raise WorkflowError(f"ConfigError: no model folder: {source} [{key}.source]. Hint: {hint}")
    return source


def pretraining_texts():
    """Return the text files of all languages that the encoder is pre-trained on."""
    return [file_of(config["pretraining"]["text"], lang) for lang in ["en", *config["languages"]]]


def training_set_block():
    """Return the teacher's training set, files resolved, and those files."""
    return resolved_block(config["teacher"]["training_set"], TRAINING_FILE_KEYS, config["languages"])


def pretraining_settings():
    """Return what decides the pre-trained encoder."""
    keys = {key: value for key, value in config["pretraining"].items() if key != "text"}
    return as_argument(
        keys
        | {
            "architecture": config["encoder"]["architecture"],
            "encoder": encoder_settings(),
        }
    )


def teacher_settings():
    """Return what decides the teacher."""
    keys = {key: value for key, value in config["teacher"].items() if key not in ("source", "training_set")}
    return as_argument(keys | {"encoder": encoder_settings()})


def encoder_settings():
    """Return how texts become vectors."""
    return {key: value for key, value in config["encoder"].items() if key not in ("source", "revision", "architecture")}


def student_settings(wildcards):
    """Return what decides a student: the common settings, then what its method changes."""
    method = config["method_table"][wildcards.method]
    changes = {
        "objectives": method["objectives"],
        "transport": config["transport"] | method.get("transport", {}),
    }
    return as_argument(config["student"] | method.get("student", {}) | changes | {"seed": int(wildcards.seed)})


def query_encoder(lang, method, seed):
    """Return the folder of the model that reads the queries of a run."""
    return f"<results>/students/{lang}/{method}/{seed}" if kind_of(method) in TRAINED_KINDS else teacher()


# --- searching and scoring


def collection_block(wildcards):
    """Return the block of a collection, files resolved, and those files."""
    block = config["collection_table"][wildcards.collection]
    return resolved_block(block, FILE_KEYS, ["en", *languages_of(wildcards.collection)])


def collection_files(wildcards):
    """Return the files that a collection is made from."""
    return collection_block(wildcards)[1]


def collection_settings(wildcards):
    """Return the block of a collection as a program takes it."""
    return as_argument(collection_block(wildcards)[0])


def collection_languages(wildcards):
    """Return the languages whose queries a collection holds."""
    return ["en", *languages_of(wildcards.collection)]


def query_encoders(wildcards):
    """Return the models of all runs of a language."""
    return sorted(
        {query_encoder(wildcards.lang, method, seed) for method, seed in runs_of(maxsim_kinds(wildcards.lang))}
    )


def maxsim_kinds(lang):
    """Return the kinds of method that search with token vectors; English queries only with the teacher."""
    return ("english",) if lang == "en" else MAXSIM_KINDS


def search_jobs(wildcards, output):
    """Return the searches of a language: one per method and seed."""
    queries = f"{results()}/collections/{wildcards.collection}/queries/{wildcards.lang}.tsv"
    jobs = [
        {
            "encoder": query_encoder(wildcards.lang, method, seed).replace("<results>", results()),
            "queries": queries,
            "out": f"{output.runs}/{method}/{seed}.trec",
            "tag": method,
        }
        for method, seed in runs_of(maxsim_kinds(wildcards.lang))
    ]
    return as_argument(jobs)


def lexical_jobs(wildcards, output):
    """Return the lexical searches of a language: one per method."""
    queries = f"{results()}/collections/{wildcards.collection}/queries/{wildcards.lang}.tsv"
    jobs = [
        {
            "queries": queries,
            "out": f"{output.runs}/{method}/{seed}.trec",
            "tag": method,
        }
        | {"settings": config["method_table"][method].get("lexical", {})}
        for method, seed in runs_of(LEXICAL_KINDS)
    ]
    return as_argument(jobs)


def results():
    """Return the folder of this experiment."""
    return config["results"]


def evaluation_jobs(wildcards):
    """Return the evaluations of a language: each method's run on the language's queries."""
    folder = f"{results()}/runs/{wildcards.collection}"
    jobs = [
        {
            "run": f"{folder}/{run_language(method, wildcards.lang)}/{search_of(method)}/{method}/{seed}.trec",
            "method": method,
            "lang": wildcards.lang,
            "seed": seed,
            "queries": f"{results()}/collections/{wildcards.collection}/queries/{wildcards.lang}.tsv",
        }
        for method in config["methods"]
        for seed in seeds_of(method)
    ]
    return as_argument(jobs)


def run_language(method, lang):
    """Return the language of the queries that a method reads."""
    return "en" if kind_of(method) == "english" else lang


def search_of(method):
    """Return which search makes a method's runs."""
    return "lexical" if kind_of(method) in LEXICAL_KINDS else "maxsim"


def runs_to_evaluate(wildcards):
    """Return the folders of runs that a language's evaluation reads."""
    folders = {(run_language(method, wildcards.lang), search_of(method)) for method in config["methods"]}
    return [f"<results>/runs/{wildcards.collection}/{lang}/{search}" for lang, search in sorted(folders)]


def collection_languages_of_table(wildcards):
    """Return the languages that a collection's table has columns for."""
    return languages_of(wildcards.collection)


def scores_of(wildcards):
    """Return the scores of all languages of a collection."""
    return [f"<results>/scores/{wildcards.collection}/{lang}.tsv" for lang in languages_of(wildcards.collection)]


# --- resources: functions of input size and attempt, so that a job killed for memory is tried again with more


def memory(base_mb, times_input):
    """Return a resource function: base plus a multiple of the input's size, doubled twice at most with the attempts.

    Most attempts of a training are no failures for want of memory: it was stopped, and goes on.
    """

    def mem_mb(wildcards, input, attempt):
        return int((base_mb + times_input * input.size_mb) * 2 ** min(attempt - 1, 2))

    return mem_mb


def model_resources(base_mb, times_input, minutes):
    """Return the resources of a job that runs a model: machine settings of the config, memory and time."""
    machine = config["machine"]
    return {
        "mem_mb": memory(base_mb, times_input),
        "runtime": minutes,
        "gpu": min(1, machine["gpus"]),
        "device": machine["device"],
        "precision": machine["precision"],
    }


def training_resources(base_mb, times_input, minutes):
    """Return the resources of a job that trains: as of a model, its devices, and when it saves and stops."""
    machine = config["machine"]
    several = f"python -m torch.distributed.run --standalone --nproc-per-node {machine['gpus']} --"
    extra = {
        "gpu": machine["gpus"],
        "launcher": several if machine["gpus"] > 1 else "python",
        "checkpoint_minutes": machine["checkpoint_minutes"],
        "stop_before_runtime": int(machine["stop_before_runtime"]),
    }
    return model_resources(base_mb, times_input, minutes) | extra
