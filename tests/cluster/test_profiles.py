"""Each cluster profile plans the whole run, and what Slurm is asked for is what the rules and the profile state."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.workspace import (
    QUIET,
    ROOT,
    SMALL,
    gpu_rules,
    make_workspace,
    rules,
    rules_with_needs,
    run_snakemake,
    training_rules,
)

pytestmark = pytest.mark.workflow

PROFILES = ("slurm", "cluster-generic", "kubernetes")


def profile(name):
    """Return the keys of a profile."""
    return yaml.safe_load((ROOT / f"workflow/profiles/{name}/config.yaml").read_text(encoding="utf-8"))


def planned(workspace, *arguments, config=SMALL, target="results/map_table.tsv"):
    """Return the jobs of a dry run, each with its rule, wildcards, shell command and call of sbatch."""
    command = [sys.executable, str(Path(__file__).parent / "planned_jobs.py"), "--cores", "64", *arguments]
    command += ["--configfile", str(config), "--", target]
    done = subprocess.run(command, cwd=workspace, env=os.environ | QUIET, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return make_workspace(tmp_path_factory.mktemp("profiles"))


@pytest.fixture(scope="module")
def jobs(workspace):
    return planned(workspace, "--workflow-profile", "workflow/profiles/slurm")


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_plans_the_whole_run(workspace, name):
    arguments = ["--dry-run", "--workflow-profile", f"workflow/profiles/{name}"]
    if name == "kubernetes":  # the storage that the profile names is the user's own
        arguments += ["--default-storage-prefix", str(workspace)]
    done = run_snakemake(workspace, *arguments, environment={"OPTICAL_CHECKPOINTS": "/shared/optical"})
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.MULTILINE))
    assert counts["train_teacher"] == "1"
    assert counts["distil_student"] == "2"


def test_the_gpu_rules_ask_for_one_gpu_and_the_others_for_none(jobs):
    asking = {job["rule"] for job in jobs if re.search(r" --gpus?[= ]1\b", job["sbatch"])}
    assert asking == gpu_rules() & {job["rule"] for job in jobs}
    assert asking >= {"pretrain_encoder", "train_teacher", "distil_student", "encode_collection", "search_collection"}


def test_what_the_teacher_asks_of_slurm(jobs):
    (teacher,) = [job for job in jobs if job["rule"] == "train_teacher"]
    assert " -t 2880 " in teacher["sbatch"]
    assert " --cpus-per-task=2" in teacher["sbatch"]
    assert " --gpus=1" in teacher["sbatch"]


def test_a_further_attempt_asks_for_more_time_unless_it_goes_on_with_a_training(workspace, jobs):
    again = planned(workspace, "--workflow-profile", "workflow/profiles/slurm", "--attempt", "2")
    first, then = (
        {job["rule"]: int(re.search(r" -t (\d+) ", job["sbatch"])[1]) for job in found} for found in (jobs, again)
    )
    stated = rules_with_needs() & first.keys()
    assert len(stated) > 10
    for name in stated:
        assert then[name] == first[name] * (1 if name in training_rules() else 2), name


def test_trainings_know_the_time_that_they_are_granted(jobs):
    training = {job["rule"]: job["shell"] for job in jobs if job["rule"] in training_rules()}
    assert training.keys() >= {"pretrain_encoder", "train_teacher", "distil_student"}
    for shell in training.values():
        assert re.search(r"--runtime-minutes \$\(\(\d{3,} \* 1\)\) --device cuda --precision bf16", shell)


def test_the_runtime_that_a_site_sets_reaches_scheduler_and_training(workspace):
    arguments = ("--workflow-profile", "workflow/profiles/slurm", "--set-resources", "train_teacher:runtime=77")
    (teacher,) = [job for job in planned(workspace, *arguments) if job["rule"] == "train_teacher"]
    assert " -t 77 " in teacher["sbatch"]
    assert "--runtime-minutes $((77 * 1))" in teacher["shell"]


def test_the_full_experiment_asks_slurm_for_gpus_where_models_run(workspace):
    arguments = ("--workflow-profile", "workflow/profiles/slurm")
    jobs = planned(workspace, *arguments, config=ROOT / "config/paper.yaml", target="results/paper/map_table.tsv")
    asked = {job["rule"]: job["sbatch"] for job in jobs}
    running = gpu_rules() & asked.keys()
    given = {"pretrain_encoder", "train_translator"}
    no_part_of_the_table = {"measure_alignment", "index_collection", "search_pruned"}
    other_searches = {"encode_part", "search_part", "encode_with_model"}
    others = given | no_part_of_the_table | other_searches
    assert running == gpu_rules() - others
    assert {name for name, sbatch in asked.items() if " --gpus=1" in sbatch} == running
    minutes = {name: int(re.search(r" -t (\d+) ", sbatch)[1]) for name, sbatch in asked.items()}
    assert (minutes["train_teacher"], minutes["distil_student"], minutes["retrain_student"]) == (2880, 720, 720)
    shells = {job["rule"]: job["shell"] for job in jobs}
    for name in running:
        assert "--device cuda --precision bf16" in shells[name], name


def test_several_gpus_go_to_the_trainings_alone(workspace):
    machine = "machine={gpus: 4, device: cuda, precision: bf16, checkpoint_steps: 500, stop_before_runtime: true}"
    jobs = planned(workspace, "--workflow-profile", "workflow/profiles/slurm", "--config", machine)
    planned_rules = {job["rule"] for job in jobs}
    four, one = ({job["rule"] for job in jobs if f" --gpus={count}" in job["sbatch"]} for count in (4, 1))
    assert four == training_rules() & planned_rules
    assert one == (gpu_rules() - training_rules()) & planned_rules
    shells = {job["rule"]: job["shell"] for job in jobs}
    assert "torch.distributed.run --standalone --nproc-per-node 4 -- workflow/scripts/" in shells["train_teacher"]
    assert {name for name, shell in shells.items() if " --checkpoint-steps 500 " in shell} == four


def test_nothing_runs_on_a_gpu_without_a_profile(workspace):
    jobs = planned(workspace)
    assert not any("--gpus" in job["sbatch"] for job in jobs)
    shells = [job["shell"] for job in jobs if job["rule"] in training_rules()]
    assert shells
    assert all(re.search(r"--runtime-minutes \$\(\(\d+ \* 0\)\) --device auto", shell) for shell in shells)


@pytest.mark.parametrize("name", PROFILES)
def test_groups_hold_rules_that_exist_and_need_no_gpu(name):
    grouped = {entry.split("=")[0] for entry in profile(name)["groups"]}
    assert grouped <= rules().keys()
    assert not grouped & gpu_rules()


def test_the_cluster_profiles_agree_where_they_mean_the_same():
    keys = ("groups", "group-components", "retries", "rerun-triggers", "resources", "set-resource-scopes")
    for key in keys:
        assert profile("slurm")[key] == profile("cluster-generic")[key] == profile("kubernetes")[key], key


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ("   JobState=COMPLETED Reason=None", "success"),
        ("   JobState=RUNNING Reason=None", "running"),
        ("   JobState=PENDING Reason=Priority", "running"),
        ("   JobState=REQUEUED Reason=None", "running"),
        ("   JobState=FAILED Reason=NonZeroExitCode", "failed"),
        ("   JobState=TIMEOUT Reason=TimeLimit", "failed"),
        ("   JobState=OUT_OF_MEMORY Reason=OutOfMemory", "failed"),
        ("slurm_load_jobs error: Invalid job id specified", "failed"),
        ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", "running"),
    ],
)
def test_the_status_script_reads_slurms_answer(tmp_path, told, answer):
    scontrol = tmp_path / "scontrol"
    scontrol.write_text(f'#!/bin/sh\n[ "$*" = "show job 12" ] && echo "{told}"\n')
    scontrol.chmod(0o755)
    (tmp_path / "sacct").write_text("#!/bin/sh\n")
    (tmp_path / "sacct").chmod(0o755)
    script = ROOT / "workflow/profiles/cluster-generic/status.sh"
    variables = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run([script, "12"], env=variables, capture_output=True, text=True, check=True)
    assert done.stdout == f"{answer}\n"
