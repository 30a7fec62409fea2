"""Compare the methods on a collection, and make the table of means: methods by languages.

python workflow/scripts/make_map_table.py --scores results/scores/*.tsv --collection atlas \\
    --methods bm25 nmt optical --langs sw so de --measures AP nDCG@10 --reference nmt \\
    --levels '{low: [sw, so], high: [de]}' --cells map_cells.tsv --pairs pairs.tsv \\
    --out map_table.tsv --markdown map_table.md --latex map_table.tex

The cells are a long table of every method, language and measure: mean, spread, interval, and a test against the
reference. The pairs have the same columns and compare every method with every other one by the first measure, which is
also that of the table of means. `--methods` and `--langs` are what is expected, in the order of rows and columns: a
combination without scores is a cell that says NOT RUN, and is empty in the table.
"""

from optical.config.names import check_names
from optical.evaluation.comparison import CELL_COLUMNS, DONE, cell_rows, compare_methods, compare_with_each
from optical.evaluation.held_out import read_held_out
from optical.evaluation.map_table import cells_of, describe, write_map_table
from optical.evaluation.scores import read_scores
from optical.files import write_rows
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    collection, methods, langs = expected = (arguments.collection, arguments.methods, arguments.langs)
    measure = arguments.measures[0]
    check_names([arguments.reference], "--reference", methods, "name one of --methods")
    scores = list(read_scores(arguments.scores))

    compared = compare_methods(scores, *expected, arguments.measures, arguments.reference, arguments.levels)
    write_rows(arguments.cells, [CELL_COLUMNS, *cell_rows(compared)], sealed=True)
    log.info("%s: %d cells, %d not run", arguments.cells, len(compared), sum(cell.status != DONE for cell in compared))

    with_each = compare_with_each(scores, *expected, [measure], methods, arguments.levels)
    pairs = [cell for cell in with_each if cell.reference and cell.method != cell.reference]
    write_rows(arguments.pairs, [CELL_COLUMNS, *cell_rows(pairs)], sealed=True)
    log.info("%s: %d comparisons", arguments.pairs, len(pairs))

    cells = cells_of(arguments.cells, collection, measure)
    caption = describe(cells, collection, measure, arguments.note)
    forms = (arguments.out, arguments.markdown, arguments.latex)
    write_map_table(cells, methods, langs, caption, read_held_out(arguments.held_out), *forms)


if __name__ == "__main__":
    parser = program(__doc__, out="table of plain numbers (TSV)")
    parser.add_argument("--scores", nargs="+", required=True, help="scores of evaluate_run.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--methods", nargs="+", required=True, help="methods that the table expects")
    parser.add_argument("--langs", nargs="+", required=True, help="languages that the table expects")
    parser.add_argument("--measures", nargs="+", required=True, help="measures; the table of means has the first")
    parser.add_argument("--reference", required=True, help="the method that the others are tested against")
    parser.add_argument("--levels", type=yaml_value, default={}, help="{low: [languages], high: [languages]}")
    parser.add_argument("--held-out", nargs="*", default=[], help="tables of check_students.py, for the Markdown")
    parser.add_argument("--note", help="a sentence for the end of the caption")
    parser.add_argument("--cells", required=True, help="long table of cells (TSV)")
    parser.add_argument("--pairs", required=True, help="long table of every method against every other one (TSV)")
    parser.add_argument("--markdown", required=True, help="table with ± and marks")
    parser.add_argument("--latex", required=True, help="table with ± and marks, for booktabs")
    run_program(main, parser)
