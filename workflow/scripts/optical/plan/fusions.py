"""Fused methods: which runs are joined to which, and what is refused."""

from optical.errors import ConfigError
from optical.plan.experiment import Experiment
from optical.plan.jobs import Job, folders_of, run_of
from optical.plan.searching import runs_on


def fusions(experiment: Experiment, collection: str, lang: str) -> list[Job]:
    """Return the runs of a language that are joined from others: one per fused method and seed."""
    return [
        {
            "runs": joined_runs(experiment, collection, lang, method, seed),
            "out": run_of(experiment, collection, lang, method, seed),
            "tag": method,
            "constant": fusion.constant,
        }
        for method, seed in runs_on(experiment, collection, lang, ["fused"])
        if (fusion := experiment.method(method).fusion)
    ]


def joined_runs(experiment: Experiment, collection: str, lang: str, method: str, seed: int) -> list[str]:
    """Return the runs that a fused method joins: those of this seed, or the only one of a method without seeds."""
    parts = [(part, experiment.seeds_of(part)) for part in experiment.joined_by(method)]
    seeds = [(part, seed if seed in of_part else of_part[0]) for part, of_part in parts]
    return [run_of(experiment, collection, lang, part, of_part) for part, of_part in seeds]


def folders_of_joined_runs(experiment: Experiment, collection: str, lang: str) -> list[str]:
    """Return the folders of all runs that the fused methods of a language join."""
    runs = runs_on(experiment, collection, lang, ["fused"])
    return folders_of(run for each in runs for run in joined_runs(experiment, collection, lang, *each))


def check_fusion(experiment: Experiment, method: str) -> None:
    """Refuse a fused method that joins what the experiment does not try, or what cannot be joined.

    Raises:
        ConfigError: a method that it joins is not among `methods`, is fused itself or reads human English.
    """
    for part in experiment.joined_by(method):
        where = f"method_table.{method}.fusion.methods"
        if part not in experiment.config.methods:
            raise ConfigError(f"{part!r} is not among the methods", where=where, hint=f"add {part} to methods")
        if experiment.kind_of(part).search == "fused" or experiment.kind_of(part).queries == "english":
            what = f"{part!r} cannot be joined"
            raise ConfigError(what, where=where, hint="name methods that search with the foreign queries")
