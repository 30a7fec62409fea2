"""A study compares like with like: methods within a condition, or variants method by method."""

from argparse import Namespace

import numpy as np
import pytest

import make_study_table
import plot_study
from optical.errors import DataError
from optical.evaluation.power import exact_interval
from optical.evaluation.scores import Score, write_scores
from optical.evaluation.study_table import Condition, read_conditions, study_rows
from optical.files import read_table, write_rows

FEW = 200  # random draws
LEVELS = {"low": ["sw"], "high": ["de"]}


def condition(variant="", share=100, lang="sw", pairs=10, measure="AP", **methods):
    """Return a condition whose methods have these values, a query each."""
    rows = [
        Score("c", method, lang, "1", f"q{place}", measure, float(value))
        for method, values in methods.items()
        for place, value in enumerate(values)
    ]
    return Condition(variant, share, "c", rows, {lang: pairs})


def test_methods_are_compared_within_their_condition():
    few = condition(share=10, pairs=1, good=[0.5] * 30, base=[0.25] * 30)
    many = condition(share=100, pairs=10, good=[0.5] * 30, base=[0.75] * 30)
    rows = study_rows([few, many], "methods", "base", ["AP"], LEVELS, FEW)
    found = {(row["pairs"], row["method"]): row["difference"] for row in rows}
    assert found[1, "good"] == pytest.approx(0.25)
    assert found[10, "good"] == pytest.approx(-0.25)


def test_variants_are_compared_method_by_method():
    plain = condition("plain", optical=[0.2] * 30, mse=[0.4] * 30)
    changed = condition("changed", optical=[0.6] * 30, mse=[0.3] * 30, pairs=20)
    rows = study_rows([plain, changed], "variants", "plain", ["AP"], LEVELS, FEW)
    found = {(row["variant"], row["method"]): (row["difference"], row["pairs"]) for row in rows}
    assert found["changed", "optical"] == (pytest.approx(0.4), 20)
    assert found["changed", "mse"] == (pytest.approx(-0.1), 20)
    assert {row["reference"] for row in rows} == {"plain"}


def test_means_over_resource_levels_and_their_gap_are_rows_where_there_are_both():
    parts = [condition(lang=lang, good=[value] * 5) for lang, value in (("sw", 0.2), ("de", 0.6))]
    both = [Condition("", share, "c", parts[0].scores + parts[1].scores, {"sw": 1, "de": 1}) for share in (10, 100)]
    rows = study_rows(both, "methods", "good", ["AP"], LEVELS, FEW)
    found = {(row["lang"], row["share"]): row["mean"] for row in rows}
    assert len(found) == len(rows) == 10
    assert found["gap", 10] == found["gap", 100] == pytest.approx(0.4)
    assert "gap" not in {row["lang"] for row in study_rows(parts[:1], "methods", "good", ["AP"], LEVELS, FEW)}


def test_an_accuracy_has_its_exact_interval_and_a_mean_precision_has_none():
    sure = condition(good=[1.0] * 5 + [0.0] * 5)
    [row] = study_rows([sure], "methods", "good", ["AP"], LEVELS, FEW)
    assert (row["exact_low"], row["exact_high"]) == exact_interval(5, 10)
    [row] = study_rows([condition(good=[0.5] * 10)], "methods", "good", ["AP"], LEVELS, FEW)
    assert np.isnan(row["exact_low"])


def test_queries_needed_are_told_where_the_difference_may_be_chance_only():
    random = np.random.default_rng(0)
    base, noise = random.random(60) * 0.4, random.normal(0.02, 0.2, 60)
    rows = study_rows(
        [condition(base=base, close=base + noise, far=base + 0.5)], "methods", "base", ["AP"], LEVELS, FEW
    )
    needed = {row["method"]: row["queries_needed"] for row in rows}
    assert needed["close"] > 60
    assert needed["far"] == needed["base"] == ""


def test_conditions_are_read_from_scores_and_bitext(tmp_path):
    write_rows(tmp_path / "de.tsv", [("a", "b"), ("c", "d")])
    write_scores(tmp_path / "scores.tsv", [("c", "mse", "de", "1", "q1", "AP", 0.5)])
    job = {"variant": "v", "share": 3, "collection": "c", "lang": "de"}
    files = {"scores": str(tmp_path / "scores.tsv"), "bitext": str(tmp_path / "de.tsv")}
    [found] = read_conditions([job | files])
    assert found == Condition("v", 3, "c", [("c", "mse", "de", "1", "q1", "AP", 0.5)], {"de": 2})


def test_a_condition_may_name_the_methods_of_its_scores_that_count(tmp_path):
    methods = ("bm25", "mse", "optical")
    write_scores(tmp_path / "scores.tsv", [("c", method, "de", "1", "q1", "AP", 0.5) for method in methods])
    job = {
        "variant": "",
        "share": 100,
        "collection": "c",
        "lang": "de",
        "scores": tmp_path / "scores.tsv",
        "bitext": "",
    }
    for named in ({"methods": ["optical", "mse"]}, {"methods": []}, {}):
        [found] = read_conditions([job | named])
        assert {score.method for score in found.scores} == {*named.get("methods", methods)}


def test_repeats_of_a_variant_count_as_its_seeds(tmp_path):
    jobs = []
    for repeat, value in ((1, 0.2), (2, 0.4)):
        write_scores(tmp_path / f"{repeat}.tsv", [("c", "mse", "de", "1", "q1", "AP", value)])
        job = {"variant": "v", "repeat": repeat, "share": 100, "collection": "c", "lang": "de"}
        jobs.append(job | {"scores": str(tmp_path / f"{repeat}.tsv"), "bitext": ""})
    [found] = read_conditions(jobs)
    assert [score.seed for score in found.scores] == ["1.1", "2.1"]
    [row] = study_rows([found], "variants", "v", ["AP"], LEVELS, FEW)
    assert (row["mean"], row["seeds"]) == (pytest.approx(0.3), 2)
    assert row["sd"] > 0


def test_a_study_without_scores_is_refused():
    with pytest.raises(DataError, match="no scores"):
        study_rows([condition(good=[0.5])], "methods", "good", ["RR"], LEVELS, FEW)


def test_the_programs_make_a_table_and_its_figure(tmp_path):
    jobs = []
    for source, value in (("en", 0.25), ("de", 0.75)):
        scores = [("c", "optical", "sw", "1", f"q{place}", "P(judged_only=True)@1", value) for place in range(9)]
        write_scores(tmp_path / f"{source}.tsv", scores)
        write_rows(tmp_path / f"{source}.pairs.tsv", [("a", "b")])
        job = {"variant": source, "share": 100, "collection": "c", "lang": "sw"}
        jobs.append(job | {"scores": tmp_path / f"{source}.tsv", "bitext": tmp_path / f"{source}.pairs.tsv"})
    common = {"axis": "source", "reference": "en", "measures": ["P(judged_only=True)@1"]}
    table = tmp_path / "table.tsv"
    make_study_table.main(Namespace(jobs=jobs, compare="variants", levels=LEVELS, out=table, **common))
    rows = read_table(table)
    assert [(row["source"], row["pairs"], row["mean"], row["difference"]) for row in rows] == [
        ("en", "1", "0.25", ""),
        ("de", "1", "0.75", "0.5"),
    ]
    settings = {"kind": "dots", "measure": common["measures"][0], "methods": ["optical"], "names": {"sw": "Swahili"}}
    plot_study.main(Namespace(table=table, reference="optical", axis="source", out=tmp_path / "figure.svg", **settings))
    assert len(read_table(tmp_path / "figure.tsv")) == 2
    with pytest.raises(DataError, match="no row of AP"):
        plot_study.main(Namespace(table=table, kind="dots", axis="source", names={"sw": "Swahili"}, measure="AP"))
