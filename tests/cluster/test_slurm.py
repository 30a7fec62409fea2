"""The small run on a real Slurm of one node, with everything going wrong that does on a cluster: the table is the same.

Jobs are killed, cancelled, out of time and out of memory, the node goes down, the driver is killed and started again.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from cluster import slurm
from support.workspace import QUIET, ROOT, SMALL, TABLE, make_workspace, run_snakemake, snakemake_command

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.workflow,
    pytest.mark.skipif(bool(slurm.missing_programs()), reason=f"not installed: {', '.join(slurm.missing_programs())}"),
]

INTERRUPTED = ROOT / "tests/config/interrupted.yaml"
BLOCKS = {"pretrain_encoder": "pretraining", "train_teacher": "teacher", "distil_student": "student"}
STEPS = {rule: yaml.safe_load(INTERRUPTED.read_text())[block]["steps"] for rule, block in BLOCKS.items()}
MACHINE = "machine={device: cpu, gpus: 0, precision: fp32, checkpoint_minutes: 0.005, stop_before_runtime: true}"
# what this machine asks for in place of a cluster's: quick looks, no accounting; the rest is the profile for users
LOCAL = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10")
# memory that the first attempt cannot do with, and the second can
TOO_LITTLE = "encode_collection:mem_mb=300 * 8 ** (attempt - 1)"
PATIENCE = 1800


@pytest.fixture(scope="module")
def cluster():
    with slurm.Cluster() as started:
        yield started


class Driver:
    """Snakemake as a user starts it on the submit node, and what is watched of its jobs."""

    def __init__(self, cluster, workspace):
        self.cluster, self.workspace = cluster, workspace
        self.output, self.disturbed = workspace / "driver.out", set()
        self.start()

    def start(self):
        profile = ("--workflow-profile", "workflow/profiles/slurm", *LOCAL, "--set-resources", TOO_LITTLE)
        command = snakemake_command(*profile, "--config", MACHINE, config=[SMALL, INTERRUPTED])
        variables = os.environ | QUIET | self.cluster.variables
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                command, cwd=self.workspace, env=variables, stdout=output, stderr=output, start_new_session=True
            )

    def wait_until(self, condition, what):
        """Wait for something that must happen while the driver runs, and return it."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert self.process.poll() is None, f"the driver ended before {what}:\n{self.output.read_text()}"
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.output.read_text()}"
            time.sleep(0.05)
        return found

    def in_mid_training(self, rule):
        """Wait until a job of a rule is between two checkpoints of its own; return its Slurm job and its process.

        The process is halted, so that nothing that is done to it comes too late; Slurm wakes whom it tells to end. One
        that is near its end by then goes on.
        """

        def running():
            for job, comment in self.cluster.running_jobs().items():
                for process in self.cluster.processes_of(job) if rule in comment and job not in self.disturbed else []:
                    if not self.last_saved(process, rule):
                        continue
                    os.kill(process, signal.SIGSTOP)
                    if self.last_saved(process, rule) < STEPS[rule] / 2:
                        return job, process
                    os.kill(process, signal.SIGCONT)
            return None

        job, process = self.wait_until(running, f"{rule} is in mid-training")
        self.disturbed.add(job)
        return job, process

    def last_saved(self, process, rule):
        """Return the last step that a process has saved of its model; 0 where it is another than the rule's program."""
        folder = Path(f"/proc/{process}")
        try:
            words, started = (folder / "cmdline").read_bytes().decode().split("\0"), folder.stat().st_mtime
        except OSError:
            return 0
        if words[1:2] != [f"workflow/scripts/{rule}.py"]:
            return 0
        checkpoints, model = (words[words.index(option) + 1] for option in ("--checkpoints", "--out"))
        saved = (self.workspace / checkpoints / model).rglob("step-*.pt")
        return max((int(re.sub(r"\D", "", file.name)) for file in saved if time_of(file) > started), default=0)

    def log_of(self, rule):
        logs = self.workspace / "results/logs"
        found = [logs / f"{rule}.log"] if (logs / f"{rule}.log").exists() else sorted((logs / rule).rglob("*.log"))
        return "".join(file.read_text() for file in found)


def time_of(path):
    """Return when a file was written, or 0 where it has gone since."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0


def test_everything_goes_wrong_and_the_table_is_the_same(cluster, tmp_path):
    local = make_workspace(tmp_path / "local")
    run_snakemake(local, "--cores", 2, config=[SMALL, INTERRUPTED])
    driver = Driver(cluster, make_workspace(tmp_path / "slurm"))

    _, process = driver.in_mid_training("pretrain_encoder")
    os.kill(process, signal.SIGKILL)

    job, _ = driver.in_mid_training("train_teacher")
    cluster.ask("scancel", job)

    job, _ = driver.in_mid_training("train_teacher")
    cluster.set_node("DOWN")
    driver.wait_until(lambda: (job, "NODE_FAIL") in cluster.ended_jobs(), "the job is taken off the node")
    cluster.set_node("RESUME")

    driver.in_mid_training("distil_student")
    driver.process.kill()
    driver.process.wait()
    cluster.cancel_all()
    run_snakemake(driver.workspace, "--unlock", config=[SMALL, INTERRUPTED])
    driver.start()

    job, _ = driver.in_mid_training("distil_student")
    cluster.ask("scontrol", "update", f"JobId={job}", "EndTime=now")  # Slurm looks at the time twice a minute

    assert driver.process.wait(PATIENCE) == 0, driver.output.read_text()
    assert (driver.workspace / TABLE).read_bytes() == (local / TABLE).read_bytes()
    assert not any((driver.workspace / "results/checkpoints").rglob("step-*.pt"))

    assert_the_logs_say_what_happened(driver)


def assert_the_logs_say_what_happened(driver):
    said = driver.output.read_text()
    for state in ("FAILED", "CANCELLED", "TIMEOUT"):
        assert re.findall(rf"SLURM-job '\d+' failed, SLURM status is: '{state}'", said), said
    assert {state for _, state in driver.cluster.ended_jobs()} >= {"COMPLETED", "NODE_FAIL", "CANCELLED", "TIMEOUT"}
    of_slurm = "".join(file.read_text() for file in (driver.workspace / "results/logs/slurm").rglob("*.log"))
    assert re.search("exceeded job memory limit", of_slurm, flags=re.IGNORECASE)
    assert driver.log_of("pretrain_encoder").count("earlier: ended without warning after step") == 1
    assert driver.log_of("train_teacher").count("earlier: ") == 2
    assert driver.log_of("train_teacher").count("earlier: stopped early after step") >= 1
    assert driver.log_of("distil_student").count("earlier: stopped early after step") >= 2  # driver killed, time over
