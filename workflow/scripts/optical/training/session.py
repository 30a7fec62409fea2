"""One training session: what the programs that train have in common, from their settings to the folder of the model."""

import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from torch import nn

from optical.config.training import TrainingSettings
from optical.files import atomic_folder
from optical.runtime.devices import name_of
from optical.runtime.machine import Machine
from optical.runtime.provenance import write_provenance
from optical.runtime.signals import answered
from optical.training.checkpoints import Checkpoints, fingerprint
from optical.training.loop import ENDING, LossOfPart, save_curve, train

log = logging.getLogger(__name__)

FEW_PLANS = 0.001  # share of plans that may not converge without a warning


def unconverged_plans(curve: Sequence[Mapping[str, float]], what: str | Path) -> dict[str, float]:
    """Return the share of transport plans that did not converge in a training, named; nothing where it had none.

    >>> unconverged_plans([{"loss": 0.5, "unconverged": 0.0}, {"loss": 0.4, "unconverged": 0.25}], "students/sw")
    {'unconverged_plans': 0.125}
    """
    shares = [row["unconverged"] for row in curve if "unconverged" in row]
    if not shares:
        return {}
    share = sum(shares) / len(shares)
    if share > FEW_PLANS:
        remedy = "raise transport.iterations, with ipot transport.inner_iterations"
        log.warning("%s: %.2g %% of the plans misplace more than transport.tolerance; %s", what, 100 * share, remedy)
    return {"unconverged_plans": share}


class Session:
    """A training that is resumed after an interruption, and ends in a folder that says what made it.

    A program creates it first, because that sets up the machine:

        session = Session(settings, inputs, machine_from(arguments), arguments.checkpoints, __file__)
        encoder = load_encoder(arguments.encoder, settings.encoder).to(session.device)
        session.train(encoder, loss, arguments.out, encoder.save)
    """

    def __init__(
        self,
        settings: TrainingSettings,
        inputs: Mapping[str, str | Path | None],
        machine: Machine,
        checkpoints: str | Path | None,
        program: str | Path,
    ):
        """Set up the machine.

        Args:
            settings: all that decides the result, beside inputs and code.
            inputs: name -> file or folder that the model is made of; None for one that is not used.
            machine: where the model is trained, and when it is saved.
            checkpoints: folder of all checkpoints, in which those of a training lie as its model does; None for none.
            program: file of the program, whose code and library decide the result, too.
        """
        self.started = time.monotonic()
        self.settings, self.machine = settings, machine
        self.inputs = {name: path for name, path in inputs.items() if path}
        self.checkpoints, self.program = checkpoints, program
        self.device = machine.start()

    def train(
        self,
        model: nn.Module,
        loss: LossOfPart,
        out: str | Path,
        save: Callable[[Path], object],
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Train a model, write its folder and remove its checkpoints.

        Args:
            model: is trained in place; already on `device`.
            loss: of one part of a step, see `loop.train`.
            out: folder that is made, with the model, its learning curve and its provenance.
            save: writes the model into a folder.
            check: raises an error if the trained model is useless.
        """
        recorded = self.settings.model_dump(mode="json")
        checkpoints = None
        if self.checkpoints:
            key = fingerprint(recorded, list(self.inputs.values()), self.program)
            below = (part for part in Path(out).parts if part not in (Path(out).anchor, ".."))
            checkpoints = Checkpoints(Path(self.checkpoints, *below), key)
        curve = train(model, loss, self.settings, self.machine, checkpoints, str(out), self.started)
        with answered(_finish_first, *ENDING):
            check()
            with atomic_folder(out) as folder:
                save(folder)
                save_curve(folder, curve)
                write_provenance(
                    folder, recorded, self.inputs, self.started, name_of(self.device), unconverged_plans(curve, out)
                )
            if checkpoints:
                checkpoints.remove()


def _finish_first(number: int, _frame: object) -> None:
    """Let a trained model be written: that takes less time than its last steps again."""
    log.info("received %s: the model is trained and is written first", signal.Signals(number).name)
