"""Draw the table of means: a dot per language and method with its interval, and the gap between resource levels.

python workflow/scripts/plot_map.py --cells map_cells.tsv --collection atlas --measure AP --methods bm25 mse optical \\
    --reference optical --names '{sw: Swahili, de: German}' --out figures/atlas

Writes map.svg, map.png, map.tsv and gap.svg, gap.png, gap.tsv into the folder.
"""

from optical.evaluation.map_table import cells_of
from optical.program import add_figure_arguments, program, run_program
from optical.report.figures.means import dot_rows, draw_dots, draw_gap, gap_rows
from optical.report.figures.style import drawing, save_figure, styles


def main(arguments):
    cells = cells_of(arguments.cells, arguments.collection, arguments.measure)
    dots = dot_rows(cells, arguments.methods, list(arguments.names))
    gaps = gap_rows(cells, arguments.methods)
    with drawing():
        looks = styles(arguments.methods, arguments.reference)
        figure = draw_dots(dots, looks, arguments.names, arguments.reference, arguments.measure)
        save_figure(figure, dots, f"{arguments.out}/map.svg")
        save_figure(draw_gap(gaps, arguments.measure), gaps, f"{arguments.out}/gap.svg")


if __name__ == "__main__":
    parser = program(__doc__, out="the folder of the figures")
    parser.add_argument("--cells", required=True, help="long table of compare_methods.py")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--measure", required=True)
    add_figure_arguments(parser)
    run_program(main, parser)
