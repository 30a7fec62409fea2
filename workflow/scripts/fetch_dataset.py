"""Fetch one data set of the table, verify it, and put it under its name.

Example:
    python workflow/scripts/fetch_dataset.py --name ntrex.swa.txt --out results/data/ntrex.swa.txt

The folder in the environment variable OPTICAL_MIRROR, if any, serves https://host/path as host/path.
"""

import os

from optical.config.tables import get_dataset, read_datasets
from optical.fetch.download import fetch
from optical.program import program, run_program


def main(arguments):
    dataset = get_dataset(arguments.name, read_datasets(arguments.datasets))
    fetch(dataset, arguments.out, mirror=os.environ.get("OPTICAL_MIRROR"), lock=arguments.lock)


if __name__ == "__main__":
    parser = program(__doc__, out="where to put the file")
    parser.add_argument("--name", required=True, help="name of the data set: a row of the table")
    parser.add_argument("--datasets", default="config/datasets.tsv", help="the table of data sets")
    parser.add_argument("--lock", help="TSV file that remembers checksums which the table does not know")
    run_program(main, parser)
