"""The wheel: library and command work without the repository; what needs the workflow says so in one line."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from optical.files import write_jsonl
from support.toy_results import DOCUMENTS, make_results, student_of
from support.workspace import ROOT

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the wheel from a copy of its sources, and return the folder that it is installed into."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(
        ROOT / "workflow/scripts/optical",
        folder / "source/workflow/scripts/optical",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, folder / "source" / name)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, folder / "source"], check=True)
    [wheel] = folder.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", folder / "site", wheel], check=True)
    return folder / "site"


@pytest.fixture
def run(site, tmp_path):
    """Run Python in an empty folder, with the installed wheel before everything else."""
    (tmp_path / "empty").mkdir()
    environment = os.environ | {"PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path / "empty", env=environment, capture_output=True, text=True)

    return run


def test_models_are_loaded_indexed_and_searched_without_the_repository(run, site, tmp_path):
    results = make_results(tmp_path / "results")
    write_jsonl(tmp_path / "passages.jsonl", DOCUMENTS)
    assert run("-c", "import optical; print(optical.__file__)").stdout == f"{site}/optical/__init__.py\n"
    optical = ["-m", "optical.cli.main"]
    index = tmp_path / "index"
    built = run(*optical, "index", "build", tmp_path / "passages.jsonl", "--model", student_of(results), "--to", index)
    assert (built.returncode, "7 passages" in built.stdout) == (0, True), built.stderr
    found = run(*optical, "search", "--index", index, "--lang", "sw", "mto uko wapi")
    assert (found.returncode, "7 passages" in found.stdout) == (0, True), found.stderr


NEW = ["new", "zu", "--bitext", "a", "--documents", "b"]


@pytest.mark.parametrize("command", [["languages"], ["check"], ["merge", "a", "--to", "b"], NEW])
def test_what_needs_the_workflow_says_so(run, command):
    done = run("-m", "optical.cli.main", *command)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "this needs the workflow: run it in a clone of the repository" in done.stderr


def test_the_wheel_is_typed_and_has_the_command_and_no_more_than_the_library(site):
    assert (site / "optical/py.typed").is_file() and (site / "optical/__init__.pyi").is_file()
    assert {path.name for path in (site / "optical/web").glob("page.*")} == {"page.css", "page.html", "page.js"}
    [record] = site.glob("optical-*.dist-info/entry_points.txt")
    assert "optical = optical.cli.main:main" in record.read_text()
    [wheel] = site.parent.glob("*.whl")
    assert {name.partition("/")[0].partition("-")[0] for name in zipfile.ZipFile(wheel).namelist()} == {"optical"}
