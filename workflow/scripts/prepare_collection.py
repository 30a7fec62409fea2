"""Prepare a test collection: documents, judgements, and the queries of each language, in one folder.

    python workflow/scripts/prepare_collection.py --collection mine --languages sw so --out results/collections/mine \\
        --settings '{reader: plain, documents: docs.jsonl, queries: {sw: q.sw.tsv, so: q.so.tsv}, qrels: qrels.txt}'

Files of the ir_datasets catalogue are those in the environment variable IR_DATASETS_HOME.
"""

import logging
import os

from optical.config.collections import read_collection
from optical.corpora.ir_datasets import use_home
from optical.corpora.readers import prepare_collection
from optical.errors import within
from optical.program import program, run_program, yaml_value

log = logging.getLogger("optical")


def main(arguments):
    """Read the collection as its settings say and write the folder."""
    if home := os.environ.get("IR_DATASETS_HOME"):
        use_home(home)
    key = f"collection_table.{arguments.collection}"
    block = read_collection(arguments.settings, key)
    with within(key):
        counts = prepare_collection(block, arguments.languages, arguments.out, arguments.tokeniser)
    log.info("%s: %s", arguments.collection, counts)


parser = program(__doc__, out="where the collection goes")
parser.add_argument("--collection", required=True, metavar="NAME", help="its name in the config, for the log")
parser.add_argument("--settings", required=True, type=yaml_value, help="its block of the config, files resolved")
parser.add_argument("--languages", required=True, nargs="+", metavar="LANG", help="the languages of the queries")
parser.add_argument("--tokeniser", metavar="FOLDER", help="whose tokens `split: {unit: tokens}` counts")

if __name__ == "__main__":
    run_program(main, parser)
