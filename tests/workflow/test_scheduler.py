"""Snakemake's scheduler leaves no timers behind: of a run of some hundred jobs they would be some hundred threads."""

import re
import subprocess
import sys

import pytest

from support.workspace import make_workspace, snakemake_command

pytestmark = pytest.mark.workflow

COUNTING = """
import os, sys, threading
from snakemake.cli import main

started = []

class Timer(threading.Timer):
    def start(self):
        started.append(self)
        super().start()

threading.Timer = Timer
try:
    main(sys.argv[1:])
finally:
    print("timers:", len(started), flush=True)
    os._exit(0)  # wait for none of them
"""


@pytest.mark.parametrize("options, left", [((), False), (("--max-jobs-per-timespan", "7/1m"), True)])
def test_the_default_rate_limit_starts_no_timers_and_a_given_one_is_kept(tmp_path, options, left):
    workspace = make_workspace(tmp_path)
    _, _, _, *arguments = snakemake_command("--cores", "1", *options, target="results/atlas/qrels.txt")
    done = subprocess.run([sys.executable, "-c", COUNTING, *arguments], cwd=workspace, capture_output=True, text=True)
    assert (workspace / "results/atlas/qrels.txt").exists(), done.stderr
    [timers] = re.findall(r"^timers: (\d+)$", done.stdout, re.MULTILINE)
    assert (int(timers) > 0) == left
