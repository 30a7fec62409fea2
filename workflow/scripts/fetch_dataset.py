"""Fetch one data set of the table, verify it, and put it under its name.

Example:
    python workflow/scripts/fetch_dataset.py --name ntrex.swa.txt --out results/data/ntrex.swa.txt
"""

import argparse
import os

from optical.config.tables import get_dataset, read_datasets
from optical.fetch.download import fetch
from optical.program import program, run_program


def main(arguments: argparse.Namespace) -> None:
    dataset = get_dataset(arguments.name, read_datasets(arguments.datasets))
    fetch(dataset, arguments.out, mirror=arguments.mirror, lock=arguments.lock)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--name", required=True, help="name of the data set: a row of the table")
    parser.add_argument("--datasets", default="config/datasets.tsv", help="the table of data sets")
    parser.add_argument(
        "--mirror",
        default=os.environ.get("OPTICAL_MIRROR"),
        help="folder that serves https://host/path as host/path; default: the environment variable OPTICAL_MIRROR",
    )
    parser.add_argument("--lock", help="TSV file that remembers checksums which the table does not know")
    parser.add_argument("--out", required=True, help="where to put the file")
    run_program(main, parser)
