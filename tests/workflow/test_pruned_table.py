"""The table of what pruning loses: which jobs it takes, and that a search which prunes nothing loses nothing."""

import pytest

from optical.files import read_table
from support.workspace import ROOT, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

PRUNED_TABLE = "results/pruned_table.tsv"
STAND_IN = {"PYTHONPATH": str(ROOT / "tests/packages")}  # scores every document


def test_one_index_serves_all_languages_and_methods(tmp_path):
    arguments = ("--dry-run", "--quiet", "rules", "--cores", 2)
    planned = run_snakemake(make_workspace(tmp_path), *arguments, config=[], target=PRUNED_TABLE)
    counts = job_counts(planned.stdout)
    expected = {"index_collection": 1, "search_pruned": 8, "evaluate_pruned": 7, "make_pruned_table": 1}
    assert {name: counts.get(name) for name in expected} == expected


def test_an_index_holds_all_parts_of_a_collection(tmp_path):
    arguments = ("--dry-run", "--quiet", "rules", "--cores", 2, "--config", "search={parts: 3}", "languages=[sw]")
    planned = run_snakemake(make_workspace(tmp_path), *arguments, config=[], target=PRUNED_TABLE)
    counts = job_counts(planned.stdout)
    assert (counts["encode_part"], counts["index_collection"], counts["search_pruned"]) == (3, 1, 2)


def test_a_collection_that_students_read_has_no_index(tmp_path):
    documents = "collection_table={atlas: {documents_by: student}}"
    arguments = ("--dry-run", "--cores", 2, "--config", documents)
    refused = run_snakemake(make_workspace(tmp_path), *arguments, config=[], target=PRUNED_TABLE, check=False)
    assert refused.returncode
    assert (
        "none has an index [collections]. Hint: name a collection whose documents the teacher reads" in refused.stdout
    )


def test_a_search_that_prunes_nothing_loses_nothing(tmp_path):
    workspace = make_workspace(tmp_path)
    run_snakemake(workspace, "--cores", 2, target=PRUNED_TABLE, environment=STAND_IN)
    rows = [row for row in read_table(workspace / PRUNED_TABLE) if row["search"] == "pruned"]
    assert {row["method"] for row in rows} == {"english", "zero-shot", "optical"}
    assert {row["lang"] for row in rows} == {"sw", "de", "low", "high", "gap"}
    assert all(row["reference"] == "exact" and float(row["difference"]) == 0 for row in rows)
    assert all(float(row["mean"]) > 0 for row in rows if row["lang"] in ("sw", "de"))


def test_without_token_vectors_there_is_nothing_to_compare(tmp_path):
    arguments = ("--dry-run", "--cores", 2, "--config", "methods=[bm25]", "reference=bm25")
    refused = run_snakemake(make_workspace(tmp_path), *arguments, config=[], target=PRUNED_TABLE, check=False)
    assert "none searches with token vectors [methods]" in refused.stdout
