"""Queries on which a method beats or loses to another one: sorted bars per language."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from optical.evaluation.gains import SAME
from optical.report.figures.style import Row, panels, styles


def draw_gains(rows: Sequence[Row], methods: Sequence[str], names: Mapping[str, str], measure: str) -> Figure:
    """Draw a panel per language: the gain of each query, from the greatest to the greatest loss, and their counts.

    A gain has the colour of the method, a loss that of its rival.
    """
    looks, method, rival = styles(methods), rows[0]["method"], rows[0]["rival"]
    figure, grid, _ = panels(list(names.values()), height=2.0)
    for axes, lang in zip(grid, names, strict=True):
        gains = [float(row["gain"]) for row in rows if row["lang"] == lang]
        for name, part in ((method, [max(gain, 0) for gain in gains]), (rival, [min(gain, 0) for gain in gains])):
            axes.stairs(part, fill=True, color=looks[name].colour)
        axes.axhline(0, color="black", linewidth=0.8)
        better, worse = sum(gain > SAME for gain in gains), sum(gain < -SAME for gain in gains)
        alike = len(gains) - better - worse
        notes = ((0.98, 0.9, f"{better} better"), (0.98, 0.78, f"{alike} alike"), (0.02, 0.04, f"{worse} worse"))
        for x, y, note in notes:
            axes.text(x, y, note, ha="right" if x > 0.5 else "left", transform=axes.transAxes)
        axes.set_ylim(-1.05, 1.05)
        axes.set_xticks([])
    figure.supylabel(f"{measure} of {method} − {rival}", fontsize=9)
    figure.supxlabel("queries, from the greatest gain to the greatest loss", fontsize=9)
    return figure
