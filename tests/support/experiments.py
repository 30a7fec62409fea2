"""Experiments for the tests of the plan: the default one, or another file's, with changes."""

from optical.config.project import merged, read_config
from optical.plan.experiment import Experiment
from support.workspace import ROOT, config_layers

COMMIT = "3f076fdb1ab68d5b2880cb87a0886f315b8146f8"


def experiment(changes=None, file=None, folder=ROOT, **keys):
    """Return the experiment of a file below config/, or the default one, with changes: blocks within blocks.

    >>> experiment({"student": {"steps": 7}}, languages=["sw"]).config.student.steps
    7
    """
    paths = [ROOT / "config/config.yaml", *(config_layers(ROOT / "config" / file) if file else [])]
    given = merged(merged(read_config(paths), changes or {}), keys)
    return Experiment.from_config(given, folder)
