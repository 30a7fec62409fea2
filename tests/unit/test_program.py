"""Programs end in one line that a user can act on, and their logs say everything once."""

import argparse
import signal
import subprocess
import sys
from argparse import Namespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.config.training import TrainingSettings
from optical.errors import ConfigError
from optical.files import as_argument
from optical.program import Help, jobs_from, program, yaml_value
from support.workspace import ROOT

PROGRAM = """
import sys, time
sys.path.insert(0, {library!r})
from optical.errors import DataError
from optical.files import atomic_folder, atomic_path
from optical.program import log, program, run_program

def main(arguments):
    log.info("at work")
    if arguments.fault == "ours":
        raise DataError("the file is empty", where="qrels.txt", hint="give at least one judgement")
    if arguments.fault == "unforeseen":
        raise KeyError("x")
    if arguments.out:
        with atomic_folder(arguments.out + "/folder"), atomic_path(arguments.out + "/file"):
            print("half done", flush=True)
            time.sleep(60)

if __name__ == "__main__":
    parser = program("test")
    parser.add_argument("--fault", default="none")
    parser.add_argument("--out")
    run_program(main, parser)
"""


def little(folder):
    """Write the little program above into a folder; return its file."""
    path = folder / "little.py"
    path.write_text(PROGRAM.format(library=str(ROOT / "workflow/scripts")), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that runs the little program."""
    path = little(tmp_path_factory.mktemp("program"))

    def run(*arguments, **environment):
        command = [sys.executable, str(path), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    return run


def test_an_error_is_one_line_with_place_and_hint(run, tmp_path):
    result = run("--fault", "ours", "--log", tmp_path / "logs" / "log.txt")
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    line = "DataError: the file is empty [qrels.txt]. Hint: give at least one judgement"
    assert result.stderr.strip().endswith(line)
    logged = (tmp_path / "logs" / "log.txt").read_text().splitlines()
    assert [text.split(" ", 1)[1] for text in logged] == ["at work", line]


def test_a_traceback_comes_when_asked_for(run):
    result = run("--fault", "ours", OPTICAL_TRACEBACK="1")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert result.stderr.rstrip().endswith("Hint: give at least one judgement")


def test_an_unforeseen_error_keeps_its_traceback_and_asks_for_a_report(run):
    result = run("--fault", "unforeseen")
    assert result.returncode == 1
    assert "report it" in result.stderr
    assert "KeyError: 'x'" in result.stderr


def test_a_program_that_is_told_to_end_removes_what_is_half_done(tmp_path):
    command = [sys.executable, little(tmp_path), "--out", tmp_path / "out"]
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half done\n"
        process.terminate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list((tmp_path / "out").iterdir()) == []


def test_without_a_log_file_the_terminal_has_it_all(run):
    result = run()
    assert result.returncode == 0
    assert "at work" in result.stderr


def test_of_several_processes_the_first_one_speaks(run, tmp_path):
    assert run("--log", tmp_path / "log.txt", RANK="1").stderr == ""
    assert not (tmp_path / "log.txt").exists()
    assert "the file is empty" in run("--fault", "ours", RANK="1").stderr


def test_arguments_are_not_guessed(capsys):
    parser = program("test")
    parser.add_argument("--settings")
    with pytest.raises(SystemExit):
        parser.parse_args(["--setting", "1"])
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[sw, so]", ["sw", "so"]),
        ("{a: null, b: yes, c: '1e-5'}", {"a": None, "b": True, "c": "1e-5"}),
    ],
)
def test_a_piece_of_config_is_read_as_people_write_it(text, value):
    assert yaml_value(text) == value


def test_a_rate_may_be_written_without_a_point():
    assert TrainingSettings.read(yaml_value("{learning_rate: 3e-5}"), "settings").learning_rate == 3e-5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(value=JSON)
def test_what_the_workflow_passes_arrives_unchanged(value):
    assert yaml_value(as_argument(value)) == value


def test_what_is_not_yaml_is_an_error_of_the_argument(capsys):
    parser = program("test")
    parser.add_argument("--settings", type=yaml_value)
    with pytest.raises(SystemExit):
        parser.parse_args(["--settings", "{steps: 1"])
    assert "argument --settings: not YAML" in capsys.readouterr().err


def jobs_of(jobs):
    return jobs_from(Namespace(jobs=jobs), ("run", "seed"))


@pytest.mark.parametrize("jobs", [[], [{"run": "a", "seed": 0}, {"run": "b", "seed": 1, "tag": "x"}]])
def test_jobs_may_hold_more_than_they_need(jobs):
    assert jobs_of(jobs) == jobs


@pytest.mark.parametrize(
    ("jobs", "what"),
    [
        ([{}], "a job lacks run, seed"),
        ([{"run": "a", "seed": ""}], r"a job lacks seed \[a\]"),
        ([{"run": "a", "seed": 0}, {"seed": 1}], "a job lacks run"),
        ({"run": "a", "seed": 0}, r"no list of jobs \[--jobs\]"),
        (["a"], r"no list of jobs \[--jobs\]"),
    ],
)
def test_a_job_that_lacks_something_is_refused_before_any_is_done(jobs, what):
    with pytest.raises(ConfigError, match=f"^{what}") as caught:
        jobs_of(jobs)
    assert "run, seed" in caught.value.hint


def test_help_keeps_lines_and_shows_the_defaults_that_say_something():
    parser = argparse.ArgumentParser(
        prog="p", description="What it does.\n\n  p --a 1 \\\n    --b 2", formatter_class=Help
    )
    parser.add_argument("--a", required=True, help="must be given")
    parser.add_argument("--b", type=int, default=0, help="a number")
    parser.add_argument("--c", action="store_true", help="a switch")
    parser.add_argument("--d", default={}, help="an empty map")
    text = parser.format_help()
    assert "\n  p --a 1 \\\n    --b 2\n" in text
    assert [line.split("(default: ")[1] for line in text.splitlines() if "(default" in line] == ["0)"]
