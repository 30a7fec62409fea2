"""Print, for each job of a dry run, what it would ask a Slurm cluster for: one JSON object a line.

Takes Snakemake's own arguments, such as --workflow-profile workflow/profiles/slurm -- results/map_table.tsv
"""

import json
import sys
from types import SimpleNamespace

from snakemake import cli
from snakemake import logging as snakemake_logging
from snakemake_executor_plugin_slurm.submit_string import get_submit_command
from snakemake_executor_plugin_slurm.utils import set_gres_string
from snakemake_interface_logger_plugins.common import LogEvent

PLACEHOLDERS = dict.fromkeys(("run_uuid", "slurm_logfile", "comment_str", "account", "partition", "workdir"), "")


class Resources(dict):
    """Resources by key and by attribute, as the plugin reads them."""

    __getattr__ = dict.__getitem__


def show(record):
    """Print a job's record; every record passes on."""
    if getattr(record, "event", None) == LogEvent.JOB_INFO:
        resources = Resources({name: value for name, value in record.resources.items() if not name.startswith("_")})
        job = SimpleNamespace(resources=resources, threads=record.threads)
        row = {"rule": record.rule_name, "wildcards": dict(record.wildcards), "shell": record.shellcmd}
        print(json.dumps(row | {"sbatch": get_submit_command(job, PLACEHOLDERS) + set_gres_string(job)}))
    return True


if __name__ == "__main__":
    snakemake_logging.logger.addFilter(show)  # Snakemake removes handlers that are not its own
    cli.main(["--dry-run", *sys.argv[1:]])
