"""Job lists for programs: searches, evaluations and conditions of an experiment, with their files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from optical.config.methods import LexicalSettings
from optical.errors import ConfigError
from optical.plan.experiment import Experiment
from optical.plan.methods import KINDS, kinds, kinds_searching
from optical.plan.models import (
    dense,
    encoder,
    extended,
    given_teacher,
    query_encoder,
    student_bases,
    teacher,
    teacher_of,
)
from optical.plan.searching import (
    methods_on,
    other_vectors,
    own_documents,
    runs_on,
    searched_together,
    searched_with,
    vector_runs,
)
from optical.plan.settings import keeps_vocabulary
from optical.plan.sources import file_of, flatten, has_english
from optical.plan.translations import translated_folder, translations_file

EXACT, PRUNED = "exact", "pruned"
# The collection and measures of measure_alignment: see optical.evaluation.name_alignment.
ALIGNED = "held-out"
ALIGNMENT_MEASURES = ("mass", "mass_translated", "chance")

Job = dict[str, object]

# --- searches


def query_encoders(experiment: Experiment, collection: str, lang: str) -> list[str]:
    """Return the models that encode a collection's queries of a language, and the models that students start from."""
    runs = vector_runs(experiment, collection, lang)
    readers = {query_encoder(experiment, lang, method, seed) for _, method, seed in runs}
    has_students = lang != "en" and any(experiment.kind_of(method).reader == "student" for _, method, _ in runs)
    return sorted(readers.union(student_bases(experiment, lang) if has_students else []))


def lexical_tables(experiment: Experiment, collection: str, lang: str) -> list[str]:
    """Return the lexical table of a language; [] if no method needs it for a collection."""
    needed = methods_on(experiment, collection, lang, kinds(lexical_table=True))
    return [experiment.place("lexical_tables", "lexical_tables", f"{lang}.tsv")] if needed else []


def searches(experiment: Experiment, collection: str, lang: str, search: str) -> list[Job]:
    """Return the searches of a language with token vectors: one per method, seed and language of passages.

    Args:
        search: kind of search, maxsim or pruned, or the part of the collection that is searched, such as 2-of-8; names
            the folder of the run files.
    """
    folder = "runs" if search in ("maxsim", PRUNED) else "part_runs"
    jobs = []
    for name, method, seed in vector_runs(experiment, collection, lang):
        kind = experiment.kind_of(method)
        if search == PRUNED and kind.documents != "teacher":  # whose vectors the index has
            continue
        out = _run_file(experiment, folder, name, lang, search, method, seed)
        job = _query_job(experiment, name if kind.queries == "translated" else collection, lang, method, out)
        job["encoder"] = query_encoder(experiment, lang, method, seed)
        shards = own_documents(experiment, name, method, seed)
        if name != collection:
            shards = shards or document_vectors(experiment, name)
        jobs.append(job | ({"shards": shards} if shards else {}))
    return jobs


def lexical_searches(experiment: Experiment, collection: str, lang: str) -> list[Job]:
    """Return the searches of a language by words: one per method."""
    jobs = []
    for method, seed in runs_on(experiment, collection, lang, kinds_searching("lexical", lang)):
        job = _query_job(experiment, collection, lang, method, run_of(experiment, collection, lang, method, seed))
        job["settings"] = experiment.method(method).lexical
        table = lexical_tables(experiment, collection, lang) if experiment.kind_of(method).lexical_table else []
        jobs.append(job | ({"lexical_table": table[0]} if table else {}))
    return jobs


def _query_job(experiment: Experiment, collection: str, lang: str, method: str, out: str) -> Job:
    """Return the keys of every search: queries (translated for some methods), run file and name."""
    queries = f"{experiment.collection(collection)}/queries/{lang}.tsv"
    if experiment.kind_of(method).queries == "translated":
        queries = translations_file(translated_folder(experiment, lang, experiment.translator_of(method)), collection)
    return {"queries": queries, "out": out, "tag": method}


def document_vectors(experiment: Experiment, collection: str, part: str | None = None) -> list[str]:
    """Return the folders of a collection's document vectors, or of a part of it: one for each part or language."""
    if experiment.in_parts:
        parts = [part] if part else experiment.parts()
        return [experiment.place("vectors", "part_vectors", collection, each) for each in parts]
    return [experiment.place("vectors", "vectors", name) for name in searched_together(experiment, collection)]


def part_runs(experiment: Experiment, collection: str, lang: str) -> list[str]:
    """Return the folders of the runs that `merges` reads."""
    return folders_of(flatten([job["runs"] for job in merges(experiment, collection, lang)]))


def merges(experiment: Experiment, collection: str, lang: str) -> list[Job]:
    """Return the runs of a language that merge the runs of a collection's parts, or of each passage language.

    The merged run of all passage languages is that of one index with the passages of all languages.
    """
    by_language = [("runs", name, "maxsim") for name in experiment.collections_by_language(collection).values()]
    searched = by_language or [("part_runs", collection, part) for part in experiment.parts()]
    return [
        {
            "runs": [_run_file(experiment, folder, name, lang, by, method, seed) for folder, name, by in searched],
            "out": run_of(experiment, collection, lang, method, seed),
            "tag": method,
        }
        for method, seed in runs_on(experiment, collection, lang, kinds_searching("maxsim", lang))
    ]


# --- students on held-out pairs


def checked_students(experiment: Experiment, lang: str) -> list[Job]:
    """Return the students of a language to check on held-out pairs, each with the model it started from."""
    start_of = {"distilled": next(iter(extended(experiment, lang)), teacher(experiment))}
    english = {"dense-distilled": {"teacher": dense(experiment)}}
    return [
        {"method": method, "seed": seed, "folder": experiment.student(lang, method, seed)}
        | {"start": start_of.get(experiment.method(method).kind, teacher_of(experiment, method))}
        | english.get(experiment.method(method).kind, {})
        for method, seed in experiment.runs(lang, kinds(reader="student"))
    ]


def lexical_settings(experiment: Experiment) -> LexicalSettings:
    """Return the settings of the experiment's BM25, or the defaults if it is not among the methods."""
    blocks = map(experiment.method, experiment.config.methods)
    return next((block.lexical for block in blocks if block.kind == "lexical"), LexicalSettings())


def held_out_tables(experiment: Experiment) -> list[str]:
    """Return the tables of all languages that have students and held-out pairs."""
    langs = experiment.taught_languages() if experiment.holds_out else []
    return [f"{experiment.results}/held_out/{lang}.tsv" for lang in langs]


# --- evaluations


def evaluations(experiment: Experiment, collection: str, lang: str, pruned: bool = False) -> list[Job]:
    """Return the evaluations of a language's methods, of exact searches or of searches in a pruned index.

    Methods that read English queries are left out if the collection has none.
    """
    english = has_english(experiment, collection)
    chosen = [name for name, kind in KINDS.items() if english or kind.queries != "english"]
    indexed = kinds(search="maxsim", documents="teacher")
    chosen = [name for name in chosen if not pruned or name in indexed]
    return [
        {
            "run": run_of(experiment, collection, lang, method, seed, pruned),
            "method": method,
            "lang": lang,
            "seed": seed,
            "queries": f"{experiment.collection(collection)}/queries/{lang}.tsv",
        }
        for method, seed in runs_on(experiment, collection, lang, chosen)
    ]


def described_runs(experiment: Experiment, collection: str, lang: str) -> list[Job]:
    """Return the runs that the report lists query by query: the first seed of each method."""
    runs: dict[object, Job] = {}
    for job in evaluations(experiment, collection, lang):
        runs.setdefault(job["method"], {"run": job["run"], "method": job["method"]})
    return list(runs.values())


def folders_of_runs(experiment: Experiment, collection: str, lang: str, pruned: bool = False) -> list[str]:
    """Return the folders of the runs that `evaluations` reads."""
    return folders_of(str(job["run"]) for job in evaluations(experiment, collection, lang, pruned))


def folders_of(runs: Iterable[str]) -> list[str]:
    """Return the folders of run files."""
    return sorted({run.rsplit("/", 2)[0] for run in runs})


def run_of(experiment: Experiment, collection: str, lang: str, method: str, seed: int, pruned: bool = False) -> str:
    """Return the run file of a method. Its path names the language of the queries read and the kind of search."""
    kind = experiment.kind_of(method)
    merged = experiment.in_parts or experiment.collections_by_language(collection)
    vectors = PRUNED if pruned else "merged" if merged else "maxsim"
    made_by = vectors if kind.search == "maxsim" else kind.search
    queries = "en" if kind.queries == "english" else lang
    return _run_file(experiment, "runs", collection, queries, made_by, method, seed)


def _run_file(
    experiment: Experiment, folder: str, collection: str, lang: str, made_by: str, method: str, seed: int
) -> str:
    """Return a run file; after a search in passages of several languages, its name has the passage language."""
    searched = searched_with(experiment, collection) if made_by == "maxsim" else collection
    passages = "" if searched == collection else f".{experiment.passage_languages(collection)[0]}"
    return f"{experiment.results}/{folder}/{searched}/{lang}/{made_by}/{method}/{seed}{passages}.trec"


def scores(experiment: Experiment, collection: str) -> list[str]:
    """Return the score files of a collection, one for each language."""
    return [f"{experiment.results}/scores/{collection}/{lang}.tsv" for lang in experiment.languages_of(collection)]


def tables(experiment: Experiment, name: str) -> list[str]:
    """Return the path of a table, by its file name, for every collection."""
    return [f"{experiment.results}/tables/{collection}/{name}" for collection in experiment.test_collections()]


# --- alignment of names


def lexicon(experiment: Experiment, lang: str) -> str:
    """Return the file of a language's names with their English translations."""
    if experiment.config.lexicon is None:
        hint = "give names and their translations, or leave alignment_quality.tsv out"
        raise ConfigError("no names to measure alignment by", where="lexicon", hint=hint)
    if not keeps_vocabulary(experiment):
        what, hint = "alignment is measured with one vocabulary alone", "measure with pieces: 0"
        raise ConfigError(what, where="vocabulary.pieces", hint=hint)
    return file_of(experiment, experiment.config.lexicon, lang)


def aligners(experiment: Experiment, lang: str) -> list[Job]:
    """Return the models whose alignment is measured, each with the model that encodes English.

    These are the encoder before training, the teacher, and every distilled student with the teacher.
    """
    bare, english = encoder(experiment), teacher(experiment)
    rows = [] if given_teacher(experiment) else [("encoder", 1, bare, bare, "document")]
    rows.append(("teacher", 1, english, english, "query"))
    for method, seed in experiment.runs(lang, ["distilled"]):
        rows.append((method, seed, query_encoder(experiment, lang, method, seed), english, "query"))
    columns = ("method", "seed", "foreign", "english", "kind")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def aligner_models(experiment: Experiment, lang: str) -> list[str]:
    """Return the folders of the models that `aligners` names."""
    return sorted({str(job[side]) for job in aligners(experiment, lang) for side in ("foreign", "english")})


# --- conditions: scores of several experiments in one table


def condition(experiment: Experiment, collection: str, lang: str, **what: object) -> Job:
    """Return a row of a table of conditions: its labels (`what`) and the files of its scores and bitext."""
    learns = any(experiment.kind_of(method).learns_from_bitext for method in experiment.config.methods)
    place = {"share": experiment.share, "collection": collection, "lang": lang}
    files = {"scores": f"{experiment.results}/scores/{collection}/{lang}.tsv"}
    return what | place | files | {"bitext": experiment.bitext(lang) if learns else ""}


def pruned_collections(experiment: Experiment) -> list[str]:
    """Return the collections with English passages. The teacher encodes these, so one index serves all methods."""
    config = experiment.config
    indexed_kinds = kinds(search="maxsim", documents="teacher")
    if not any(experiment.method(method).kind in indexed_kinds for method in config.methods):
        raise ConfigError("no method searches with token vectors", "methods", "add one that does, such as zero-shot")
    indexed = [name for name in experiment.test_collections() if experiment.passage_languages(name) == ["en"]]
    if not indexed:
        raise ConfigError("only English passages can be pruned", "collections", "add a collection of English passages")
    return indexed


def pruned_conditions(experiment: Experiment) -> list[Job]:
    """Return the scores of every language with and without pruning."""
    return [
        condition(experiment, collection, lang, variant=search)
        | {"scores": f"{experiment.results}/{folder}/{collection}/{lang}.tsv", "bitext": ""}
        for search, folder in ((EXACT, "scores"), (PRUNED, "pruned_scores"))
        for collection in pruned_collections(experiment)
        for lang in experiment.languages_of(collection)
    ]


# --- targets


def targets(experiment: Experiment) -> list[str]:
    """Return the default targets: the table, and vectors and models for collections without queries.

    Where no query tells how good a student is, held-out sentence pairs do.
    """
    made = [f"{experiment.results}/map_table.tsv"] if experiment.test_collections() else held_out_tables(experiment)
    for name in experiment.searchable_collections():
        made += document_vectors(experiment, name)
        for lang in experiment.languages_of(name):
            made += query_encoders(experiment, name, lang) + other_vectors(experiment, name, lang)
    return list(dict.fromkeys(made))


def published_tables(experiment: Experiment) -> list[str]:
    """Return the published tables, which are those of the first collection with judgements."""
    folder = f"{experiment.results}/tables/{experiment.main_collection()}"
    return [f"{folder}/map_{name}" for name in ("table.tsv", "table.md", "table.tex", "cells.tsv")]


# --- the report


def titles(experiment: Experiment, langs: Iterable[str]) -> dict[str, str]:
    """Return the panel titles of a figure: name and resource level of each language."""
    rows = {lang: experiment.languages[lang] for lang in langs}
    return {lang: f"{row['name']} ({row['resource']})" for lang, row in rows.items()}


def names(experiment: Experiment) -> dict[str, str]:
    """Return the English names of the experiment's languages."""
    return {lang: experiment.languages[lang]["name"] for lang in experiment.config.languages}


def students(experiment: Experiment) -> list[Job]:
    """Return all students, with their folders."""
    return [
        {"lang": lang, "method": method, "seed": seed, "folder": experiment.student(lang, method, seed)}
        for lang, method, seed in experiment.students()
    ]


def shown_student(experiment: Experiment, lang: str) -> str:
    """Return the student whose alignment is drawn: that of the reference method if distilled, else the first."""
    runs = experiment.runs(lang, ["distilled"])
    preferred = [run for run in runs if run[0] == experiment.config.reference]
    return experiment.student(lang, *(preferred or runs)[0])


def figures(experiment: Experiment) -> list[str]:
    """Return the figures of the report.

    The gap needs languages of both resource levels, and the gains of queries a rival of the reference in its languages.
    The bitext curve is shown only if it exists already.
    """
    collections = experiment.test_collections()
    names = [f"{collection}/map" for collection in collections]
    names += [f"{collection}/gap" for collection in collections if has_both_levels(experiment, collection)]
    names += [f"{collection}/queries" for collection in collections if meets_a_rival(experiment, collection)]
    names += [f"alignment/{lang}" for lang in experiment.aligned_languages()]
    names += ["curves"] if experiment.students() else []
    names += ["bitext_curve"] if Path(experiment.folder, experiment.results, "bitext_curve.tsv").is_file() else []
    return [f"{experiment.results}/figures/{name}.svg" for name in names]


def described_queries(experiment: Experiment) -> list[str]:
    """Return the query descriptions of all collections and languages."""
    return [
        f"{experiment.results}/queries/{collection}/{lang}.json"
        for collection in experiment.test_collections()
        for lang in experiment.languages_of(collection)
    ]


def meets_a_rival(experiment: Experiment, collection: str) -> bool:
    """Return whether the reference and a rival answer the same queries of a collection, in one language at least."""
    jobs = [evaluations(experiment, collection, lang) for lang in experiment.languages_of(collection)]
    run = [{job["method"] for job in of_language} for of_language in jobs]
    return any(experiment.config.reference in methods and methods.intersection(experiment.rivals()) for methods in run)


def has_both_levels(experiment: Experiment, collection: str) -> bool:
    """Return whether a collection has languages of both resource levels."""
    langs = set(experiment.languages_of(collection))
    return all(langs.intersection(members) for members in experiment.levels().values())


def files_in(jobs: Iterable[Mapping[str, object]], key: str) -> list[str]:
    """Return the distinct files that jobs have under a key, without empty names."""
    return list(dict.fromkeys(str(job[key]) for job in jobs if job.get(key)))
