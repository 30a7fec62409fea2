"""Draw means against the number of sentence pairs: a panel per language, a line per method.

python workflow/scripts/plot_bitext_curve.py --curve bitext_curve.tsv --methods mse optical --reference optical \\
    --measure AP --names '{sw: Swahili}' --out figures/bitext_curve

Writes bitext_curve.svg, .png and .tsv: `--out` is their common stem.
"""

from optical.files import read_table
from optical.program import program, run_program, yaml_value
from optical.report.figures.curves import draw_bitext_curve
from optical.report.figures.style import drawing, save_figure


def main(arguments):
    rows = read_table(arguments.curve)
    with drawing():
        figure = draw_bitext_curve(rows, arguments.methods, arguments.names, arguments.reference, arguments.measure)
        save_figure(figure, rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--curve", required=True, metavar="FILE", help="from bitext_curve.py")
    parser.add_argument("--methods", nargs="+", required=True, help="all methods of the experiment, for their colours")
    parser.add_argument("--reference", required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--names", type=yaml_value, required=True, help="language code -> title of its panel")
    parser.add_argument("--out", required=True, metavar="STEM")
    run_program(main, parser)
