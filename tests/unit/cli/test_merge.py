"""`optical merge`: runs that were made apart become the table that one run would have made."""

import os

import pytest

from optical.evaluation.held_out import COLUMNS
from optical.evaluation.matrix import write_matrix
from optical.evaluation.merging import records_in
from optical.evaluation.scores import Score, read_scores, write_scores
from optical.files import read_table, write_json, write_rows
from support.workspace import ROOT

LANGS = ("sw", "so", "de")
BASE = {"optical": 0.5, "bm25": 0.25}
TABLES = ("map_cells.tsv", "map_table.tsv", "map_table.md", "map_table.tex")


def write_run(folder, *seeds, shift=0.0, langs=LANGS, steps=400, weights="first"):
    """Write what a run leaves of its scores and models, as the workflow names them: BM25 has the run's first seed."""
    write_json(folder / "teacher/provenance.json", {"settings": {"steps": 9}, "machine": {"model": f"{weights} chip"}})
    write_json(folder / "teacher/weights.json", weights)
    for lang in langs:
        rows = [("bm25", seeds[0], BASE["bm25"] + shift)] + [("optical", seed, 0.5 + seed / 10) for seed in seeds]
        scores = [
            Score("atlas", method, lang, str(seed), f"q{number}", "AP", value + number / 100)
            for method, seed, value in rows
            for number in range(12)
        ]
        write_scores(folder / f"scores/atlas/{lang}.tsv", scores)
        held_out = [[lang, "optical", seed, 9, 0.5, 0.4, 0.01, "worse", 0.3, 0.02, "better"] for seed in seeds]
        write_rows(folder / f"held_out/{lang}.tsv", [COLUMNS, *held_out])
        for seed in seeds:
            settings = {"seed": seed, "steps": steps, "objectives": {"weight": 1}}
            write_json(folder / f"students/{lang}/optical/{seed}/provenance.json", {"settings": settings})
    return folder


@pytest.fixture
def merge(optical, tmp_path):
    """Merge runs with a config of their methods and languages; return exit code, output, error output."""
    config = tmp_path / "mine.yaml"
    config.write_text(f"languages: [{', '.join(LANGS)}]\nmethods: [bm25, optical]\nreference: bm25\n")
    return lambda *runs, to: optical("merge", *runs, "--config", config, "--to", tmp_path / to)


def means(folder):
    """Return (mean, seeds) of each method and column of the table in a folder."""
    rows = [row for row in read_table(folder / "atlas/map_cells.tsv") if row["measure"] == "AP"]
    return {(row["method"], row["lang"]): (row["mean"], int(row["seeds"])) for row in rows}


@pytest.mark.parametrize(
    ("name", "configs", "collection", "group"),
    [
        ("open", ["open"], "flores", {"low": "sw+so+tl+mr", "high": "fi+de+fr"}),
        ("afriqa", ["open", "afriqa"], "afriqa", {"low": "bem+ha+ig+rw+sw+zu"}),
    ],
)
def test_the_stored_scores_of_an_experiment_give_the_expected_figures(
    optical, tmp_path, name, configs, collection, group
):
    stored = ROOT / f"docs/scores/{name}-seed-1.tsv.gz"
    files = [f"config/{config}.yaml" for config in configs]
    assert optical("merge", stored, "--config", *files, "--to", tmp_path / "merged")[0] == 0
    rows = read_table(tmp_path / f"merged/{collection}/map_cells.tsv")
    measured = {(row["method"], group.get(row["lang"])): row["mean"] for row in rows if row["measure"] == "AP"}
    expected = [row for row in read_table(ROOT / "config/expected.tsv") if row["config"] == name]
    assert len(expected) == {"open": 28, "afriqa": 16}[name]
    for row in expected:
        assert f"{float(measured[row['method'], row['lang']]):.3f}" == row["value"], row


def test_some_collections_and_measures_are_kept(optical, tmp_path):
    run = write_run(tmp_path / "a", 1)
    place = tmp_path / "a/scores/atlas/sw.tsv"
    rows = list(read_scores([place]))
    write_scores(place, [*rows, *(row._replace(measure="R@100") for row in rows)])
    packed = tmp_path / "some.tsv.gz"
    code, output, _ = optical("merge", run, "--measures", "AP", "--collections", "atlas", "--to", packed)
    assert code == 0 and {score.measure for score in read_scores([packed])} == {"AP"}, output
    code, _, error = optical("merge", run, "--measures", "MAP", "--to", tmp_path / "none.tsv.gz")
    assert code == 1 and "no scores of MAP [--measures]. Hint: there are AP, R@100" in error


def test_seeds_of_a_matrix_become_the_matrix_of_one_run(optical, tmp_path):
    langs = ("en", "sw", "de")
    config = tmp_path / "mine.yaml"
    config.write_text(
        "languages: [sw, de]\ncollections: [flores]\nmethods: [zero-shot, optical]\n"
        "reference: zero-shot\nmatrix: {references: [zero-shot]}\nstudent: {sides: [query, document]}\n"
        "collection_table: {flores: {passage_languages: [en, sw, de]}}\n"
    )
    runs = {}
    for seed in (1, 2):
        runs[seed] = [
            Score(f"flores-{read}", method, asked, str(of), f"q{number}", "AP", (base + of + number) / 20)
            for read in langs
            for asked in langs
            for method, base, of in [("zero-shot", 1, 1), ("optical", 3, seed)]
            for number in range(8)
        ]
        write_scores(tmp_path / f"{seed}.tsv.gz", runs[seed])
    files = ["--config", ROOT / "config/open.yaml", config, "--to", tmp_path / "both"]
    code, output, _ = optical("merge", tmp_path / "1.tsv.gz", tmp_path / "2.tsv.gz", *files)
    assert code == 0 and "flores: a matrix of queries in 3 languages by passages in 3" in output, output
    write_scores(tmp_path / "all.tsv", dict.fromkeys([*runs[1], *runs[2]]))
    passages = {f"flores-{lang}": lang for lang in langs}
    compared = (list(langs), passages, ["zero-shot", "optical"], "AP", ["zero-shot"])
    places = (tmp_path / "matrix.tsv", tmp_path / "matrix.md")
    write_matrix(read_scores([tmp_path / "all.tsv"]), "flores", *compared, *places)
    for place in places:
        assert (tmp_path / "both/flores" / place.name).read_bytes() == place.read_bytes()
    assert "| sw | 0.400 |" in places[1].read_text()


def test_two_seeds_become_the_table_of_one_run_with_both(merge, tmp_path):
    first, second = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", 2)
    code, output, error = merge(first, to="one.tsv.gz")
    assert (code, error) == (0, "") and output.endswith("72 scores; seed 1\n")
    assert merge(second, to="two.tsv.gz")[0] == 0
    assert merge(tmp_path / "two.tsv.gz", tmp_path / "one.tsv.gz", to="both")[:1] == (0,)
    assert merge(write_run(tmp_path / "c", 1, 2), to="whole")[0] == 0
    for name in ("scores.tsv.gz", *(f"atlas/{table}" for table in TABLES)):
        if name != "scores.tsv.gz":  # BM25 has the seed of the first run
            assert (tmp_path / "both" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert merge(tmp_path / "one.tsv.gz", tmp_path / "two.tsv.gz", to="again")[0] == 0
    packed = [(tmp_path / name / "scores.tsv.gz").read_bytes() for name in ("again", "whole")]
    assert packed[0] == packed[1]
    shown = (tmp_path / "both/atlas/map_table.md").read_text()
    assert "means over 2 seeds, ± sd over seeds; 1 seed: bm25;" in shown and "optical (sw, seed 2: 0.5, 0.4)" in shown
    assert means(tmp_path / "both")["optical", "sw"] == ("0.705", 2)


def test_a_file_of_scores_says_what_its_models_were_made_of(merge, tmp_path):
    assert merge(write_run(tmp_path / "a", 1, langs=["sw"]), to="one.tsv.gz")[0] == 0
    student, teacher = records_in(tmp_path / "one.tsv.gz")
    assert student["model"] == "students/sw/optical/1" and student["held_out"]["than_start"] == "worse"
    assert student["settings"]["objectives"] == {"weight": 1}
    assert (teacher["model"], teacher["machine"]) == ("teacher", {"model": "first chip"})


def test_students_of_an_earlier_run_in_the_same_folder_are_not_recorded(merge, tmp_path):
    run = write_run(write_run(tmp_path / "a", 1, steps=400), 2, steps=800)
    assert merge(run, to="two.tsv.gz")[0] == 0
    assert {record["model"][-2:] for record in records_in(tmp_path / "two.tsv.gz")} == {"/2", "er"}


def test_a_seed_that_lacks_a_language_is_seen(merge, tmp_path):
    runs = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", 2, langs=["sw", "de"])
    output = merge(*runs, to="both")[1]
    few = "1 seed: bm25, optical (so, low, gap)"
    assert (
        f"atlas: 48 cells, 36 not run; {few}\n" in output and few in (tmp_path / "both/atlas/map_table.md").read_text()
    )
    assert means(tmp_path / "both")["optical", "low"] == ("0.655", 1), "a mean over the seeds that all languages have"


def test_methods_without_training_may_differ_a_little(merge, tmp_path):
    runs = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", 2, shift=0.01, weights="second")
    code, _, error = merge(*runs, to="both")
    assert code == 0
    differ = (
        "36 of 36 scores of bm25 differ between the runs, by 0.0100 at most, their means by 0.0100; the first run's"
    )
    assert differ in error and "teacher is not the same in all runs; processors: first chip, second chip" in error
    assert means(tmp_path / "both")["bm25", "sw"] == ("0.305", 1)


def test_a_run_that_is_nearly_right_does_not_hide_one_that_is_wrong(merge, tmp_path):
    runs = [
        write_run(tmp_path / name, seed, shift=shift)
        for name, seed, shift in (("a", 1, 0), ("b", 2, 0.05), ("c", 3, 0.001))
    ]
    code, _, error = merge(*runs, to="all")
    assert code == 1 and "differ by 0.0500" in error


@pytest.mark.parametrize(
    ("seed", "other", "message"),
    [
        (2, {"shift": 0.03}, "atlas, bm25, de, seed 1: 12 of 12 queries have two values of AP, which differ by 0.0300"),
        (2, {"steps": 800}, "students/de/optical: the runs have two values of steps, 400 and 800"),
    ],
)
def test_runs_that_differ_in_more_than_their_seeds_are_refused_unless_forced(
    optical, merge, tmp_path, seed, other, message
):
    runs = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", seed, **other)
    code, _, error = merge(*runs, to="both")
    assert code == 1 and message in error and "and 2 more such faults" in error and error.count("\n") == 1
    assert not (tmp_path / "both").exists()
    code, _, error = merge(*runs, "--force", to="both")
    assert code == 0 and message in error and error.count("\n") == 3


def test_a_seed_that_was_trained_twice_is_refused(merge, tmp_path):
    first, second = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", 1)
    scores = list(read_scores([second / "scores/atlas/sw.tsv"]))
    write_scores(second / "scores/atlas/sw.tsv", [*scores[:-1], scores[-1]._replace(value=0.701)])
    assert "atlas, optical, sw, seed 1: 1 of 12 queries have two values of AP" in merge(first, second, to="both")[2]


def test_the_same_run_twice_counts_once(merge, tmp_path):
    run = write_run(tmp_path / "a", 1)
    assert "72 scores; seed 1\n" in merge(run, run / "scores", to="both")[1]


def test_names_that_the_config_lacks_are_told(optical, merge, tmp_path):
    run = write_run(tmp_path / "a", 1, langs=["sw", "fi"])
    assert "not in the tables, because the config does not name them: fi\n" in merge(run, to="both")[1]


def test_nothing_is_overwritten_and_an_empty_folder_is_named(optical, tmp_path):
    run = write_run(tmp_path / "a", 1)
    assert "already there" in optical("merge", run, "--to", run)[2]
    (tmp_path / "empty").mkdir()
    assert "no scores there" in optical("merge", tmp_path / "empty", "--to", tmp_path / "both")[2]


@pytest.mark.parametrize(
    "note",
    [
        "{",
        "3",
        '{"model": 3}',
        '{"model": "a", "held_out": {}}',
        '{"model": "a", "held_out": 3}',
        '{"model": "a", "machine": 1}',
    ],
)
def test_a_file_with_a_damaged_note_is_refused(optical, tmp_path, note):
    write_scores(tmp_path / "a.tsv.gz", [], [note])
    code, _, error = optical("merge", tmp_path / "a.tsv.gz", "--to", tmp_path / "both")
    assert code == 1 and "line 1 is not" in error


@pytest.mark.parametrize("changes", ["methods: [bm25, optcal]", "collections: [atls]", "languages: [sw, xx]"])
def test_a_config_with_an_unknown_name_is_refused_before_the_scores_are_read(optical, tmp_path, changes):
    config = tmp_path / "mine.yaml"
    config.write_text(f"{changes}\n")
    code, _, error = optical("merge", tmp_path / "none.tsv.gz", "--config", config, "--to", tmp_path / "merged")
    assert code == 1 and f"[{changes.partition(':')[0]}]" in error and error.startswith("optical merge: unknown '")


def teach_all(run, seed):
    """Make a run's students into one of all languages, as a method with `multilingual` has it."""
    for lang in LANGS:
        (run / f"students/{lang}/optical/{seed}/provenance.json").unlink()
    for name in ("config", "provenance"):
        write_json(run / f"students/mul/optical/{seed}/{name}.json", {})
    return run


def test_seeds_of_one_student_and_of_a_student_for_each_language_are_refused(merge, tmp_path):
    first, second = write_run(tmp_path / "a", 1), teach_all(write_run(tmp_path / "b", 2), 2)
    assert merge(second, teach_all(write_run(tmp_path / "c", 3), 3), to="alike")[::2] == (0, "")
    code, _, error = merge(first, second, to="both")
    assert code == 1 and "optical: a run has one student for all languages, another a student for each" in error


def test_a_student_of_all_languages_that_a_later_run_replaced_is_not_recorded(merge, tmp_path):
    run = write_run(tmp_path / "a", 1)
    for place, made in (("students/mul/optical/1", 1), *((f"students/{lang}/optical/1", 2) for lang in LANGS)):
        write_json(run / place / "config.json", {})
        write_json(run / place / "provenance.json", {})
        os.utime(run / place / "config.json", (made, made))
    assert merge(run, to="one.tsv.gz")[::2] == (0, "")
    assert "students/mul/optical/1" not in {record["model"] for record in records_in(tmp_path / "one.tsv.gz")}


def test_scores_that_fill_no_table_are_refused_by_the_name_of_their_collection(optical, merge, tmp_path):
    write_scores(tmp_path / "none.tsv.gz", [])
    code, _, error = merge(tmp_path / "none.tsv.gz", to="both")
    assert code == 1 and f"no scores there [{tmp_path / 'none.tsv.gz'}]" in error
    write_scores(tmp_path / "mine.tsv.gz", [Score("atlas", "mine", "sw", "1", "q1", "AP", 0.5)])
    code, _, error = merge(tmp_path / "mine.tsv.gz", to="both")
    assert code == 1 and "no scores of AP for the methods and languages of the config [atlas]" in error
    assert not (tmp_path / "both").exists()
