"""Fetch one data set of the ir_datasets catalogue, where there is a network, by reading it to its end.

Example: python workflow/scripts/fetch_ir_datasets.py --id miracl/sw/dev --parts docs queries qrels \\
    --home results/ir_datasets --out results/data/ir_datasets/miracl--sw--dev.json
"""

import os

from optical.corpora.ir_datasets import fetch_parts, use_home
from optical.files import write_json
from optical.program import log, program, run_program


def main(arguments):
    use_home(arguments.home, arguments.mirror)
    counts = fetch_parts(arguments.id, arguments.parts, arguments.home)
    write_json(arguments.out, {"id": arguments.id, "rows": counts})
    log.info("%s: %s", arguments.id, counts)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--id", required=True, help="an id of ir-datasets.com")
    parser.add_argument("--parts", required=True, nargs="+", choices=("docs", "queries", "qrels", "docpairs"))
    parser.add_argument(
        "--home",
        default=os.environ.get("IR_DATASETS_HOME", "results/ir_datasets"),
        metavar="FOLDER",
        help="where ir_datasets keeps its files; default: the environment variable IR_DATASETS_HOME",
    )
    parser.add_argument(
        "--mirror",
        default=os.environ.get("OPTICAL_MIRROR"),
        help="folder that serves https://host/path as host/path; default: the environment variable OPTICAL_MIRROR",
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="rows of each part, once all are there (JSON)")
    run_program(main, parser)
