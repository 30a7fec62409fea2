"""A training session saves where its model goes, and nowhere else."""

import pytest
import torch

from optical.config.training import TrainingSettings
from optical.runtime.machine import Machine
from optical.training.session import Session


class Stopped(Exception):
    """Ends a training after its first checkpoint."""


def stop_in_step(number):
    """Return the loss of a tiny model whose training ends in this step."""

    def loss(step, part):
        if step == number:
            raise Stopped
        return model.weight.square().sum(), {}

    model = torch.nn.Linear(2, 1)
    return model, loss


@pytest.mark.parametrize("absolute", [False, True])
def test_two_models_keep_their_checkpoints_apart(tmp_path, monkeypatch, absolute):
    monkeypatch.chdir(tmp_path)
    session = Session(TrainingSettings(steps=3), {}, Machine(checkpoint_steps=1), "saved", __file__)
    for name in ("results/full/teacher", "results/full/students/sw/optical/1"):
        model, loss = stop_in_step(2)
        with pytest.raises(Stopped):
            session.train(model, loss, tmp_path / name if absolute else name, torch.nn.Module.cpu, "tiny")
    place = tmp_path / "saved" / (tmp_path.relative_to("/") if absolute else "")
    found = {str(path.parent.parent.relative_to(place)) for path in (tmp_path / "saved").rglob("step-*.pt")}
    assert found == {"results/full/teacher", "results/full/students/sw/optical/1"}
