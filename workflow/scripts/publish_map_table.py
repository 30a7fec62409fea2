"""Copy the tables of one collection to where the experiment's tables lie, under the same names.

python workflow/scripts/publish_map_table.py --tables tables/atlas/map_table.tsv tables/atlas/map_cells.tsv \\
    --out map_table.tsv

A table that has changed since it was written is refused.
"""

import shutil
from pathlib import Path

from optical.files import atomic_path
from optical.program import program, run_program
from optical.seals import check_file


def main(arguments):
    for table in map(Path, arguments.tables):
        check_file(table)
        with atomic_path(Path(arguments.out).parent / table.name, sealed=True) as copy:
            shutil.copyfile(table, copy)


if __name__ == "__main__":
    parser = program(__doc__, out="the first of the copies; the others lie beside it")
    parser.add_argument("--tables", nargs="+", required=True, metavar="FILE", help="what is copied")
    run_program(main, parser)
