"""The sections of the report, each from files of a results folder; one that has no files yet is left out.

What a section needs is asked of a `Report`: where the results lie, and what the experiment is about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from optical.evaluation import held_out
from optical.evaluation.comparison import CELL_COLUMNS
from optical.evaluation.gains import Row, extremes
from optical.evaluation.held_out import COLUMNS
from optical.evaluation.map_table import (
    GROUPS,
    LEVELS,
    SIGNIFICANT,
    LongRow,
    cells_of,
    describe,
    significance_mark,
    strongest_rival,
)
from optical.files import read_json, read_table
from optical.report.html import Section, Text, bullets, choice, details, figure, paragraph, table

BEST = " Bold: the best method that does not read human English queries."
EXAMPLES = 3
MARKS = {"+": "⁺", "-": "⁻", "": ""}


@dataclass(frozen=True)
class Report:
    """An experiment: its results folder and the parts of its config that the report speaks of.

    `collections` is name -> its languages, `names` is code -> name of the language, in the order of the table. `rivals`
    are the methods that the reference is compared with: not those in `english`, which read human English queries.
    `figures` are the SVG files to show; others in the results folder are of an earlier config.
    """

    results: Path
    collections: Mapping[str, list[str]]
    names: Mapping[str, str]
    methods: list[str]
    measures: list[str]
    reference: str
    rivals: list[str]
    settings: Mapping[str, object] = field(default_factory=dict)
    english: Sequence[str] = ()
    figures: Sequence[Path] = ()

    def cells(self, collection: str, measure: str) -> dict[tuple[str, str], LongRow]:
        """Return the cells of a collection's table that were run."""
        return cells_of(self.results / f"tables/{collection}/map_cells.tsv", collection, measure)

    def shows(self, stem: Path) -> bool:
        """Return whether the figure of the files `stem`.svg and .tsv is to be shown."""
        return stem.with_suffix(".svg") in self.figures

    def name(self, lang: str) -> str:
        """Return the name of a language as it is shown."""
        return self.names.get(lang, lang)


def summary(report: Report, held_out_rows: Sequence[LongRow] = ()) -> str:
    """Return a short summary for every collection, and the students that training did not help."""
    items = held_out.doubts(held_out_rows)
    if not report.rivals:
        return bullets(items)
    for collection in report.collections:
        cells = report.cells(collection, report.measures[0])
        rival = strongest_rival(cells, report.reference, report.rivals)
        levels = [level for level in LEVELS if (report.reference, level) in cells and (rival, level) in cells]
        if levels:
            items.append(f"{collection}: {_against_rival(report, cells, rival, levels[0])}")
    return bullets(items)


def _against_rival(report: Report, cells: Mapping[tuple[str, str], LongRow], rival: str, level: str) -> str:
    """Return how the reference compares with a rival on a resource level, and its gap between the levels."""
    ours, theirs = cells[report.reference, level], cells[rival, level]
    difference = float(ours["mean"]) - float(theirs["mean"])
    p_value = f", p = {float(theirs['p_holm']):.3g} (Holm)" if theirs["p_holm"] else ""
    text = (
        f"on {level}-resource languages {report.reference} has a mean {report.measures[0]} of "
        f"{float(ours['mean']):.3f}; the strongest other method on them, {rival}, has "
        f"{float(theirs['mean']):.3f} ({_signed(difference)}{p_value})."
    )
    gap = cells.get((report.reference, "gap"))
    return f"{text} Its gap, high minus low, is {_signed(gap['mean'])}." if gap else text


def table_section(report: Report) -> Section:
    """Return the table of means with significance, for each collection; further measures on request."""
    parts = []
    for collection, langs in report.collections.items():
        parts.append(f"<h3>{escape(collection)}</h3>" if len(report.collections) > 1 else "")
        first, *more = report.measures
        parts.append(_means_table(report, collection, langs, first))
        others = "".join(_means_table(report, collection, langs, measure) for measure in more)
        parts.append(details(f"Further measures: {', '.join(more)}", others) if more else "")
    return Section("table", f"Mean {report.measures[0]} by method and language", "\n".join(parts))


def _means_table(report: Report, collection: str, langs: list[str], measure: str) -> str:
    cells = report.cells(collection, measure)
    columns = _columns(cells, langs)
    best = {column: _best(report, cells, column) for column in columns if column != "gap"}
    rows = [
        [method, *(_mean(cells.get((method, column)), best.get(column)) for column in columns)]
        for method in report.methods
    ]
    caption = describe(cells, collection, measure) + BEST
    return table(["method", *map(report.name, columns)], rows, caption, marked=report.reference)


def _columns(cells: Iterable[tuple[str, str]], langs: list[str]) -> list[str]:
    """Return the columns of a table: languages, and the groups that some method has."""
    return [*langs, *(group for group in GROUPS if any(column == group for _, column in cells))]


def _best(report: Report, cells: Mapping[tuple[str, str], LongRow], column: str) -> str | None:
    """Return the highest mean of a column as it is shown, without methods that read human English queries."""
    methods = [method for method in report.methods if method not in report.english]
    rows = [cells[method, column] for method in methods if (method, column) in cells]
    return max((_shown_mean(row) for row in rows), key=float, default=None)


def _mean(row: LongRow | None, best: str | None) -> Text:
    if row is None:
        return Text("NOT RUN")
    spread = f" ± {float(row['sd']):.3f}" if row["sd"] else ""
    mean = _shown_mean(row)
    return Text(f"{mean}{spread}{MARKS[significance_mark(row)]}".replace("-", "−"), kind="best" if mean == best else "")


def _shown_mean(row: LongRow) -> str:
    return f"{round(float(row['mean']), 3) + 0.0:.3f}"


def _signed(value: str | float) -> str:
    return f"{round(float(value), 3) + 0.0:+.3f}".replace("-", "−")


def differences_section(report: Report) -> Section | None:
    """Return the difference of each method from each other one, with interval and p-value, for each collection."""
    parts = []
    for collection, langs in report.collections.items():
        path = report.results / f"tables/{collection}/pairs.tsv"
        if path.is_file():
            rows = [row for row in read_table(path, CELL_COLUMNS) if row["measure"] == report.measures[0]]
            parts.append(f"<h3>{escape(collection)}</h3>" if len(report.collections) > 1 else "")
            opponents = [report.reference, *(method for method in report.methods if method != report.reference)]
            options = [(name, differences_table(report, rows, langs, name)) for name in opponents]
            parts.append(choice("Compare with", options))
    return Section("differences", "Differences and tests", "\n".join(parts)) if parts else None


def differences_table(report: Report, rows: Sequence[LongRow], langs: list[str], opponent: str) -> str:
    """Return the differences of all methods from one: a column a language, or what stands for one in the rows."""
    cells = {(row["method"], row["lang"]): row for row in rows if row["reference"] == opponent}
    columns = _columns(cells, langs)
    body = [
        [method, *(_difference(cells.get((method, column))) for column in columns)]
        for method in report.methods
        if method != opponent
    ]
    caption = (
        f"{report.measures[0]} of each method minus that of {opponent}, its 95 % bootstrap interval, and p (paired "
        f"over queries, Holm-corrected over the languages or over the means). ⁺ or ⁻: p < {SIGNIFICANT}."
    )
    return table(["method", *map(report.name, columns)], body, caption, marked=report.reference)


def _difference(row: LongRow | None) -> Text:
    if row is None or not row["p_holm"]:
        return Text("NOT RUN")
    low, high = (_signed(row[f"interval_{end}"]) for end in ("low", "high"))
    p_value = float(row["p_holm"])
    note = f"{low} to {high}\np {'< 0.001' if p_value < 0.001 else f'= {p_value:.3f}'}"
    return Text(f"{_signed(row['difference_to_reference'])}{MARKS[significance_mark(row)]}", note=note)


def held_out_section(rows: Sequence[LongRow]) -> Section | None:
    """Return whether training helped each student, by the sentence pairs held out of it."""
    if not rows:
        return None
    body = [[f"{row['method']} ({row['lang']})", *(row[name] for name in COLUMNS[2:])] for row in rows]
    parts = [paragraph(held_out.summary(rows)), bullets(held_out.doubts(rows))]
    shown = details("Every student", table(["student", *COLUMNS[2:]], body, held_out.TITLE))
    return Section("held-out", "Did training help?", "".join([*parts, shown]))


def dots_section(report: Report) -> Section | None:
    """Return the dot plots of the means."""
    alt = f"Dot plot: mean {report.measures[0]} of each method, a panel per language. The table has the figures."
    caption = (
        f"A dot is the mean over queries and seeds, a bar its 95 % bootstrap interval over queries. The thin line "
        f"continues the mean of {report.reference}."
    )
    return _figures(report, "dots", "Means with their intervals", "map", alt, caption)


def gap_section(report: Report) -> Section | None:
    """Return the gap between resource levels."""
    alt = f"Dumbbell plot: each method's mean {report.measures[0]} over low- and high-resource languages, and the gap."
    caption = "The gap is high minus low, with its 95 % interval: a short bar treats languages alike."
    return _figures(report, "gap", "The gap between high- and low-resource languages", "gap", alt, caption)


def curves_section(report: Report) -> Section | None:
    """Return the learning curves of the students."""
    alt = "Line plot: the loss of each student over its steps as a share of where it began, a panel per language."
    caption = (
        "A line per method and seed. Losses of different methods have different units: compare shapes, not heights."
    )
    return _section(report, "curves", "Learning curves", [(report.results / "figures/curves", alt, caption)])


def bitext_section(report: Report) -> Section | None:
    """Return the means against the number of sentence pairs, where `bitext_curve` was run."""
    alt = f"Line plot: mean {report.measures[0]} against the number of sentence pairs, a panel per language."
    caption = (
        "Students distilled from a share of the sentence pairs (each smaller share is part of the larger ones), "
        "with the same number of steps. The scale of pairs is logarithmic."
    )
    figures = [(report.results / "figures/bitext_curve", alt, caption)]
    return _section(report, "bitext", f"Mean {report.measures[0]} against bitext size", figures)


def queries_section(report: Report) -> Section | None:
    """Return the gains and losses per query, with the texts of the best and the worst."""
    parts = []
    for collection, langs in report.collections.items():
        stem = report.results / f"figures/{collection}/queries"
        if not report.shows(stem):
            continue
        rows = read_table(stem.with_suffix(".tsv"))
        rival = rows[0]["rival"]
        alt = (
            f"Bar plot: {report.measures[0]} of {report.reference} minus {rival}, query by query, a panel per language."
        )
        caption = (
            f"{collection}: {report.reference} against {rival}, the strongest other method on low-resource languages "
            "(on high-resource ones where there are no others). A bar is a query."
        )
        parts.append(figure(stem, alt, caption))
        parts += [_examples(report, rows, lang, rival) for lang in langs]
    return Section("queries", "Gains and losses, query by query", "\n".join(parts)) if parts else None


def _examples(report: Report, rows: Sequence[Row], lang: str, rival: str) -> str:
    best, worst = extremes(rows, lang, EXAMPLES)
    body = [
        (
            row["query_id"],
            Text(row["query"], lang),
            row["english"],
            f"{float(row['score']):.3f}",
            f"{float(row['rival_score']):.3f}",
            _signed(row["gain"]),
        )
        for row in [*best, *reversed(worst)]
    ]
    header = ("query", report.name(lang), "in English", report.reference, rival, "gain")
    caption = f"{report.name(lang)}: the queries with the greatest gains and losses"
    return table(header, body, caption) if body else paragraph(f"{report.name(lang)}: no query gains or loses.")


def alignment_section(report: Report) -> Section | None:
    """Return the heat maps of a sentence pair before and after distillation, for each language."""
    parts = []
    for lang in report.names:
        stem = report.results / f"figures/alignment/{lang}"
        if report.shows(stem):
            pair = read_json(report.results / f"alignments/{lang}.json")
            alt = f"Heat maps of the alignment of a sentence in {report.name(lang)}, before and after distillation."
            before, after = (pair[when]["transport_cost"] for when in ("before", "after"))
            caption = f"Transport costs {before:.2f} before and {after:.2f} after distillation ({pair['source']})."
            texts = f'<p lang="{lang}">{escape(pair["foreign_text"])}</p><p>{escape(pair["english_text"])}</p>'
            parts.append(f"<h3>{escape(report.name(lang))}</h3>{texts}{figure(stem, alt, caption)}")
    if not parts:
        return None
    intro = paragraph(
        "The transport plan between a sentence and its English translation, both held out of training: first with the "
        "teacher reading the foreign side, then with the distilled student. Tokens such as [CLS] are left out, word "
        "pieces are put together to words, and a row adds up to one. The pair is the first of fair length, not a "
        "chosen one."
    )
    return Section("alignments", "Token alignments before and after distillation", intro + "\n".join(parts))


def translation_section(report: Report) -> Section | None:
    """Return the scores of the translators, where there are any."""
    path = report.results / "translation_table.tsv"
    rows = read_table(path) if path.is_file() else []
    if not rows:
        return None
    caption = "Translations of held-out sentences, scored by sacrebleu"
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    return _table_section("translation", "Translation quality", cells, caption)


def cost_section(rows: Sequence[Sequence[str]]) -> Section:
    """Return what the jobs took: the rows of `job_costs.cost_rows`."""
    return _table_section("cost", "Cost", rows, "What the jobs took")


def _table_section(anchor: str, title: str, rows: Sequence[Sequence[str]], caption: str) -> Section:
    """Return a table of text, header first, without the columns that are empty throughout."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    header, *body = map(list, zip(*columns, strict=True))
    return Section(anchor, title, table(header, body, caption))


def _figures(report: Report, anchor: str, title: str, name: str, alt: str, caption: str) -> Section | None:
    figures = [
        (report.results / f"figures/{collection}/{name}", f"{collection}. {alt}", f"{collection}: {caption}")
        for collection in report.collections
    ]
    return _section(report, anchor, title, figures)


def _section(report: Report, anchor: str, title: str, figures: Iterable[tuple[Path, str, str]]) -> Section | None:
    """Return a section of figures (stem, alternative text, caption): those to be shown, None without any."""
    parts = [figure(stem, alt, caption) for stem, alt, caption in figures if report.shows(stem)]
    return Section(anchor, title, "\n".join(parts)) if parts else None
