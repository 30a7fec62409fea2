"""The studies of config/studies, as tests run them."""

import json

import yaml

from support.workspace import ROOT, run_command, snakemake_command

STUDIES = sorted((ROOT / "config/studies").glob("*.yaml"))


def by_name(study):
    """Return the name of a study, which tells its tests apart."""
    return study.stem


def settings_of(study):
    """Return the config of a study."""
    return yaml.safe_load(study.read_text(encoding="utf-8"))


def run_study(workspace, study, changes, *targets, arguments=("--quiet", "all"), extra=()):
    """Run a study in a workspace, changed by `extra` files and then by a dict; return what Snakemake says."""
    (workspace / "changes.yaml").write_text(json.dumps(changes), encoding="utf-8")
    files = [study, *extra, workspace / "changes.yaml"]
    command = snakemake_command("--cores", "2", *arguments, config=files, target=targets[0])
    return run_command([*command, *targets[1:]], workspace).stdout
