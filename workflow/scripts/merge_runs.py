"""Merge the runs of the parts of a collection, which were searched apart, to the runs of the whole.

Example: python workflow/scripts/merge_runs.py --parts part_runs/1-of-2 part_runs/2-of-2 --top-k 1000 --out runs
"""

from pathlib import Path

from optical.program import log, program, run_program
from optical.search.runs import merge_runs, read_run, write_run


def main(arguments):
    for path in sorted(Path(arguments.parts[0]).glob("*/*.trec")):
        name = path.relative_to(arguments.parts[0])
        run = merge_runs((read_run(Path(part, name)) for part in arguments.parts), arguments.top_k)
        log.info("%s: %d lines", name, write_run(Path(arguments.out, name), run, tag=path.parent.name))


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--parts", nargs="+", required=True, metavar="FOLDER", help="of runs, in collection order")
    parser.add_argument("--top-k", type=int, required=True, help="documents per query")
    run_program(main, parser)
