"""Every `snakemake` line of the pages that runs something is tried as a dry run."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from workspace import QUIET, ROOT, make_workspace

pytestmark = pytest.mark.workflow

PAGES = ("README.md", "docs/reproduce-the-paper.md", "docs/cluster.md", "docs/report.md")
# What no dry run does: make environments or containers, and report on what was run.
OTHER_DEEDS = ("--conda-create-envs-only", "--containerize", "--report")
# Configs that the reader writes: as the pages have them.
REPRODUCE = (ROOT / "docs/reproduce-the-paper.md").read_text(encoding="utf-8")
FIRST = re.search(r"`config/first.yaml`:\n\n   ```yaml\n(.*?)   ```", REPRODUCE, re.DOTALL)[1]
ZULU = "config/zulu.yaml"  # tests/workflow/test_new_language.py runs it


def commands():
    """Return each `snakemake` line of the pages once, with the page it stands in."""
    found = {}
    for page in PAGES:
        for line in re.findall(r"^ +snakemake (.*?)(?: *# .*)?$", (ROOT / page).read_text("utf-8"), re.MULTILINE):
            if not any(deed in line for deed in OTHER_DEEDS) and ZULU not in line:
                found.setdefault(line, page)
    return found


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with the workflow and the reader's configs."""
    workspace = make_workspace(tmp_path_factory.mktemp("reader") / "project")
    (workspace / "config").unlink()
    (workspace / "config").mkdir()
    for path in (ROOT / "config").iterdir():
        (workspace / "config" / path.name).symlink_to(path)
    (workspace / "config/first.yaml").write_text(re.sub(r"^   ", "", FIRST, flags=re.MULTILINE), encoding="utf-8")
    return workspace


def test_the_pages_have_commands():
    assert len(commands()) > 6


@pytest.mark.parametrize("line", commands())
def test_the_command_is_planned(workspace, line):
    words = shlex.split(line.replace("--sdm conda", ""))  # which asks for conda even then
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", *words],
        cwd=workspace,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^total +\d+$", done.stdout, re.MULTILINE), done.stdout
