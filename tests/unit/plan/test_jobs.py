"""Which searches, evaluations and conditions there are, and in which files."""

import pytest

from optical.errors import ConfigError
from optical.plan import jobs, models, searching, sources, translations
from optical.plan.settings import translator_settings
from support.experiments import experiment

BY_STUDENT = {"collection_table": {"atlas": {"passage_languages": ["sw"]}}}


def searched(tried, lang="sw"):
    """Return the searches of a language by method, seed left out."""
    return {job["tag"]: job for job in jobs.searches(tried, "atlas", lang, "maxsim")}


# --- searches


def test_documents_are_encoded_once_whatever_the_languages_methods_and_seeds():
    one = experiment(languages=["sw"], methods=["zero-shot", "optical"], seeds=[1, 2, 3])
    many = experiment(seeds=[1, 2, 3])
    assert jobs.document_vectors(one, "atlas") == jobs.document_vectors(many, "atlas") == ["results/vectors/atlas"]
    assert [job["encoder"] for job in jobs.searches(one, "atlas", "sw", "maxsim")] == [
        "results/teacher",
        *(f"results/students/sw/optical/{seed}" for seed in (1, 2, 3)),
    ]


def test_a_language_is_searched_by_vectors_or_words_as_its_methods_do():
    full = experiment(file="full.yaml")
    by_vectors = {job["tag"] for job in jobs.searches(full, "atlas", "sw", "maxsim")}
    by_words = {job["tag"] for job in jobs.lexical_searches(full, "atlas", "sw")}
    assert by_vectors | by_words | {"english"} == set(full.methods_for("sw"))
    assert by_words == {"bm25", "smt", "nmt-bm25"}
    assert set(searched(full, "en")) == {"english"}


def test_translated_queries_are_searched_where_a_method_reads_them():
    full = experiment(file="full.yaml")
    queries = {name: job["queries"] for name, job in searched(full).items()}
    assert queries["nmt"] == "results/full/translations/sw/shared/queries/atlas.tsv"
    assert queries["optical"] == "results/full/collections/atlas/queries/sw.tsv"
    assert translations.translated_queries(full, "atlas", "sw", "translated") == ["results/full/translations/sw/shared"]
    assert translations.translated_queries(experiment(methods=["bm25", "optical"]), "atlas", "sw", "translated") == []


def test_a_lexical_table_is_asked_for_where_a_method_searches_through_it():
    full = experiment(file="full.yaml")
    tables = {job["tag"]: job.get("lexical_table") for job in jobs.lexical_searches(full, "atlas", "sw")}
    assert tables == {"bm25": None, "nmt-bm25": None, "smt": "results/full/lexical_tables/sw.tsv"}
    assert jobs.lexical_tables(experiment(), "atlas", "sw") == []


def test_methods_with_one_vector_a_text_search_vectors_and_learn_from_a_teacher_of_their_own():
    pooled = {"methods": ["zero-shot", "mse", "dense", "dense+mse"], "reference": "dense", "vocabulary": {"pieces": 9}}
    tried = experiment(pooled, languages=["sw"])
    found = searched(tried)
    assert {name: job.get("shards") for name, job in found.items()} == {
        "zero-shot": None,
        "mse": None,
        "dense": ["results/model_vectors/atlas/dense"],
        "dense+mse": ["results/model_vectors/atlas/dense"],
    }
    assert found["dense"]["encoder"] == "results/dense"
    assert searching.other_vectors(tried, "atlas", "sw") == ["results/model_vectors/atlas/dense"]
    assert [models.teacher_of(tried, name) for name in ("mse", "dense+mse")] == ["results/teacher", "results/dense"]
    assert [len(models.extended(tried, "sw", name)) for name in ("mse", "dense+mse")] == [1, 0]
    assert models.student_tokens(tried, "sw", "dense+mse") == "results/tokens/bitext/sw"
    assert "results/dense" in models.student_bases(tried, "sw")
    checked = {job["method"]: (job["start"], job.get("teacher")) for job in jobs.checked_students(tried, "sw")}
    assert checked == {"mse": ("results/extended/sw", None), "dense+mse": ("results/dense", "results/dense")}
    in_index = {job["tag"] for job in jobs.searches(tried, "atlas", "sw", "pruned")}
    assert in_index == {"zero-shot", "mse"}, "an index of token vectors is of the teacher's"
    assert {job["method"] for job in jobs.evaluations(tried, "atlas", "sw", pruned=True)} == in_index


def test_a_student_that_reads_the_documents_searches_its_own_vectors():
    tried = experiment(BY_STUDENT, languages=["sw"], methods=["zero-shot", "optical"], seeds=[1, 2])
    shards = [job.get("shards") for job in jobs.searches(tried, "atlas", "sw", "maxsim")]
    own = [f"results/model_vectors/atlas/students/sw/optical/{seed}" for seed in (1, 2)]
    assert shards == [None, [own[0]], [own[1]]]
    assert searching.other_vectors(tried, "atlas", "sw") == own


def test_a_search_reads_its_encoders_and_what_students_are_stored_as_changes_to():
    methods = {"languages": ["sw"], "methods": ["bm25", "optical"], "seeds": [1]}
    own = {"vocabulary": {"pieces": 9}}
    student = "results/students/sw/optical/1"
    assert jobs.query_encoders(experiment(**methods), "atlas", "sw") == [student, "results/teacher"]
    assert jobs.query_encoders(experiment(own, **methods), "atlas", "sw") == [
        "results/extended/sw",
        student,
        "results/teacher",
    ]
    assert jobs.query_encoders(experiment(own, languages=["sw"], methods=["zero-shot"]), "atlas", "sw") == [
        "results/teacher"
    ]


def test_a_collection_in_parts_is_encoded_and_searched_part_by_part():
    tried = experiment({"search": {"parts": 3}})
    parts = [f"{number}-of-3" for number in (1, 2, 3)]
    assert jobs.document_vectors(tried, "atlas") == [f"results/part_vectors/atlas/{part}" for part in parts]
    assert jobs.part_runs(tried, "atlas", "sw") == [f"results/part_runs/atlas/sw/{part}" for part in parts]
    places = jobs.folders_of_runs(tried, "atlas", "sw")
    assert places == [f"results/runs/atlas/{place}" for place in ("en/merged", "sw/lexical", "sw/merged")]


# --- students on held-out pairs


def test_each_student_is_checked_against_what_it_started_from():
    full = experiment(file="full.yaml", methods=["bm25", "code-switch", "mse", "optical"], seeds=[1, 2])
    found = jobs.checked_students(full, "sw")
    assert [(job["method"], job["seed"]) for job in found] == [
        (method, seed) for method in ("code-switch", "mse", "optical") for seed in (1, 2)
    ]
    assert {job["start"] for job in found} == {"results/full/teacher"}
    extended = experiment(methods=["code-switch", "optical"], vocabulary={"pieces": 9})
    assert [job["start"] for job in jobs.checked_students(extended, "sw")] == ["results/teacher", "results/extended/sw"]


def test_languages_with_students_and_held_out_pairs_are_checked():
    assert jobs.held_out_tables(experiment(languages=["sw", "de"])) == [
        "results/held_out/sw.tsv",
        "results/held_out/de.tsv",
    ]
    assert jobs.held_out_tables(experiment(methods=["bm25", "zero-shot"], reference="bm25")) == []
    assert jobs.held_out_tables(experiment(bitext_cleaning={"dev_pairs": 0})) == []


def test_students_are_compared_with_the_experiment_s_own_bm25():
    stemmed = experiment({"method_table": {"bm25": {"lexical": {"k1": 2.0}}}})
    assert jobs.lexical_settings(stemmed).k1 == 2.0
    assert jobs.lexical_settings(experiment(methods=["optical"])).k1 == 0.9


# --- evaluations


def test_every_run_is_evaluated_where_its_search_wrote_it():
    full = experiment(file="full.yaml", seeds=[1, 2])
    written = {job["out"] for job in jobs.searches(full, "atlas", "sw", "maxsim")}
    written |= {job["out"] for job in jobs.searches(full, "atlas", "en", "maxsim")}
    written |= {job["out"] for job in jobs.lexical_searches(full, "atlas", "sw")}
    read = [job["run"] for job in jobs.evaluations(full, "atlas", "sw")]
    assert (set(read), len(read)) == (written, len(written))
    folders = jobs.folders_of_runs(full, "atlas", "sw")
    assert {run.rsplit("/", 2)[0] for run in read} == set(folders)


def test_no_english_queries_are_searched_where_the_reader_brings_none():
    changes = {"methods": ["english", "zero-shot"], "reference": "zero-shot"}
    miracl = experiment(changes, file="studies/miracl.yaml")
    assert jobs.folders_of_runs(miracl, "miracl", "sw") == ["results/studies/miracl/runs/miracl/sw/maxsim"]
    assert "results/runs/atlas/en/maxsim" in jobs.folders_of_runs(experiment(), "atlas", "sw")


def test_a_collection_is_scored_in_the_languages_that_it_has():
    subwords = experiment(file="subwords.yaml")
    assert jobs.scores(subwords, "afriqa") == ["results/subwords/scores/afriqa/sw.tsv"]
    assert len(jobs.scores(subwords, "flores")) == 7
    assert jobs.tables(subwords, "map_table.tsv") == [
        "results/subwords/tables/flores/map_table.tsv",
        "results/subwords/tables/afriqa/map_table.tsv",
    ]


# --- translations


def test_held_out_sentences_and_the_queries_of_all_collections_are_translated():
    subwords = experiment(file="subwords.yaml")
    assert translations.queries_to_translate(subwords, "sw") == [
        "results/subwords/bitext/sw/dev.tsv",
        "results/subwords/collections/flores/queries/sw.tsv",
        "results/subwords/collections/afriqa/queries/sw.tsv",
    ]
    made = translations.translations_of_queries(subwords, "sw")
    assert [path.partition("translations/sw/shared/")[2] for path in made] == [
        "held_out.tsv",
        "queries/flores.tsv",
        "queries/afriqa.tsv",
    ]
    german = translations.queries_to_translate(subwords, "de"), translations.translations_of_queries(subwords, "de")
    assert list(map(len, german)) == [2, 2]


def test_a_method_may_translate_with_a_translator_of_its_own_beside_the_common_one():
    own = {"layers": 1, "beams": 2, "source_code": "{flores}"}
    table = {
        "other": {"kind": "translated", "translator": own},
        "other-bm25": {"kind": "translated-lexical"} | {"translator": own},
    }
    tried = experiment(
        {"method_table": table}, languages=["sw"], methods=["nmt", "other", "other-bm25"], reference="nmt"
    )
    queries = searched(tried)
    assert queries["nmt"]["queries"] == "results/translations/sw/shared/queries/atlas.tsv"
    assert queries["other"]["queries"] == "results/translations/sw/other/queries/atlas.tsv"
    [by_words] = jobs.lexical_searches(tried, "atlas", "sw")
    assert by_words["queries"] == queries["other"]["queries"], "the same block is the same translator"
    assert translations.translations(tried) == ["results/translations/sw/shared", "results/translations/sw/other"]
    assert [job["method"] for job in translations.translation_scores(tried)] == ["nmt", "other"]
    assert models.translator(tried, "sw", "other") == "results/translators/sw/other"
    assert models.translator_code(tried, "source_code", "sw", "other") == "swh_Latn"
    assert [translator_settings(tried, owner)["layers"] for owner in ("shared", "other")] == [2, 1]
    assert tried.translator_block("other").beams == 2


def test_a_translator_has_the_name_of_a_method_of_its_own():
    table = {"nmt": {"translator": {"steps": 5}}}
    tried = experiment({"method_table": table}, languages=["sw"], methods=["nmt", "nmt-bm25"], reference="nmt")
    assert [(job["method"], job["translations"]) for job in translations.translation_scores(tried)] == [
        ("nmt", "results/translations/sw/nmt/held_out.tsv"),
        ("nmt-bm25", "results/translations/sw/shared/held_out.tsv"),
    ]
    full = experiment(file="full.yaml", languages=["sw"])
    assert [job["method"] for job in translations.translation_scores(full)] == ["nmt"], "not nmt-bm25, which is first"


def test_translators_are_scored_where_a_method_translates_and_pairs_are_held_out():
    assert translations.translation_table(experiment()) == ["results/translation_table.tsv"]
    assert [job["lang"] for job in translations.translation_scores(experiment())] == experiment().config.languages
    assert translations.translation_table(experiment(methods=["optical"])) == []
    assert translations.translation_table(experiment(bitext_cleaning={"dev_pairs": 0})) == []


# --- how well names are aligned


def test_encoder_teacher_and_every_student_are_measured():
    tried = experiment(methods=["zero-shot", "mse", "optical"], seeds=[1, 2])
    rows = [(job["method"], job["seed"], job["kind"]) for job in jobs.aligners(tried, "sw")]
    distilled = [(method, seed, "query") for method in ("mse", "optical") for seed in (1, 2)]
    assert rows == [("encoder", 1, "document"), ("teacher", 1, "query"), *distilled]
    assert len(jobs.aligner_models(tried, "sw")) == 6
    given = experiment({"teacher": {"source": "results/other/teacher"}})
    assert "encoder" not in {job["method"] for job in jobs.aligners(given, "sw")}


def test_alignment_is_measured_by_names_and_with_one_vocabulary():
    assert jobs.lexicon(experiment(), "sw") == "results/atlas/lexicon/sw.tsv"
    with pytest.raises(ConfigError, match=r"\[lexicon\]"):
        jobs.lexicon(experiment(lexicon=None), "sw")
    with pytest.raises(ConfigError, match=r"\[vocabulary\.pieces\]"):
        jobs.lexicon(experiment(vocabulary={"pieces": 300}), "sw")


# --- conditions


def test_one_index_serves_all_languages_and_methods_of_the_pruned_table():
    default = experiment()
    rows = jobs.pruned_conditions(default)
    assert [row["variant"] for row in rows] == ["exact"] * 7 + ["pruned"] * 7
    assert {row["scores"].split("/")[1] for row in rows} == {"scores", "pruned_scores"}
    assert jobs.pruned_collections(default) == ["atlas"]
    assert jobs.folders_of_runs(default, "atlas", "sw", pruned=True) == [
        "results/runs/atlas/en/pruned",
        "results/runs/atlas/sw/pruned",
    ]


def test_what_has_no_index_is_refused():
    with pytest.raises(ConfigError, match=r"only English passages can be pruned \[collections\]"):
        jobs.pruned_conditions(experiment(BY_STUDENT))
    with pytest.raises(ConfigError, match=r"no method searches with token vectors \[methods\]"):
        jobs.pruned_conditions(experiment(methods=["bm25"], reference="bm25"))


def test_a_condition_names_its_sentence_pairs_where_a_method_learns_from_them():
    assert jobs.condition(experiment(), "atlas", "sw", variant="x") == {
        "variant": "x",
        "share": 100,
        "collection": "atlas",
        "lang": "sw",
        "scores": "results/scores/atlas/sw.tsv",
        "bitext": "results/bitext/sw/train.tsv",
    }
    assert jobs.condition(experiment(methods=["bm25"], reference="bm25"), "atlas", "sw")["bitext"] == ""


# --- the report


def test_the_alignment_of_the_reference_is_drawn_or_of_the_first_student():
    assert jobs.shown_student(experiment(), "sw") == "results/students/sw/optical/1"
    assert jobs.shown_student(experiment(reference="bm25"), "sw") == "results/students/sw/mse/1"


def test_no_alignment_is_drawn_without_held_out_pairs():
    tried = experiment(languages=["sw"], bitext_cleaning={"dev_pairs": 0})
    assert tried.aligned_languages() == []
    assert "results/figures/alignment/sw.svg" not in jobs.figures(tried)


def test_gains_are_drawn_where_a_rival_answers_the_same_queries():
    table = {"smt": {"languages": ["de"]}, "optical": {"languages": ["sw"]}}
    tried = experiment({"method_table": table}, languages=["sw", "de"], methods=["english", "smt", "optical"])
    assert "results/figures/atlas/queries.svg" not in jobs.figures(tried)
    together = experiment({"method_table": table}, languages=["sw"], methods=["bm25", "smt", "optical"])
    assert "results/figures/atlas/queries.svg" in jobs.figures(together)


def test_the_bitext_curve_is_shown_once_it_is_made(tmp_path):
    default = experiment(languages=["sw"])
    assert jobs.figures(default) == [
        f"results/figures/{name}.svg" for name in ("atlas/map", "atlas/queries", "alignment/sw", "curves")
    ]
    (tmp_path / "config").symlink_to(default.folder / "config")
    (tmp_path / "results").mkdir()
    (tmp_path / "results/bitext_curve.tsv").touch()
    assert jobs.figures(experiment(folder=tmp_path))[-1] == "results/figures/bitext_curve.svg"


def test_the_queries_of_each_language_are_described_by_the_first_seeds():
    default = experiment(languages=["sw"], methods=["english", "bm25", "optical"], seeds=[3, 4])
    assert jobs.described_queries(default) == ["results/queries/atlas/sw.json"]
    assert jobs.described_runs(default, "atlas", "sw") == [
        {"run": "results/runs/atlas/en/maxsim/english/3.trec", "method": "english"},
        {"run": "results/runs/atlas/sw/lexical/bm25/3.trec", "method": "bm25"},
        {"run": "results/runs/atlas/sw/maxsim/optical/3.trec", "method": "optical"},
    ]


def test_a_gap_is_drawn_where_a_collection_has_both_resource_levels():
    assert "results/figures/atlas/gap.svg" in jobs.figures(experiment(languages=["sw", "de"]))
    assert "results/figures/atlas/gap.svg" not in jobs.figures(experiment(languages=["sw", "so"]))


def test_panels_are_named_by_language_and_level():
    assert jobs.titles(experiment(), ["sw", "de"]) == {"sw": "Swahili (low)", "de": "German (high)"}


def test_files_are_named_once():
    rows = [{"scores": "a", "bitext": ""}, {"scores": "a"}, {"scores": "b"}]
    assert jobs.files_in(rows, "scores") == ["a", "b"]
    assert jobs.files_in(rows, "bitext") == []


# --- passages that are searched, and nothing is judged by

OWN = {"collection_table": {"own": {"reader": "plain", "documents": "results/atlas/documents.jsonl"}}}


def test_passages_without_queries_are_encoded_and_no_table_is_made():
    alone = experiment(OWN, languages=["sw"], methods=["zero-shot", "optical"], collections=["own"])
    expected = ["results/vectors/own", "results/students/sw/optical/1", "results/teacher"]
    assert jobs.targets(alone) == ["results/held_out/sw.tsv", *expected]
    assert sources.query_languages(alone, "own") == ["en"], "another language makes no other collection"
    assert (alone.collections_of_language("sw"), alone.judged_collections()) == ([], [])
    with pytest.raises(ConfigError, match="no collection has queries and judgements.*without a target"):
        jobs.published_tables(alone)
    beside = experiment(OWN, languages=["sw"], methods=["zero-shot", "optical"], collections=["own", "atlas"])
    assert jobs.targets(beside) == ["results/map_table.tsv", *expected]
    assert jobs.tables(beside, "map_table.tsv") == ["results/tables/atlas/map_table.tsv"]
    assert jobs.published_tables(beside)[0] == "results/tables/atlas/map_table.tsv"


def test_students_that_read_passages_encode_them():
    changes = {"collection_table": {"own": OWN["collection_table"]["own"] | {"passage_languages": ["sw"]}}}
    alone = experiment(changes, languages=["sw"], methods=["zero-shot", "optical"], collections=["own"])
    assert "results/model_vectors/own/students/sw/optical/1" in jobs.targets(alone)
