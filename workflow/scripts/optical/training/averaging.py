"""The mean of the weights over the last steps of a training: less noise than the weights of the last step alone."""

from typing import Any

import torch
from torch import Tensor, nn

from optical.config.training import TrainingSettings


class WeightAverage:
    """A running mean, which takes part in checkpoints."""

    def __init__(self, settings: TrainingSettings, state: dict[str, Any] | None = None):
        """Begin, or go on from the state of a checkpoint.

        Args:
            settings: `average` is the share of the last steps whose weights count.
            state: from `state`.
        """
        self.first = settings.steps - round(settings.average * settings.steps)
        self.count: int = state["count"] if state else 0
        self.means: dict[str, Tensor] = state["means"] if state else {}

    def add(self, step: int, model: nn.Module) -> None:
        """Let the weights after a step count, if it is among the last ones."""
        if step < self.first:
            return
        self.count += 1
        for name, weight in _trained(model):
            if self.count == 1:
                self.means[name] = weight.detach().clone()
            else:
                mean = self.means[name].to(weight.device)  # that of a checkpoint is on the processor
                self.means[name] = mean.lerp_(weight.detach(), 1 / self.count)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"count": self.count, "means": self.means}

    def put_into(self, model: nn.Module) -> None:
        """Give the model the mean weights; leave it as it is where none count."""
        with torch.no_grad():
            for name, weight in _trained(model) if self.count else ():
                weight.copy_(self.means[name])


def _trained(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad]
