"""Draw the table of means: a dot per language and method with its interval.

python workflow/scripts/plot_map.py --cells map_cells.tsv --collection atlas --measure AP --methods bm25 mse optical \\
    --reference optical --names '{sw: Swahili, de: German}' --out figures/atlas/map.svg

A PNG of it and its data as TSV lie beside it.
"""

from optical.evaluation.map_table import cells_of
from optical.program import add_figure_arguments, program, run_program
from optical.report.figures.means import dot_rows, draw_dots
from optical.report.figures.style import drawing, save_figure, styles


def main(arguments):
    cells = cells_of(arguments.cells, arguments.collection, arguments.measure)
    rows = dot_rows(cells, arguments.methods, list(arguments.names))
    with drawing():
        looks = styles(arguments.methods)
        figure = draw_dots(rows, looks, arguments.names, arguments.reference, arguments.measure)
        save_figure(figure, rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--cells", required=True, metavar="FILE", help="long table of make_map_table.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--measure", required=True)
    add_figure_arguments(parser)
    parser.add_argument("--reference", required=True, help="the method whose mean is continued by a line")
    run_program(main, parser)
