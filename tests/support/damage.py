"""The jobs of a finished run, and single ones of them run again on damaged inputs."""

import csv
import io
import itertools
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

from optical.files import sha256_of
from support.programs import Run
from support.workspace import snakemake_command

PLACES = 30
# Times and machines, records of what is compared itself, and a file of Snakemake's.
VARYING = ("provenance.json", ".checksums.json", ".snakemake_timestamp")


class Job(NamedTuple):
    """A job: its rule, program and words, and its inputs and outputs below results/."""

    rule: str
    program: str
    words: tuple[str, ...]
    inputs: list[Path]
    outputs: list[Path]


def jobs_of(workspace, config, targets):
    """Return the jobs that made targets, one of each rule."""
    command = snakemake_command("--cores", 1, "--detailed-summary", config=config, target=targets[0]) + targets[1:]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    jobs = {}
    for row in csv.DictReader(io.StringIO(done.stdout), delimiter="\t"):
        sums = re.sub(r"\$\(\((\d+) \* ([\d.]+)\)\)", "0", row["shellcmd"])  # the time that is granted
        script, *words = itertools.dropwhile(lambda word: not word.endswith(".py"), shlex.split(sums))
        inputs = [workspace / name for name in row["input-file(s)"].split(",") if name.startswith("results/")]
        job = jobs.setdefault(row["rule"], Job(row["rule"], Path(script).stem, tuple(words), inputs, []))
        if job.words == tuple(words):
            job.outputs.append(workspace / row["output_file"])
    return list(jobs.values())


def files_below(places):
    """Return the files that are places, or lie in them."""
    found = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*")))]
    return [path for path in found if path.is_file()]


def artefacts(places):
    """Return the files of places that hold what a job made, not records of it."""
    kept = [path for path in files_below(places) if not path.name.endswith(".sum")]
    return [path for path in kept if path.name not in (".checksums.json", ".snakemake_timestamp")]


def result_of(job):
    """Return the contents of what a job has written, without times, by their SHA-256."""
    return {path: sha256_of(path) for path in artefacts(job.outputs) if path.name not in VARYING}


def damaged(content, number):
    """Return content cut off, or with a bit flipped, at one of some places all over it."""
    place = number // 2 % PLACES * len(content) // PLACES
    if number % 2 or not content:
        return content[:place]
    return content[:place] + bytes([content[place] ^ 1 << number % 7]) + content[place + 1 :]


def run_again(context, job, workspace, environment):
    """Run a job again; return its exit status and all that it says."""
    output = workspace / "said.txt"
    output.unlink(missing_ok=True)
    code = Run(context, job.program, output, environment, words=job.words, folder=workspace).wait()
    return code, output.read_text()
