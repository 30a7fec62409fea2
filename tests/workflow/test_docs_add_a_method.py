"""The method of docs/add-a-method.md, added as the page says: it passes the tests of losses and gets its row."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from support.workspace import QUIET, ROOT, SMALL, TABLE, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs/add-a-method.md").read_text(encoding="utf-8")
CLASS, ENTRY, FIELD = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
WITHOUT_CODE, CONFIG = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
TARGET = re.search(r"^ +snakemake .* -- (\S+)$", PAGE, re.MULTILINE)[1]
LIBRARY = "workflow/scripts/optical"
# One language and a few steps: what is learned does not matter here.
BRIEF = {"languages": ["sw"], "pretraining": {"steps": 2}, "teacher": {"steps": 2}, "student": {"steps": 2}}


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """Return a copy of the code with the page's lines in their places."""
    workspace = make_workspace(tmp_path_factory.mktemp("method") / "project")
    (workspace / "workflow").unlink()
    shutil.copytree(ROOT / "workflow", workspace / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    losses, config = (workspace / LIBRARY / package / "objectives.py" for package in ("losses", "config"))
    before, names, after = losses.read_text(encoding="utf-8").partition("OBJECTIVES: dict")
    opening, brace, rest = after.partition("{\n")
    losses.write_text(f"{before}{CLASS}\n\n{names}{opening}{brace}{ENTRY}{rest}", encoding="utf-8")
    before, key, after = config.read_text(encoding="utf-8").partition("    optimal_transport: Annotated")
    config.write_text(f"{before}{FIELD}\n{key}{after}", encoding="utf-8")
    return workspace


def plan(workspace, *configs):
    """Write configs beside the small experiment's and return them all."""
    files = []
    for number, config in enumerate(configs):
        path = workspace / f"{number}.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        files.append(path)
    return [SMALL, *files]


def test_it_is_ten_lines():
    lines = [line for line in (CLASS + ENTRY + FIELD).splitlines() if line.strip()]
    assert len(lines) <= 10


def test_the_new_loss_passes_what_every_loss_must(changed):
    (changed / "test_objectives.py").write_bytes((ROOT / "tests/unit/losses/test_objectives.py").read_bytes())
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "nearest_token"]
    command += ["--rootdir", changed, "-o", "pythonpath=workflow/scripts", changed / "test_objectives.py"]
    done = subprocess.run(command, cwd=changed, env=os.environ | QUIET, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 6


def test_the_new_method_gets_its_row(changed):
    assert TARGET != TABLE, "the default experiment keeps its table"
    run_snakemake(changed, "--cores", "2", config=plan(changed, CONFIG, BRIEF), target=TARGET)
    header, *rows = [line.split("\t") for line in (changed / TARGET).read_text(encoding="utf-8").splitlines()]
    assert [row[0] for row in rows] == CONFIG["methods"]
    assert 0 <= float(rows[CONFIG["methods"].index("nearest")][header.index("sw")]) <= 1


def test_methods_without_code_are_planned(changed):
    output = run_snakemake(changed, "--dry-run", "--cores", "2", config=plan(changed, WITHOUT_CODE)).stdout
    for method in WITHOUT_CODE["methods"]:
        if method != "zero-shot":
            assert f"distilling {method} into sw" in output
