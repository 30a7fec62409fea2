"""Heat maps: a panel of cells with their figures, for the studies and for pairs of languages."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from optical.evaluation.matrix import languages_of
from optical.report.figures.style import Row, panels

Cells = Mapping[tuple[str, str], float]  # (row, column) -> mean


def draw_heat_maps(cells_of: Mapping[str, Cells], rows: Sequence[str], columns: Sequence[str]) -> Figure:
    """Draw a heat map a panel, all with one scale from 0 to the highest mean; what was not run stays white.

    Args:
        cells_of: title of a panel -> its cells.
        rows: the rows of every panel, from the top.
        columns: the columns of every panel.
    """
    figure, grid, _ = panels(list(cells_of), height=0.9 + 0.4 * len(rows))
    top = max(mean for cells in cells_of.values() for mean in cells.values())
    for axes, cells in zip(grid, cells_of.values(), strict=True):
        means = [[cells.get((row, column), float("nan")) for column in columns] for row in rows]
        axes.imshow(means, cmap="cividis", vmin=0, vmax=top, aspect="auto")
        for (row, column), mean in cells.items():
            colour = "white" if mean < 0.6 * top else "black"
            place = columns.index(column), rows.index(row)
            axes.text(*place, f"{mean:.2f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.grid(visible=False)
    return figure


def pair_rows(table: Sequence[Row], methods: Sequence[str]) -> list[Row]:
    """Return the means of single pairs of languages, each once, of a table by make_matrix_table.py."""
    means: dict[str, dict[str, str]] = {method: {} for method in methods}  # method -> pair or group -> mean
    for row in table:
        if row["method"] in means:
            means[row["method"]][row["lang"]] = row["mean"]
    rows: list[Row] = []
    for method in methods:
        for pair, mean in means[method].items():
            if langs := languages_of(pair):
                rows.append({"method": method, "queries": langs[0], "passages": langs[1], "mean": mean})
    return rows


def draw_pairs(rows: Sequence[Row], langs: Sequence[str], passages: Sequence[str], measure: str) -> Figure:
    """Draw the rows of `pair_rows`: a heat map a method, queries down, passages across."""
    cells_of: dict[str, dict[tuple[str, str], float]] = {}
    for row in rows:
        cells_of.setdefault(row["method"], {})[row["queries"], row["passages"]] = float(row["mean"])
    figure = draw_heat_maps(cells_of, langs, passages)
    figure.supxlabel(f"language of the passages; mean {measure}", fontsize=9)
    figure.supylabel("language of the queries", fontsize=9)
    return figure
