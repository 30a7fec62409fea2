"""Who reads which passages, and which methods search them."""

from optical.plan import jobs, models, searching, translations
from support.experiments import experiment

METHODS = ["english", "bm25", "smt", "nmt", "zero-shot", "extended", "dense", "dense+mse", "optical", "optical+bm25"]


def any_to_any(**keys):
    """Return the experiment with more methods and with subwords of each language."""
    return experiment({"vocabulary": {"pieces": 9}}, file="any_to_any.yaml", **({"methods": METHODS} | keys))


def test_methods_search_the_passages_that_they_can_read_with_queries_that_they_have():
    tried = any_to_any()
    by_vectors = ["zero-shot", "extended", "dense", "dense+mse", "optical"]
    everything = [name for name in METHODS if name != "english"]
    for collection, lang, found in [
        ("flores-en", "sw", ["english", *everything]),
        ("flores-en", "en", ["english", "bm25", *by_vectors, "optical+bm25"]),
        ("flores-sw", "sw", ["english", "bm25", *by_vectors, "optical+bm25"]),
        ("flores-de", "sw", ["english", *by_vectors]),
        ("flores-de", "en", ["english", *by_vectors]),
        ("flores", "sw", ["english", "bm25", *by_vectors, "optical+bm25"]),
    ]:
        assert searching.methods_on(tried, collection, lang) == found, (collection, lang)
    default = experiment()
    assert searching.methods_on(default, "atlas", "en") == ["english"]
    assert searching.methods_on(default, "atlas", "sw") == default.methods_for("sw")


def test_a_method_without_students_of_the_passages_language_does_not_search_them():
    table = {"few": {"kind": "distilled", "objectives": {"optimal_transport": 1.0}, "languages": ["sw"]}}
    tried = any_to_any(methods=["optical", "few"], method_table=table)
    assert searching.methods_on(tried, "flores-sw", "sw") == ["optical", "few"]
    assert searching.methods_on(tried, "flores-de", "sw") == ["optical"]
    assert searching.methods_on(tried, "flores", "sw") == ["optical"]


def test_passages_are_read_by_the_model_that_reads_queries_of_their_language():
    tried = any_to_any(seeds=[2])
    results = "results/any_to_any"
    for method, english, foreign in [
        ("zero-shot", [], []),
        ("extended", [], [f"{results}/model_vectors/flores-de/extended/de"]),
        ("optical", [], [f"{results}/model_vectors/flores-de/students/de/optical/2"]),
        ("dense", [f"{results}/model_vectors/flores-en/dense"], [f"{results}/model_vectors/flores-de/dense"]),
        (
            "dense+mse",
            [f"{results}/model_vectors/flores-en/dense"],
            [f"{results}/model_vectors/flores-de/students/de/dense+mse/2"],
        ),
    ]:
        assert searching.own_documents(tried, "flores-en", method, 2) == english
        assert searching.own_documents(tried, "flores-de", method, 2) == foreign
        for folder in foreign:
            model = folder.removeprefix(f"{results}/model_vectors/flores-de/")
            assert models.passage_encoder(tried, model) == models.query_encoder(tried, "de", method, 2)
    assert jobs.query_encoders(tried, "flores-de", "en") == [f"{results}/dense", f"{results}/teacher"]


def test_one_job_searches_the_passages_of_all_languages_with_the_same_queries():
    table = {"few": {"kind": "distilled", "objectives": {"optimal_transport": 1.0}, "languages": ["sw"]}}
    tried = any_to_any(methods=["nmt", "zero-shot", "optical", "few"], method_table=table, seeds=[1])
    results = "results/any_to_any"
    found = {job["out"]: job for job in jobs.searches(tried, "flores", "sw", "maxsim")}
    langs = tried.collections_by_language("flores")
    names = {"nmt": ["en"], "zero-shot": langs, "optical": langs, "few": ["en", "sw"]}
    files = {f"{name}/1.{lang}.trec" for name, read in names.items() for lang in read}
    assert set(found) == {f"{results}/runs/flores/sw/maxsim/{file}" for file in files}
    evaluated = {lang: jobs.evaluations(tried, name, "sw") for lang, name in langs.items()}
    assert {job["run"] for of_language in evaluated.values() for job in of_language} == set(found)
    assert {job["queries"] for job in found.values() if job["tag"] != "nmt"} == {
        f"{results}/collections/flores/queries/sw.tsv"
    }, "a query without a relevant passage in one language is searched there for the index of all"
    translated = found[f"{results}/runs/flores/sw/maxsim/nmt/1.en.trec"]["queries"]
    assert translated == f"{results}/translations/sw/shared/queries/flores-en.tsv"
    assert found[f"{results}/runs/flores/sw/maxsim/zero-shot/1.de.trec"]["shards"] == [f"{results}/vectors/flores-de"]
    read = {*jobs.document_vectors(tried, "flores"), *searching.other_vectors(tried, "flores", "sw")}
    assert {folder for job in found.values() for folder in job["shards"]} == read
    assert translations.translated_queries(tried, "flores", "sw", "translated") == [f"{results}/translations/sw/shared"]
    assert {job["encoder"] for job in found.values()} <= set(jobs.query_encoders(tried, "flores", "sw"))
    alone = any_to_any(methods=["zero-shot"], collections=["flores-de"], reference="zero-shot")
    assert jobs.folders_of_runs(alone, "flores-de", "sw") == [f"{results}/runs/flores-de/sw/maxsim"]
    assert [job["out"] for job in jobs.searches(alone, "flores-de", "sw", "maxsim")] == [
        f"{results}/runs/flores-de/sw/maxsim/zero-shot/1.trec"
    ]


def test_one_index_of_all_languages_finds_what_the_searches_of_each_find():
    tried = any_to_any(methods=["zero-shot", "bm25", "optical"], seeds=[1, 2])
    merged = jobs.merges(tried, "flores", "en")
    assert [job["out"].removeprefix("results/any_to_any/runs/") for job in merged] == [
        "flores/en/merged/zero-shot/1.trec",
        "flores/en/merged/optical/1.trec",
        "flores/en/merged/optical/2.trec",
    ]
    written = {job["out"] for job in jobs.searches(tried, "flores", "en", "maxsim")}
    assert {run for job in merged for run in job["runs"]} == written
    assert jobs.part_runs(tried, "flores", "en") == ["results/any_to_any/runs/flores/en/maxsim"]
    read = {job["run"] for job in jobs.evaluations(tried, "flores", "sw")}
    assert read == {
        *(job["out"] for job in jobs.merges(tried, "flores", "sw")),
        "results/any_to_any/runs/flores/sw/lexical/bm25/1.trec",
    }
