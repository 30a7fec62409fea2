"""What a server plans that has Snakemake in memory is what the command itself plans, in the same words."""

import os
import re
import shutil
import subprocess

import pytest

from support.planner import plan
from support.workspace import QUIET, ROOT, make_workspace, snakemake_command

pytestmark = pytest.mark.workflow

# The run directory is that in which Snakemake was imported, and nothing but this line has it.
OF_ONE_PROCESS = re.compile(r" *(Date|Workflow ID|Command|Run directory): |\[[A-Z][a-z][a-z] ")
ADDED = """
import sys
print("as this copy says,", *[folder for folder in sys.path if "planner" in folder])
"""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Return a workspace whose own copy of the library says so, with the first folder that Python was told of."""
    folder = make_workspace(tmp_path_factory.mktemp("planner"))
    (folder / "workflow").unlink()
    shutil.copytree(ROOT / "workflow", folder / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "workflow/scripts/optical/plan/faults.py").open("a", encoding="utf-8") as module:
        module.write(ADDED)
    return folder


@pytest.mark.parametrize(("languages", "code"), [("[sw]", 0), ("[xx]", 1)])
def test_a_server_plans_as_the_command_does(workspace, languages, code):
    command = snakemake_command("--dry-run", "--cores", "2", "--config", f"languages={languages}")
    variables = os.environ | QUIET | {"PYTHONPATH": str(workspace / "packages")}
    its = subprocess.run(
        command, cwd=workspace, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    planned = plan(command, workspace, variables)
    assert (planned.returncode, its.returncode) == (code, code), planned.stdout
    expected, said = (
        sorted(line for line in output.splitlines() if not OF_ONE_PROCESS.match(line))
        for output in (its.stdout, planned.stdout)
    )
    assert said == expected
    assert [line.split()[-2:] for line in said if line.startswith("as this copy says")] == [
        [str(workspace), str(workspace / "packages")]
    ]
    assert ("distil_student 1" in [" ".join(line.split()) for line in said]) == (code == 0)
