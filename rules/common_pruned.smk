"""Helpers of the rules of the pruned index: which collections and methods have one, and the scores to compare."""

EXACT, PRUNED = "exact", "pruned"
PRUNED_KINDS = ("english", *MAXSIM_KINDS)  # those that search with token vectors


@in_one_line
def pruned_collections():
    """Return the collections whose documents the teacher reads: one index serves all their methods."""
    if not any(kind_of(method) in PRUNED_KINDS for method in config["methods"]):
        raise ConfigError("none searches with token vectors", "methods", "name one that does, such as zero-shot")
    blocks = config["collection_table"]
    found = [name for name in config["collections"] if blocks[name].get("documents_by") != "student"]
    if not found:
        hint = "name a collection whose documents the teacher reads"
        raise ConfigError("each student reads the documents itself, and none has an index", "collections", hint)
    return found


def pruned_kinds(collection):
    """Return the kinds of method that search a collection with token vectors."""
    return [kind for kind in kinds_in(collection) if kind in PRUNED_KINDS]


def pruned_runs(wildcards):
    """Return the folders of pruned runs that a language's evaluation reads."""
    return folders_of_runs(wildcards, pruned_kinds(wildcards.collection), PRUNED)


def pruned_evaluations(wildcards):
    """Return the evaluations of a language's pruned runs."""
    return evaluations(wildcards, pruned_kinds(wildcards.collection), PRUNED)


def pruned_places():
    """Return every place that has scores with and without pruning: search, collection, language and file."""
    return [
        {"variant": search, "share": 100, "collection": collection, "lang": lang}
        | {"scores": f"{results()}/{folder}/{collection}/{lang}.tsv", "bitext": ""}
        for search, folder in ((EXACT, "scores"), (PRUNED, "pruned_scores"))
        for collection in pruned_collections()
        for lang in languages_of(collection)
    ]


def pruned_table_scores(wildcards):
    """Return the scores of all searches, exact and pruned."""
    return [place["scores"] for place in pruned_places()]


def pruned_table_jobs(wildcards):
    """Return the scores as the program takes them that compares the two searches, method by method."""
    return as_argument(pruned_places())
