"""What the plan knows before any job of values that do not fit the encoder."""

from collections.abc import Iterator
from typing import Any

from optical.config.fitting import USUAL, Unusual, unusual
from optical.plan.experiment import Experiment
from optical.plan.models import encoder_kinds


def unusual_values(experiment: Experiment) -> list[Unusual]:
    """Return the values of the config that lie outside the range that is usual for its encoder."""
    return unusual(_given_values(experiment), encoder_kinds(experiment))


def _given_values(experiment: Experiment) -> Iterator[tuple[str, str, Any]]:
    """Yield the values of keys that have a usual range, with the changes that methods make."""
    config = experiment.config
    for key in USUAL:
        block, name = key.split(".")
        yield key, key, getattr(getattr(config, block), name)
        for method in config.methods:
            changes = getattr(config.method_table[method], block, None) or {}
            yield f"method_table.{method}.{key}", key, changes.get(name)
