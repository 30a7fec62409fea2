"""Provenance says what made a model and nothing about where."""

import hashlib
import json
import os
import time

import pytest
import torch

from optical import __version__
from optical.errors import DataError
from optical.files import read_json, sha256_of, write_json
from optical.runtime.provenance import check_belongs, content_hash, write_provenance


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


def test_a_file_is_hashed_once_as_long_as_it_stays_the_same(tmp_path, monkeypatch):
    model, read = tmp_path / "model", []
    model.write_bytes(b"weights")
    digest = hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *how: read.append(how) or digest(*how))
    before = content_hash(model)
    assert content_hash(model) == before and len(read) == 1
    model.write_bytes(b"other weights")
    assert content_hash(model) != before


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
    assert set(found["machine"]) == {"processor", "model", "instructions", "system", "device"}
    assert 2 <= found["wall_seconds"] < 60
    assert found["git_commit"]


def test_it_tells_processors_apart_that_round_in_other_ways(tmp_path, monkeypatch):
    capabilities = {"cpu_name": "A", "avx512_vnni": True, "amx_bf16": True, "avx2": False, "aes": True, "sme": 3}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    write_provenance(tmp_path, {}, {}, time.monotonic())
    machine = read_json(tmp_path / "provenance.json")["machine"]
    assert (machine["model"], machine["instructions"]) == ("A", ["amx_bf16", "avx512_vnni"])


def folder_with(folder, text):
    """Make a folder of some files, which this text decides."""
    write_json(folder / "1_Dense/config.json", {})
    write_json(folder / "1-Dense.json", {})
    (folder / "weights").write_text(text)
    return folder


@pytest.fixture
def models(tmp_path):
    """Return two teachers, and a student of the first."""
    teacher, other, student = (folder_with(tmp_path / name, name) for name in ("teacher", "other", "student"))
    write_provenance(teacher, {}, {"encoder": folder_with(tmp_path / "encoder", "encoder")}, time.monotonic())
    write_provenance(student, {}, {"teacher": teacher, "bitext": __file__}, time.monotonic())
    return teacher, other, student


def test_a_model_belongs_to_what_it_was_made_from_and_to_itself(models, tmp_path):
    teacher, other, student = models
    (teacher / "notes.txt").write_text("of the user")
    check_belongs(student, teacher)
    check_belongs(teacher, teacher)
    check_belongs(other, teacher)  # which says nothing of what it was made from
    (teacher / "notes.txt").unlink()
    for model in (student, teacher):
        check_belongs(model, tmp_path / "vectors", content_hash(teacher))


@pytest.mark.parametrize("known_by", ["folder", "hash"])
def test_a_model_beside_another_base_is_refused_in_one_line(models, tmp_path, known_by):
    _, other, student = models
    base, made_by = (other, "") if known_by == "folder" else (tmp_path / "vectors", content_hash(other))
    with pytest.raises(DataError) as caught:
        check_belongs(student, base, made_by)
    assert str(caught.value).startswith(f"{student} was made from another model") and "\n" not in str(caught.value)
    assert caught.value.where == str(base)
