"""The tables that the whole workflow reads: languages with the codes of tools, and data sets with their checksums."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from optical.config.bitext import BitextSource
from optical.config.collections import files_of
from optical.config.names import MULTILINGUAL, nearest
from optical.config.scripts import SCRIPTS, script_hint
from optical.errors import ConfigError, DataError
from optical.files import read_lines

LANGUAGE_COLUMNS = ("code", "name", "script", "resource")  # every further column is a tool's code
RESOURCE_LEVELS = ("low", "high")
UNKNOWN = "-"  # a checksum or size that is recorded at the first download
ADD_A_ROW = "add a row to config/datasets.tsv, or give a path"


class Dataset(NamedTuple):
    """One file that can be downloaded; `sha256` and `bytes` are "-" where they are not known beforehand."""

    name: str
    version: str
    url: str
    sha256: str
    bytes: str
    licence: str
    format: str
    note: str


def read_languages(
    path: str | Path, additions: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, dict[str, str]]:
    """Read languages.tsv: our code -> column -> value, in the table's order.

    An empty cell means that the tool does not have the language.
    `additions` (code -> some columns, from the config) add languages or change cells of known ones.
    """
    header, rows = _read_table(path)
    missing = [column for column in LANGUAGE_COLUMNS if column not in header]
    if missing:
        raise DataError(
            f"no column {missing[0]}", where=path, hint=f"the first columns are {' '.join(LANGUAGE_COLUMNS)}"
        )
    languages: dict[str, dict[str, str]] = {}
    for number, row in rows:
        _require_unique(row[0], languages, path, number)
        languages[row[0]] = dict(zip(header, row, strict=True))
    for code, cells in (additions or {}).items():
        unknown = [column for column in cells if column not in header]
        if unknown:
            what, where = f"unknown column {unknown[0]!r} of language {code}", f"language_table.{code}"
            raise ConfigError(what, where=where, hint=f"known: {' '.join(header)}")
        languages[code] = dict.fromkeys(header, "") | languages.get(code, {}) | {"code": code} | dict(cells)
        if missing := [column for column in LANGUAGE_COLUMNS if not languages[code][column]]:
            what, hint = f"language {code} has no {missing[0]}", f"give its {', '.join(missing)}: {path} has none"
            raise ConfigError(what, where=f"language_table.{code}", hint=hint)
    if MULTILINGUAL in languages:
        place = f"language_table.{MULTILINGUAL}" if MULTILINGUAL in (additions or {}) else path
        raise ConfigError(f"{MULTILINGUAL} stands for all languages", where=place, hint="use another code")
    for code, language in languages.items():
        empty = [column for column in LANGUAGE_COLUMNS if not language[column]]
        if empty:
            raise DataError(f"language {code} has no {empty[0]}", where=path, hint="fill the cell")
        if language["resource"] not in RESOURCE_LEVELS:
            hint = f"one of {', '.join(RESOURCE_LEVELS)}"
            raise DataError(f"language {code}: resource level {language['resource']!r}", where=path, hint=hint)
        if language["script"] not in SCRIPTS:
            script = language["script"]
            raise DataError(f"language {code}: unknown script {script!r}", where=path, hint=script_hint(script))
    return languages


def read_datasets(path: str | Path) -> dict[str, Dataset]:
    """Read datasets.tsv: name -> row, in the table's order."""
    header, rows = _read_table(path)
    if tuple(header) != Dataset._fields:
        raise DataError(f"columns {' '.join(header)}", where=path, hint=f"needed: {' '.join(Dataset._fields)}")
    datasets: dict[str, Dataset] = {}
    for number, row in rows:
        dataset = Dataset(*row)
        _require_unique(dataset.name, datasets, path, number)
        for column, pattern, hint in _DATASET_CELLS:
            if not re.fullmatch(pattern, getattr(dataset, column)):
                raise DataError(f"line {number}: {column} {getattr(dataset, column)!r}", where=path, hint=hint)
        datasets[dataset.name] = dataset
    return datasets


_DATASET_CELLS = (
    ("name", r"[A-Za-z0-9][A-Za-z0-9._+-]*", "the name is a file name: letters, digits and . _ + -"),
    ("url", r"(https?|file)://\S+|[^\s:]+", "an http, https or file address, or a path"),
    ("sha256", r"[0-9a-f]{64}|-", "64 hexadecimal digits, or - where it is not known yet"),
    ("bytes", r"\d+|-", "a whole number, or - where it is not known yet"),
    ("licence", r".+", "say the licence, or 'unverified'"),
)


def get_dataset(name: str, datasets: Mapping[str, Dataset]) -> Dataset:
    """Return the row of a data set; an unknown name is a `ConfigError` with the nearest names."""
    if name not in datasets:
        raise ConfigError(f"no data set {name!r}", where="config/datasets.tsv", hint=nearest(name, datasets, ADD_A_ROW))
    return datasets[name]


def fill_codes(reference: str, language: Mapping[str, str]) -> str:
    """Replace `{lang}` by our code and `{tool}` by that tool's code of the language.

    >>> fill_codes("ntrex.{ntrex}.txt", {"code": "tl", "ntrex": "fil"})
    'ntrex.fil.txt'
    """

    def code(match: re.Match[str]) -> str:
        column = "code" if match[1] == "lang" else match[1]
        if column not in language:
            known = " ".join(f"{{{name}}}" for name in ("lang", *language) if name not in LANGUAGE_COLUMNS)
            raise ConfigError(f"unknown placeholder {match[0]}", where=reference, hint=f"known: {known}")
        if not language[column]:
            raise ConfigError(
                f"language {language['code']} has no {column} code",
                where=reference,
                hint="leave this source out for the language, or fill the cell of config/languages.tsv",
            )
        return language[column]

    return re.sub(r"\{(\w+)\}", code, reference)


def resolve(
    reference: str,
    language: Mapping[str, str],
    datasets: Mapping[str, Dataset],
    data_folder: str,
    project: str | Path = ".",
) -> str:
    """Turn a file reference of the config into a path: a data set's name, or a path that may hold placeholders.

    A name that looks like a row of the table, but is neither a row nor a file, is a `ConfigError`: it is misspelt.
    Paths are those of the project's folder.
    """
    filled = fill_codes(reference, language)
    if filled in datasets:
        return f"{data_folder}/{filled}"
    if _LIKE_A_DATASET.fullmatch(filled) and not Path(project, filled).exists():
        raise ConfigError(f"neither a data set nor a file: {filled!r}", hint=nearest(filled, datasets, ADD_A_ROW))
    return f"./{filled}" if filled.startswith("-") else filled  # no program may take it for an option


_LIKE_A_DATASET = re.compile(r"[^/\s]+\.(txt|tsv|csv|jsonl?|zip|gz|tmx)")


def resolve_source(
    source: BitextSource,
    language: Mapping[str, str],
    datasets: Mapping[str, Dataset],
    data_folder: str,
    project: str | Path = ".",
) -> BitextSource:
    """Return a bitext source of the config with its files as paths and, where known, with their licence."""
    references: dict[str, str] = files_of(source)
    paths = {key: resolve(name, language, datasets, data_folder, project) for key, name in references.items()}
    named = [fill_codes(reference, language) for reference in references.values()]
    licences = dict.fromkeys(datasets[name].licence for name in named if name in datasets)
    return source.changed(**paths, licence=source.licence or "; ".join(licences) or None)


def _require_unique(key: str, seen: Mapping[str, object], path: str | Path, number: int) -> None:
    if not key or key in seen:
        what = f"{key!r} comes twice" if key else "the first cell is empty"
        raise DataError(f"line {number}: {what}", where=path, hint="the first column names the row and is unique")


def _read_table(path: str | Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and (line number, cells) of a tab-separated table; "#" lines and blank lines are comments."""
    path = Path(path)
    if not path.is_file():
        raise ConfigError("no such table", where=path, hint="run from the project's folder, or give its path")
    cells = ((number, line.split("\t")) for number, line in enumerate(read_lines(path), start=1))
    lines = [(number, [cell.strip() for cell in row]) for number, row in cells]
    lines = [(number, row) for number, row in lines if any(row) and not row[0].startswith("#")]
    if not lines:
        raise DataError("the table is empty", where=path, hint="take it from the repository again")
    (_, header), *rows = lines
    for number, row in rows:
        if len(row) != len(header):
            raise DataError(
                f"line {number} has {len(row)} cells, the header has {len(header)}", where=path, hint="separate by tabs"
            )
    return header, rows
