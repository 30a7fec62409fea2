"""How long the default experiment takes, and how much of that is not work on the longest path of its jobs.

    python benchmarks/default_run.py            # the default experiment, minutes
    python benchmarks/default_run.py --tiny     # that of tests/config/small.yaml

It runs in a folder of its own, from nothing. The longest path is over the jobs as they depended on each other, each as
long as Snakemake measured it, if there were cores enough; with fewer cores than jobs they take the larger of it and all
jobs' time divided by the cores. That is no floor of the work: it tells how the jobs are scheduled, not how fast they
are. The last lines are tab-separated: claim, measured, bar, result.
"""

import argparse
import collections
import csv
import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import ROOT, Claim, machine

FOLDERS = ("workflow", "rules", "envs", "config", "tests")
TARGET = "results/map_table.tsv"
LOGS, BENCHMARKS = Path("results/logs"), Path("results/benchmarks")
CLAIMS = {
    "path": Claim("default run, share of the wall time that is not on the longest path", 0.1, most=True),
    "jobs": Claim("default run, share of the wall time beyond what its jobs took", 0.1, most=True),
}


def snakemake(folder: Path, tiny: bool, *options: str) -> str:
    """Call Snakemake for the table in the folder; return its output."""
    overlay = ["--configfile", "tests/config/small.yaml"] if tiny else []
    command = [sys.executable, "-m", "snakemake", *options, *overlay, "--", TARGET]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def job_seconds(folder: Path) -> dict[str, float]:
    """Seconds of each job as Snakemake measured them; a job is named as its benchmark file: rule/wildcards."""
    times = {}
    for path in sorted((folder / BENCHMARKS).rglob("*.tsv")):
        with path.open(encoding="utf-8") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        times[str(path.relative_to(folder / BENCHMARKS).with_suffix(""))] = float(row["s"])
    return times


def dependencies(folder: Path, tiny: bool) -> dict[str, set[str]]:
    """The jobs that each job had to wait for; a job is named as its log, which is named as its benchmark file."""
    summary = snakemake(folder, tiny, "--detailed-summary")
    rows = list(csv.DictReader(summary.splitlines(), delimiter="\t"))
    job_of = {row["output_file"]: str(Path(row["log-file(s)"]).relative_to(LOGS).with_suffix("")) for row in rows}
    needs = collections.defaultdict(set)
    for row in rows:
        inputs = row["input-file(s)"].split(",")
        needs[job_of[row["output_file"]]].update(job_of[path] for path in inputs if path in job_of)
    return needs


def longest_path(times: dict[str, float], needs: dict[str, set[str]]) -> list[str]:
    """The chain of jobs that had to wait for each other and took longest, the first of them first."""

    @functools.cache
    def ending_with(job: str) -> tuple[float, list[str]]:
        before, path = max((ending_with(one) for one in needs[job]), default=(0.0, []))
        return before + times[job], [*path, job]

    return max(ending_with(job) for job in times)[1]


def print_rules(times: dict[str, float]) -> None:
    """Print jobs and seconds by rule, those that took longest first."""
    by_rule = collections.defaultdict(list)
    for job, seconds in times.items():
        by_rule[job.split("/")[0]].append(seconds)
    print(f"\n{'rule':<24}{'jobs':>6}{'longest':>10}{'sum':>10}  seconds")
    for rule, seconds in sorted(by_rule.items(), key=lambda item: -sum(item[1])):
        print(f"{rule:<24}{len(seconds):>6}{max(seconds):>10.1f}{sum(seconds):>10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="the small experiment: only to see that it runs")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for linked in FOLDERS:
            (folder / linked).symlink_to(ROOT / linked)
        started = time.monotonic()
        snakemake(folder, arguments.tiny, "--cores", str(arguments.cores))
        wall = time.monotonic() - started
        times = job_seconds(folder)
        path = longest_path(times, dependencies(folder, arguments.tiny))
    longest, shared = sum(times[job] for job in path), sum(times.values()) / arguments.cores
    jobs = max(longest, shared)
    print(f"{machine()}, {arguments.cores} cores")
    print_rules(times)
    print("\nlongest path, seconds")
    for job in path:
        print(f"{times[job]:>8.1f}  {job}")
    print(f"\nwall {wall:.1f} s; longest path {longest:.1f} s; all jobs on {arguments.cores} cores {shared:.1f} s")
    print(f"what the jobs took: the larger of the two, {jobs:.1f} s\n")
    where = ", tiny" * arguments.tiny
    print(CLAIMS["path"].line((wall - longest) / wall, where))
    print(CLAIMS["jobs"].line((wall - jobs) / wall, where))


if __name__ == "__main__":
    main()
