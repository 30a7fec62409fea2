"""Provenance says what made a model and nothing about where."""

import json
import os
import time

import pytest

from optical import __version__
from optical.files import read_json, sha256_of
from optical.runtime.provenance import write_provenance


@pytest.fixture
def record(tmp_path):
    """Return the provenance of a model made from a file and a folder, and its text."""
    (tmp_path / "deep" / "inside").mkdir(parents=True)
    (tmp_path / "deep" / "inside" / "weights").write_bytes(b"weights")
    (tmp_path / "deep" / "provenance.json").write_text("{}")
    (tmp_path / "bitext.tsv").write_text("a\tb\n")
    (tmp_path / "model").mkdir()
    inputs = {"teacher": tmp_path / "deep", "bitext": str(tmp_path / "bitext.tsv")}
    write_provenance(tmp_path / "model", {"steps": 3, "transport": {"solver": "ipot"}}, inputs, time.monotonic() - 2)
    path = tmp_path / "model" / "provenance.json"
    return read_json(path), path.read_text()


def test_a_machine_without_git_makes_a_model_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    write_provenance(tmp_path, {}, {}, time.monotonic())
    assert read_json(tmp_path / "provenance.json")["git_commit"] == "unknown"


def test_it_names_no_place_of_the_machine(record, tmp_path):
    _, text = record
    assert str(tmp_path) not in text
    for variable in ("HOME", "PWD", "USER"):
        assert len(os.environ.get(variable, "")) < 3 or f'"{os.environ[variable]}' not in text
    assert not [value for value in strings(json.loads(text)) if value.startswith(("/", "~", "file:"))]
    assert os.uname().nodename not in text


def strings(value):
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_it_tells_what_decided_the_result(record, tmp_path):
    found, _ = record
    assert found["settings"] == {"steps": 3, "transport": {"solver": "ipot"}}
    assert found["inputs"]["bitext"] == sha256_of(tmp_path / "bitext.tsv")
    assert found["inputs"]["teacher"] == {"inside/weights": sha256_of(tmp_path / "deep" / "inside" / "weights")}
    assert found["version"] == __version__
    assert found["packages"]["torch"].startswith("2.")
    assert set(found["machine"]) == {"processor", "system", "device"}
    assert 2 <= found["wall_seconds"] < 60
    assert found["git_commit"]
