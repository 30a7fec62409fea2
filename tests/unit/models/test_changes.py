"""A model stored as changes needs its base, and says in one line where that is missing or another."""

import shutil

import pytest
import torch

from optical.errors import DataError
from optical.files import read_json, write_json
from optical.models.changes import FILE, save_changes
from optical.models.folders import load_encoder
from optical.text.tokeniser import load_tokeniser
from support.tiny_models import save_encoder

ROWS = torch.tensor([3, 8])


@pytest.fixture
def student(tmp_path):
    """Return a folder of changes, beside the teacher and the student as it was."""
    save_encoder(tmp_path / "teacher", seed=1)
    encoder = load_encoder(tmp_path / "teacher")
    with torch.no_grad():
        for weight in encoder.parameters():
            if weight is not encoder.transformer.get_input_embeddings().weight:
                weight += 1
        encoder.transformer.get_input_embeddings().weight[ROWS] = 5.0
    (tmp_path / "students/sw").mkdir(parents=True)
    save_changes(encoder, ROWS, tmp_path / "students/sw", tmp_path / "teacher")
    return tmp_path / "students/sw", encoder


def assert_same(one, other):
    assert one.state_dict().keys() == other.state_dict().keys()
    assert all(torch.equal(weight, other.state_dict()[name]) for name, weight in one.state_dict().items())


def test_it_loads_beside_its_base_wherever_both_lie(student, tmp_path):
    folder, encoder = student
    assert read_json(folder / "base.json")["path"] == "../../teacher"
    assert not (folder / "tokenizer.json").exists()
    assert_same(load_encoder(folder), encoder)
    (tmp_path / "moved").mkdir()
    for name in ("teacher", "students"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    assert_same(load_encoder(tmp_path / "moved/students/sw"), encoder)
    assert load_tokeniser(tmp_path / "moved/students/sw").to_str() == encoder.tokeniser.to_str()


def test_its_base_may_be_named(student, tmp_path):
    folder, encoder = student
    (tmp_path / "teacher").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="stored as changes to another one, which is not in") as caught:
        load_encoder(folder)
    assert "--base" in caught.value.hint and "\n" not in str(caught.value)
    assert_same(load_encoder(folder, base=tmp_path / "elsewhere"), encoder)
    assert_same(load_encoder(tmp_path / "elsewhere", base=folder), load_encoder(tmp_path / "elsewhere"))


def test_another_base_and_a_newer_format_are_refused_in_one_line(student, tmp_path):
    folder, _ = student
    other = save_encoder(tmp_path / "other", seed=2)
    with pytest.raises(DataError, match=f"changes to another one than that in {other}") as caught:
        load_encoder(folder, base=other)
    assert "\n" not in str(caught.value)
    shutil.copyfile(other / "model.safetensors", tmp_path / "teacher/model.safetensors")
    with pytest.raises(DataError, match="changes to another one than that in"):
        load_encoder(folder)
    write_json(folder / "base.json", read_json(folder / "base.json") | {"format": 2})
    with pytest.raises(DataError, match="its format is 2; this version reads 1"):
        load_encoder(folder)


@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_damaged_changes_are_refused_in_one_line(student, damage):
    file = student[0] / FILE
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        file.unlink()
    with pytest.raises(DataError, match="cannot load the changes") as caught:
        load_encoder(student[0])
    assert "\n" not in str(caught.value)
