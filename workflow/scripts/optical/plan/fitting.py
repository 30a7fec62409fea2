"""What an experiment asks of the model that it starts from, and which of its values do not fit that."""

from collections.abc import Iterator
from typing import Any

from optical.config.demands import Demands, GivenValue
from optical.config.fitting import USUAL, Unusual, unusual
from optical.plan.experiment import Experiment
from optical.plan.models import encoder_kinds, given_teacher


def demands(experiment: Experiment) -> Demands:
    """Return what an experiment asks of the model that it starts from."""
    config = experiment.config
    values = [] if config.unusual_values else _given_values(experiment)
    return Demands(
        is_teacher=bool(given_teacher(experiment)),
        extensible=config.vocabulary.pieces > 0,
        encoder=config.encoder,
        values=[GivenValue(where=where, key=key, value=value) for where, key, value in values if value is not None],
    )


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
