"""Markdown tables of means with their intervals, and of the differences to each reference with their tests."""

from collections.abc import Sequence

from optical.evaluation.comparison import Cell

INTERVALS = "In brackets: 95 % bootstrap interval over queries."


def means_lines(
    cells: Sequence[Cell],
    methods: Sequence[str],
    columns: Sequence[tuple[str, str]],
    references: Sequence[str],
    tests: str,
) -> list[str]:
    """Return a table of means, and one of the differences to each reference.

    Args:
        cells: of all methods and columns, see `compare_with_each`.
        methods: the rows, in this order; those without cells are left out.
        columns: what the columns are: language or group, and measure.
        references: what the others were tested against.
        tests: a sentence on the tests, for below the tables.
    """
    shown = [method for method in methods if any(cell.method == method for cell in cells)]
    several_langs = len({lang for lang, _ in columns}) > 1
    heads = [lang if several_langs else measure for lang, measure in columns]
    cell_at = {(cell.method, cell.lang, cell.measure): cell for cell in cells}
    rows = [[f"`{method}`", *(_mean(cell_at.get((method, *column))) for column in columns)] for method in shown]
    lines = [*_table(heads, rows), "", INTERVALS]
    for reference in references:
        cell_at = {(cell.method, cell.lang, cell.measure): cell for cell in cells if cell.reference == reference}
        rows = [
            [f"`{method}`", *(_difference(cell_at.get((method, *column))) for column in columns)]
            for method in shown
            if method != reference
        ]
        lines += ["", f"Difference to `{reference}`:", "", *_table(heads, rows)]
    return [*lines, "", tests]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    head = ["| method | " + " | ".join(heads) + " |", "|---|" + "---:|" * len(heads)]
    return head + ["| " + " | ".join(row) + " |" for row in rows]


def _mean(cell: Cell | None) -> str:
    return f"{cell.mean:.3f} ({cell.mean_low:.3f} to {cell.mean_high:.3f})" if cell else ""


def _difference(cell: Cell | None) -> str:
    if cell is None:
        return ""
    bounds = f"({cell.interval_low:+.3f} to {cell.interval_high:+.3f})"
    return f"{cell.difference_to_reference:+.3f} {bounds}, p {_p(cell.p_holm)}"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}".replace("0.", ".", 1)
