"""Make a pruned index (PLAID) of an encoded collection, for search_pruned.

Example: python workflow/scripts/index_collection.py --shards vectors --bits 4 --out index
"""

from optical.program import add_machine_arguments, log, program, run_program
from optical.runtime.machine import machine_from
from optical.search.pruned import build_pruned_index


def main(arguments):
    device = machine_from(arguments).start()
    documents = build_pruned_index(arguments.shards, arguments.out, arguments.bits, str(device))
    log.info("%s: %d documents", arguments.out, documents)


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--shards", nargs="+", required=True, metavar="FOLDER", help="from encode_collection")
    parser.add_argument("--bits", type=int, default=4, help="of each component of a token vector")
    add_machine_arguments(parser)
    run_program(main, parser)
