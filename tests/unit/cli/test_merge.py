"""`optical merge`: seeds that were run apart become one table."""

import pytest

from optical.evaluation.scores import Score, read_scores, write_scores
from optical.files import read_table

LANGS = ("sw", "de")
BASE = {"optical": 0.5, "bm25": 0.25}


def write_run(folder, seed, shift=0.0):
    """Write the scores of a run with one seed, as the workflow names them: BM25 has the run's first seed."""
    for lang in LANGS:
        rows = [
            Score("atlas", method, lang, str(seed), f"q{number}", "AP", value + number / 100 + shift)
            for method, value in BASE.items()
            for number in range(12)
        ]
        rows = [row if row.method == "bm25" else row._replace(value=row.value + seed / 10) for row in rows]
        write_scores(folder / f"atlas/{lang}.tsv", rows)
    return folder


@pytest.fixture
def config(tmp_path):
    """Return a config of these methods and languages."""
    path = tmp_path / "mine.yaml"
    path.write_text("languages: [sw, de]\nmethods: [bm25, optical]\n")
    return path


def test_two_seeds_become_one_table_with_their_spread(optical, tmp_path, config):
    first, second = (write_run(tmp_path / f"run{seed}", seed) for seed in (1, 2))
    code, output, error = optical("merge", first, "--config", config, "--to", tmp_path / "kept")
    assert (code, error) == (0, "") and "48 scores; seed 1\n" in output
    kept = tmp_path / "kept/scores.tsv.gz"
    assert optical("merge", kept, second, "--config", config, "--to", tmp_path / "both")[0] == 0
    rows = read_table(tmp_path / "both/atlas/map_cells.tsv")
    cells = {(row["method"], row["lang"]): row for row in rows if row["measure"] == "AP"}
    assert [cells[method, "sw"]["seeds"] for method in BASE] == ["2", "1"], "BM25 is not trained"
    means = [float(row["mean"]) for row in map(cells.get, [("optical", "sw"), ("bm25", "sw")])]
    assert means == pytest.approx([0.65 + 0.055, 0.25 + 0.055])
    assert "over 1-2 seeds" in (tmp_path / "both/atlas/map_table.md").read_text()
    assert len(list(read_scores([tmp_path / "both/scores.tsv.gz"]))) == 3 * 2 * 12


def test_runs_that_differ_in_more_than_their_seeds_are_refused(optical, tmp_path, config):
    runs = write_run(tmp_path / "a", 1), write_run(tmp_path / "b", 2, shift=0.01)
    code, _, error = optical("merge", *runs, "--config", config, "--to", tmp_path / "both")
    assert code == 1 and "bm25, de, seed 1: query q0 has two values of AP" in error and "one teacher" in error
    assert not (tmp_path / "both").exists()


def test_the_same_run_twice_counts_once(optical, tmp_path, config):
    run = write_run(tmp_path / "a", 1)
    assert "48 scores; seed 1\n" in optical("merge", run, run, "--config", config, "--to", tmp_path / "both")[1]


def test_nothing_is_overwritten_and_an_empty_folder_is_named(optical, tmp_path, config):
    run = write_run(tmp_path / "a", 1)
    assert "already there" in optical("merge", run, "--to", run)[2]
    (tmp_path / "empty").mkdir()
    assert "no scores there" in optical("merge", tmp_path / "empty", "--to", tmp_path / "both")[2]
