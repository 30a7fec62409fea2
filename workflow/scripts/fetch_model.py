"""Fetch a model of the Hugging Face hub at one commit, as a folder that needs no network any more.

Example: python workflow/scripts/fetch_model.py --id google-bert/bert-base-multilingual-cased \\
    --revision 3f076fdb1ab68d5b2880cb87a0886f315b8146f8 --out results/models/mbert

The folder in the environment variable OPTICAL_MIRROR, if any, serves https://host/path as host/path.
"""

import os
from functools import partial

from optical.config.demands import read_demands
from optical.fetch.hub import fetch_model
from optical.models.arrival import check_arrived
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    check = partial(check_arrived, demands=read_demands(arguments.demands))
    names = fetch_model(arguments.id, arguments.revision, arguments.out, check, os.environ.get("OPTICAL_MIRROR"))
    log.info("%s at %s: %s", arguments.id, arguments.revision, ", ".join(names))


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--id", required=True, help="organisation/name on the hub; HF_ENDPOINT names another server")
    parser.add_argument("--revision", required=True, metavar="COMMIT", help="40 hexadecimal digits")
    parser.add_argument("--demands", type=yaml_value, default=[], help="what experiments ask of it, a list of maps")
    run_program(main, parser)
