"""Helpers of the rules that search and score: which method reads which queries, and where its run goes."""

WHOLE = "1-of-1"  # a collection that is not in parts, as Snakemake numbers parts

# What measure_alignment calls the held-out pairs, and its measures: see optical.evaluation.name_alignment.
ALIGNED = "held-out"
ALIGNMENT_MEASURES = ("mass", "mass_translated", "chance")


def block_of_collection(collection):
    """Return the block of a collection, files resolved, and those files."""
    block = config["collection_table"][collection]
    return resolved_block(block, f"collection_table.{collection}", READERS, ["en", *languages_of(collection)])


def collection_files(wildcards):
    """Return the files that a collection is made from."""
    return block_of_collection(wildcards.collection)[1]


def collection_settings(wildcards):
    """Return the block of a collection as a program takes it."""
    return as_argument(block_of_collection(wildcards.collection)[0])


def splitting(collection):
    """Return how a collection cuts its documents into passages; nothing where it keeps them whole."""
    return block_of_collection(collection)[0].get("split") or {}


def splitting_tokeniser(wildcards):
    """Return the folder of the tokeniser whose tokens the length of a passage counts; nothing where it counts words."""
    return tokeniser() if splitting_by_tokens(wildcards.collection) else []


def splitting_by_tokens(collection):
    """Return whether the length of a collection's passages counts tokens."""
    return splitting(collection).get("unit") == "tokens"


def passages_flag(wildcards):
    """Return the option that says that runs list passages, or nothing."""
    return "--passages" if splitting(wildcards.collection) else ""


def has_english(collection):
    """Return whether a collection has English queries: its files or ids tell, or its reader brings them."""
    block, _ = block_of_collection(collection)
    if block["reader"] == "ir_datasets":
        return names_english_queries(block)
    files = [block[key] for key in ("queries", "topics") if key in block]
    return all(isinstance(by_language, dict) and "en" in by_language for by_language in files)


def collection_languages(wildcards):
    """Return the languages whose queries a collection holds."""
    return ["en", *languages_of(wildcards.collection)]


def query_encoders(wildcards):
    """Return the models of all runs of a language."""
    runs = runs_of(wildcards.lang, maxsim_kinds(wildcards.lang))
    return sorted({query_encoder(wildcards.lang, method, seed) for method, seed in runs})


def in_parts():
    """Return whether documents are encoded and searched in parts."""
    return config["search"]["parts"] > 1


def minutes_of_part(minutes):
    """Return the time of a part's job: its share of the whole's, and what starting takes however small it is."""
    return 30 + minutes // config["search"]["parts"]


def document_vectors():
    """Return the vectors of a collection's documents: the whole's or all parts', in collection order."""
    parts = gather.part("<results>/part_vectors/{{collection}}/{scatteritem}")
    return parts if in_parts() else ["<results>/vectors/{collection}"]


def student_vectors(wildcards):
    """Return the documents' vectors of every student of a language that reads the documents itself."""
    runs = runs_of(wildcards.lang, maxsim_kinds(wildcards.lang))
    return flatten_values([own_documents(wildcards, *run) for run in runs])


def own_documents(wildcards, method, seed):
    """Return the documents' vectors that a run searches in place of the teacher's, where its student reads them."""
    by_student = config["collection_table"][wildcards.collection].get("documents_by") == "student"
    own = by_student and kind_of(method) in TRAINED_KINDS
    return [f"<results>/student_vectors/{wildcards.collection}/{wildcards.lang}/{method}/{seed}"] if own else []


def maxsim_kinds(lang):
    """Return the kinds of method that search with token vectors; English queries only with the teacher."""
    return ("english",) if lang == "en" else MAXSIM_KINDS


def translated_queries(kind):
    """Return a function that gives the translated queries of a language, where a method of this kind reads them."""

    def queries(wildcards):
        needed = methods_for(wildcards.lang, (kind,))
        return f"<results>/translations/{wildcards.lang}" if needed else []

    return queries


def lexical_tables(wildcards):
    """Return the lexical table of a language, where a method searches through it."""
    needed = methods_for(wildcards.lang, ("structured",))
    return f"<results>/lexical_tables/{wildcards.lang}.tsv" if needed else []


def search_jobs(wildcards, input, output):
    """Return the searches of a language: one per method and seed."""
    jobs = [
        query_job(wildcards, input, output, method, seed)
        | {"encoder": query_encoder(wildcards.lang, method, seed).replace("<results>", results())}
        | shards_argument(own_documents(wildcards, method, seed))
        for method, seed in runs_of(wildcards.lang, maxsim_kinds(wildcards.lang))
    ]
    return as_argument(jobs)


def shards_argument(folders):
    """Return the part of a search's job that names documents of its own."""
    return {"shards": [folder.replace("<results>", results()) for folder in folders]} if folders else {}


def lexical_jobs(wildcards, input, output):
    """Return the lexical searches of a language: one per method."""
    jobs = [
        query_job(wildcards, input, output, method, seed)
        | {"settings": config["method_table"][method].get("lexical", {})}
        | ({"lexical_table": str(input.table)} if kind_of(method) == "structured" else {})
        for method, seed in runs_of(wildcards.lang, LEXICAL_KINDS)
    ]
    return as_argument(jobs)


def query_job(wildcards, input, output, method, seed):
    """Return what every search has: its queries, translated where the method reads such, its run and name."""
    queries = f"{input.collection}/queries/{wildcards.lang}.tsv"
    if kind_of(method) in TRANSLATED_KINDS:
        queries = translations_file(input.translations, wildcards.collection)
    return {
        "queries": queries,
        "out": f"{output.runs}/{method}/{seed}.trec",
        "tag": method,
    }


def collections_of_language(wildcards):
    """Return the collections that have queries of a language."""
    return [f"<results>/collections/{name}" for name in config["collections"] if wildcards.lang in languages_of(name)]


def queries_of_collections(wildcards, input):
    """Return the queries of a language, of all its collections."""
    return [f"{folder}/queries/{wildcards.lang}.tsv" for folder in input.collections]


def translations_of_collections(wildcards, input, output):
    """Return where their translations are written, in the same order."""
    return [translations_file(output, Path(folder).name) for folder in input.collections]


def translations_file(folder, collection):
    """Return the translated queries of a collection among the translations of a language."""
    return f"{folder}/queries/{collection}.tsv"


def translations(wildcards):
    """Return the translations of every language that a translator serves."""
    return [f"<results>/translations/{lang}" for lang in translated_languages()]


def translation_table():
    """Return the table of the translators' scores, where a method of the experiment translates."""
    return "<results>/translation_table.tsv" if translated_languages() else []


def translation_scores_jobs(wildcards, input):
    """Return the scores of the translators: one per language."""
    pairs = zip(translated_languages(), input.translations, strict=True)
    return as_argument(
        [{"lang": lang, "method": "nmt", "translations": f"{folder}/held_out.tsv"} for lang, folder in pairs]
    )


def translated_languages():
    """Return the languages whose queries some method of the experiment translates."""
    return [lang for lang in config["languages"] if methods_for(lang, TRANSLATED_KINDS)]


def results():
    """Return the folder of this experiment."""
    return config["results"]


def name_of_experiment():
    """Return what config/expected.tsv calls this experiment: its folder below results/; "default" for the default."""
    below = Path(results()).parts[1:]
    return str(Path(*below)) if below else "default"


def evaluation_jobs(wildcards):
    """Return the evaluations of a language: each method's run on the language's queries."""
    return evaluations(wildcards, kinds_in(wildcards.collection))


def evaluations(wildcards, kinds, search=None):
    """Return the evaluations of a language's methods of these kinds, by a search of one name or each by its own."""
    folder = f"{results()}/runs/{wildcards.collection}"
    jobs = [
        {
            "run": f"{folder}/{run_language(method, wildcards.lang)}/{search or search_of(method)}/{method}/{seed}.trec",
            "method": method,
            "lang": wildcards.lang,
            "seed": seed,
            "queries": f"{results()}/collections/{wildcards.collection}/queries/{wildcards.lang}.tsv",
        }
        for method, seed in runs_of(wildcards.lang, kinds)
    ]
    return as_argument(jobs)


def kinds_in(collection):
    """Return the kinds of method that a collection can try: without English queries none reads them."""
    return [kind for kind in KINDS if kind != "english" or has_english(collection)]


def run_language(method, lang):
    """Return the language of the queries that a method reads."""
    return "en" if kind_of(method) == "english" else lang


def search_of(method):
    """Return the folder of a method's runs, which says how they are made."""
    if kind_of(method) in LEXICAL_KINDS:
        return "lexical"
    return "merged" if in_parts() else "maxsim"


def runs_to_evaluate(wildcards):
    """Return the folders of runs that a language's evaluation reads."""
    return folders_of_runs(wildcards, kinds_in(wildcards.collection))


def folders_of_runs(wildcards, kinds, search=None):
    """Return the folders of runs of a language's methods of these kinds, by a search of one name or each by its own."""
    methods = methods_for(wildcards.lang, kinds)
    folders = {(run_language(method, wildcards.lang), search or search_of(method)) for method in methods}
    return [f"<results>/runs/{wildcards.collection}/{lang}/{made_by}" for lang, made_by in sorted(folders)]


def collection_languages_of_table(wildcards):
    """Return the languages that a collection's table has columns for."""
    return languages_of(wildcards.collection)


def scores_of(wildcards):
    """Return the scores of all languages of a collection."""
    return [f"<results>/scores/{wildcards.collection}/{lang}.tsv" for lang in languages_of(wildcards.collection)]


# --- how well names are aligned


@in_one_line
def lexicon(wildcards):
    """Return the file of a language's names and their English."""
    if config["lexicon"] is None:
        hint = "give names and their translations, or leave alignment_quality.tsv out"
        raise ConfigError("no names to measure alignment by", where="lexicon", hint=hint)
    if config["vocabulary"]["pieces"]:
        hint = "measure with pieces: 0"
        raise ConfigError("alignment is measured with one vocabulary alone", where="vocabulary.pieces", hint=hint)
    return file_of(config["lexicon"], wildcards.lang)


def aligners(lang):
    """Return (method, seed, reader of the language, reader of English) of the models whose alignment is measured.

    That is the encoder before any training for retrieval, the teacher, and every distilled student beside the teacher.
    """
    found = [] if given_teacher() else [("encoder", 1, encoder(), encoder())]
    found.append(("teacher", 1, teacher(), teacher()))
    runs = runs_of(lang, ("distilled",))
    return found + [(method, seed, query_encoder(lang, method, seed), teacher()) for method, seed in runs]


def models_that_align(wildcards):
    """Return the folders of the models whose alignment is measured."""
    return sorted({folder for _, _, *folders in aligners(wildcards.lang) for folder in folders})


def alignment_jobs(wildcards):
    """Return the models whose alignment is measured as a program takes them."""
    columns = ("method", "seed", "foreign", "english")
    jobs = [dict(zip(columns, row, strict=True)) for row in aligners(wildcards.lang)]
    return as_argument(
        [
            {key: str(value).replace("<results>", results()) for key, value in job.items()}
            | {"kind": "document" if job["method"] == "encoder" else "query"}
            for job in jobs
        ]
    )


def alignment_settings():
    """Return what decides the measured plans: the experiment's transport, and how a bare encoder reads."""
    return as_argument({"transport": config["transport"], "encoder": encoder_settings()})
