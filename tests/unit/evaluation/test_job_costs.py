"""Costs are summed per rule and method."""

import json

import pytest

from optical.errors import DataError
from optical.evaluation.job_costs import COLUMNS, cost_rows

BENCHMARK = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def write_benchmark(path, row):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(BENCHMARK + "\t".join(map(str, row)) + "\n")


def test_costs_are_summed_per_rule_and_method(tmp_path):
    write_benchmark(tmp_path / "distil_student/sw/optical/1.tsv", [10, "0:00:10", 500, 1, 1, 1, 0, 0, 100, 9])
    write_benchmark(tmp_path / "distil_student/de/optical/1.tsv", [20, "0:00:20", 700, 1, 1, 1, 0, 0, 100, 19])
    write_benchmark(tmp_path / "distil_student/de/mse/1.tsv", [5, "0:00:05", 400, 1, 1, 1, 0, 0, 100, 4])
    write_benchmark(tmp_path / "make_map_table.tsv", [0.2, "0:00:00", "-", "-", "-", "-", "-", "-", "-", "NA"])
    gpu = {"seconds": 10, "energy_joules": 3600, "max_memory_mb": 900, "mean_utilisation_percent": 40.0}
    (tmp_path / "distil_student/de/optical/1.gpu0.json").write_text(json.dumps(gpu))
    (tmp_path / "distil_student/de/optical/1.gpu1.json").write_text(
        json.dumps(gpu | {"mean_utilisation_percent": 60.0})
    )
    header, *rows = cost_rows(tmp_path, ["optical", "mse"])
    assert header == list(COLUMNS)
    assert rows == [
        ["distil_student", "mse", "1", "5.0", "4.0", "400", "", "", "", ""],
        ["distil_student", "optical", "2", "30.0", "28.0", "700", "20.0", "2.00", "900", "50"],
        ["make_map_table", "", "1", "0.2", "", "", "", "", "", ""],
        ["total", "", "4", "35.2", "32.0", "700", "20.0", "2.00", "900", "50"],
    ]


def test_shares_of_the_pairs_and_points_of_a_grid_count_and_other_experiments_do_not(tmp_path):
    folders = [tmp_path / name for name in (".", "bitext_curve/10", "tuning/1", "tuning/2", "other", "other/tuning/1")]
    for seconds, folder in enumerate(folders, start=1):
        file = folder / "benchmarks/distil_student/sw/optical/1.tsv"
        write_benchmark(file, [10**seconds, "", 500, 1, 1, 1, 0, 0, 100, 9])
    _, row, total = cost_rows(tmp_path / "benchmarks", ["optical"])
    assert row[:4] == ["distil_student", "optical", "4", "11110.0"]
    assert total[2:] == row[2:]


def test_no_benchmarks_is_an_error_with_a_hint(tmp_path):
    with pytest.raises(DataError, match="no benchmarks .*Hint"):
        cost_rows(tmp_path, [])
