"""Draw the learning curves of students: a panel per language, a line per method and seed.

python workflow/scripts/plot_curves.py --methods mse optical --names '{sw: Swahili}' \\
    --students '[{lang: sw, method: optical, seed: 1, folder: students/sw/optical/1}]' --out figures/curves.svg

A PNG of it and its data as TSV lie beside it.
"""

from pathlib import Path

from optical.errors import DataError
from optical.files import read_rows
from optical.program import add_figure_arguments, program, run_program, yaml_value
from optical.report.figures.curves import curve_rows, draw_curves
from optical.report.figures.style import drawing, save_figure


def main(arguments):
    rows = []
    for student in arguments.students:
        losses = read_losses(Path(student["folder"], "curve.tsv"))
        rows += curve_rows(student["lang"], student["method"], str(student["seed"]), losses)
    with drawing():
        figure = draw_curves(rows, arguments.methods, arguments.names)
        save_figure(figure, rows, arguments.out)


def read_losses(path):
    """Return the losses of a `curve.tsv`, a number a step."""
    header, *steps = read_rows(path, columns=2)
    try:
        return [float(step[header.index("loss")]) for step in steps]
    except ValueError as error:
        raise DataError(
            f"not a learning curve: {error}", where=path, hint="remove the student; it is made again"
        ) from error


if __name__ == "__main__":
    parser = program(__doc__, out="the figure (SVG)")
    parser.add_argument("--students", type=yaml_value, required=True, help="list of {lang, method, seed, folder}")
    add_figure_arguments(parser)
    run_program(main, parser)
