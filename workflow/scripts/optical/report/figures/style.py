"""What all figures share: colours that colour-blind readers tell apart, panels by language, files of one stem.

A figure knows nothing but rows: lists of dicts, as they come from the tables. `save_figure` writes it three times, as
SVG (text as outlines: it looks the same everywhere), PNG, and its data as TSV. Same rows, same bytes.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain, count
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optical.files import atomic_path, write_rows
from optical.report.fonts import families

# A method looks the same in every figure and experiment. Every method of config/config.yaml has a colour here; those of
# most figures have Okabe and Ito's palette.
COLOURS = {
    "optical": "#D55E00",
    "english": "#000000",
    "bm25": "#009E73",
    "nmt": "#CC79A7",
    "zero-shot": "#56B4E9",
    "mse": "#E69F00",
    "greedy": "#0072B2",
    "contrastive": "#7B3FA0",
    "smt": "#8B4513",
    "extended": "#808080",
    "score-kd": "#00B8B8",
    "optical+contrastive": "#FF4FD8",
    "optical+mse": "#7A0030",
    "optical-uniform": "#DC143C",
    "mse-idf": "#B5A642",
    "code-switch": "#0B5A2E",
    "wikiclir": "#2222FF",
    "mmarco": "#30006E",
    "nmt-bm25": "#6B7A00",
    "dense": "#7DBE00",
    "dense+mse": "#C49A6C",
    "optical+bm25": "#C71585",
    "optical+smt": "#A3A3FF",
    "token-contrast": "#1E6E8C",
    "token-contrast-greedy": "#5C8A00",
}
MARKERS = ("o", "s", "^", "D", "v", "P", "*", "<", ">", "p")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))
QUIET = "#666666"
PANELS_IN_A_ROW = 4
PNG_DOTS_PER_INCH = 160

Row = Mapping[str, Any]


class Style(NamedTuple):
    """How a method looks in every figure: each pair of colour and marker, and of colour and dashes, occurs once."""

    colour: str
    marker: str
    dashes: Any  # what matplotlib takes for a line's style


def styles(methods: Sequence[str]) -> dict[str, Style]:
    """Return the look of each method. A name outside `COLOURS` gets a colour that no other of `methods` has.

    After the last colour, colours repeat with other markers and dashes.

    >>> styles(["bm25", "mine"])["bm25"]
    Style(colour='#009E73', marker='^', dashes=(0, (1.5, 1)))
    """
    place_of = {name: place for place, name in enumerate(COLOURS)}
    free = chain([place_of[name] for name in reversed(COLOURS) if name not in methods], count(len(COLOURS)))
    place_of |= {name: next(free) for name in dict.fromkeys(methods) if name not in COLOURS}
    return {method: _style(place_of[method]) for method in methods}


def _style(place: int) -> Style:
    turn, colour = divmod(place, len(COLOURS))
    shape = colour + turn
    return Style(list(COLOURS.values())[colour], MARKERS[shape % len(MARKERS)], DASHES[shape % len(DASHES)])


def drawing() -> AbstractContextManager:
    """Set matplotlib to the project's style while figures are drawn and saved."""
    return rc_context(
        {
            "font.family": list(families()),
            "font.size": 9,
            "text.parse_math": False,  # a dollar sign of a name or subword is a dollar sign
            "axes.titlesize": 10,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.grid": True,
            "grid.color": "#dddddd",
            "grid.linewidth": 0.6,
            "legend.frameon": False,
            "svg.fonttype": "path",
            "svg.hashsalt": "optical",
        }
    )


def panels(
    names: Sequence[str], height: float, width: float = 2.6, sharex: bool = True, legend: bool = False
) -> tuple[Figure, list[Axes], Axes | None]:
    """Return a figure with a titled panel a name, and the first free panel after them (for a legend), if any.

    A height and width are those of one panel, in inches; four panels make a row. A row that is not full gets a panel
    more where there is to be a legend.
    """
    columns = min(len(names) + int(legend), PANELS_IN_A_ROW)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=sharex, sharey=True, squeeze=False).flatten().tolist()
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(name)
    for place, axes in enumerate(grid):
        if place >= len(names):
            axes.set_axis_off()
        elif place + columns >= len(names):  # the panel under it is empty: it must name its own axis
            axes.tick_params(labelbottom=True)
    return figure, grid[: len(names)], grid[len(names)] if len(grid) > len(names) else None


def add_legend(figure: Figure, grid: Sequence[Axes], free: Axes | None) -> None:
    """Explain the lines of all panels, each label once, in the free panel, or above all panels."""
    handles: dict[str, Artist] = {}
    for axes in grid:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if free is not None:
        free.legend(handles.values(), handles, loc="center left", handlelength=3.5)
    else:
        figure.legend(handles.values(), handles, loc="outside upper left", ncols=min(len(handles), 6), handlelength=3.5)


def save_figure(figure: Figure, rows: Sequence[Row], svg: str | Path) -> None:
    """Write a figure, and beside it a PNG and its data as TSV; must be called within `drawing()`."""
    for suffix, metadata in ((".svg", {"Date": None, "Creator": None}), (".png", {"Software": None})):
        with atomic_path(Path(svg).with_suffix(suffix), sealed=True) as path:
            figure.savefig(path, dpi=PNG_DOTS_PER_INCH, metadata=metadata)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = ([row.get(column, "") for column in columns] for row in rows)
    write_rows(Path(svg).with_suffix(".tsv"), [columns, *table], sealed=True)
