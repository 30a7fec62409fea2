"""How long the default experiment takes, and how much of that is not work on the longest path of its rules.

    python benchmarks/default_run.py            # the default experiment, minutes
    python benchmarks/default_run.py --tiny     # that of tests/config/small.yaml

It runs in a folder of its own, from nothing. The longest path is over the jobs as they depended on each other, each as
long as Snakemake measured it, if there were cores enough; with fewer cores than jobs the floor is the larger of it and
all jobs' time divided by the cores. The last line is tab-separated: claim, measured, bar, met|short.
"""

import argparse
import collections
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import machine, verdict

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("workflow", "rules", "envs", "config", "tests")


def run(folder: Path, cores: int, tiny: bool) -> float:
    """Run the experiment in a folder of links; return its wall time."""
    for name in FOLDERS:
        (folder / name).symlink_to(ROOT / name)
    overlay = ["--configfile", "tests/config/small.yaml"] if tiny else []
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), *overlay, "--", "results/map_table.tsv"]
    started = time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.monotonic() - started


def job_seconds(folder: Path) -> dict[tuple[str, ...], float]:
    """Seconds of each job as Snakemake measured them, by the path of its benchmark file."""
    times = {}
    for path in sorted((folder / "results/benchmarks").rglob("*.tsv")):
        header, row = (line.split("\t") for line in path.read_text().splitlines()[:2])
        times[path.relative_to(folder / "results/benchmarks").with_suffix("").parts] = float(row[header.index("s")])
    return times


def by_rule(times: dict[tuple[str, ...], float]) -> dict[str, list[float]]:
    """Seconds of the jobs of each rule, the rules that took longest first."""
    found = collections.defaultdict(list)
    for name, seconds in times.items():
        found[name[0]].append(seconds)
    return dict(sorted(found.items(), key=lambda item: -sum(item[1])))


def longest_path(folder: Path, times: dict[tuple[str, ...], float], tiny: bool) -> float:
    """Seconds of the longest chain of jobs that had to wait for each other."""
    overlay = ["--configfile", "tests/config/small.yaml"] if tiny else []
    command = [sys.executable, "-m", "snakemake", "--forceall", "--dag", *overlay, "--", "results/map_table.tsv"]
    dag = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    longest = {rule: max(seconds) for rule, seconds in by_rule(times).items()}  # never shorter than the truth
    rule_of = dict(re.findall(r'(\d+)\[label = "(\w+)', dag))
    needs = collections.defaultdict(set)
    for before, after in re.findall(r"(\d+) -> (\d+)", dag):
        needs[after].add(before)
    ends: dict[str, float] = {}

    def end_of(job: str) -> float:
        if job not in ends:
            ends[job] = longest.get(rule_of[job], 0.0) + max((end_of(one) for one in needs[job]), default=0.0)
        return ends[job]

    return max(end_of(job) for job in rule_of)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="the small experiment: only to see that it runs")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall = run(folder, arguments.cores, arguments.tiny)
        times = job_seconds(folder)
        longest = longest_path(folder, times, arguments.tiny)
        print(f"{machine()}, {arguments.cores} cores\n\n{'rule':<24}{'jobs':>6}{'longest':>10}{'sum':>10}  seconds")
        for rule, seconds in by_rule(times).items():
            print(f"{rule:<24}{len(seconds):>6}{max(seconds):>10.1f}{sum(seconds):>10.1f}")
    shared = sum(times.values()) / arguments.cores
    floor = max(longest, shared)
    print(f"\nwall {wall:.1f} s; longest path {longest:.1f} s; all jobs on {arguments.cores} cores {shared:.1f} s\n")
    verdict(
        "default run, share of the wall time that is not on the longest path", (wall - longest) / wall, 0.1, most=True
    )
    verdict("default run, share of the wall time above the floor of these cores", (wall - floor) / wall, 0.1, most=True)


if __name__ == "__main__":
    main()
