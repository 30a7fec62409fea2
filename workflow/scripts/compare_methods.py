"""Compare methods: mean, spread, interval and significance of every method, language and measure, as one long table.

python workflow/scripts/compare_methods.py --scores results/scores/*.tsv --collection atlas \\
    --methods bm25 nmt optical --langs sw so de --measures AP nDCG@10 --reference nmt \\
    --levels '{low: [sw, so], high: [de]}' --out map_cells.tsv

`--methods` and `--langs` are what is expected: a combination without scores is a row that says NOT RUN.
"""

from optical.config.names import check_names
from optical.evaluation.comparison import CELL_COLUMNS, cell_rows, compare_methods
from optical.evaluation.scores import read_scores
from optical.files import write_rows
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    check_names([arguments.reference], "--reference", arguments.methods, "name one of --methods")
    cells = compare_methods(
        read_scores(arguments.scores),
        arguments.collection,
        arguments.methods,
        arguments.langs,
        arguments.measures,
        arguments.reference,
        arguments.levels,
    )
    write_rows(arguments.out, [CELL_COLUMNS, *cell_rows(cells)], sealed=True)
    missing = sum(cell.status == "NOT RUN" for cell in cells)
    log.info("%s: %d cells, %d not run", arguments.out, len(cells), missing)


if __name__ == "__main__":
    parser = program(__doc__, out="long table of cells (TSV)")
    parser.add_argument("--scores", nargs="+", required=True, help="scores of evaluate_run.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--methods", nargs="+", required=True, help="methods that the table expects")
    parser.add_argument("--langs", nargs="+", required=True, help="languages that the table expects")
    parser.add_argument("--measures", nargs="+", required=True)
    parser.add_argument("--reference", required=True, help="the method that the others are tested against")
    parser.add_argument("--levels", type=yaml_value, default={}, help="{low: [languages], high: [languages]}")
    run_program(main, parser)
