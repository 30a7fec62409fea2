"""The notebook of the documentation runs from its first cell to its last, on small random models."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

from support.toy_results import make_results
from support.workspace import ROOT

NOTEBOOK = ROOT / "docs/notebook.ipynb"


def printed_by(cell):
    """Return what a cell printed, which may come in several pieces."""
    return "".join(output.text for output in cell.get("outputs", ()) if output.get("name") == "stdout")


@pytest.mark.workflow
def test_every_cell_runs_and_prints(tmp_path, monkeypatch):
    make_results(tmp_path / "results")
    (tmp_path / "docs").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "workflow/scripts"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, startup_timeout=120).execute(cwd=tmp_path / "docs")
    size, hits, matches, picture, shape, losses = filter(None, map(printed_by, notebook.cells))
    assert size == "3 passages\n"
    assert {line.split()[0] for line in hits.splitlines()} == {"d1", "d2", "d3"}
    assert " -> " in matches and re.search("[░▒▓█]", picture)
    assert shape.startswith("3 ")
    first, *_, last = map(float, re.findall(r"step \d+: ([\d.]+)", losses))
    assert last < first


def test_the_notebook_is_stored_without_what_it_printed():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) > 5 and not any(cell.outputs or cell.execution_count for cell in cells)
