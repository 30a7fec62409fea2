"""The table of means as pictures: a dot per language and method, and the gap between resource levels."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from optical.report.figures.style import QUIET, Row, Style, panels

COLUMNS = ("method", "lang", "mean", "mean_low", "mean_high", "sd", "seeds", "queries", "p_holm")
GAP_COLUMNS = ("method", "low", "high", "gap", "gap_low", "gap_high")
HOLLOW: dict[str, Any] = {"marker": "D", "ms": 7, "markerfacecolor": "white", "markeredgewidth": 1.8}


def dot_rows(cells: Mapping[tuple[str, str], Row], methods: Sequence[str], langs: Sequence[str]) -> list[Row]:
    """Return what `draw_dots` draws: a row per language and method that was run."""
    return [
        {column: cells[method, lang][column] for column in COLUMNS}
        for lang in langs
        for method in methods
        if (method, lang) in cells
    ]


def draw_dots(
    rows: Sequence[Row], looks: Mapping[str, Style], names: Mapping[str, str], reference: str, measure: str
) -> Figure:
    """Draw a panel per language of `names` (code -> name): each method of `looks`, its mean and its interval.

    A thin line continues the reference's mean through its panel; a method that was not run has no dot, but says so.
    """
    width = 2.6 if len(names) > 1 else 4.2  # one panel: the methods' names need their room, and so does the line below
    figure, grid, _ = panels(list(names.values()), height=0.7 + 0.23 * len(looks), width=width)
    row_of = {(row["lang"], row["method"]): row for row in rows}
    for axes, lang in zip(grid, names, strict=True):
        if (lang, reference) in row_of:
            mean = float(row_of[lang, reference]["mean"])
            axes.axvline(mean, color=looks[reference].colour, linewidth=0.8, zorder=1)
        for place, (method, look) in enumerate(looks.items()):
            row = row_of.get((lang, method))
            if row is None:
                axes.text(0.02, place, "not run", va="center", color=QUIET, fontsize=8)
                continue
            mean, low, high = (float(row[column] or "nan") for column in ("mean", "mean_low", "mean_high"))
            axes.plot([low, high], [place, place], color=look.colour, linewidth=2)
            axes.plot(mean, place, marker=look.marker, color=look.colour, markersize=6)
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.set_ylim(len(looks) - 0.4, -0.6)
        axes.set_yticks(range(len(looks)), looks)
        axes.grid(axis="y", visible=False)
    figure.supxlabel(f"mean {measure} with its 95 % interval over queries", fontsize=9)
    return figure


def gap_rows(cells: Mapping[tuple[str, str], Row], methods: Sequence[str]) -> list[Row]:
    """Return what `draw_gap` draws: a row per method that has means for both resource levels."""
    rows: list[Row] = []
    for method in methods:
        low, high, gap = (cells.get((method, column)) for column in ("low", "high", "gap"))
        if low and high and gap:
            figures = (low["mean"], high["mean"], gap["mean"], gap["mean_low"], gap["mean_high"])
            rows.append(dict(zip(GAP_COLUMNS, (method, *figures), strict=True)))
    return rows


def draw_gap(rows: Sequence[Row], looks: Mapping[str, Style], measure: str) -> Figure:
    """Draw each method's mean over low- and over high-resource languages, with the gap in figures at the right.

    A full circle is `low`, a hollow diamond is `high`, both in the colour of the method.
    """
    figure = Figure(figsize=(7, 0.9 + 0.32 * max(len(rows), 1)), layout="constrained")
    axes = figure.subplots()
    kinds = (("low-resource languages", {"marker": "o", "ms": 8}), ("high-resource languages", HOLLOW))
    for name, look in kinds:
        axes.plot([], [], color=QUIET, linestyle="", label=name, **look)
    for place, row in enumerate(rows):
        low, high, gap, gap_low, gap_high = (float(row[column] or "nan") for column in GAP_COLUMNS[1:])
        colour = looks[row["method"]].colour
        axes.plot([low, high], [place, place], color=colour, linewidth=1.5, alpha=0.5, zorder=1)
        for mean, (_, look) in zip((low, high), kinds, strict=True):
            axes.plot(mean, place, color=colour, **look)
        interval = "" if math.isnan(gap_low) else f"  [{_signed(gap_low, 2)}, {_signed(gap_high, 2)}]"
        axes.text(1.01, place, f"gap {_signed(gap, 3)}{interval}", va="center", transform=axes.get_yaxis_transform())
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [row["method"] for row in rows])
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"mean {measure}")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def _signed(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", "−")
