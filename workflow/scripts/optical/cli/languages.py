"""List the languages: script, resource level, and what the config has for each.

examples:
  optical languages
  optical languages --config config/open.yaml --all

Bitext and collections are those of the config; students are the trained ones in its results folder.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from optical.cli.terminal import print_json, table
from optical.config.checks import OWN, check_names, explain, typed
from optical.config.project import TABLE, code_folder, project_folder, read_config
from optical.config.tables import fill_codes, read_datasets, read_languages, resolve
from optical.errors import ConfigError
from optical.files import open_text

SCHEMA = code_folder() / "workflow/schemas/config.schema.yaml"  # the code's own, whatever the project
HEADER = ("code", "name", "script", "resource", "bitext", "collections", "students")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical languages`."""
    parser.add_argument("--config", nargs="+", default=[], metavar="FILE", help="laid over config/config.yaml")
    parser.add_argument("--all", action="store_true", help="those of the table that the config does not name, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object a language, for programs")


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    project = project_folder()
    config = read_config([project / "config/config.yaml", *arguments.config])
    check_schema(config)
    languages = read_languages(project / TABLE, config.get("language_table", {}))
    check_names(config["languages"], "languages", languages, f"add it to {TABLE}")
    check_names(config["collections"], "collections", config["collection_table"], "add it to collection_table")
    chosen = languages if arguments.all else ["en", *config["languages"]]
    rows = [describe(languages[code], config, project) for code in chosen]
    if arguments.json:
        for row in rows:
            print_json(row)
    else:
        cells = [[" ".join(row[key]) if isinstance(row[key], list) else row[key] for key in HEADER] for row in rows]
        print(table([HEADER, *([cell or "-" for cell in row] for row in cells)]))


def check_schema(config: dict) -> None:
    """Raise `ConfigError` where the config leaves its schema, as the workflow does."""
    import yaml
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    with open_text(SCHEMA) as file:
        schema = yaml.safe_load(file)
    fault = best_match(Draft202012Validator(schema).iter_errors(typed(config, schema, schema)))
    if fault:
        raise explain(fault)


def describe(language: Mapping[str, str], config: Mapping, project: Path) -> dict[str, str | list[str]]:
    """Return the row of a language; lists for what it may have several of."""
    code = language["code"]
    trained = code in config["languages"]
    sources = config["bitext"].get(code, config["bitext"].get("*", [])) if trained else []
    students = project / config["results"] / "students" / code
    return {
        **{key: language[key] for key in HEADER[:4]},
        "bitext": [
            source.get("name", f"source {number}")
            for number, source in enumerate(sources, start=1)
            if _has_codes(source, language)
        ],
        "collections": [name for name in config["collections"] if _has_queries(name, language, config, project)],
        "students": sorted({path.parents[1].name for path in students.glob("*/[!.]*/config.json")}),
    }


def _has_codes(source: Mapping[str, object], language: Mapping[str, str]) -> bool:
    """Return whether the language has the codes that the source's file names ask for."""
    try:
        for value in source.values():
            if isinstance(value, str):
                fill_codes(value, language)
    except ConfigError:
        return False
    return True


def _has_queries(collection: str, language: Mapping[str, str], config: Mapping, project: Path) -> bool:
    """Return whether a collection has queries in a language; in English, as the workflow tells it by files and ids."""
    block = config["collection_table"][collection]
    if language["code"] != "en":
        return language["code"] in block.get("languages", config["languages"])
    if block["reader"] == "ir_datasets":
        from optical.corpora.ir_datasets import names_english_queries

        return names_english_queries(block)
    given = [block[key] for key in ("queries", "topics") if block.get(key) is not None]
    return all(
        "en" in value if isinstance(value, Mapping) else "{" in value and _is_there(value, language, project)
        for value in given
    )


def _is_there(reference: str, language: Mapping[str, str], project: Path) -> bool:
    """Return whether a file that the config names is there in a language, or some rule makes it."""
    try:
        path = resolve(reference, language, read_datasets(project / "config/datasets.tsv"), f"{OWN}data")
    except ConfigError:
        return False
    return path.startswith(OWN) or (project / path).exists()
