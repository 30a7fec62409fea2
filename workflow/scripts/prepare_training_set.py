"""Prepare a training set of queries, documents and triples, for the teacher or a retrained student, in one folder.

    python workflow/scripts/prepare_training_set.py --out results/training/mine \\
        --settings '{reader: plain, documents: docs.tsv, queries: queries.tsv, triples: triples.tsv, max_triples: 9999}'

Files of the ir_datasets catalogue are those in the environment variable IR_DATASETS_HOME.
"""

import os

from optical.config.training_sets import read_training_set
from optical.corpora.ir_datasets import use_home
from optical.corpora.readers import prepare_training_set
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    """Read the training set as its settings say and write the folder."""
    if home := os.environ.get("IR_DATASETS_HOME"):
        use_home(home)
    block = read_training_set(arguments.settings, "--settings")
    log.info("%s", prepare_training_set(block, arguments.out))


if __name__ == "__main__":
    parser = program(__doc__, out="where the training set goes")
    parser.add_argument("--settings", required=True, type=yaml_value, help="its block of the config, files resolved")
    run_program(main, parser)
