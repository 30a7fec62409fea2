"""What all figures share: colours that colour-blind readers tell apart, panels by language, files of one stem.

A figure knows nothing but rows: lists of dicts, as they come from the tables. `save_figure` writes it three times, as
SVG (text as outlines: it looks the same everywhere), PNG, and its data as TSV. Same rows, same bytes.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from optical.files import atomic_path, write_rows
from optical.report.fonts import families

# Okabe and Ito's palette without its yellow, which print swallows. The reference method gets the first.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "*", "<", ">", "p")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))
BETTER, WORSE, QUIET = "#0072B2", "#D55E00", "#666666"
PANELS_IN_A_ROW = 4
PNG_DOTS_PER_INCH = 160

Row = Mapping[str, Any]


class Style(NamedTuple):
    """How a method looks in every figure: each pair of colour and marker, and of colour and dashes, occurs once."""

    colour: str
    marker: str
    dashes: Any  # what matplotlib takes for a line's style


def styles(methods: Sequence[str], reference: str) -> dict[str, Style]:
    """Return each method's look, in the order of `methods`; the reference's is the same in every experiment.

    >>> styles(["bm25", "optical"], "optical")["optical"]
    Style(colour='#D55E00', marker='o', dashes='-')
    """
    places = {method: place for place, method in enumerate(dict.fromkeys([reference, *methods]))}
    return {
        method: Style(
            COLOURS[places[method] % len(COLOURS)],
            MARKERS[places[method] % len(MARKERS)],
            DASHES[places[method] % len(DASHES)],
        )
        for method in methods
    }


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
        with atomic_path(Path(svg).with_suffix(suffix)) as path:
            figure.savefig(path, dpi=PNG_DOTS_PER_INCH, metadata=metadata)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    write_rows(Path(svg).with_suffix(".tsv"), [columns, *([row.get(column, "") for column in columns] for row in rows)])
