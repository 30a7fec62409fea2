"""Put expected figures (published, or measured earlier) beside ours: OK, DIFFERS or NOT RUN.

python workflow/scripts/compare_expected.py --expected config/expected.tsv --config open \\
    --cells results/open/tables/afriqa/map_cells.tsv --out results/open/expected.tsv

Only the rows of the named config are compared. optical/evaluation/expected.py explains the notations of the table.
"""

from optical.evaluation.expected import COMPARED_COLUMNS, compare, means_of, read_expected
from optical.evaluation.map_table import read_cells
from optical.files import write_rows
from optical.program import log, program, run_program


def main(arguments):
    expected = [row for row in read_expected(arguments.expected) if row["config"] == arguments.config]
    compared = compare(expected, means_of(row for path in arguments.cells for row in read_cells(path)))
    write_rows(arguments.out, [COMPARED_COLUMNS, *compared])
    for _, collection, method, lang, measure, value, _, ours, status, _ in compared:
        log.info("%s: %s %s %s %s: expected %s, ours %s", status, collection, method, lang, measure, value, ours or "-")
    log.info("%s: %d expected figures of %s", arguments.out, len(compared), arguments.config)


if __name__ == "__main__":
    parser = program(__doc__, out="table of expected and own figures (TSV)")
    parser.add_argument("--expected", required=True, help="table of expected figures")
    parser.add_argument("--config", required=True, help="whose rows: paper, open, config, ...")
    parser.add_argument("--cells", nargs="+", required=True, help="long tables of make_map_table.py")
    run_program(main, parser)
