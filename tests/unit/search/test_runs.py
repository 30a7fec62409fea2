"""Runs come back as written; damaged ones are refused."""

import json
import math
import subprocess
import sys

import pytest

from optical.errors import DataError
from optical.search.runs import fuse_runs, read_run, write_run
from support.workspace import ROOT


def test_runs_come_back_as_written(tmp_path):
    run = {"q2": [("d1", 2.5), ("d9", 2.5), ("d2", -0.123457)], "q1": [("d1", 1e-6)]}
    assert write_run(tmp_path / "run.txt.gz", run, "tag") == 4
    assert read_run(tmp_path / "run.txt.gz") == run
    write_run(tmp_path / "run.txt", run, "tag")
    assert (tmp_path / "run.txt").read_text().splitlines()[2] == "q2 Q0 d2 3 -0.123457 tag"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 d 1 2.0", "line 1 is not"),
        ("q Q0 d first 2.0 t", "line 1 is not"),
        ("q Q0 d 2 2.0 t", "ranks of query q"),
        ("q Q0 d 1 2.0 t\nq Q0 e 2 3.0 t", "rise with the rank"),
        ("q Q0 d 1 2.0 t\nq Q0 d 2 1.0 t", "a document twice"),
        ("q Q0 d 1 nan t", "not finite"),
    ],
)
def test_a_wrong_run_is_refused(tmp_path, text, message):
    (tmp_path / "run.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_run(tmp_path / "run.txt")


@pytest.mark.parametrize("hits", [[("d 1", 1.0)], [("", 1.0)], [("d", math.inf)], [("d", 1.0), ("d", 0.5)]])
def test_a_wrong_run_is_not_written(tmp_path, hits):
    with pytest.raises(DataError):
        write_run(tmp_path / "run.txt", {"q": hits}, "tag")
    assert list(tmp_path.iterdir()) == []


def test_scores_in_full_tell_apart_what_six_decimals_do_not(tmp_path):
    near = {"q": [("a", 1.0 + 2**-23), ("b", 1.0)]}  # neighbours among numbers of 32 bits
    write_run(tmp_path / "full.trec", near, "tag", in_full=True)
    assert read_run(tmp_path / "full.trec") == near


def test_ranks_are_joined_whatever_the_scores_are():
    run = fuse_runs([{"q": [("a", 900.0), ("b", 800.0)], "only": [("x", 1.0)]}, {"q": [("c", 0.2), ("b", 0.1)]}], 3, 60)
    assert run["q"] == [("b", 2 / 62), ("a", 1 / 61), ("c", 1 / 61)]
    assert run["only"] == [("x", 1 / 61)]


def test_the_program_joins_runs_and_keeps_all_digits(tmp_path):
    write_run(tmp_path / "a.trec", {"q": [(f"d{rank}", float(-rank)) for rank in range(900)]}, "a")
    write_run(tmp_path / "b.trec", {"q": [("d899", 1.0)]}, "b")
    names = {name: str(tmp_path / name) for name in ("a.trec", "b.trec", "both.trec")}
    job = {"runs": [names["a.trec"], names["b.trec"]], "out": names["both.trec"], "tag": "both", "constant": 60}
    program = ROOT / "workflow/scripts/fuse_runs.py"
    command = [sys.executable, str(program), "--jobs", json.dumps([job]), "--top-k", "800"]
    subprocess.run([*command, "--log", str(tmp_path / "log")], check=True)
    run = read_run(tmp_path / "both.trec")["q"]
    assert (run[0], len(run)) == (("d899", 1 / 960 + 1 / 61), 800)
    assert len({score for _, score in run}) == 800
