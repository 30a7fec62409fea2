"""Each benchmark runs, at a size that says nothing about speed, and ends in its claims."""

import os
import re
import subprocess
import sys

import pytest

from workspace import ROOT

pytestmark = pytest.mark.workflow

CLAIM = re.compile(r"[^\t]+\t[^\t]*\t[<>]?=? ?[^\t]+\t(met|short|no GPU)")
PROGRAMS = re.findall(r"^BENCHMARKS = (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()


NO_BENCHMARKS = {"measuring", "paper_budget"}  # what they share, and what the full experiment will cost


def test_make_bench_runs_every_benchmark():
    assert set(PROGRAMS) == {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - NO_BENCHMARKS


def test_no_two_files_of_tests_share_a_name():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), "pytest imports them by their names"


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_runs_and_ends_in_claims(name):
    command = [sys.executable, f"benchmarks/{name}.py", "--tiny"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert CLAIM.fullmatch(done.stdout.splitlines()[-1])
