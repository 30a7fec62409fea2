"""Several processes train one model: the same weights as one, one writer, one log, stopping and resuming together."""

import json
import os
import socket
import subprocess
import sys

import pytest
from safetensors.torch import load_file

from optical.config.experiment import Machine
from optical.plan.resources import NEEDS, of_machine
from support.trainings import PROGRAMS, STEPS
from support.workspace import QUIET, ROOT

pytestmark = pytest.mark.workflow

TWO_PARTS = {"batch_size": 4, "accumulation": 2}


def start_two(attempt, **more):
    """Start both processes as torchrun would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [
        attempt.start(environment=address | {"RANK": str(rank), "LOCAL_RANK": str(rank)}, **more) for rank in (0, 1)
    ]


def assert_close(folder, reference):
    one, two = load_file(reference / "model.safetensors"), load_file(folder / "model.safetensors")
    assert one.keys() == two.keys()
    moved = max((one[name] - two[name]).abs().max().item() for name in one)
    assert moved < 1e-4, f"weights differ by {moved}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_two_processes_train_what_one_does(bench, program):
    alone = bench.attempt(program, **TWO_PARTS)
    alone.finish()
    together = bench.attempt(program, **TWO_PARTS)
    runs = start_two(together)
    assert [run.wait() for run in runs] == [0, 0], runs[0].output.read_text()
    assert_close(together.model, alone.model)
    log = together.log.read_text()
    assert log.count("device: cpu x 2") == 1
    assert log.count("80 done") == 1
    assert not together.saved()
    leftovers = [path.name for path in together.model.parent.iterdir() if path.name.startswith(".")]
    assert leftovers == []


def test_the_learning_curve_counts_the_parts_of_all_processes(bench):
    alone, together = (bench.attempt("distil_student", **TWO_PARTS, steps=3) for _ in range(2))
    alone.finish()
    assert [run.wait() for run in start_two(together)] == [0, 0]
    curves = [
        [[float(cell) for cell in row.split("\t")] for row in (folder / "curve.tsv").read_text().splitlines()[1:]]
        for folder in (alone.model, together.model)
    ]
    assert len(curves[0]) == 3
    assert all(one == pytest.approx(two, rel=1e-4) for one, two in zip(*curves, strict=True))


def test_told_to_end_both_stop_at_the_same_step_and_go_on(bench):
    alone = bench.attempt("train_teacher", **TWO_PARTS)
    alone.finish()
    together = bench.attempt("train_teacher", **TWO_PARTS)
    runs = start_two(together)
    together.wait_for_checkpoint(runs[0])
    runs[1].process.terminate()  # one alone is told: it must not leave the other waiting
    assert [run.wait() for run in runs] == [75, 75], runs[0].output.read_text()
    assert "stopped early" in together.log.read_text()
    assert [run.wait() for run in start_two(together)] == [0, 0]
    assert_close(together.model, alone.model)
    assert "resuming at step" in together.log.read_text()


def test_parts_that_cannot_be_shared_are_refused_in_one_line(bench):
    attempt = bench.attempt("distil_student", accumulation=3)
    runs = start_two(attempt)
    assert {run.wait() for run in runs} == {1}
    text = attempt.log.read_text()
    assert "2 devices cannot share 3 parts a step evenly" in text
    assert "Traceback" not in text


def test_the_rules_launcher_starts_the_program(bench):
    attempt = bench.attempt("distil_student", **TWO_PARTS)
    launcher = str(of_machine(NEEDS["distil_student"], Machine(gpus=2))["launcher"]).split()
    words = [f"--settings={json.dumps(attempt.settings)}", f"--out={attempt.model}", f"--log={attempt.log}"]
    words += [f"--{name}={value}" for name, value in bench.inputs["distil_student"].items()]
    command = [sys.executable, *launcher[1:], str(ROOT / "workflow/scripts/distil_student.py"), *words]
    done = subprocess.run(command, env=os.environ | QUIET, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (attempt.model / "model.safetensors").exists()
    assert f"{STEPS} done" in attempt.log.read_text()
