"""The table of means, one row a method, one column a language, as TSV, Markdown and LaTeX, from the long table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from optical.errors import DataError
from optical.evaluation.comparison import CELL_COLUMNS, DONE
from optical.evaluation.held_out import Row, held_out_notes
from optical.files import read_table, write_lines, write_rows

LEVELS = ("low", "high")
GROUPS = (*LEVELS, "gap")
SIGNIFICANT = 0.05

LongRow = dict[str, str]


def read_cells(path: str | Path) -> list[LongRow]:
    """Read the long table (`map_cells.tsv`) as one dict of text a row."""
    return read_table(path, CELL_COLUMNS, hint="make it with make_map_table.py")


def cells_of(path: str | Path, collection: str, measure: str) -> dict[tuple[str, str], LongRow]:
    """Read (method, column) -> row of one collection and measure, without those not run; none is a `DataError`."""
    cells = {
        (row["method"], row["lang"]): row
        for row in read_cells(path)
        if (row["collection"], row["measure"], row["status"]) == (collection, measure, DONE)
    }
    if not cells:
        what = f"no cell of {measure} on {collection} was run"
        raise DataError(what, where=path, hint="check the collection and the measure")
    return cells


def write_map_table(
    cells: Mapping[tuple[str, str], LongRow],
    methods: Sequence[str],
    langs: Sequence[str],
    caption: str,
    held_out: Sequence[Row],
    tsv: str | Path,
    markdown: str | Path,
    latex: str | Path,
) -> None:
    """Write the table in three forms; the Markdown says below it which students training did not help."""
    write_rows(tsv, map_rows(cells, methods, langs), sealed=True)
    lines = markdown_lines(cells, methods, langs, caption)
    write_lines(markdown, [*lines, *held_out_notes(held_out)], sealed=True)
    write_lines(latex, latex_lines(cells, methods, langs, caption), sealed=True)


def strongest_rival(cells: Mapping[tuple[str, str], LongRow], method: str, candidates: Sequence[str]) -> str:
    """Return the candidate with the highest mean over low-resource languages, the first of equals.

    Where the method or all candidates were not run in all of these, or a collection has none of them, high-resource
    languages decide; where there is no common mean at all, the number of common languages does.

    >>> means = {"a": "0.5", "b": "0.7", "mine": "0.6"}
    >>> strongest_rival({(name, "low"): {"mean": mean} for name, mean in means.items()}, "mine", ["a", "b"])
    'b'
    """
    columns = [column for name, column in cells if name == method]

    def strength(rival: str) -> list[float]:
        rows = [cells.get((rival, level)) if level in columns else None for level in LEVELS]
        common = sum((rival, column) in cells for column in columns)
        return [*(float(row["mean"]) if row else -1.0 for row in rows), common]

    return max(candidates, key=strength)


def map_rows(cells: Mapping[tuple[str, str], LongRow], methods: Sequence[str], langs: Sequence[str]) -> list[list[str]]:
    """Return `map_table.tsv`: a header, then a row a method; plain numbers with four decimals, empty where not run."""
    columns = [*langs, *GROUPS]
    body = [[method, *(_number(cells.get((method, column)), 4) for column in columns)] for method in methods]
    return [["method", *columns], *body]


def markdown_lines(
    cells: Mapping[tuple[str, str], LongRow], methods: Sequence[str], langs: Sequence[str], caption: str
) -> list[str]:
    """Return the table in Markdown, with ± and significance marks and a caption that explains them."""
    columns = [*langs, *GROUPS]
    lines = ["| method | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for method in methods:
        shown = [_markdown_cell(cells.get((method, column))) for column in columns]
        lines.append(f"| `{method}` | " + " | ".join(shown) + " |")
    return [*lines, "", caption]


def latex_lines(
    cells: Mapping[tuple[str, str], LongRow], methods: Sequence[str], langs: Sequence[str], caption: str
) -> list[str]:
    r"""Return the table in LaTeX for the booktabs package, with \pm and significance marks as superscripts."""
    columns = [*langs, *GROUPS]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_escape(caption)}}}",
        rf"  \begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"    \toprule",
        "    " + " & ".join(map(_escape, ["method", *columns])) + r" \\",
        r"    \midrule",
    ]
    for method in methods:
        shown = [_latex_cell(cells.get((method, column))) for column in columns]
        lines.append("    " + " & ".join([_escape(method), *shown]) + r" \\")
    return [*lines, r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]


def describe(cells: Mapping[tuple[str, str], LongRow], collection: str, measure: str, note: str | None = None) -> str:
    """Return the caption: what the numbers, the ± and the marks mean, and a note."""
    references = sorted({row["reference"] for row in cells.values() if row["reference"]})
    most = max(int(row["seeds"]) for row in cells.values())
    parts = [f"Mean {measure} on {collection}"]
    parts.append("one seed" if most == 1 else f"means over {most} seeds, ± sd over seeds")
    parts += fewer_seeds(cells)
    if references:
        parts.append(
            f"⁺ or ⁻: better or worse than {', '.join(references)} with p < {SIGNIFICANT} "
            "(paired over queries, Holm-corrected)"
        )
    return "; ".join(parts) + "." + (f" {note}" if note else "")


def fewer_seeds(cells: Mapping[tuple[str, str], LongRow]) -> list[str]:
    """Return a line for each number of seeds below the highest: the methods, with the columns where only some have it.

    >>> fewer_seeds({("a", "sw"): {"seeds": "1"}, ("b", "sw"): {"seeds": "2"}, ("b", "so"): {"seeds": "1"}})
    ['1 seed: a, b (so)']
    """
    columns_of: dict[int, dict[str, list[str]]] = {}  # number of seeds -> method -> columns
    for (method, column), row in cells.items():
        columns_of.setdefault(int(row["seeds"]), {}).setdefault(method, []).append(column)
    all_columns = Counter(method for method, _ in cells)
    lines = []
    for seeds in sorted(columns_of)[:-1]:
        methods = [
            method if len(columns) == all_columns[method] else f"{method} ({', '.join(columns)})"
            for method, columns in columns_of[seeds].items()
        ]
        lines.append(f"{seeds} seed{'s' if seeds > 1 else ''}: {', '.join(methods)}")
    return lines


def significance_mark(row: LongRow) -> str:
    """Return `+` or `-` where the difference to the reference is significant, else nothing.

    >>> significance_mark({"p_holm": "0.01", "difference_to_reference": "-0.2"})
    '-'
    """
    if not row["p_holm"] or float(row["p_holm"]) >= SIGNIFICANT:
        return ""
    return "+" if float(row["difference_to_reference"]) > 0 else "-"


def _number(row: LongRow | None, decimals: int, column: str = "mean") -> str:
    if not row or not row[column]:
        return ""
    return f"{round(float(row[column]), decimals) + 0.0:.{decimals}f}"  # + 0.0: a gap of nothing is no -0.000


def _markdown_cell(row: LongRow | None) -> str:
    if row is None:
        return "NOT RUN"
    mean, sd = _number(row, 3), _number(row, 3, "sd")
    return (f"{mean} ± {sd}" if sd else mean) + {"+": "⁺", "-": "⁻", "": ""}[significance_mark(row)]


def _latex_cell(row: LongRow | None) -> str:
    if row is None:
        return "--"
    mean, sd, mark = _number(row, 3), _number(row, 3, "sd"), significance_mark(row)
    return "$" + (rf"{mean} \pm {sd}" if sd else mean) + (f"^{{{mark}}}" if mark else "") + "$"


def _escape(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "±": r"$\pm$", "⁺": "$^{+}$", "⁻": "$^{-}$", "<": "$<$", ">": "$>$"}
    special |= {character: f"\\{character}" for character in "_%&#${}"}
    return "".join(special.get(character, character) for character in text)
