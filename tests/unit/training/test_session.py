"""A session ends in one folder with model, learning curve and provenance, and goes on where it was interrupted."""

import pytest
import torch
from torch import nn

from optical.config.training import TrainingSettings
from optical.files import read_json, read_rows
from optical.runtime.machine import Machine
from optical.training.session import Session

SETTINGS = TrainingSettings(steps=6, learning_rate=0.1)


@pytest.fixture
def run(tmp_path):
    """Return a function that trains a model of one weight, up to the step at which it is killed."""
    (tmp_path / "data").write_text("data")

    def train(settings=SETTINGS, kill_at=None):
        inputs = {"data": tmp_path / "data", "left out": None}
        machine = Machine(device="cpu", checkpoint_steps=2)
        session = Session(settings, inputs, machine, tmp_path / "checkpoints", __file__)
        model, steps = nn.Linear(1, 1).to(session.device), []
        nn.init.ones_(model.weight)

        def loss(step):
            if step == kill_at:
                raise KeyboardInterrupt
            steps.append(step)
            return (model.weight - step).square().sum(), {}

        session.train(model, loss, tmp_path / "out", lambda folder: torch.save(model.weight, folder / "w"))
        return steps

    return train


def saved(folder):
    return sorted(path.name for path in (folder / "checkpoints").rglob("step-*.pt"))


def test_the_folder_holds_the_model_its_learning_curve_and_what_made_it(run, tmp_path):
    assert run() == [0, 1, 2, 3, 4, 5]
    assert torch.load(tmp_path / "out/w", weights_only=True).shape == (1, 1)
    assert [row[0] for row in read_rows(tmp_path / "out/curve.tsv", columns=2)] == ["step", *"012345"]
    provenance = read_json(tmp_path / "out/provenance.json")
    assert provenance["settings"] == SETTINGS.model_dump(mode="json")
    assert list(provenance["inputs"]) == ["data"]
    assert saved(tmp_path) == []


def test_a_killed_session_leaves_no_folder_and_is_resumed(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(kill_at=5)
    assert not (tmp_path / "out").exists()
    assert saved(tmp_path) == ["step-000000002.pt", "step-000000004.pt"]
    assert run() == [4, 5]


@pytest.mark.parametrize("changed", ["settings", "inputs"])
def test_another_training_starts_from_the_beginning(run, tmp_path, changed):
    with pytest.raises(KeyboardInterrupt):
        run(kill_at=5)
    if changed == "inputs":
        (tmp_path / "data").write_text("other data")
    assert run(SETTINGS.changed(seed=2) if changed == "settings" else SETTINGS)[0] == 0


@pytest.mark.parametrize("absolute", [False, True])
def test_two_models_keep_their_checkpoints_apart(tmp_path, monkeypatch, absolute):
    monkeypatch.chdir(tmp_path)
    session = Session(SETTINGS, {}, Machine(device="cpu", checkpoint_steps=1), "saved", __file__)
    models = {"results/full/teacher", "results/full/students/sw/optical/1"}
    for name in models:
        model = nn.Linear(2, 1)

        def loss(step, model=model):
            if step == 2:
                raise KeyboardInterrupt
            return model.weight.square().sum(), {}

        with pytest.raises(KeyboardInterrupt):
            session.train(model, loss, tmp_path / name if absolute else name, nn.Module.cpu)
    place = tmp_path / "saved" / (tmp_path.relative_to("/") if absolute else "")
    saved_for = {str(path.parent.parent.relative_to(place)) for path in (tmp_path / "saved").rglob("step-*.pt")}
    assert saved_for == models
