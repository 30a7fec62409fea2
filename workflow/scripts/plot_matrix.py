"""Draw the matrix of any language to any language: a heat map a method, a row a language of queries.

python workflow/scripts/plot_matrix.py --table matrix.tsv --measure AP --methods zero-shot optical --langs en sw de \\
    --passage-languages en sw de --out figures/flores/matrix.svg

A PNG of it and its data as TSV lie beside it.
"""

from optical.evaluation.comparison import CELL_COLUMNS
from optical.files import read_table
from optical.program import program, run_program
from optical.report.figures.matrices import draw_pairs, pair_rows
from optical.report.figures.style import drawing, save_figure


def main(arguments):
    rows = pair_rows(read_table(arguments.table, CELL_COLUMNS), arguments.methods)
    with drawing():
        figure = draw_pairs(rows, arguments.langs, arguments.passage_languages, arguments.measure)
        save_figure(figure, rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--table", required=True, metavar="FILE", help="from make_matrix_table.py")
    parser.add_argument("--measure", required=True)
    parser.add_argument("--methods", nargs="+", required=True, help="all methods of the experiment, in their order")
    parser.add_argument("--langs", nargs="+", required=True, help="languages of the queries")
    parser.add_argument("--passage-languages", nargs="+", required=True, help="languages of the passages")
    run_program(main, parser)
