"""Training that is killed, stopped or told to end goes on later and ends with the same weights, bit for bit.

`OPTICAL_TEST_KILLS=20` kills at twenty random moments instead of five.
"""

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from support.trainings import PROGRAMS, STEPS

pytestmark = pytest.mark.workflow

KILLS = int(os.environ.get("OPTICAL_TEST_KILLS", "5"))


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_at_a_random_moment(bench, number):
    program, dice = PROGRAMS[number % len(PROGRAMS)], random.Random(number)
    attempt = bench.attempt(program)
    run = attempt.start()
    attempt.wait_for_checkpoint(run, least=dice.randrange(1, STEPS // 2))
    time.sleep(dice.uniform(0, 0.01))  # anywhere between two checkpoints, or while one is written
    run.process.kill()
    assert run.wait() == -signal.SIGKILL
    assert not attempt.model.exists()
    assert attempt.finish() == bench.reference[program]
    assert "resuming at step" in attempt.log.read_text()
    assert attempt.log.read_text().count("earlier: ended without warning after step") == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_told_to_end(bench, program):
    attempt = bench.attempt(program)
    run = attempt.start()
    attempt.wait_for_checkpoint(run)
    run.process.terminate()
    assert run.wait() == 75
    log = attempt.log.read_text()
    assert (log.count("stopped early"), log.count("received SIGTERM; run again to go on")) == (1, 1)
    assert attempt.finish() == bench.reference[program]
    (event,) = re.findall(r"stopped early after step \d+: received SIGTERM", log)
    assert f"earlier: {event}" in attempt.log.read_text(), "the log of the first start is gone under Snakemake"


def test_stops_before_the_granted_time_is_over(bench):
    attempt = bench.attempt("distil_student")
    run = attempt.start(runtime_minutes=20.05 / 60)  # of which the last twenty seconds are kept to save and end
    assert run.wait() == 75, run.output.read_text()
    assert "minutes granted" in attempt.log.read_text()
    assert attempt.finish() == bench.reference["distil_student"]


def test_a_truncated_checkpoint_is_skipped(bench):
    attempt = bench.attempt("train_teacher")
    run = attempt.start()
    attempt.wait_for_checkpoint(run, least=9)
    run.process.kill()
    run.wait()
    newest = attempt.saved()[-1]
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    assert attempt.finish() == bench.reference["train_teacher"]
    log = attempt.log.read_text()
    assert log.count("skipping the damaged checkpoint") == 1
    assert log.count("resuming at step") == 1


def test_changed_settings_never_resume(bench):
    attempt = bench.attempt("distil_student")
    run = attempt.start()
    attempt.wait_for_checkpoint(run)
    run.process.kill()
    run.wait()
    other = bench.attempt("distil_student", learning_rate=5e-4)
    untouched = other.finish()
    attempt.settings = other.settings
    assert attempt.finish() == untouched != bench.reference["distil_student"]
    assert "resuming" not in attempt.log.read_text()


def test_changed_inputs_never_resume(bench):
    attempt = bench.attempt("train_teacher")
    run = attempt.start()
    attempt.wait_for_checkpoint(run)
    run.process.kill()
    run.wait()
    changed = bench.folder / "other_encoder"
    changed.mkdir(exist_ok=True)
    for file in Path(bench.inputs["train_teacher"]["encoder"]).glob(
        "[!.]*"
    ):  # a changed folder without the record of what was written
        (changed / file.name).write_bytes(file.read_bytes())
    with (changed / "config.json").open("a") as file:
        file.write("\n")
    run = attempt.start(encoder=changed)
    assert run.wait() == 0, run.output.read_text()
    assert "resuming" not in attempt.log.read_text()
