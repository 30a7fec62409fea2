"""Figures of the studies: lines over sentence pairs, dots with intervals, matrices, and the gap of resource levels."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from optical.report.figures.curves import draw_bitext_curve
from optical.report.figures.matrices import draw_heat_maps
from optical.report.figures.means import draw_dots, draw_gap, gap_rows
from optical.report.figures.style import Row, styles

GROUPS = ("low", "high", "gap")


def study_cells(table: Sequence[Row], measure: str, langs: Sequence[str]) -> list[Row]:
    """Return the rows of a study's table that a figure shows: one measure, the first collection, these languages.

    For a figure of the kind `gap` the languages are `GROUPS`.
    """
    mine = [row for row in table if row["measure"] == measure and row["lang"] in langs]
    return [row for row in mine if row["collection"] == mine[0]["collection"]]


def draw_study(
    kind: str,
    rows: Sequence[Row],
    axis: str,
    methods: Sequence[str],
    names: Mapping[str, str],
    reference: str,
    measure: str,
) -> Figure:
    """Draw the rows of `study_cells`: `curve`, `dots`, `matrix` or `gap`.

    `names` gives the panels' titles by language, `axis` is the column that tells the variants apart.
    """
    if kind == "matrix":
        return draw_matrix(rows, axis, list(names), reference, measure)
    labelled = [dict(row) | {"method": " ".join(filter(None, (row[axis], row["method"])))} for row in rows]
    if kind == "curve":
        shown = [row for row in labelled if row["pairs"]]
        labels = dict.fromkeys(row["method"] for row in shown)
        return draw_bitext_curve(shown, methods if labels.keys() <= {*methods} else list(labels), names, measure)
    of_methods = styles([*methods, *(row["method"] for row in rows)])
    looks = {label["method"]: of_methods[row["method"]] for label, row in zip(labelled, rows, strict=True)}
    if kind == "gap":
        return draw_gap(gap_rows({(row["method"], row["lang"]): row for row in labelled}, list(looks)), looks, measure)
    names = {lang: name for lang, name in names.items() if any(row["lang"] == lang for row in rows)}
    marked = next((label for label in looks if label.split()[-1] == reference), next(iter(looks)))
    return draw_dots(labelled, looks, names, marked, measure)


def draw_matrix(rows: Sequence[Row], axis: str, langs: Sequence[str], method: str, measure: str) -> Figure:
    """Draw a heat map a share of the sentence pairs: a row a variant, a column a language, `method`'s mean as a figure.

    A panel is named after the smallest number of sentence pairs in it.
    """
    mine = [row for row in rows if row["method"] == method]
    cells_of = {}
    for share in sorted({float(row["share"]) for row in mine}):
        of_share = [row for row in mine if float(row["share"]) == share]
        size = min((int(row["pairs"]) for row in of_share if row["pairs"]), default=0)
        title = f"about {size} pairs" if size else "no sentence pairs"
        cells_of[title] = {(row[axis], row["lang"]): float(row["mean"]) for row in of_share}
    figure = draw_heat_maps(cells_of, list(dict.fromkeys(row[axis] for row in mine)), langs)
    figure.supxlabel(f"language of the query; mean {measure} of {method}", fontsize=9)
    figure.supylabel(axis, fontsize=9)
    return figure
