"""The section of the report that lists every query, with the passages that any two methods found."""

from html import escape
from typing import Any

from optical.evaluation.map_table import strongest_rival
from optical.files import read_json
from optical.report.html import Section, data_block
from optical.report.sections import Report

WITHOUT_SCRIPT = (
    "This list needs JavaScript. Without it, the data of the figures above have every query with its text and both "
    "scores, best first."
)


def every_query_section(report: Report) -> Section | None:
    """Return the list of every query, for each collection whose queries are described."""
    parts = []
    for collection in report.collections:
        if langs := _described(report, collection):
            anchor = f"queries-{collection}"
            parts.append(f"<h3>{escape(collection)}</h3>" if len(report.collections) > 1 else "")
            parts.append(f'<div class="explorer" data-of="{escape(anchor)}"><p>{WITHOUT_SCRIPT}</p></div>')
            parts.append(data_block(anchor, query_data(report, collection, langs)))
    return Section("every-query", "Every query, and the passages found", "\n".join(parts)) if parts else None


def _described(report: Report, collection: str) -> list[str]:
    langs = report.collections[collection]
    return [lang for lang in langs if (report.results / f"queries/{collection}/{lang}.json").is_file()]


def query_data(report: Report, collection: str, langs: list[str]) -> dict[str, Any]:
    """Return what the script lists: what describe_queries.py has made, with the passages of all languages together."""
    records = {lang: read_json(report.results / f"queries/{collection}/{lang}.json") for lang in langs}
    passages = {name: text for record in records.values() for name, text in record.pop("passages").items()}
    there = {method for record in records.values() for method in record["methods"]}
    opponent = report.reference
    if report.rivals:
        opponent = strongest_rival(report.cells(collection, report.measures[0]), report.reference, report.rivals)
    return {
        "measure": report.measures[0],
        "languages": {lang: report.name(lang) for lang in langs},
        "methods": [method for method in report.methods if method in there],
        "method": report.reference,
        "opponent": opponent,
        "records": records,
        "passages": passages,
    }
