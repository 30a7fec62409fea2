"""With more cores asked for than there are, no more jobs run at a time than the machine has cores for."""

import os
import subprocess
import sys

import pytest

from support.workspace import QUIET, ROOT

pytestmark = pytest.mark.workflow

# each job leaves a file while it runs, and writes how many it sees
SNAKEFILE = """
rule all:
    input: [f"{number}.txt" for number in range(4)]

rule job:
    output: "{number}.txt"
    threads: THREADS
    shell: "touch {wildcards.number}.running; sleep 1; ls *.running | wc -l > {output}; rm {wildcards.number}.running"
"""


@pytest.mark.parametrize("threads, cores, at_a_time", [(1, 1, 1), (2, 2, 1)])
def test_jobs_wait_for_cores_that_are_not_there(tmp_path, threads, cores, at_a_time):
    if len(os.sched_getaffinity(0)) < cores:
        pytest.skip(f"needs {cores} cores")
    (tmp_path / "workflow/profiles").mkdir(parents=True)
    (tmp_path / "workflow/profiles/default").symlink_to(ROOT / "workflow/profiles/default")
    (tmp_path / "workflow/Snakefile").write_text(SNAKEFILE.replace("THREADS", str(threads)))
    own = sorted(os.sched_getaffinity(0))[:cores]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8"],
        cwd=tmp_path,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, own),
    )
    assert done.returncode == 0, done.stderr
    assert max(int((tmp_path / f"{number}.txt").read_text()) for number in range(4)) == at_a_time
