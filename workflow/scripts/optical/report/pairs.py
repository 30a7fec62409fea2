"""The section of the report on any language to any language: means over pairs of languages, and heat maps."""

from html import escape
from pathlib import Path

from optical.evaluation.comparison import CELL_COLUMNS
from optical.evaluation.matrix import GROUPS
from optical.files import read_table
from optical.report.html import Section, Text, choice, figure, table
from optical.report.sections import LongRow, Report, differences_table

CAPTION = (
    "Mean {measure} over pairs of a language of queries and one of passages, with its 95 % bootstrap interval over "
    "queries. “one language” leaves out English, “never trained” are pairs without English, and “all pairs” are all "
    "except English to English."
)


def language_pairs_section(report: Report) -> Section | None:
    """Return means, differences and heat maps of each collection with passages in several languages."""
    parts = []
    for collection in report.collections:
        path = report.results / f"tables/{collection}/matrix.tsv"
        if path.is_file():
            parts += [f"<h3>{escape(collection)}</h3>", *_table_tests_and_maps(report, collection, path)]
    return Section("any-to-any", "Any language to any language", "\n".join(parts)) if parts else None


def _table_tests_and_maps(report: Report, collection: str, path: Path) -> list[str]:
    """Return the means, the differences to each reference, and the heat maps of a collection, as HTML."""
    rows = read_table(path, CELL_COLUMNS)
    means = {(row["method"], row["lang"]): row for row in rows}
    groups = [name for name in GROUPS if any(column == name for _, column in means)]
    body = [[method, *(_mean(means.get((method, name))) for name in groups)] for method in report.methods]
    references = list(dict.fromkeys(row["reference"] for row in rows if row["reference"]))
    tables = [(name, differences_table(report, rows, groups, name)) for name in references]
    alt = f"{collection}. Heat maps: mean {report.measures[0]} of every pair of languages, a panel per method."
    caption = f"{collection}: a row is a language of queries, a column one of passages; all panels have one scale."
    stem = report.results / f"figures/{collection}/matrix"
    return [
        table(["method", *groups], body, CAPTION.format(measure=report.measures[0]), marked=report.reference),
        choice("Compare with", tables),
        figure(stem, alt, caption) if stem.with_suffix(".svg").is_file() else "",
    ]


def _mean(row: LongRow | None) -> Text:
    if row is None:
        return Text("NOT RUN")
    mean, low, high = (f"{float(row[name]):.3f}" for name in ("mean", "mean_low", "mean_high"))
    return Text(mean, note=f"{low} to {high}")
