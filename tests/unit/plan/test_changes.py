"""Experiments with changes: variants, repeats, shares of the sentence pairs, points of a grid."""

import pytest

from optical.errors import ConfigError
from optical.plan import changes, models
from optical.plan.checks import check_experiment
from support.experiments import experiment
from support.studies import STUDIES, by_name

DEV = {"collection": "atlas-dev"}


def study(variants, **keys):
    """Return a study of the default experiment."""
    return experiment(results="results/study", study={"variants": variants} | keys)


def test_a_family_has_a_folder_for_each_of_its_members():
    tuning = DEV | {"grid": {"student.steps": [100, 200]}}
    members = changes.family(experiment(tuning=tuning, bitext_curve={"shares": [10, 50, 100], "methods": ["mse"]}))
    assert list(members) == [
        "results",
        "results/tuning/1",
        "results/tuning/2",
        "results/bitext_curve/10",
        "results/bitext_curve/50",
    ]
    assert all(folder == member.results for folder, member in members.items())


@pytest.mark.parametrize("path", STUDIES, ids=by_name)
def test_every_study_is_a_family_of_what_it_names(path):
    tried = experiment(file=f"studies/{path.name}")
    members = changes.family(tried)
    block = tried.config.study
    conditions = len(block.only or block.variants) * max(1, len(block.repeats))
    assert len([member for member in members.values() if not member.parent]) == 1 + conditions
    assert len(changes.study_conditions(tried)) >= conditions


# --- the variants of a study


def test_a_variant_is_the_study_with_its_changes():
    tried = study({"plain": {}, "long": {"student": {"steps": 400}, "languages": ["sw"]}})
    (_, _, plain), (name, repeat, long) = changes.variants(tried)
    assert (name, repeat, long.results) == ("long", None, "results/study/long")
    assert (plain.config.student.steps, long.config.student.steps, long.config.languages) == (None, 400, ["sw"])
    assert long.config.student.batch_size == plain.config.student.batch_size
    assert changes.variants(long) == []


def test_only_the_named_variants_are_run():
    tried = study({"a": {}, "b": {}}, only=["b"])
    assert [name for name, _, _ in changes.variants(tried)] == ["b"]
    with pytest.raises(ConfigError, match=r"unknown 'c' \[study\.only\]"):
        changes.variants(study({"a": {}}, only=["c"]))


def test_a_repeat_has_a_folder_and_the_seed_of_encoder_and_teacher():
    tried = study({"a": {"teacher": {"steps": 3}}}, repeats=[4, 5])
    found = [(repeat, own.results, own.config) for _, repeat, own in changes.variants(tried)]
    assert [(repeat, folder) for repeat, folder, _ in found] == [(4, "results/study/a/4"), (5, "results/study/a/5")]
    for repeat, _, config in found:
        assert config.pretraining.seed == config.teacher.seed == repeat
        assert config.teacher.steps == 3


def test_a_study_in_another_folder_takes_its_own_models():
    tried = experiment(file="studies/miracl.yaml", results="results/elsewhere")
    teachers = {name: models.teacher(own) for name, _, own in changes.variants(tried)}
    assert "results/elsewhere/students/de/code-switch/1" in teachers.values()
    assert all(folder.startswith("results/elsewhere/") for folder in teachers.values())


def test_a_study_compares_with_a_variant_or_a_method_that_it_has():
    assert changes.study_reference(study({"a": {}})) == "optical"
    with pytest.raises(ConfigError, match=r"unknown 'optical' \[study\.reference\].*name one of study\.variants"):
        changes.check_study(study({"a": {}}, compare="variants"))
    with pytest.raises(ConfigError, match=r"unknown 'a' \[study\.reference\].*name one of methods"):
        changes.check_study(study({"a": {}}, reference="a"))
    changes.check_study(study({"a": {}}, compare="variants", reference="a"))


def test_a_study_has_a_condition_for_every_variant_share_and_language():
    curve = {"shares": [10, 50], "methods": ["optical"]}
    tried = experiment(results="results/study", languages=["sw", "de"], bitext_curve=curve)
    alone = changes.study_conditions(tried.changed({"study": {"shares": True}}))
    assert [(row["share"], row["lang"]) for row in alone] == [(s, lang) for s in (10, 50, 100) for lang in ("sw", "de")]
    both = changes.study_conditions(tried.changed({"study": {"variants": {"a": {}, "b": {"languages": ["de"]}}}}))
    assert [(row["variant"], row["lang"], row["scores"]) for row in both] == [
        ("a", "sw", "results/study/a/scores/atlas/sw.tsv"),
        ("a", "de", "results/study/a/scores/atlas/de.tsv"),
        ("b", "de", "results/study/b/scores/atlas/de.tsv"),
    ]
    aligned = changes.alignment_conditions(tried)
    assert [row["scores"] for row in aligned] == [f"results/study/alignment/{lang}.tsv" for lang in ("sw", "de")]


# --- shares of the sentence pairs


def test_shares_below_all_are_experiments_with_the_methods_of_the_curve():
    tried = experiment(bitext_curve={"shares": [2.5, 100], "methods": ["mse", "optical"]})
    [share] = changes.shares(tried)
    assert (share.results, share.share, share.config.methods) == ("results/bitext_curve/2.5", 2.5, ["mse", "optical"])
    assert share.parent is tried
    assert changes.shares(share) == []


def test_the_curve_has_the_methods_that_are_distilled():
    assert changes.curve_methods(experiment(bitext_curve={"methods": []})) == [
        "mse",
        "greedy",
        "contrastive",
        "optical",
    ]
    assert changes.curve_methods(experiment(bitext_curve={"methods": ["bm25", "mse"]})) == ["mse"]


def test_a_curve_without_methods_is_refused_where_it_is_asked_for():
    tried = experiment(bitext_curve={"methods": ["bm25"]})
    assert changes.shares(tried) == []
    assert "results/bitext_curve/10" not in changes.family(tried)
    for asked in (changes.curve_points, changes.curve_languages):
        with pytest.raises(
            ConfigError, match=r"no distilled method for the curve \[bitext_curve\.methods\]\. Hint: name"
        ):
            asked(tried)


def test_a_point_of_the_curve_has_its_scores_and_its_sentence_pairs():
    tried = experiment(languages=["sw"], bitext_curve={"shares": [10], "methods": ["optical"]})
    points = changes.conditions(tried, "bitext_curve")
    assert [(row["share"], row["scores"], row["bitext"]) for row in points] == [
        (10, "results/bitext_curve/10/scores/atlas/sw.tsv", "results/bitext_curve/10/bitext/sw/train.tsv"),
        (100, "results/scores/atlas/sw.tsv", "results/bitext/sw/train.tsv"),
    ]
    assert {tuple(row["methods"]) for row in points} == {("optical",)}


# --- tuning


def test_a_grid_has_a_point_for_every_combination():
    grid = {"student.learning_rate": [1e-3, 3e-3], "transport.regularisation": [0.03, 0.1]}
    tuned = experiment(tuning=DEV | {"grid": grid})
    points = changes.grid(tuned)
    tried = [(point.config.student.learning_rate, point.config.transport.regularisation) for point in points]
    assert tried == [(1e-3, 0.03), (1e-3, 0.1), (3e-3, 0.03), (3e-3, 0.1)]
    assert [point.results for point in points] == [f"results/tuning/{number}" for number in (1, 2, 3, 4)]
    assert changes.grid(points[0]) == []
    for point in points:
        assert (point.config.methods, point.config.reference, point.config.collections) == (
            ["optical"],
            "optical",
            ["atlas-dev"],
        )
        assert point.config.student.steps is None
    assert changes.grid_points(tuned)[1] == {
        "values": {"student.learning_rate": 1e-3, "transport.regularisation": 0.1},
        "scores": [f"results/tuning/2/scores/atlas-dev/{lang}.tsv" for lang in tuned.config.languages],
    }
    assert len(changes.grid_scores(tuned)) == 4 * 7


def test_the_method_that_decides_may_be_another_than_the_reference():
    grid = {"method_table.bm25.lexical.k1": [0.9, 1.2]}
    tuned = experiment(tuning=DEV | {"grid": grid, "method": "bm25"})
    assert changes.tuning_method(tuned) == "bm25"
    assert [point.method("bm25").lexical.k1 for point in changes.grid(tuned)] == [0.9, 1.2]
    assert {point.config.reference for point in changes.grid(tuned)} == {"bm25"}


def test_a_fused_method_is_tuned_with_the_methods_that_it_joins():
    grid = {"method_table.optical+bm25.fusion.constant": [10, 60]}
    for point in changes.grid(experiment(tuning=DEV | {"grid": grid, "method": "optical+bm25"})):
        assert point.config.methods == ["optical", "bm25", "optical+bm25"]
        check_experiment(point)


@pytest.mark.parametrize(
    ("tuning", "message"),
    [
        ({"collection": "atlas"}, r"a test collection cannot judge the grid \[tuning\.collection\].*for development"),
        ({"collection": "atlas-test"}, r"unknown 'atlas-test' \[tuning\.collection\].*did you mean atlas"),
        ({}, r"no collection to judge the grid by \[tuning\.collection\]"),
        (DEV | {"method": "optcal"}, r"unknown 'optcal' \[tuning\.method\].*did you mean optical"),
    ],
)
def test_a_grid_that_a_test_or_nothing_decides_is_refused(tuning, message):
    tuned = experiment(tuning=tuning | {"grid": {"student.steps": [1, 2]}})
    for asked in (changes.grid, changes.family, changes.grid_scores):
        with pytest.raises(ConfigError, match=message):
            asked(tuned)


def test_an_empty_grid_is_refused_where_its_table_is_asked_for():
    for tuning in ({}, DEV, DEV | {"grid": {}}):
        tuned = experiment(tuning=tuning)
        assert list(changes.family(tuned)) == list(changes.family(experiment()))
        with pytest.raises(ConfigError, match=r"nothing to tune \[tuning\.grid\].*student\.learning_rate"):
            changes.grid_scores(tuned)
    with pytest.raises(ConfigError, match="tuning.grid"):
        experiment(tuning=DEV | {"grid": {"student.steps": []}})


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("student.learning_rte", 1, r"unknown key 'learning_rte' \[student\].*did you mean learning_rate"),
        ("student.steps", "many", r"student\.steps"),
    ],
)
def test_a_key_of_the_grid_that_is_none_is_refused(key, value, message):
    with pytest.raises(ConfigError, match=message):
        changes.family(experiment(tuning=DEV | {"grid": {key: [value]}}))
