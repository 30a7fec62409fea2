import math
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from optical.errors import DataError
from optical.evaluation.comparison import CELL_COLUMNS, compare_methods, weigh
from optical.evaluation.map_table import (
    GROUPS,
    cells_of,
    latex_lines,
    map_rows,
    markdown_lines,
    read_cells,
    strongest_rival,
)
from optical.evaluation.scores import write_scores
from optical.files import read_table
from support.workspace import ROOT

SCRIPTS = ROOT / "workflow/scripts"
LEVELS = {"low": ["sw", "so"], "high": ["de"]}
LANGS = ["sw", "so", "de"]
METHODS = ["bm25", "nmt", "optical", "english"]
QUERIES = [f"q{i:02}" for i in range(30)]
QUICK = 500  # random draws


def score_rows(means, seeds=("0", "1"), measure="AP", seed_shift=0.02):
    """Scores around the given mean of each (method, language), with noise that is the query's own."""
    for (method, lang), mean in means.items():
        random = np.random.default_rng(len(method) + len(lang))
        noise = random.uniform(-0.05, 0.05, len(QUERIES))
        for number, seed in enumerate(seeds):
            for query_id, error in zip(QUERIES, noise - noise.mean(), strict=True):
                yield "toy", method, lang, seed, query_id, measure, mean + error + number * seed_shift


MEANS = {("nmt", lang): 0.40 for lang in LANGS} | {("optical", "sw"): 0.50, ("optical", "so"): 0.44}
MEANS |= {("optical", "de"): 0.41, ("bm25", "de"): 0.10} | {("english", lang): 0.7 for lang in LANGS}


@pytest.fixture(scope="module")
def cells():
    found = compare_methods(score_rows(MEANS), "toy", METHODS, LANGS, ["AP"], "nmt", LEVELS, QUICK)
    return {(cell.method, cell.lang): cell for cell in found}


def test_every_expected_cell_is_there_and_a_missing_run_is_never_a_zero(cells):
    assert list(cells) == [(method, column) for method in METHODS for column in [*LANGS, *GROUPS]]
    missing = cells["bm25", "sw"]
    assert missing.status == "NOT RUN" and math.isnan(missing.mean) and missing.queries == 0
    assert cells["bm25", "de"].status == "OK"


def test_means_are_over_queries_and_seeds(cells):
    cell = cells["optical", "sw"]
    assert cell.mean == pytest.approx(0.51)
    assert cell.sd == pytest.approx(0.02 / math.sqrt(2))
    assert (cell.seeds, cell.queries) == (2, 30)
    assert cell.mean_low < cell.mean < cell.mean_high


def test_groups_are_means_over_languages(cells):
    assert cells["optical", "low"].mean == pytest.approx((0.51 + 0.45) / 2)
    assert cells["optical", "high"].mean == pytest.approx(0.42)
    assert cells["optical", "gap"].mean == pytest.approx(0.42 - 0.48)
    assert cells["optical", "low"].sd == pytest.approx(0.02 / math.sqrt(2))


def test_a_group_with_a_language_that_was_not_run_is_not_run(cells):
    assert cells["bm25", "low"].status == "NOT RUN"
    assert cells["bm25", "gap"].status == "NOT RUN"
    assert cells["bm25", "high"].mean == pytest.approx(0.11)


def test_relative_gain_of_a_level_is_the_mean_of_its_languages_gains(cells):
    gains = [(0.51 - 0.41) / 0.41, (0.45 - 0.41) / 0.41]
    assert cells["optical", "sw"].relative_gain == pytest.approx(gains[0])
    assert cells["optical", "low"].relative_gain == pytest.approx(sum(gains) / 2)


def test_reference_is_not_tested_against_itself(cells):
    reference = cells["nmt", "sw"]
    assert reference.mean == pytest.approx(0.41)
    assert math.isnan(reference.p_t) and math.isnan(reference.difference_to_reference) and math.isnan(reference.p_holm)


def test_p_values_are_those_of_the_tests_on_query_means(cells):
    means = {method: np.zeros(30) for method in ("nmt", "optical")}
    for _, method, lang, _, query_id, _, value in score_rows(MEANS):
        if lang == "de" and method in means:
            means[method][QUERIES.index(query_id)] += value / 2
    assert cells["optical", "de"].p_t == pytest.approx(stats.ttest_rel(means["optical"], means["nmt"]).pvalue)
    p_values = [cells["optical", lang].p_randomisation for lang in LANGS]
    assert cells["optical", "de"].p_holm == pytest.approx(max(p_values[2], 2 * sorted(p_values)[1]))
    assert cells["optical", "sw"].p_holm >= p_values[0]


def test_without_the_reference_nothing_is_tested():
    only_optical = {("optical", "sw"): 0.5}
    found = compare_methods(score_rows(only_optical), "toy", METHODS, ["sw"], ["AP"], "nmt", {}, QUICK)
    cell = next(cell for cell in found if cell.method == "optical")
    assert cell.status == "OK" and cell.reference == "" and math.isnan(cell.p_t)


def test_other_collections_do_not_leak_in():
    found = compare_methods(score_rows(MEANS), "other", METHODS, LANGS, ["AP"], "nmt", LEVELS, QUICK)
    assert {cell.status for cell in found} == {"NOT RUN"}


def test_methods_scored_on_other_queries_are_refused():
    rows = list(score_rows({("nmt", "sw"): 0.4, ("optical", "sw"): 0.5}))
    with pytest.raises(DataError, match="optical, seed 1: 1 queries differ"):
        compare_methods(rows[:-1], "toy", METHODS, ["sw"], ["AP"], "nmt", {}, QUICK)


def test_the_same_scores_twice_are_refused():
    rows = list(score_rows({("nmt", "sw"): 0.4}))
    with pytest.raises(DataError, match="two scores"):
        compare_methods(rows + rows[:1], "toy", METHODS, ["sw"], ["AP"], "nmt", {}, QUICK)


def test_a_shared_topic_is_one_unit_not_one_for_each_language():
    """The same 30 topics in four languages with equal scores must not be more certain than in one language."""
    langs = ["sw", "so", "tl", "mr"]
    rows = [
        ("toy", method, lang, "0", query_id, "AP", 0.4 + (index % 7 - 2) * 0.03 * (method == "optical"))
        for method in ("nmt", "optical")
        for lang in langs
        for index, query_id in enumerate(QUERIES)
    ]
    found = compare_methods(rows, "toy", METHODS, langs, ["AP"], "nmt", {"low": langs}, QUICK)
    p_values = {cell.lang: cell.p_t for cell in found if cell.method == "optical"}
    assert p_values["low"] == pytest.approx(p_values["sw"])


def test_weighing_languages_of_unequal_size_keeps_the_macro_mean():
    per_lang = {"sw": {"0": {"a": 0.2, "b": 0.4, "c": 0.6}}, "so": {"0": {"a": 1.0}}}
    values = weigh(per_lang, {"sw": 0.5, "so": 0.5})["0"].values()
    assert sum(values) / len(values) == pytest.approx((0.4 + 1.0) / 2)


def run_program(*arguments, cwd):
    """Run make_map_table.py."""
    command = [sys.executable, SCRIPTS / "make_map_table.py", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_scores(folder / "scores.tsv", score_rows(MEANS))
    arguments = ["--scores", "scores.tsv", "--collection", "toy", "--methods", *METHODS, "--langs", *LANGS]
    arguments += ["--measures", "AP", "--reference", "nmt", "--levels", "{low: [sw, so, tl], high: [de, fr]}"]
    arguments += ["--note", "Its weights had 4 bits.", "--cells", "map_cells.tsv", "--pairs", "pairs.tsv"]
    made = run_program(
        *arguments, "--out", "map_table.tsv", "--markdown", "map_table.md", "--latex", "map_table.tex", cwd=folder
    )
    assert made.returncode == 0, made.stderr
    return folder


def test_map_table_is_plain_numbers_in_the_order_asked_for(tables):
    assert (tables / "map_table.tsv").read_text().splitlines() == [
        "method\tsw\tso\tde\tlow\thigh\tgap",
        "bm25\t\t\t0.1100\t\t0.1100\t",
        "nmt\t0.4100\t0.4100\t0.4100\t0.4100\t0.4100\t0.0000",
        "optical\t0.5100\t0.4500\t0.4200\t0.4800\t0.4200\t-0.0600",
        "english\t0.7100\t0.7100\t0.7100\t0.7100\t0.7100\t0.0000",
    ]


def test_markdown_shows_spread_marks_and_what_was_not_run(tables):
    text = (tables / "map_table.md").read_text()
    assert "| `optical` | 0.510 ± 0.014⁺ |" in text
    assert "| `nmt` | 0.410 ± 0.014 |" in text
    assert "| `bm25` | NOT RUN | NOT RUN | 0.110 ± 0.014⁻ |" in text
    assert "⁺ or ⁻: better or worse than nmt with p < 0.05" in text
    assert text.rstrip().endswith("Its weights had 4 bits.")


def test_latex_is_a_booktabs_table_with_equal_columns(tables):
    lines = (tables / "map_table.tex").read_text().splitlines()
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {line.count("&") for line in rows} == {6}
    assert {r"    \toprule", r"    \midrule", r"    \bottomrule"} <= set(lines)
    assert r"optical & $0.510 \pm 0.014^{+}$" in "\n".join(lines)
    assert r"\begin{tabular}{lrrrrrr}" in "\n".join(lines)


def test_one_seed_shows_no_spread_and_odd_names_are_escaped(cells):
    one_seed = {("a_b", "sw"): {"mean": "0.5", "sd": "", "p_holm": "", "seeds": "1", "reference": ""}}
    assert "| `a_b` | 0.500 |" in markdown_lines(one_seed, ["a_b"], ["sw"], "")[2]
    assert any(line.startswith(r"    a\_b & $0.500$ &") for line in latex_lines(one_seed, ["a_b"], ["sw"], "50 %"))
    assert any(r"50 \%" in line for line in latex_lines(one_seed, ["a_b"], ["sw"], "50 %"))
    assert map_rows(one_seed, ["a_b"], ["sw"])[1] == ["a_b", "0.5000", "", "", ""]


def test_long_table_can_be_read_back_and_leaves_out_what_was_not_run(tables):
    picked = cells_of(tables / "map_cells.tsv", "toy", "AP")
    assert ("bm25", "sw") not in picked and ("bm25", "de") in picked
    assert float(picked["optical", "low"]["relative_gain"]) == pytest.approx((0.1 + 0.04) / 2 / 0.41, rel=1e-4)
    with pytest.raises(DataError, match="not a table with the columns"):
        read_cells(tables / "map_table.tsv")


@pytest.mark.parametrize("row", ["toy\tbm25\tsw", "\t".join("x" * 99)], ids=["short", "long"])
def test_a_broken_row_of_the_long_table_is_named_by_line(tables, tmp_path, row):
    lines = (tables / "map_cells.tsv").read_text().splitlines()
    (tmp_path / "map_cells.tsv").write_text("\n".join([*lines, row]) + "\n")
    with pytest.raises(DataError, match=rf"^line {len(lines) + 1} has .*map_cells\.tsv\]"):
        read_cells(tmp_path / "map_cells.tsv")


def test_every_method_is_compared_with_every_other_one_as_with_the_reference(tables):
    rows = read_table(tables / "pairs.tsv", CELL_COLUMNS)
    compared = {(row["method"], row["reference"]) for row in rows if row["lang"] == "de"}
    assert compared == {(one, other) for one in METHODS for other in METHODS if one != other}
    with_nmt = [row for row in rows if row["reference"] == "nmt"]
    assert with_nmt == [
        row for row in read_cells(tables / "map_cells.tsv") if row["reference"] and row["method"] != "nmt"
    ]
    there, back = (
        {row["lang"]: row for row in rows if (row["method"], row["reference"]) == pair}
        for pair in (("optical", "nmt"), ("nmt", "optical"))
    )
    for lang in LANGS:
        assert there[lang]["p_randomisation"] == back[lang]["p_randomisation"]
        assert float(there[lang]["interval_low"]) == pytest.approx(-float(back[lang]["interval_high"]), abs=1e-9)


def test_a_reference_outside_the_methods_is_refused(tables):
    arguments = [
        "--scores",
        "scores.tsv",
        "--collection",
        "toy",
        "--methods",
        "bm25",
        "--langs",
        "sw",
        "--measures",
        "AP",
    ]
    arguments += ["--reference", "nmt", "--cells", "x", "--pairs", "x", "--out", "x", "--markdown", "x", "--latex", "x"]
    done = run_program(*arguments, cwd=tables)
    assert done.returncode == 1 and "unknown 'nmt' [--reference]" in done.stderr


def test_low_resource_languages_decide_which_rival_is_the_strongest():
    means = {("a", "low"): 0.4, ("a", "high"): 0.9, ("b", "low"): 0.5, ("b", "high"): 0.6, ("c", "high"): 0.95}
    means |= {("mine", "low"): 0.3, ("mine", "high"): 0.3}
    cells = {key: {"mean": str(mean)} for key, mean in means.items()}
    assert strongest_rival(cells, "mine", ["a", "b", "c"]) == "b"
    assert strongest_rival(cells, "mine", ["a", "c"]) == "a", "c was not run in every low-resource language"
    high = {key: row for key, row in cells.items() if key[1] == "high"}
    assert strongest_rival(high, "mine", ["a", "b", "c"]) == "c"


def test_a_rival_is_compared_on_languages_that_the_method_was_run_in():
    means = {("a", "low"): 0.9, ("a", "high"): 0.2, ("b", "low"): 0.5, ("b", "high"): 0.6, ("mine", "high"): 0.3}
    cells = {key: {"mean": str(mean)} for key, mean in means.items()}
    assert strongest_rival(cells, "mine", ["a", "b"]) == "b", "mine has no mean over low-resource languages"
    single = {key: {"mean": "0.5"} for key in [("mine", "de"), ("a", "sw"), ("b", "de")]}
    assert strongest_rival(single, "mine", ["a", "b"]) == "b", "a was run in other languages"
