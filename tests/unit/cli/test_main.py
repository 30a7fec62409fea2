"""The help of `optical`: quick, and with an example of every command. How it refuses bad input: test_main_errors.py."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from optical.cli import languages, main

HEAVY = {"torch", "transformers", "pandas", "numpy", "yaml", "matplotlib"}


def test_help_imports_nothing_heavy_and_is_quick():
    code = (
        "import sys, resource\nfrom optical.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), used.ru_utime + used.ru_stime)"
    )
    library = {"PYTHONPATH": str(Path(main.__file__).parents[2])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | library)
    heavy, _, seconds = done.stdout.splitlines()[-1].rpartition(" ")
    assert heavy == "[]"
    assert float(seconds) < 0.5


def test_a_command_that_is_told_to_end_removes_its_temporary_files(optical, monkeypatch, tmp_path):
    def told_to_end(_):
        with tempfile.TemporaryDirectory(dir=tmp_path):
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(languages, "run", told_to_end)
    assert optical("languages")[0] == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir()) and signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("command", ["", *main.COMMANDS])
def test_every_command_has_help_with_an_example(optical, command):
    code, output, _ = optical(*command.split(), "--help")
    assert code == 0
    assert f"\n  optical {command}" in output
