"""A run with every kind of artefact: each is damaged, and what reads it tells so. And what a pruned index loses."""

from collections import Counter

import pytest
import yaml

from optical.files import read_table
from support.damage import artefacts, damaged, jobs_of, result_of, run_again
from support.programs import server
from support.workspace import ROOT, SMALL, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

TARGETS = ["results/pruned_table.tsv", "results/map_table.tsv", "results/report.html"]
STAND_IN = {"PYTHONPATH": str(ROOT / "tests/packages")}  # for fast-plaid: scores every document
EXPERIMENT = {
    "languages": ["sw"],
    "methods": ["english", "bm25", "smt", "nmt", "zero-shot", "extended", "optical"],
    "translator": {"steps": 20, "batch_size": 8, "beams": 1},
    "vocabulary": {"pieces": 2200},
    "search": {"parts": 2},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a finished run, its jobs, and how many of each rule there were."""
    workspace = make_workspace(tmp_path_factory.mktemp("damage") / "project")
    own = workspace / "own.yaml"
    own.write_text(yaml.safe_dump(EXPERIMENT))
    config = [SMALL, own]
    ran = Counter()
    for target in TARGETS:
        done = run_snakemake(workspace, "--cores", 2, config=config, target=target, environment=STAND_IN)
        ran.update(job_counts(done.stdout))
    return workspace, jobs_of(workspace, config, TARGETS), ran


def test_a_search_that_prunes_nothing_loses_nothing(finished):
    workspace, _, ran = finished
    assert (ran["index_collection"], ran["search_pruned"], ran["evaluate_pruned"]) == (1, 2, 1)
    rows = [row for row in read_table(workspace / TARGETS[0]) if row["search"] == "pruned"]
    assert {row["method"] for row in rows} == {"english", "zero-shot", "nmt", "extended", "optical"}
    assert {row["lang"] for row in rows} == {"sw"}
    assert all(row["reference"] == "exact" and abs(float(row["difference"])) < 1e-3 for row in rows)  # ties
    assert all(float(row["mean"]) > 0 for row in rows)


def cases(jobs):
    """Yield jobs with a file that each reads, so that every artefact occurs, and every job."""
    seen = set()
    for job in jobs:
        files = artefacts(job.inputs)
        new = [path for path in files if path not in seen]
        seen.update(new)
        if job.rule != "make_report":  # it sums times, of jobs that have ended since, too
            yield from ((job, path) for path in new or files[:1])


def test_no_damage_gives_another_result_silently(finished):
    workspace, jobs, _ = finished
    context, detected = server(), Counter()
    for number, (job, path) in enumerate(cases(jobs)):
        content, before = path.read_bytes(), result_of(job)
        path.write_bytes(damaged(content, number))
        code, said = run_again(context, job, workspace, STAND_IN)
        path.write_bytes(content)
        place = f"{job.rule} with {path.relative_to(workspace)}, damage {number}: {said}"
        assert "Traceback" not in said, place
        if code == 0:
            assert result_of(job) == before, place
        else:
            errors = [line for line in said.splitlines() if "Error: " in line]
            assert code == 1 and len(errors) == 1 and path.name in errors[0], place
        detected[code] += 1
    assert detected[1] > 3 * detected[0] > 0, detected
