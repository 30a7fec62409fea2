"""The training loop: precision, accumulation, checkpoint and resume, several devices, progress. It knows no loss.

Everything random is a function of (seed, step): batches (see `batches.EpochBatches`), dropout, masking. So a
checkpoint needs no random state and no data position beyond its step, and a killed and resumed run ends with the
same weights, bit for bit on one kind of CPU.
"""

import logging
import math
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor, nn

from optical.config.training import TrainingSettings
from optical.errors import ConfigError, ResourceError
from optical.files import write_rows
from optical.runtime import parallel
from optical.runtime.machine import Machine
from optical.runtime.precision import autocast
from optical.runtime.progress import Progress
from optical.runtime.signals import answered
from optical.training.averaging import WeightAverage
from optical.training.checkpoints import Checkpoints
from optical.training.divergence import check_loss

log = logging.getLogger(__name__)

STOPPED_EARLY = 75  # exit status (sysexits' EX_TEMPFAIL): a checkpoint is kept, the same command goes on from it
ENDING = (signal.SIGTERM, signal.SIGUSR1)  # the second is what Slurm can send some time before the limit
RESERVE = (20.0, 0.1, 600.0)  # before the cluster's limit: at least so many seconds, this share of it, at most so many

# Attributes that hold the dropout of an attention without a module for it, as those of Longformer and Jina have it.
DROPOUTS = ("dropout", "attention_dropout")

LossOfPart = Callable[[int], tuple[Tensor, dict[str, Tensor]]]


SCHEDULES = {
    "linear": lambda share: 1.0 - share,
    "cosine": lambda share: 0.5 * (1.0 + math.cos(math.pi * share)),
    "constant": lambda share: 1.0,
}


def learning_rate_at(step: int, settings: TrainingSettings) -> float:
    """Return the learning rate of a step: a linear rise, then the schedule down to zero.

    >>> settings = TrainingSettings(steps=10, warmup=0.2, learning_rate=1.0)
    >>> [round(learning_rate_at(step, settings), 3) for step in (0, 1, 2, 9)]
    [0.5, 1.0, 1.0, 0.125]
    """
    rise = round(settings.warmup * settings.steps)
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    share = (step - rise) / max(1, settings.steps - rise)
    return settings.learning_rate * SCHEDULES[settings.schedule](share)


def seed_of(seed: int, step: int, part: int) -> int:
    """Return the seed of one part of one step, the same wherever and whenever it is computed."""
    return ((seed * 1_000_003 + step) * 1_009 + part) % 2**64  # torch takes no larger one


def optimiser_for(model: nn.Module, settings: TrainingSettings) -> torch.optim.Optimizer:
    """Return AdamW (fused), without weight decay on biases and norms."""
    decayed = [weight for weight in model.parameters() if weight.requires_grad and weight.ndim >= 2]
    others = [weight for weight in model.parameters() if weight.requires_grad and weight.ndim < 2]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)


def train(
    model: nn.Module,
    loss_of_part: LossOfPart,
    settings: TrainingSettings,
    machine: Machine,
    checkpoints: Checkpoints | None,
    what: str,
    started: float | None = None,
) -> list[dict[str, float]]:
    """Train a model in place and return its learning curve.

    On SIGTERM, or shortly before `machine.runtime_minutes` have passed, it saves and exits with status `STOPPED_EARLY`;
    with checkpoints also on the first Ctrl-C.
    Of several processes only the first returns; the others have nothing to write and end here.

    Args:
        model: its parameters that require a gradient are trained; already on the device.
        loss_of_part: position -> scalar loss and figures to show, detached scalars. Positions count the parts of all
            steps from 0. It is called under autocast, with torch's random state set for this part.
        settings: what decides the result.
        machine: where and how fast.
        checkpoints: where to save and resume; None for none.
        what: name shown beside the progress.
        started: `time.monotonic()` when the job began, from which `machine.runtime_minutes` count; None for now.

    Returns:
        A row for each step: its number, the loss, and the figures of the loss.

    Raises:
        ConfigError: the devices cannot share a step's parts evenly.
        ResourceError: a gradient is not finite, or the loss rises.
    """
    if settings.accumulation % machine.world:
        raise ConfigError(
            f"{machine.world} devices cannot share {settings.accumulation} parts a step evenly",
            hint="make accumulation a multiple of the number of devices",
        )
    device = next(model.parameters()).device
    optimiser = optimiser_for(model, settings)
    start = _resume(model, optimiser, checkpoints, machine)
    average = WeightAverage(settings, start.average)
    curve = _Curve(start.curve, what, lag=device.type == "cuda")
    clock = _Clock(machine, started)
    prepare(model, settings)
    ending = (*ENDING, signal.SIGINT) if checkpoints else ENDING
    with answered(clock.terminate, *ending), Progress(what, settings.steps, done=start.step) as progress:
        for step in range(start.step, settings.steps):
            for group in optimiser.param_groups:
                group["lr"] = learning_rate_at(step, settings)
            figures = _backward(model, loss_of_part, step, settings, machine, device)
            norm = nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            shown = curve.add(step, figures, norm)
            check_loss(curve.rows, settings.steps, what)
            optimiser.step()
            average.add(step, model)
            optimiser.zero_grad(set_to_none=True)
            progress.advance(1, **shown)
            stop = parallel.any_of(clock.must_stop(), device, machine.world) and step + 1 < settings.steps
            if stop:
                start.events.append(f"stopped early after step {step}: {clock.reason or 'another process was told to'}")
            if checkpoints and machine.rank == 0 and (clock.checkpoint_due(step) or stop):
                state = _State(step + 1, curve.finished(), start.events, average.state())
                weights = {"model": model.state_dict(), "optimiser": optimiser.state_dict()}
                checkpoints.save(weights | state._asdict())
            if stop:
                _stop_early(start.events[-1], checkpoints, machine)
    rows = curve.finished()
    check_loss(rows, settings.steps, what)  # on a GPU the curve lags behind
    average.put_into(model)
    parallel.leave(machine.world)
    if machine.rank:
        sys.exit(0)
    return rows


class _State(NamedTuple):
    """Where a training is, as a checkpoint keeps it beside the weights.

    Attributes:
        step: the next one.
        curve: the learning curve so far, a row a step.
        events: what has interrupted the training.
        average: from `WeightAverage.state`; None at the start.
    """

    step: int
    curve: list[dict[str, float]]
    events: list[str]
    average: dict[str, Any] | None


def _stop_early(event: str, checkpoints: Checkpoints | None, machine: Machine) -> NoReturn:
    """Say what stopped the training, and exit with the status that asks for another run."""
    remedy = "run again to go on" if checkpoints else "nothing is kept, because no --checkpoints were given"
    log.warning("%s; %s", event, remedy)
    parallel.leave(machine.world)
    sys.exit(STOPPED_EARLY)


def prepare(model: nn.Module, settings: TrainingSettings) -> None:
    """Set the model to training mode, with the given dropout."""
    model.train()
    if settings.dropout is None:
        return
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = settings.dropout
        for name in DROPOUTS:
            if isinstance(getattr(part, name, None), float):
                setattr(part, name, settings.dropout)


def _backward(
    model: nn.Module,
    loss_of_part: LossOfPart,
    step: int,
    settings: TrainingSettings,
    machine: Machine,
    device: torch.device,
) -> dict[str, Tensor]:
    """Accumulate the gradient of one step over its parts and devices; return the mean figures."""
    totals: dict[str, Tensor] = {}
    for part in range(machine.rank, settings.accumulation, machine.world):
        torch.manual_seed(seed_of(settings.seed, step, part))
        with autocast(device, machine.precision):
            loss, figures = loss_of_part(step * settings.accumulation + part)
        (loss / settings.accumulation).backward()
        for name, value in ({"loss": loss.detach()} | figures).items():
            totals[name] = totals.get(name, 0.0) + value.double() / settings.accumulation
    parallel.sum_gradients(model, machine.world)
    return parallel.sum_figures(totals, machine.world)


class _Curve:
    """The learning curve. With a lag a step's figures are fetched a step later, so that a GPU always has work."""

    def __init__(self, rows: list[dict[str, float]], what: str, lag: bool):
        self.rows, self.what, self.lag = rows, what, lag
        self.last: tuple[int, dict[str, Tensor], Tensor] | None = None

    def add(self, step: int, figures: dict[str, Tensor], norm: Tensor) -> dict[str, float]:
        """Add a step, its figures and the norm of its gradient; return the figures that are there, to be shown."""
        self.finished()
        self.last = step, figures, norm
        if not self.lag:
            self.finished()
        return {name: value for name, value in self.rows[-1].items() if name != "step"} if self.rows else {}

    def finished(self) -> list[dict[str, float]]:
        """Return the rows of all steps.

        Raises:
            ResourceError: a gradient was not finite.
        """
        if self.last is not None:
            step, figures, norm = self.last
            self.last = None
            if not math.isfinite(norm):
                what = f"the gradient is not finite at step {step}"
                raise ResourceError(what, where=self.what, hint="lower the learning rate")
            self.rows.append({"step": step} | {name: float(value) for name, value in figures.items()})
        return self.rows


def _resume(
    model: nn.Module, optimiser: torch.optim.Optimizer, checkpoints: Checkpoints | None, machine: Machine
) -> _State:
    """Return where the training starts or goes on; put the weights of a checkpoint into model and optimiser."""
    loaded = checkpoints.load() if checkpoints and machine.rank == 0 else None
    state: Any = parallel.from_first(loaded, machine.world)
    if state is None:
        return _State(0, [], [], None)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    events, last = state["events"], state["step"] - 1
    if not any(f"after step {last}:" in event for event in events):
        events = [*events, f"ended without warning after step {last} or later"]
    for event in events:  # the workflow manager has deleted the log that said so
        log.info("earlier: %s", event)
    return _State(state["step"], state["curve"], events, state["average"])


class _Clock:
    """When to save, and when to stop: by minutes, by steps, by a signal."""

    def __init__(self, machine: Machine, started: float | None):
        self.machine = machine
        self.saved = time.monotonic()
        self.started = self.saved if started is None else started
        self.reason = ""
        self.limit = seconds_to_train(machine.runtime_minutes)

    def terminate(self, number: int, _frame: object) -> None:
        """Stop after this step."""
        self.reason = f"received {signal.Signals(number).name}"
        if number == signal.SIGINT:
            log.warning("the step is finished and saved first; Ctrl-C once more ends at once")
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def checkpoint_due(self, step: int) -> bool:
        every = self.machine.checkpoint_steps
        by_steps = every > 0 and (step + 1) % every == 0
        due = by_steps or time.monotonic() - self.saved > 60 * self.machine.checkpoint_minutes
        if due:
            self.saved = time.monotonic()
        return due

    def must_stop(self) -> bool:
        if self.limit and not self.reason and time.monotonic() - self.started > self.limit:
            self.reason = f"of {self.machine.runtime_minutes:g} minutes granted {self.limit / 60:.1f} have passed"
        return bool(self.reason)


def seconds_to_train(runtime_minutes: float) -> float:
    """Return after how many seconds to save and stop, so that start and end fit into the time of the job.

    >>> seconds_to_train(1), seconds_to_train(60), seconds_to_train(2880), seconds_to_train(0)
    (40.0, 3240.0, 172200.0, 0.0)
    """
    least, share, most = RESERVE
    granted = 60.0 * runtime_minutes
    return granted - min(max(least, share * granted), most) if granted else 0.0


def save_curve(folder: Path, curve: list[dict[str, float]]) -> None:
    """Write the learning curve of a model beside it: `curve.tsv`, a row a step."""
    names = list(curve[0]) if curve else ["step", "loss"]
    write_rows(folder / "curve.tsv", [names, *([f"{row[name]:.6g}" for name in names] for row in curve)])
