"""A study compares like with like: methods within a condition, or variants method by method."""

from argparse import Namespace

import numpy as np
import pytest

import make_study_table
import plot_study
from optical.errors import DataError
from optical.evaluation.comparison import Statistics
from optical.evaluation.power import exact_interval, power, queries_needed
from optical.evaluation.scores import write_scores
from optical.evaluation.study_table import COLUMNS, Condition, read_conditions, study_rows
from optical.files import read_table, write_rows
from optical.report.figures.studies import GROUPS, draw_study, study_cells
from optical.report.figures.style import drawing, save_figure

FEW = Statistics(draws=200)
LEVELS = {"low": ["sw"], "high": ["de"]}
LEVEL_MEANS = {"low": "0.3", "high": "0.5", "gap": "0.2"}


def condition(variant="", share=100, lang="sw", pairs=10, measure="AP", **methods):
    """Return a condition whose methods have these values, a query each."""
    rows = [
        ("c", method, lang, "1", f"q{place}", measure, float(value))
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
    both = Condition("", 100, "c", parts[0].rows + parts[1].rows, {"sw": 1, "de": 1})
    found = {row["lang"]: row["mean"] for row in study_rows([both], "methods", "good", ["AP"], LEVELS, FEW)}
    assert found["gap"] == pytest.approx(0.4)
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


def test_repeats_of_a_variant_count_as_its_seeds(tmp_path):
    jobs = []
    for repeat, value in ((1, 0.2), (2, 0.4)):
        write_scores(tmp_path / f"{repeat}.tsv", [("c", "mse", "de", "1", "q1", "AP", value)])
        job = {"variant": "v", "repeat": repeat, "share": 100, "collection": "c", "lang": "de"}
        jobs.append(job | {"scores": str(tmp_path / f"{repeat}.tsv"), "bitext": ""})
    [found] = read_conditions(jobs)
    assert [row[3] for row in found.rows] == ["1.1", "2.1"]
    [row] = study_rows([found], "variants", "v", ["AP"], LEVELS, FEW)
    assert (row["mean"], row["seeds"]) == (pytest.approx(0.3), 2)
    assert row["sd"] > 0


def test_a_study_without_scores_is_refused():
    with pytest.raises(DataError, match="no scores"):
        study_rows([condition(good=[0.5])], "methods", "good", ["RR"], LEVELS, FEW)


@pytest.mark.parametrize("right", [0, 1, 50, 99, 100])
def test_the_exact_interval_leaves_a_fortieth_on_each_side(right):
    low, high = exact_interval(right, 100)
    draws = np.random.default_rng(1).binomial
    if right < 100:
        assert (draws(100, high, 20_000) <= right).mean() == pytest.approx(0.025, abs=0.005)
    if right > 0:
        assert (draws(100, low, 20_000) >= right).mean() == pytest.approx(0.025, abs=0.005)


def test_power_grows_with_the_queries_and_is_the_level_without_a_difference():
    differences = np.random.default_rng(2).normal(0.1, 1.0, 400)
    few, many = power(differences, 100), power(differences, 3000)
    assert few < 0.6 < many
    balanced = np.concatenate([differences - differences.mean(), differences.mean() - differences]) + 1e-6
    assert power(balanced, 200) < 0.08


def test_no_difference_needs_no_queries():
    assert queries_needed(np.zeros(20)) is None
    assert queries_needed(np.array([1.0, -1.0] * 20)) is None


def table(**columns):
    """Return a row of a study's table as a file of it is read."""
    values = {"collection": "c", "lang": "de", "measure": "AP", "mean": "0.5", "pairs": "10", "method": "optical"}
    return {"source": ""} | dict.fromkeys(COLUMNS, "") | values | columns


@pytest.mark.parametrize("kind", ["curve", "dots", "matrix"])
def test_every_kind_of_figure_is_drawn(tmp_path, kind):
    rows = [
        table(source=source, lang=lang, pairs=pairs, mean=mean)
        for source, lang, pairs, mean in (
            ("en", "de", "10", "0.2"),
            ("en", "de", "30", "0.4"),
            ("fr", "fi", "9", "0.3"),
        )
    ]
    rows.append(table(lang="de", measure="RR"))
    names = {"de": "German", "fi": "Finnish"}
    shown = study_cells(rows, "AP", list(names))
    assert len(shown) == 3
    with drawing():
        figure = draw_study(kind, shown, "source", ["optical"], names, "optical", "AP")
        save_figure(figure, shown, tmp_path / "figure")
        texts = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert kind != "matrix" or {"0.20", "0.40", "0.30"} <= texts
    assert (tmp_path / "figure.svg").stat().st_size > 2000


def test_a_language_has_a_panel_where_it_has_rows_and_the_line_below_is_no_wider_than_the_figure():
    rows = [table(source=source, lang="sw", mean="0.3") for source in "ab"]
    names = {"sw": "Swahili", "de": "German"}
    with drawing():
        figure = draw_study("dots", rows, "source", ["optical"], names, "optical", "nDCG@10")
        figure.draw_without_rendering()
        [axes] = figure.axes
        [label] = [text for text in figure.texts if text.get_text() == figure.get_supxlabel()]
        line = label.get_window_extent()
    assert axes.get_title(loc="left") == "Swahili"
    assert 0 <= line.x0 < line.x1 <= figure.bbox.x1


def test_a_method_has_one_look_in_all_variants():
    rows = [table(source=source, method=method) for source in "ab" for method in ("bm25", "mse", "optical")]
    with drawing():
        figure = draw_study("dots", rows, "source", ["optical"], {"de": "German"}, "optical", "AP")
    dots = [line for line in figure.axes[0].lines if line.get_marker() != "None"]
    looks = [(line.get_marker(), line.get_color()) for line in dots]
    assert looks[:3] == looks[3:]
    assert len(set(looks)) == 3


def test_the_gap_is_drawn_of_every_variant_that_has_both_levels(tmp_path):
    rows = [table(source=source, lang=lang, mean=mean) for source in "ab" for lang, mean in LEVEL_MEANS.items()]
    shown = study_cells([*rows, table(lang="de"), table(source="c", lang="low")], "AP", GROUPS)
    assert len(shown) == 7
    with drawing():
        figure = draw_study("gap", shown, "source", ["optical"], {"de": "German"}, "optical", "AP")
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a optical", "b optical"]
    assert [text.get_text() for text in axes.texts] == ["gap +0.200"] * 2


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
    plot_study.main(Namespace(table=table, reference="optical", axis="source", out=tmp_path / "figure", **settings))
    assert len(read_table(tmp_path / "figure.tsv")) == 2
    with pytest.raises(DataError, match="no row of AP"):
        plot_study.main(Namespace(table=table, kind="dots", axis="source", names={"sw": "Swahili"}, measure="AP"))
