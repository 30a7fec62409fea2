"""Helpers of the rules that make the report: what there is to be drawn, and under which names."""

import json


def ordered_argument(value):
    """Return a piece of config as a program takes it, its keys in the order of the table."""
    return json.dumps(value, ensure_ascii=False)


def titles_of(langs):
    """Return the titles of the panels of a figure: names of languages and their resource levels."""
    return {lang: f"{LANGUAGES[lang]['name']} ({LANGUAGES[lang]['resource']})" for lang in langs}


def panel_titles(wildcards):
    """Return the titles of the panels of a collection's figures."""
    return ordered_argument(titles_of(languages_of(wildcards.collection)))


def rivals():
    """Return the methods that the reference is compared with query by query; human English is no rival."""
    return [method for method in config["methods"] if method != config["reference"] and kind_of(method) != "english"]


def student_runs(kinds=TRAINED_KINDS):
    """Return (language, method, seed) of every student of these kinds that some collection is searched with."""
    asked = {lang for collection in config["collections"] for lang in languages_of(collection)}
    langs = [lang for lang in config["languages"] if lang in asked]
    return [(lang, method, seed) for lang in langs for method, seed in runs_of(lang, kinds)]


def all_students():
    """Return the folders of all students."""
    return [query_encoder(*run) for run in student_runs()]


def students_argument(wildcards, input):
    """Return the students as a program takes them."""
    columns = ("lang", "method", "seed", "folder")
    return as_argument(
        [
            dict(zip(columns, (*run, str(folder)), strict=True))
            for run, folder in zip(student_runs(), input.students, strict=True)
        ]
    )


def shown_student(wildcards):
    """Return the student whose alignment is drawn: the reference method's where it is distilled, or the first one."""
    runs = runs_of(wildcards.lang, ("distilled",))
    preferred = [run for run in runs if run[0] == config["reference"]]
    return query_encoder(wildcards.lang, *(preferred or runs)[0])


def aligned_languages():
    """Return the languages that have a distilled student."""
    return list(dict.fromkeys(lang for lang, _, _ in student_runs(("distilled",))))


def bitext_languages():
    """Return the languages whose sentence pairs some method of the experiment learns from."""
    return [lang for lang in config["languages"] if methods_for(lang, BITEXT_KINDS)]


def shown_settings(wildcards):
    """Return the config of the experiment without the machine's block, which decides no figure."""
    return as_argument({key: value for key, value in config.items() if key not in ("machine", "pathvars")})


def report_figures(wildcards):
    """Return the figures that the report shows; the bitext curve only where it was asked for and made before."""
    names = [f"{collection}/{name}" for collection in config["collections"] for name in ("map", "gap")]
    if rivals():
        names += [f"{collection}/queries" for collection in config["collections"]]
    names += [f"alignment/{lang}" for lang in aligned_languages()]
    if student_runs():
        names.append("curves")
    if Path(results(), "bitext_curve.tsv").is_file():
        names.append("bitext_curve")
    return [f"<results>/figures/{name}.svg" for name in names]


# --- students from shares of the sentence pairs


@in_one_line
def curve_methods(wildcards):
    """Return the methods of the bitext curve: those that the config names and the experiment distils, or all."""
    named = config["bitext_curve"]["methods"] or config["methods"]
    found = [method for method in config["methods"] if method in named and kind_of(method) == "distilled"]
    if not found:
        hint = "name a distilled one of methods, or leave the curve out"
        raise ConfigError("no method to draw the curve of", where="bitext_curve.methods", hint=hint)
    return found


def curve_languages(wildcards):
    """Return the languages of the bitext curve: those of the first collection that a method of it learns."""
    methods = curve_methods(wildcards)
    langs = languages_of(config["collections"][0])
    return [lang for lang in langs if any(lang in languages_of_method(method) for method in methods)]


def curve_titles(wildcards):
    """Return the titles of the panels of the bitext curve."""
    return ordered_argument(titles_of(curve_languages(wildcards)))


def share_runs(wildcards):
    """Return (method, seed) of the students of a language that are made from each share."""
    methods = curve_methods(wildcards)
    return [run for run in runs_of(wildcards.lang, ("distilled",)) if run[0] in methods]


def share_students(wildcards):
    """Return the students of a share and language."""
    folder = f"<results>/bitext_curve/{wildcards.share}/students/{wildcards.lang}"
    return [f"{folder}/{method}/{seed}" for method, seed in share_runs(wildcards)]


@in_one_line
def share_search_jobs(wildcards, input, output):
    """Return the searches of a share and language: one per student."""
    if config["collection_table"][wildcards.collection].get("documents_by") == "student":
        where = f"collection_table.{wildcards.collection}.documents_by"
        raise ConfigError("students of the curve read no documents", where=where, hint="leave the curve of bitext out")
    runs = zip(share_runs(wildcards), input.encoders, strict=True)
    queries = f"{input.collection}/queries/{wildcards.lang}.tsv"
    return as_argument(
        [
            {"encoder": str(encoder), "queries": queries, "out": f"{output.runs}/{method}/{seed}.trec", "tag": method}
            for (method, seed), encoder in runs
        ]
    )


def share_evaluation_jobs(wildcards, input):
    """Return the evaluations of a share and language: one per run."""
    common = {"lang": wildcards.lang, "queries": f"{input.collection}/queries/{wildcards.lang}.tsv"}
    return as_argument(
        [
            common | {"run": f"{input.runs}/{method}/{seed}.trec", "method": method, "seed": seed}
            for method, seed in share_runs(wildcards)
        ]
    )


def curve_jobs(wildcards, input):
    """Return the points of the bitext curve: share, language, scores and sentence pairs of each."""
    places = list(product([*SHARES, 100], curve_languages(wildcards)))
    files = zip([*input.scores, *input.whole_scores], [*input.bitext, *input.whole_bitext], strict=True)
    return as_argument(
        [
            {"share": share, "lang": lang, "scores": str(scores), "bitext": str(bitext)}
            for (share, lang), (scores, bitext) in zip(places, files, strict=True)
        ]
    )
