"""Fetch one data set of the ir_datasets catalogue, where there is a network, by reading it to its end.

Example: python workflow/scripts/fetch_ir_datasets.py --id miracl/sw/dev --parts docs queries qrels \\
    --out results/data/ir_datasets/miracl--sw--dev.json

Its files go to the folder in the environment variable IR_DATASETS_HOME (results/ir_datasets without it). The one in
OPTICAL_MIRROR, if any, serves https://host/path as host/path.
"""

import os

from optical.corpora.ir_datasets import fetch_parts, use_home
from optical.files import write_json
from optical.program import log, program, run_program


def main(arguments):
    home = os.environ.get("IR_DATASETS_HOME", "results/ir_datasets")
    use_home(home, os.environ.get("OPTICAL_MIRROR"))
    counts = fetch_parts(arguments.id, arguments.parts, home)
    write_json(arguments.out, {"id": arguments.id, "rows": counts})
    log.info("%s: %s", arguments.id, counts)


if __name__ == "__main__":
    parser = program(__doc__, out="rows of each part, once all are there (JSON)")
    parser.add_argument("--id", required=True, help="an id of ir-datasets.com")
    parser.add_argument("--parts", required=True, nargs="+", choices=("docs", "queries", "qrels", "docpairs"))
    run_program(main, parser)
