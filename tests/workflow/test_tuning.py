"""A grid over keys of the config: the points share what their keys do not touch, and the best one is a config file."""

import json

import pytest
import yaml

from optical.files import read_table
from support.workspace import SMALL, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

TUNING = {
    "languages": ["sw"],
    "methods": ["zero-shot", "optical"],
    "pretraining": {"steps": 2},
    "teacher": {"steps": 2},
    "tuning": {"collection": "atlas-dev", "grid": {"student.steps": [2, 4], "transport.regularisation": [0.1]}},
}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """Return the folder of a finished tuning, its configs, and what Snakemake said."""
    workspace = make_workspace(tmp_path_factory.mktemp("tuning"))
    config = workspace / "tuning.yaml"
    config.write_text(json.dumps(TUNING), encoding="utf-8")
    configs = [SMALL, config]
    return (
        workspace,
        configs,
        run_snakemake(workspace, "--cores", "2", config=configs, target="results/tuning.tsv").stdout,
    )


def test_the_points_share_what_their_keys_do_not_touch(tuned):
    ran = job_counts(tuned[2])
    once = ("pretrain_encoder", "train_teacher", "clean_bitext", "tokenise_bitext", "encode_collection")
    assert {rule: ran[rule] for rule in once} == dict.fromkeys(once, 1)
    assert (ran["distil_student"], ran["search_collection"], ran["evaluate_run"]) == (2, 2, 2)
    assert ran["prepare_collection"] == 2, "the test's queries are kept out of the sentence pairs, too"
    assert not (tuned[0] / "results/tuning/1/teacher").exists()


def test_the_table_has_a_row_for_each_point_and_the_best_is_a_config(tuned):
    workspace, configs, _ = tuned
    rows = read_table(workspace / "results/tuning.tsv")
    assert {row["student.steps"] for row in rows} == {"2", "4"}
    chosen = workspace / "results/tuning.yaml"
    values = yaml.safe_load(chosen.read_text(encoding="utf-8"))
    assert values == {"student": {"steps": int(rows[0]["student.steps"])}, "transport": {"regularisation": 0.1}}
    planned = job_counts(run_snakemake(workspace, "--cores", "2", "--dry-run", config=[*configs, chosen]).stdout)
    assert planned["distil_student"] == 1
    assert "train_teacher" not in planned


def test_a_second_run_finds_nothing_to_do(tuned):
    workspace, configs, _ = tuned
    again = run_snakemake(workspace, "--cores", "2", config=configs, target="results/tuning.tsv").stdout
    assert "Nothing to be done" in again


def test_a_test_collection_decides_nothing(tmp_path):
    tuning = "tuning={collection: atlas, grid: {student.steps: [1, 2]}}"
    workspace = make_workspace(tmp_path)
    refused = run_snakemake(workspace, "--dry-run", "--config", tuning, target="results/tuning.tsv", check=False)
    assert "ConfigError: a test collection cannot judge the grid [tuning.collection]. Hint: " in refused.stdout
