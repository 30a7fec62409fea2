"""What CI runs leaves out tests only where that is no CI: there, what cannot be installed is a failure."""

import shutil
import subprocess

import pytest

from support.workspace import ROOT

INSTALLED = ("slurmctld", "chromedriver", "npm", "g++")
NEEDED = ("bash", "dirname", "mkdir", "rm", "timeout", "touch")
STUBS = {
    "id": "echo 0",
    "nvidia-smi": ":",
    "python": "mkdir -p .venv/bin && touch .venv/bin/activate",
    "pip": ":",
    "make": "echo checked",
}


def run_ci(folder, missing=(), **variables):
    """Run a copy of .ci/run where every program but a few is a stub; apt-get can install nothing."""
    programs = folder / "programs"
    programs.mkdir()
    for name in NEEDED:
        (programs / name).symlink_to(shutil.which(name))
    stubs = STUBS | {"apt-get": "exit 100"} | dict.fromkeys(INSTALLED, ":")
    for name in stubs.keys() - set(missing):
        (programs / name).write_text(f"#!{programs}/bash\n{stubs[name]}\n")
        (programs / name).chmod(0o755)
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/run", folder / ".ci")
    command = [programs / "bash", folder / ".ci/run"]
    return subprocess.run(command, env={"PATH": str(programs)} | variables, capture_output=True, text=True)


@pytest.mark.parametrize("missing", INSTALLED)
def test_what_cannot_be_installed_fails_in_ci_and_is_skipped_elsewhere(tmp_path, missing):
    for name, variables in (("there", {"CI": "true"}), ("here", {})):
        (tmp_path / name).mkdir()
        done = run_ci(tmp_path / name, missing=[missing], **variables)
        assert "cannot be installed here" in done.stdout, done.stderr
        assert (done.returncode, "checked" in done.stdout) == ((1, False) if variables else (0, True)), done.stderr


def test_where_all_is_there_everything_is_checked(tmp_path):
    done = run_ci(tmp_path, CI="true")
    assert (done.returncode, done.stdout) == (0, "checked\n"), done.stderr
