"""The training loop: what decides the result decides it alone, and an interruption leaves no trace in it."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from optical.config.training import TrainingSettings
from optical.errors import ConfigError, ResourceError
from optical.files import read_lines
from optical.runtime.machine import Machine
from optical.runtime.signals import answered
from optical.training import loop
from optical.training.averaging import WeightAverage
from optical.training.checkpoints import Checkpoints
from optical.training.loop import (
    ENDING,
    SCHEDULES,
    STOPPED_EARLY,
    _Curve,
    learning_rate_at,
    optimiser_for,
    prepare,
    save_curve,
    seconds_to_train,
    seed_of,
    train,
)

SETTINGS = TrainingSettings(steps=9, batch_size=4, learning_rate=0.05, weight_decay=0.1, seed=3)
SAVING = Machine(device="cpu", checkpoint_steps=2)


class Killed(Exception):
    """Stands for a kill: nothing of ours runs after it."""


def new_model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.LayerNorm(8), nn.Linear(8, 1))


def loss_for(model, batch_size=4, kill_at=None, seen=None):
    """Return a loss over random data that belong to a step; dropout draws from torch's own state."""

    def loss(step):
        if step == kill_at:
            raise Killed
        if seen is not None:
            seen.append(step)
        dice = torch.Generator().manual_seed(1000 * step)
        inputs, targets = (torch.randn(batch_size, width, generator=dice) for width in (6, 1))
        error = (model(inputs) - targets).square().mean()
        return error, {"error": error.detach()}

    return loss


def run(model, checkpoints=None, settings=SETTINGS, machine=SAVING, **options):
    return train(model, loss_for(model, **options), settings, machine, checkpoints, "test")


def weights(model):
    return torch.cat([weight.flatten() for weight in model.state_dict().values()])


@pytest.fixture(scope="module")
def reference():
    model = new_model()
    return model, run(model)


@pytest.mark.parametrize("kill_at", range(1, SETTINGS.steps))
def test_a_run_killed_at_any_step_ends_with_the_same_weights(tmp_path, reference, kill_at):
    checkpoints, model = Checkpoints(tmp_path, "key"), new_model()
    with pytest.raises(Killed):
        run(model, checkpoints, kill_at=kill_at)
    torch.manual_seed(kill_at)  # another process has another random state
    seen, again = [], new_model()
    curve = run(again, checkpoints, seen=seen)
    assert torch.equal(weights(again), weights(reference[0]))
    assert curve == reference[1]
    assert seen[0] == kill_at - kill_at % SAVING.checkpoint_steps


AVERAGED = SETTINGS.changed(average=0.5)


def test_the_weights_of_the_last_steps_are_averaged():
    model, after = new_model(), []
    record = model.register_forward_pre_hook(lambda *_: after.append(weights(model).clone()))
    run(model)  # a hook sees the weights before a step, so those after the one before it
    record.remove()
    averaged = new_model()
    curve = run(averaged, settings=AVERAGED)
    assert AVERAGED.steps == 9 and round(0.5 * 9) == 4
    assert torch.allclose(weights(averaged), torch.stack([*after[-3:], weights(model)]).mean(0), atol=1e-6)
    assert not torch.allclose(weights(averaged), weights(model), atol=1e-4)
    assert curve == run(new_model()), "training itself is the same"


@pytest.mark.parametrize("kill_at", [4, 7, 8])
def test_a_killed_run_ends_with_the_same_average(tmp_path, kill_at):
    whole, again = new_model(), new_model()
    run(whole, settings=AVERAGED)
    with pytest.raises(Killed):
        run(new_model(), Checkpoints(tmp_path, "key"), settings=AVERAGED, kill_at=kill_at)
    run(again, Checkpoints(tmp_path, "key"), settings=AVERAGED)
    assert torch.equal(weights(again), weights(whole))


def test_the_average_of_a_checkpoint_goes_to_the_device_of_the_weights():
    """A checkpoint is loaded on the processor; the meta device stands for a GPU."""
    model = nn.Linear(2, 1, device="meta")
    means = {name: torch.zeros(weight.shape) for name, weight in model.named_parameters()}
    average = WeightAverage(AVERAGED, {"count": 1, "means": means})
    average.add(AVERAGED.steps - 1, model)
    assert average.count == 2
    assert {mean.device.type for mean in average.means.values()} == {"meta"}


def test_saving_changes_nothing(tmp_path, reference):
    model = new_model()
    run(model, Checkpoints(tmp_path, "key"))
    assert torch.equal(weights(model), weights(reference[0]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_a_signal_saves_the_step_in_hand_and_ends(tmp_path, reference, number, caplog):
    checkpoints, model = Checkpoints(tmp_path, "key"), new_model()
    plain = loss_for(model)

    def interrupted(step):
        if step == 4:
            os.kill(os.getpid(), number)
        return plain(step)

    with pytest.raises(SystemExit) as caught:
        train(model, interrupted, SETTINGS, Machine(device="cpu"), checkpoints, "test")
    assert caught.value.code == STOPPED_EARLY
    assert "stopped early after step 4" in caplog.text
    again, seen = new_model(), []
    run(again, checkpoints, seen=seen)
    assert seen[0] == 5
    assert torch.equal(weights(again), weights(reference[0]))


@pytest.mark.parametrize("saved", [False, True])
def test_an_interrupt_ends_at_once_where_nothing_is_saved_or_the_second_time(tmp_path, saved):
    def interrupted(step):
        for _ in range(1 + saved):
            signal.raise_signal(signal.SIGINT)

    # pytest's workers ignore Ctrl-C
    with pytest.raises(KeyboardInterrupt), answered(signal.default_int_handler, signal.SIGINT):
        train(new_model(), interrupted, SETTINGS, SAVING, Checkpoints(tmp_path, "key") if saved else None, "test")


def test_the_time_that_is_granted_begins_with_the_job(tmp_path, caplog):
    machine, model = Machine(device="cpu", runtime_minutes=1.0), new_model()
    with pytest.raises(SystemExit) as caught:
        train(model, loss_for(model), SETTINGS, machine, None, "test", started=time.monotonic() - 41)
    assert caught.value.code == STOPPED_EARLY and "stopped early after step 0: of 1 minutes granted" in caplog.text


def test_a_curve_that_lags_behind_is_checked_to_its_end(monkeypatch):
    def diverging(step):
        value = 1.0 if step < 80 else 5.0
        return (model[0].weight * 0).sum() + value, {}

    model, curve = new_model(), loop._Curve
    monkeypatch.setattr(loop, "_Curve", lambda rows, what, lag: curve(rows, what, lag=True))
    with pytest.raises(ResourceError):
        train(model, diverging, SETTINGS.changed(steps=100), Machine(device="cpu"), None, "test")


def test_nothing_is_stopped_after_its_last_step(tmp_path):
    model = new_model()
    plain = loss_for(model)

    def interrupted(step):
        if step == SETTINGS.steps - 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return plain(step)

    assert len(train(model, interrupted, SETTINGS, Machine(device="cpu"), Checkpoints(tmp_path, "key"), "test")) == 9


def test_signals_are_answered_as_before_after_a_training_and_in_other_threads_not_at_all():
    before = [signal.getsignal(number) for number in ENDING]
    run(new_model())
    with ThreadPoolExecutor(1) as thread:
        assert len(thread.submit(run, new_model()).result()) == SETTINGS.steps
    assert [signal.getsignal(number) for number in ENDING] == before


def test_the_machine_decides_nothing(reference):
    model = new_model()
    run(model, machine=Machine(device="cpu", threads=2, checkpoint_minutes=0.0, runtime_minutes=99.0))
    assert torch.equal(weights(model), weights(reference[0]))


@pytest.mark.parametrize("parts", [2, 4])
def test_accumulated_parts_are_one_large_batch(parts):
    def trained(batch_size, accumulation):
        torch.manual_seed(0)
        model = nn.Linear(6, 1)
        data = torch.randn(64, 6, generator=torch.Generator().manual_seed(1))

        def loss(position):
            start = position * batch_size % 64
            return model(data[start : start + batch_size]).square().mean(), {}

        wanted = SETTINGS.changed(batch_size=batch_size, accumulation=accumulation, steps=6)
        curve = train(model, loss, wanted, Machine(device="cpu"), None, "test")
        return weights(model), [row["loss"] for row in curve]

    (whole, whole_losses), (split, split_losses) = trained(8, 1), trained(8 // parts, parts)
    assert torch.allclose(whole, split, atol=1e-6)
    assert split_losses == pytest.approx(whole_losses, rel=1e-5)


def test_each_part_of_each_step_has_random_numbers_of_its_own():
    drawn = {}

    def loss(position):
        drawn[position] = torch.rand(1).item()
        return model.weight.sum(), {}

    model = nn.Linear(1, 1)
    wanted = SETTINGS.changed(steps=5, accumulation=3)
    train(model, loss, wanted, Machine(device="cpu"), None, "test")
    assert list(drawn) == list(range(15))
    assert len(set(drawn.values())) == 15
    first = dict(drawn)
    train(model, loss, wanted.changed(seed=4), Machine(device="cpu"), None, "test")
    assert not set(first.values()) & set(drawn.values())


def test_seeds_of_steps_and_parts_do_not_meet():
    seeds = [seed_of(seed, step, part) for seed in (0, 1, 2) for step in range(300) for part in range(9)]
    assert len(set(seeds)) == len(seeds)
    torch.manual_seed(seed_of(10**18 - 1, 10**6, 8))  # the largest seed of a config


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_is_refused_in_one_line(tmp_path, poison):
    model, checkpoints = new_model(), Checkpoints(tmp_path, "key")
    plain = loss_for(model)

    def loss(step):
        value, figures = plain(step)
        return (value * poison if step == 5 else value), figures

    with pytest.raises(ResourceError, match="not finite at step 5") as caught:
        train(model, loss, SETTINGS, SAVING, checkpoints, "test")
    assert "learning rate" in caught.value.hint
    assert "\n" not in str(caught.value)
    assert all(torch.isfinite(weight).all() for weight in model.state_dict().values()), "the poison reached no weight"
    assert checkpoints.load()["step"] == 4


def test_figures_that_are_fetched_a_step_late_are_the_same_and_none_is_saved_unseen():
    one, nan = torch.tensor(1.0), torch.tensor(float("nan"))
    at_once, late = _Curve([], "test", lag=False), _Curve([], "test", lag=True)
    for step in range(3):
        figures = {"loss": torch.tensor(float(step))}
        assert at_once.add(step, figures, one) == {"loss": step}
        assert late.add(step, figures, one) == ({"loss": step - 1} if step else {})
    assert late.finished() == at_once.finished() == [{"step": step, "loss": step} for step in range(3)]
    late.add(3, {"loss": one}, nan)
    with pytest.raises(ResourceError, match="not finite at step 3"):
        late.finished()


def test_schedules_are_those_that_a_config_may_name():
    assert set(SCHEDULES) == set(get_args(TrainingSettings.model_fields["schedule"].annotation))


def test_parts_that_the_devices_cannot_share_are_refused():
    model = new_model()
    with pytest.raises(ConfigError, match="2 devices cannot share 3"):
        run(model, settings=SETTINGS.changed(accumulation=3), machine=Machine(device="cpu", world=2))


@settings(max_examples=60, deadline=None)
@given(steps=st.integers(1, 400), warmup=st.floats(0, 1), schedule=st.sampled_from(sorted(SCHEDULES)))
def test_the_learning_rate_rises_then_never_rises_again(steps, warmup, schedule):
    wanted = TrainingSettings(steps=steps, warmup=warmup, schedule=schedule, learning_rate=0.5)
    rates = [learning_rate_at(step, wanted) for step in range(steps)]
    rise = round(warmup * steps)
    assert all(0 < rate <= 0.5 for rate in rates)
    assert rates[:rise] == sorted(rates[:rise])
    assert rates[rise:] == sorted(rates[rise:], reverse=True)
    if rise:
        assert rates[rise - 1] == 0.5
    if schedule == "constant":
        assert set(rates[rise:]) <= {0.5}


def test_dropout_is_set_in_attentions_that_have_no_module_for_it():
    model = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
    x_BLD = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(0))
    prepare(model, SETTINGS)
    assert model.dropout == 0.5, "null keeps its own"
    prepare(model, SETTINGS.changed(dropout=0.0))
    assert model.training
    assert torch.equal(model(x_BLD, x_BLD, x_BLD)[0], model(x_BLD, x_BLD, x_BLD)[0])


def test_norms_and_biases_do_not_decay_and_frozen_weights_do_not_move():
    model = new_model()
    model[0].weight.requires_grad_(False)
    groups = optimiser_for(model, SETTINGS).param_groups
    assert [[weight.ndim for weight in group["params"]] for group in groups] == [[2], [1, 1, 1, 1]]
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0]
    before = model[0].weight.clone()
    run(model)
    assert torch.equal(model[0].weight, before)


def test_long_gradients_are_cut():
    model = nn.Linear(1, 1, bias=False)
    norms = []
    model.weight.register_hook(lambda gradient: norms.append(float(gradient.norm())))
    moved = []

    def loss(step):
        moved.append(float(model.weight.detach()))
        return 1000 * model.weight.sum(), {}

    wanted = TrainingSettings(steps=2, learning_rate=0.1, warmup=0.0, weight_decay=0.0, gradient_clip=1e-12)
    train(model, loss, wanted, Machine(device="cpu"), None, "test")
    assert norms == [1000.0, 1000.0]
    assert abs(moved[1] - moved[0]) < 1e-5  # Adam's own 1e-8 outweighs a gradient of 1e-12


def test_the_curve_has_a_row_for_each_step(tmp_path, reference):
    save_curve(tmp_path, reference[1])
    rows = [line.split("\t") for line in read_lines(tmp_path / "curve.tsv")]
    assert rows[0] == ["step", "loss", "error"]
    assert [int(row[0]) for row in rows[1:]] == list(range(SETTINGS.steps))
    assert all(row[1] == row[2] for row in rows[1:])
    save_curve(tmp_path, [])
    assert list(read_lines(tmp_path / "curve.tsv")) == ["step\tloss"]


@settings(deadline=None)
@given(minutes=st.floats(1, 10_000))
def test_time_to_end_is_kept_back(minutes):
    kept = 60 * minutes - seconds_to_train(minutes)
    assert 20 - 1e-6 <= kept <= 600 + 1e-6
    assert kept == pytest.approx(max(20, min(6 * minutes, 600)), abs=1e-6)
