"""List the languages: script, resource level, and what the config has for each.

examples:
  optical languages
  optical languages --config config/open.yaml --all

Bitext and collections are those of the config. Students are those in its results folder.
"""

import argparse
from typing import TYPE_CHECKING

from optical.cli.terminal import print_json, table
from optical.errors import ConfigError

if TYPE_CHECKING:
    from optical.config.bitext import BitextSource
    from optical.plan.experiment import Experiment, Language

HEADER = ("code", "name", "script", "resource", "bitext", "collections", "students")

Row = dict[str, str | list[str]]  # a list for what a language may have several of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical languages`."""
    parser.add_argument("--config", nargs="+", default=[], metavar="FILE", help="config, over config/config.yaml")
    parser.add_argument("--all", action="store_true", help="also languages that the config does not name")
    parser.add_argument("--json", action="store_true", help="print one JSON object a language, for programs")


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    from optical.config.names import check_names
    from optical.config.project import TABLE, project_folder
    from optical.plan.experiment import Experiment

    experiment = Experiment.from_files(*arguments.config, folder=project_folder())
    config, languages = experiment.config, experiment.languages
    check_names(config.languages, "languages", languages, f"add it to {TABLE}")
    check_names(config.collections, "collections", config.collection_table, "add it to collection_table")
    chosen = languages if arguments.all else ["en", *config.languages]
    rows = [describe(experiment, languages[code]) for code in chosen]
    if arguments.json:
        for row in rows:
            print_json(row)
    else:
        print(table([HEADER, *([_cell(row[key]) for key in HEADER] for row in rows)]))


def _cell(value: str | list[str]) -> str:
    return (value if isinstance(value, str) else " ".join(value)) or "-"


def describe(experiment: "Experiment", language: "Language") -> Row:
    """Return the row of a language."""
    from optical.config.names import MULTILINGUAL
    from optical.plan.sources import has_english, named_sources

    code = language["code"]
    sources = named_sources(experiment, code) if code in experiment.config.languages else []
    collections = experiment.collections_of_language(code)
    if code == "en":
        collections = [name for name in experiment.test_collections() if has_english(experiment, name)]
    students = experiment.folder / experiment.results / "students"
    codes = [code, MULTILINGUAL] if code in experiment.config.languages else [code]
    return {
        **{key: language[key] for key in HEADER[:4]},
        "bitext": [
            source.name or f"source {number}"
            for number, source in enumerate(sources, start=1)
            if _serves(experiment, source, language)
        ],
        "collections": collections,
        "students": sorted({path.parts[-3] for each in codes for path in students.glob(f"{each}/*/[!.]*/config.json")}),
    }


def _serves(experiment: "Experiment", source: "BitextSource", language: "Language") -> bool:
    """Return whether the language has the codes that the source's file names ask for."""
    from optical.config.tables import resolve_source
    from optical.plan.experiment import DATA

    try:
        resolve_source(source, language, experiment.datasets, DATA)
    except ConfigError:
        return False
    return True
