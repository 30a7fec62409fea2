"""A multilingual method has one student for all languages, from the sentence pairs of all of them."""

import pytest

from optical.config.names import MULTILINGUAL
from optical.errors import ConfigError
from optical.plan import changes, jobs, models
from optical.plan.checks import check_experiment
from support.experiments import experiment

ALL = {"method_table": {"all": {"kind": "distilled", "objectives": {"optimal_transport": 1.0}, "multilingual": True}}}
METHODS = {"methods": ["zero-shot", "mse", "all"], "reference": "all", "languages": ["sw", "so", "fi"]}


def tried(**keys):
    return experiment(ALL, **METHODS | keys)


def test_one_student_reads_every_language():
    each = tried()
    folders = {lang: each.student(lang, "all", 1) for lang in METHODS["languages"]}
    assert set(folders.values()) == {"results/students/mul/all/1"}
    assert each.student("sw", "mse", 1) == "results/students/sw/mse/1"
    for lang, folder in folders.items():
        assert models.query_encoder(each, lang, "all", 1) == folder
        assert folder in [job["folder"] for job in jobs.checked_students(each, lang)]


def test_it_learns_from_the_sentence_pairs_of_all_languages_with_a_method_that_learns():
    assert tried().bitext_languages() == METHODS["languages"]
    assert tried(collection_table={"atlas": {"languages": ["sw", "fi"]}}).bitext_languages() == ["sw", "fi"]
    assert tried().bitext(MULTILINGUAL) == "results/bitext/mul/train.tsv"
    assert models.student_tokens(tried(), MULTILINGUAL) == "results/tokens/bitext/mul"


def test_a_share_mixes_shares_and_leaves_the_reports_where_they_are():
    [share] = changes.shares(tried(bitext_curve={"shares": [10], "methods": ["all"]}))
    assert share.bitext(MULTILINGUAL) == "results/bitext_curve/10/bitext/mul/train.tsv"
    assert share.bitext("sw") == "results/bitext_curve/10/bitext/sw/train.tsv"
    assert share.whole_bitext("sw", "report.json") == "results/bitext/sw/report.json"


def test_other_languages_make_another_mixture_and_other_rates_do_not():
    [fewer] = changes.grid(tried(tuning={"collection": "atlas-dev", "grid": {"languages": [["sw", "fi"]]}}))
    [faster] = changes.grid(tried(tuning={"collection": "atlas-dev", "grid": {"student.learning_rate": [0.001]}}))
    assert fewer.bitext(MULTILINGUAL) == "results/tuning/1/bitext/mul/train.tsv"
    assert fewer.bitext("sw") == faster.bitext("sw") == "results/bitext/sw/train.tsv"
    assert faster.bitext(MULTILINGUAL) == "results/bitext/mul/train.tsv"


@pytest.mark.parametrize("languages", [["sw"], ["sw", "fi"]])
def test_a_grid_judged_in_some_languages_tunes_the_student_of_all(languages):
    table = {"atlas-dev": {"languages": languages}}
    tuning = {"collection": "atlas-dev", "grid": {"student.learning_rate": [0.001]}}
    [point] = changes.grid(tried(collection_table=table, tuning=tuning))
    assert point.bitext_languages() == METHODS["languages"]
    assert point.bitext(MULTILINGUAL) == "results/bitext/mul/train.tsv"


def test_it_cannot_leave_out_a_language_that_its_student_learns():
    some = {"method_table": {"all": ALL["method_table"]["all"] | {"languages": ["sw", "fi"]}}}
    check_experiment(experiment(some, **METHODS | {"methods": ["zero-shot", "all"]}))
    with pytest.raises(ConfigError, match=r"of all languages also learns so \[method_table\.all\.languages\]"):
        check_experiment(experiment(some, **METHODS))


@pytest.mark.parametrize("kind", ["lexical", "retrained", "teacher"])
@pytest.mark.parametrize("more", [{}, {"objectives": {"sentence_mse": 1.0}}])
def test_a_method_without_such_students_cannot_be_multilingual(kind, more):
    with pytest.raises(ConfigError, match=r"no student that learns from sentence pairs \[method_table.mine\]"):
        experiment({"method_table": {"mine": {"kind": kind, "multilingual": True} | more}})


def test_students_of_all_languages_read_with_one_vocabulary():
    with pytest.raises(ConfigError, match=r"added subwords of each language \[method_table.all.multilingual\]"):
        check_experiment(tried(vocabulary={"pieces": 100}, teacher={"source": "results/teacher"}))
    dense = {"all": {"kind": "dense-distilled", "objectives": {"sentence_mse": 1.0}, "multilingual": True}}
    pooled = tried(method_table=dense, vocabulary={"pieces": 100})
    check_experiment(pooled)  # the dense encoder takes no subwords
    assert models.student_tokens(pooled, MULTILINGUAL, "all") == "results/tokens/bitext/mul"


def test_no_language_has_the_code_of_all_of_them():
    row = {"name": "Many", "script": "Latn", "resource": "low"}
    with pytest.raises(ConfigError, match="mul stands for all languages"):
        experiment({"language_table": {MULTILINGUAL: row}})
