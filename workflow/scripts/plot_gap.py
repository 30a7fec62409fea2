"""Draw each method's mean over low- and over high-resource languages, and the gap between them.

python workflow/scripts/plot_gap.py --cells map_cells.tsv --collection atlas --measure AP --methods bm25 mse optical \\
    --out figures/atlas/gap.svg

A PNG of it and its data as TSV lie beside it.
"""

from optical.evaluation.map_table import cells_of
from optical.program import program, run_program
from optical.report.figures.means import draw_gap, gap_rows
from optical.report.figures.style import drawing, save_figure, styles


def main(arguments):
    rows = gap_rows(cells_of(arguments.cells, arguments.collection, arguments.measure), arguments.methods)
    with drawing():
        save_figure(draw_gap(rows, styles(arguments.methods), arguments.measure), rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--cells", required=True, metavar="FILE", help="long table of make_map_table.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--methods", nargs="+", required=True, help="all methods of the experiment, in their order")
    run_program(main, parser)
