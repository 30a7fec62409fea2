"""Run the workflow on a Slurm that kills jobs which take more memory than they ask for; print what each rule took.

    PYTHONPATH=tests python -m cluster.memory tests/config/part_of_open.yaml --folder FOLDER --precision bf16 \\
        --targets results/open/map_table.tsv results/open/alignments/sw.json

Slurm is that of the cluster's tests: one node, started for this run. The peak of a job is the sum of its processes'
peaks, Snakemake's in the job included. The status is 1 if a job was killed, or if the run failed otherwise.
"""

import argparse
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import psutil

from cluster import slurm
from support.workspace import QUIET, config_layers, make_workspace, snakemake_command

# What this machine asks for in place of a cluster's: quick looks, no accounting. A killed job is not tried again.
LOCAL = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "10")
ONCE = ("--retries", "0", "--slurm-keep-successful-logs")
EVERY = 0.5  # seconds between two looks; the kernel keeps the peak of a process until it ends


def main(arguments):
    machine = f"machine={{device: cpu, gpus: 0, precision: {arguments.precision}, threads: 1}}"
    options = ("--workflow-profile", "workflow/profiles/slurm", *LOCAL, *ONCE, "--jobs", arguments.jobs)
    config = config_layers(arguments.config.resolve())
    command = snakemake_command(*options, "--config", machine, config=config, target=arguments.targets)
    workspace = make_workspace(arguments.folder)
    with slurm.Cluster() as cluster:
        driver = subprocess.Popen(command, cwd=workspace, env=os.environ | QUIET | cluster.variables)
        asked, peaks = watch(cluster, driver)
        killed = [job for job, state in cluster.ended_jobs() if state != "COMPLETED"]
    print_table(asked, peaks, killed)
    return 1 if driver.returncode or killed else 0


def watch(cluster, driver):
    """Return, by job, its rule and what it asks for, and the most that its processes held, in Slurm's megabytes."""
    asked, peaks = {}, defaultdict(dict)
    while driver.poll() is None:
        for process in psutil.process_iter():
            if job := job_of(process, cluster):
                peaks[job][process.pid] = max(peaks[job].get(process.pid, 0), peak_of(process))
        rows = cluster.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i|%m|%k").splitlines()
        for job, memory, comment in (row.split("|", 2) for row in rows if row.count("|") >= 2):
            asked[job] = comment, megabytes(memory)
        try:
            driver.wait(EVERY)
        except subprocess.TimeoutExpired:
            continue
    return asked, {job: sum(each.values()) for job, each in peaks.items()}


def job_of(process, cluster):
    """Return the number of the Slurm job that a process belongs to; None for any other process."""
    try:
        variables = process.environ()
    except (psutil.Error, OSError):
        return None
    return variables.get("SLURM_JOB_ID") if str(cluster.folder) in variables.get("PATH", "") else None


def peak_of(process):
    """Return the most that a process held so far, in units of 2**20 bytes; 0 where it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) / 1024 if found else 0


def megabytes(text):
    """Read what `squeue` prints of memory, in units of 2**20 bytes.

    >>> megabytes("1500M"), megabytes("2G")
    (1500.0, 2048.0)
    """
    return float(text[:-1]) * {"M": 1, "G": 1024}[text[-1]]


def print_table(asked, peaks, killed):
    print("job\task\tpeak\task / peak\tkilled")
    for job, (comment, memory) in sorted(asked.items(), key=lambda row: row[1]):
        peak = peaks.get(job, 0)
        print(
            f"{comment}\t{memory:.0f}\t{peak:.0f}\t{memory / peak if peak else 0:.2f}\t{'yes' if job in killed else ''}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="where the results go")
    parser.add_argument("config", type=Path, help="file of the config")
    parser.add_argument("--precision", default="bf16", choices=("fp32", "bf16", "auto"))
    parser.add_argument("--jobs", default="2", help="at most so many at a time")
    parser.add_argument("--targets", nargs="+", required=True, help="files to make")
    sys.exit(main(parser.parse_args()))
