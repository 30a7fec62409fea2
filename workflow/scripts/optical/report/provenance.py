"""The sections of the report that make its numbers traceable: sentence pairs, settings, code, packages, machine."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from optical.config.names import MULTILINGUAL, SHARED
from optical.files import as_argument, read_json, sha256_of
from optical.report.html import Section, Text, details, paragraph, table
from optical.report.sections import Report

MODELS = ("encoder", "teacher")


def sentence_pairs_section(report: Report) -> Section | None:
    """Return the sentence pairs of each language: sources, what was kept, licences."""
    rows = []
    for lang in report.names:
        path = report.results / f"bitext/{lang}/report.json"
        if path.is_file():
            counted = read_json(path)
            for source in counted["sources"]:
                counts = (source["read"], source["kept"])
                rows.append(
                    (report.name(lang), source["name"], *counts, counted["train"], counted["dev"], source["licence"])
                )
    header = ("language", "source", "pairs read", "pairs kept", "for training", "held out", "licence")
    caption = "Sentence pairs by language and source"
    return Section("pairs", "Sentence pairs", table(header, rows, caption)) if rows else None


def provenance_section(report: Report) -> Section:
    """Return the origin of the numbers: code, packages, machines, settings, and the checksums of the tables."""
    records = [read_json(path) for path in provenance_files(report)]
    packages = (f"{name} {version}" for record in records for name, version in record["packages"].items())
    minutes = sum(record["wall_seconds"] for record in records) / 60
    tables = [f"tables/{collection}/map_cells.tsv" for collection in report.collections]
    rows = [
        ("version of the workflow", _distinct(record["version"] for record in records)),
        ("commit", _distinct(record["git_commit"] for record in records)),
        ("machines", _distinct((_machine(record["machine"]) for record in records), "; ")),
        ("packages", _distinct(packages)),
        ("models", f"{len(records)}, {minutes:.1f} minutes from their last starts on, altogether"),
        *((f"SHA-256 of {name}", sha256_of(report.results / name)) for name in tables),
    ]
    parts = [_long_table("what", rows, "What made the numbers of this report")]
    if report.settings:
        settings = [(key, _shown(value)) for key, value in report.settings.items()]
        parts.append(details("All settings", _long_table("key", settings, "The config of this experiment")))
    parts.append(
        paragraph("Every model's folder holds a provenance.json with its own settings and input checksums.", "note")
    )
    return Section("provenance", "Provenance", "\n".join(parts))


def provenance_files(report: Report) -> list[Path]:
    """Return the provenance of every model that was trained for this experiment."""
    folders = [report.results / model for model in MODELS]
    for lang in [*report.names, MULTILINGUAL]:
        folders += [report.results / "extended" / lang, report.results / "translators" / lang / SHARED]
        for method in sorted(report.methods):
            folders.append(report.results / "translators" / lang / method)
            students = report.results / "students" / lang / method
            seeds = report.settings.get("seeds")
            names = map(str, seeds) if isinstance(seeds, list) else (path.name for path in students.glob("[!.]*"))
            folders += [students / name for name in sorted(names)]
    return [path for folder in folders if (path := folder / "provenance.json").is_file()]


def _long_table(first: str, rows: Iterable[tuple[str, str]], caption: str) -> str:
    """Return a table of names and values that may be broken anywhere: checksums, lists."""
    return table((first, "value"), [[Text(text, kind="long") for text in row] for row in rows], caption)


def _machine(machine: Mapping[str, Any]) -> str:
    """Return a machine in words; the provenance of older models has neither its model nor its instructions."""
    words = (machine["system"], machine.get("model"), machine["processor"], *machine.get("instructions", ()))
    return f"{machine['device']}: {' '.join(filter(None, words))}"


def _distinct(names: Iterable[str], between: str = ", ") -> str:
    return between.join(dict.fromkeys(names)) or "no model was trained"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else as_argument(value)
