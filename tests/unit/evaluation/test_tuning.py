"""The point of a grid with the highest mean is chosen, every language counting the same."""

import subprocess
import sys

import pytest
import yaml

from optical.config.experiment import Config
from optical.errors import DataError
from optical.evaluation.scores import Score, write_scores
from optical.evaluation.tuning import config_lines, trials_of, tuning_rows
from support.workspace import ROOT

COUNTED = ("optical", "AP")
SCRIPT = ROOT / "workflow/scripts/make_tuning_table.py"


def point(folder, values, scores):
    """Write scores, {lang: {query: [a value per seed]}}, among those of another method and measure."""
    paths = []
    for lang, queries in scores.items():
        paths.append(str(folder / f"{'-'.join(map(str, values.values()))}.{lang}.tsv"))
        rows = [
            Score("dev", method, lang, str(seed), query_id, measure, value if (method, measure) == COUNTED else 0.9)
            for query_id, per_seed in queries.items()
            for seed, value in enumerate(per_seed, start=1)
            for method in ("mse", "optical")
            for measure in ("AP", "RR")
        ]
        write_scores(paths[-1], rows)
    return {"values": values, "scores": paths}


@pytest.fixture
def points(tmp_path):
    """The second point has more right queries, the third the higher mean over languages."""
    scores = [
        {"sw": {"q1": [0.2, 0.4], "q2": [0.3, 0.3]}, "so": {"q1": [0.2]}},
        {"sw": {"q1": [0.8, 0.8], "q2": [0.6, 0.6]}, "so": {"q1": [0.0]}},
        {"sw": {"q1": [0.4, 0.4], "q2": [0.4, 0.4]}, "so": {"q1": [0.4]}},
    ]
    grid = [{"student.learning_rate": rate, "transport.regularisation": 0.05} for rate in (1e-3, 3e-3, 1e-5)]
    return [point(tmp_path, *row) for row in zip(grid, scores, strict=True)]


def test_languages_count_the_same_and_seeds_are_averaged_first(points):
    best, second, third = trials_of(points, "optical", "AP")
    assert best.values["student.learning_rate"] == 1e-5
    assert best.mean == pytest.approx(0.4) and best.queries == 3
    assert second.means == pytest.approx({"sw": 0.7, "so": 0.0})
    assert third.means == pytest.approx({"sw": 0.3, "so": 0.2})


def test_the_table_has_a_row_a_point_best_first(points):
    header, *rows = tuning_rows(trials_of(points, "optical", "AP"))
    assert header == ["student.learning_rate", "transport.regularisation", "sw", "so", "mean"]
    assert rows[0] == ["1e-05", "0.05", "0.400000", "0.400000", "0.400000"]
    assert [row[0] for row in rows] == ["1e-05", "0.003", "0.001"]


def test_of_equal_points_the_first_of_the_grid_is_chosen(tmp_path):
    equal = [point(tmp_path, {"student.steps": steps}, {"sw": {"q": [0.5]}}) for steps in (300, 100, 200)]
    assert [trial.values["student.steps"] for trial in trials_of(equal, "optical", "AP")] == [300, 100, 200]


def test_the_chosen_values_are_a_config_file(points):
    lines = config_lines(trials_of(points, "optical", "AP"), "optical", "AP")
    assert lines[0] == "# best of 3 points of the grid: optical has a mean AP of 0.4000 over 3 queries (sw, so)"
    config = Config.read(yaml.safe_load("\n".join(lines)))
    assert config.student.learning_rate == 1e-5 and config.transport.regularisation == 0.05


def test_scores_that_cannot_be_compared_are_refused(points, tmp_path):
    with pytest.raises(DataError, match="no score of greedy by AP"):
        trials_of(points, "greedy", "AP")
    other = point(tmp_path, {"student.steps": 1}, {"de": {"q1": [0.4]}})
    with pytest.raises(DataError, match="scores in de, and in sw, so at the grid's first point"):
        trials_of([*points, other], "optical", "AP")
    with pytest.raises(DataError, match="the grid has no points"):
        trials_of([], "optical", "AP")


def test_the_program_writes_table_and_config(points, tmp_path):
    command = [sys.executable, SCRIPT, "--points", yaml.safe_dump(points), "--method", "optical", "--measure", "AP"]
    command += ["--out", tmp_path / "tuning.tsv", "--chosen", tmp_path / "tuning.yaml"]
    subprocess.run(command, check=True, capture_output=True)
    assert len((tmp_path / "tuning.tsv").read_text().splitlines()) == 4
    chosen = yaml.safe_load((tmp_path / "tuning.yaml").read_text())
    assert chosen == {"student": {"learning_rate": 1e-5}, "transport": {"regularisation": 0.05}}
