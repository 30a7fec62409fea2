"""Lines: the loss of a student over its steps, and means by number of sentence pairs."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optical.report.figures.style import Row, Style, add_legend, panels, styles

POINTS = 60


def curve_rows(lang: str, method: str, seed: str, losses: Sequence[float]) -> list[Row]:
    """Return a learning curve as at most `POINTS` means over equal spans of steps, and as shares of the first.

    >>> curve_rows("sw", "mse", "1", [3.0, 1.0])[1]
    {'lang': 'sw', 'method': 'mse', 'seed': '1', 'step': 2, 'loss': 1.0, 'share_of_first': 0.333333}
    """
    parts = min(POINTS, len(losses))
    bounds = [len(losses) * place // parts for place in range(parts + 1)] if parts else []
    spans = [(end, sum(losses[start:end]) / (end - start)) for start, end in zip(bounds, bounds[1:], strict=False)]
    first = spans[0][1] if spans else 0.0
    return [
        {"lang": lang, "method": method, "seed": seed, "step": end, "loss": round(loss, 6)}
        | {"share_of_first": round(loss / first, 6) if first else 0.0}
        for end, loss in spans
    ]


def draw_curves(rows: Sequence[Row], methods: Sequence[str], names: Mapping[str, str]) -> Figure:
    """Draw a panel per language, a line per method and seed: the loss as a share of its first value.

    Losses of different methods have different units; their shapes can be compared, their heights cannot.
    """
    figure, grid, free = panels(list(names.values()), height=2.0, legend=True)
    looks = styles(methods)
    lines_of: dict[str, dict[tuple[str, str], list[Row]]] = {lang: {} for lang in names}  # by method and seed
    for row in rows:
        lines_of.setdefault(row["lang"], {}).setdefault((row["method"], row["seed"]), []).append(row)
    for axes, lang in zip(grid, names, strict=True):
        for (method, _), line in lines_of[lang].items():
            axes.plot(
                [float(row["step"]) for row in line],
                [float(row["share_of_first"]) for row in line],
                color=looks[method].colour,
                linestyle=looks[method].dashes,
                linewidth=1.4,
                label=method,
            )
        axes.set_ylim(bottom=0)
    figure.supxlabel("step", fontsize=9)
    figure.supylabel("loss, share of its start", fontsize=9)
    add_legend(figure, grid, free)
    return figure


def draw_bitext_curve(rows: Sequence[Row], methods: Sequence[str], names: Mapping[str, str], measure: str) -> Figure:
    """Draw a panel per language: mean against the number of sentence pairs (log scale), a line per method.

    A method that was measured once, because it learns from no pairs, is a level line.
    """
    figure, grid, free = panels(list(names.values()), height=2.2, sharex=False, legend=True)
    looks = styles(methods)
    for axes, lang in zip(grid, names, strict=True):
        of_lang = [row for row in rows if row["lang"] == lang]
        ticks = sorted({float(row["pairs"]) for row in of_lang})
        for method in methods:
            points = sorted((float(row["pairs"]), float(row["mean"])) for row in of_lang if row["method"] == method)
            _draw_line(axes, points, looks[method], method, level=len(points) == 1 < len(ticks))
        axes.set_xscale("log")
        axes.set_xticks(ticks, [short(pairs) for pairs in ticks])
        axes.set_xticks([], minor=True)
        axes.set_ylim(0, min(1.0, 1.1 * max(float(row["mean"]) for row in rows)))
    figure.supxlabel("sentence pairs", fontsize=9)
    figure.supylabel(f"mean {measure}", fontsize=9)
    add_legend(figure, grid, free)
    return figure


def _draw_line(axes: Axes, points: Sequence[tuple[float, float]], look: Style, label: str, level: bool) -> None:
    """Draw means against pairs; or, if `level`, a level line at the only mean."""
    if level:
        axes.axhline(points[0][1], color=look.colour, linestyle=look.dashes, linewidth=1, label=label)
    elif points:
        pairs, means = zip(*points, strict=True)
        axes.plot(pairs, means, color=look.colour, linestyle=look.dashes, marker=look.marker, label=label)


def short(count: float) -> str:
    """Return a count as the text of a tick.

    >>> [short(count) for count in (85, 1500, 20_000, 3_140_000)]
    ['85', '1.5k', '20k', '3.14M']
    """
    for unit, name in ((1_000_000, "M"), (1000, "k")):
        if count >= unit:
            return f"{count / unit:.3g}{name}"
    return f"{count:.0f}"
