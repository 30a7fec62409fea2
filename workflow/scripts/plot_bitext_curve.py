"""Draw means against the number of sentence pairs: a panel per language, a line per method.

python workflow/scripts/plot_bitext_curve.py --curve bitext_curve.tsv --methods mse optical \\
    --measure AP --names '{sw: Swahili}' --out figures/bitext_curve.svg

A PNG of it and its data as TSV lie beside it.
"""

from optical.files import read_table
from optical.program import add_figure_arguments, program, run_program
from optical.report.figures.curves import draw_bitext_curve
from optical.report.figures.style import drawing, save_figure


def main(arguments):
    rows = read_table(arguments.curve)
    with drawing():
        figure = draw_bitext_curve(rows, arguments.methods, arguments.names, arguments.measure)
        save_figure(figure, rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--curve", required=True, metavar="FILE", help="from bitext_curve.py")
    parser.add_argument("--measure", required=True)
    add_figure_arguments(parser)
    run_program(main, parser)
