"""Queries on which a method beats or loses to another one: sorted bars per language."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from optical.evaluation.gains import SAME
from optical.report.figures.style import BETTER, QUIET, WORSE, Row, panels


def draw_gains(rows: Sequence[Row], names: Mapping[str, str], measure: str) -> Figure:
    """Draw a panel per language: the gain of each query, from the greatest to the greatest loss, and their counts."""
    figure, grid, _ = panels(list(names.values()), height=2.0)
    for axes, lang in zip(grid, names, strict=True):
        gains = [float(row["gain"]) for row in rows if row["lang"] == lang]
        for colour, part in ((BETTER, [max(gain, 0) for gain in gains]), (WORSE, [min(gain, 0) for gain in gains])):
            axes.stairs(part, fill=True, color=colour)
        axes.axhline(0, color="black", linewidth=0.8)
        better, worse = sum(gain > SAME for gain in gains), sum(gain < -SAME for gain in gains)
        alike = len(gains) - better - worse
        for x, y, side, note, colour in (
            (0.98, 0.9, "right", f"{better} better", BETTER),
            (0.98, 0.78, "right", f"{alike} alike", QUIET),
            (0.02, 0.04, "left", f"{worse} worse", WORSE),
        ):
            axes.text(x, y, note, color=colour, ha=side, transform=axes.transAxes)
        axes.set_ylim(-1.05, 1.05)
        axes.set_xticks([])
    figure.supylabel(f"{measure} of {rows[0]['method']} − {rows[0]['rival']}", fontsize=9)
    figure.supxlabel("queries, from the greatest gain to the greatest loss", fontsize=9)
    return figure
