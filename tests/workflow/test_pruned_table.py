"""The table of what pruning loses: a search that prunes nothing loses nothing."""

import pytest

from optical.files import read_table
from support.workspace import ROOT, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

PRUNED_TABLE = "results/pruned_table.tsv"
STAND_IN = {"PYTHONPATH": str(ROOT / "tests/packages")}  # scores every document


def test_a_search_that_prunes_nothing_loses_nothing(tmp_path):
    workspace = make_workspace(tmp_path)
    ran = job_counts(run_snakemake(workspace, "--cores", 2, target=PRUNED_TABLE, environment=STAND_IN).stdout)
    assert (ran["index_collection"], ran["search_pruned"], ran["evaluate_pruned"]) == (1, 3, 2)
    rows = [row for row in read_table(workspace / PRUNED_TABLE) if row["search"] == "pruned"]
    assert {row["method"] for row in rows} == {"english", "zero-shot", "optical"}
    assert {row["lang"] for row in rows} == {"sw", "de", "low", "high", "gap"}
    assert all(row["reference"] == "exact" and float(row["difference"]) == 0 for row in rows)
    assert all(float(row["mean"]) > 0 for row in rows if row["lang"] in ("sw", "de"))
