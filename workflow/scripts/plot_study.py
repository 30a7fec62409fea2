"""Draw a study: lines over sentence pairs, dots with intervals, a matrix, or the gap between resource levels.

python workflow/scripts/plot_study.py --table table.tsv --kind curve --measure AP --methods contrastive optical \\
    --reference contrastive --names '{de: German}' --axis variant --out figure.svg

A PNG of it and its data as TSV lie beside it.
"""

from optical.errors import DataError
from optical.files import read_table
from optical.program import add_figure_arguments, program, run_program
from optical.report.figures.studies import GROUPS, draw_study, study_cells
from optical.report.figures.style import drawing, save_figure


def main(arguments):
    langs = GROUPS if arguments.kind == "gap" else list(arguments.names)
    rows = study_cells(read_table(arguments.table), arguments.measure, langs)
    if not rows:
        raise DataError(f"no row of {arguments.measure}", where=arguments.table, hint="check the measure")
    if arguments.kind == "curve" and not any(row["pairs"] for row in rows):
        what, hint = "no row has sentence pairs for a curve over them", "set study.figure: dots"
        raise DataError(what, where=arguments.table, hint=hint)
    common = (arguments.axis, arguments.methods, arguments.names, arguments.reference, arguments.measure)
    with drawing():
        save_figure(draw_study(arguments.kind, rows, *common), rows, arguments.out)


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--table", required=True, metavar="FILE", help="from make_study_table.py")
    parser.add_argument("--kind", choices=("curve", "dots", "matrix", "gap"), required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--axis", required=True, help="the column that tells the variants apart")
    parser.add_argument("--reference", required=True, help="the method that is marked")
    add_figure_arguments(parser)
    run_program(main, parser)
