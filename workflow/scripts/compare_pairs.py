"""Compare every method with every other one by one measure: differences, intervals and significance.

python workflow/scripts/compare_pairs.py --scores results/scores/*.tsv --collection atlas \\
    --methods bm25 nmt optical --langs sw so de --measure AP --levels '{low: [sw, so], high: [de]}' --out pairs.tsv

The columns are those of compare_methods.py; `reference` is the method that a row's method is compared with.
"""

from optical.evaluation.comparison import CELL_COLUMNS, cell_rows, compare_with_each
from optical.evaluation.scores import read_scores
from optical.files import write_rows
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    of_experiment = (arguments.collection, arguments.methods, arguments.langs, [arguments.measure])
    compared = compare_with_each(read_scores(arguments.scores), *of_experiment, arguments.methods, arguments.levels)
    cells = [cell for cell in compared if cell.reference and cell.method != cell.reference]
    write_rows(arguments.out, [CELL_COLUMNS, *cell_rows(cells)], sealed=True)
    log.info("%s: %d comparisons", arguments.out, len(cells))


if __name__ == "__main__":
    parser = program(__doc__, out="long table of cells (TSV)")
    parser.add_argument("--scores", nargs="+", required=True, help="scores of evaluate_run.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--methods", nargs="+", required=True, help="methods that are compared")
    parser.add_argument("--langs", nargs="+", required=True, help="languages that are compared")
    parser.add_argument("--measure", required=True)
    parser.add_argument("--levels", type=yaml_value, default={}, help="{low: [languages], high: [languages]}")
    run_program(main, parser)
