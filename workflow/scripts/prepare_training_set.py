"""Prepare a training set of queries, documents and triples, for the teacher or a retrained student, in one folder.

    python workflow/scripts/prepare_training_set.py --out results/training/mine \\
        --settings '{reader: plain, documents: docs.tsv, queries: queries.tsv, triples: triples.tsv, max_triples: 9999}'
"""

import argparse
import logging
import os

from optical.config.training_sets import read_training_set
from optical.corpora.ir_datasets import use_home
from optical.corpora.readers import prepare_training_set
from optical.program import program, run_program, yaml_value

log = logging.getLogger("optical")


def main(arguments: argparse.Namespace) -> None:
    """Read the training set as its settings say and write the folder."""
    if arguments.ir_datasets_home:
        use_home(arguments.ir_datasets_home, arguments.mirror)
    block = read_training_set(arguments.settings, "--settings")
    log.info("%s", prepare_training_set(block, arguments.out))


parser = program(__doc__)
parser.add_argument("--settings", required=True, type=yaml_value, help="its block of the config, files resolved")
parser.add_argument("--out", required=True, metavar="FOLDER", help="where the training set goes")
parser.add_argument(
    "--ir-datasets-home",
    default=os.environ.get("IR_DATASETS_HOME"),
    metavar="FOLDER",
    help="where ir_datasets keeps its files; default: the environment variable IR_DATASETS_HOME",
)
parser.add_argument("--mirror", metavar="FOLDER", help="a mirror of downloads, by host and path")

if __name__ == "__main__":
    run_program(main, parser)
