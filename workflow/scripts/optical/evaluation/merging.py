"""Runs of an experiment that were made apart, such as one for each seed, as one: their scores and their models.

A record says of a model what it was made of and, of a student, what the check on held-out pairs said of it. A file of
merged scores has the records as its notes.
"""

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

from optical.config.names import MULTILINGUAL
from optical.errors import DataError
from optical.evaluation.held_out import COLUMNS, Row, read_held_out
from optical.evaluation.scores import Score, read_notes
from optical.files import parse_json, read_json
from optical.models.origin import student_in
from optical.runtime.provenance import content_hash

STUDENTS = "students"
MODELS = ("*", "translators/*/*", f"{STUDENTS}/*/*/*")  # their folders among the results
STATED = ("settings", "version", "git_commit", "packages", "machine")  # what a record has of provenance
LARGEST_SHIFT = 0.02  # of a mean: a teacher that is trained again on another processor explains that much

Record = dict[str, Any]
Cell = tuple[str, str, str, str, str]  # collection, method, lang, seed, measure
Differences = dict[Cell, dict[str, float]]  # query id -> another run's value minus the first one's


# --- scores


def merge_scores(scores: Iterable[Score], untrained: Container[str]) -> tuple[list[Score], Differences]:
    """Return the scores of several runs, each once and in order, and where later runs give a query another value.

    Args:
        scores: of all runs; of two values the first one is kept.
        untrained: methods without a seed of their own: each run has them again, under its first seed.
    """
    merged: dict[tuple[str, ...], Score] = {}
    first: dict[str, str] = {}  # seed of an untrained method
    differences: Differences = {}
    for score in scores:
        if score.method in untrained:
            score = score._replace(seed=first.setdefault(score.method, score.seed))
        known = merged.setdefault(score[:-1], score)
        if known.value != score.value:
            found = differences.setdefault(cell_of(score), {})
            found[score.query_id] = max(found.get(score.query_id, 0.0), score.value - known.value, key=abs)
    ordered = sorted(merged.values(), key=lambda score: (*cell_of(score), score.query_id))
    return ordered, differences


def cell_of(score: Score) -> Cell:
    """Return the cell of a table that a score belongs to."""
    return (score.collection, score.method, score.lang, score.seed, score.measure)


def judge_differences(
    differences: Differences, scores: Iterable[Score], untrained: Container[str]
) -> tuple[list[str], list[str]]:
    """Return what must not be merged, and what somebody who reads the table should know.

    Processors round differently, so that methods without training may differ a little; a seed is trained once.
    """
    queries = Counter(map(cell_of, scores))
    faults: list[str] = []
    shifts: dict[Cell, float] = {}
    for cell, found in differences.items():
        collection, method, lang, seed, measure = cell
        shift = abs(sum(found.values())) / queries[cell]
        if method in untrained and shift <= LARGEST_SHIFT:
            shifts[cell] = shift
            continue
        what = f"{collection}, {method}, {lang}, seed {seed}: {len(found)} of {queries[cell]} queries have two values"
        faults.append(
            f"{what} of {measure}, which differ by {_largest(found.values())} at most, {shift:.4f} on average"
        )
    if not shifts:
        return faults, []
    methods = ", ".join(dict.fromkeys(method for _, method, *_ in shifts))
    values = [value for cell in shifts for value in differences[cell].values()]
    counts = f"{len(values)} of {sum(queries[cell] for cell in shifts)} scores of {methods} differ between the runs"
    sizes = f"by {_largest(values)} at most, their means by {max(shifts.values()):.4f}"
    return faults, [f"{counts}, {sizes}; the first run's count"]


def _largest(differences: Iterable[float]) -> str:
    return f"{max(map(abs, differences)):.4f}"


# --- records


def records_of(results: str | Path, scores: Iterable[Score]) -> Iterator[Record]:
    """Yield a record of each model in a folder of results; of the students, those that have scores."""
    runs = {(score.lang, score.method, score.seed) for score in scores}
    scored = {student_of(*run) for run in runs}
    read = {student_in(Path(results), *run).relative_to(results).as_posix() for run in runs}
    rows = read_held_out(sorted(Path(results).glob("held_out/*.tsv")))
    held_out = {student_of(row["lang"], row["method"], row["seed"]): row for row in rows}
    for folder in _model_folders(Path(results)):
        model, provenance = folder.relative_to(results).as_posix(), read_json(folder / "provenance.json")
        if model.startswith(f"{STUDENTS}/") and model not in read:
            continue  # of an earlier run in this folder
        record: Record = {"model": model, "weights": content_hash(folder)}
        record |= {key: provenance[key] for key in STATED if key in provenance}
        if model in held_out:
            record["held_out"] = held_out.pop(model)
        yield record
    for model, row in held_out.items():
        if model in scored:
            yield {"model": model, "held_out": row}


def _model_folders(results: Path) -> Iterator[Path]:
    for pattern in MODELS:
        for path in sorted(results.glob(f"{pattern}/provenance.json")):
            yield path.parent


def student_of(lang: str, method: str, seed: str) -> str:
    """Return what a record calls a student."""
    return f"{STUDENTS}/{lang}/{method}/{seed}"


def records_in(path: str | Path) -> Iterator[Record]:
    """Yield the records among the notes of a file of scores."""
    for number, note in enumerate(read_notes(path), start=1):
        record = parse_json(note, path, number)
        if not _is_record(record):
            raise DataError(f"line {number} is not a record of a model", where=path, hint="make it again")
        yield record


def _is_record(value: object) -> bool:
    if not (isinstance(value, dict) and isinstance(value.get("model"), str)):
        return False
    machine, held_out = value.get("machine", {}), value.get("held_out", dict.fromkeys(COLUMNS, "1"))
    if not (isinstance(machine, dict) and isinstance(held_out, dict)):
        return False
    cells = [held_out.get(name) for name in COLUMNS]
    return all(isinstance(cell, str) for cell in cells) and str(held_out["seed"]).isdecimal()


def merge_records(records: Iterable[Record]) -> list[Record]:
    """Return the first record of each model, in the order of their names."""
    merged: dict[str, Record] = {}
    for record in records:
        merged.setdefault(record["model"], record)
    return [merged[model] for model in sorted(merged)]


def judge_records(records: Iterable[Record]) -> tuple[list[str], list[str]]:
    """Return what must not be merged, and what somebody who reads the table should know.

    The seeds of a method must share its settings. A teacher that was trained again may be another one.
    """
    faults, doubts = [], []
    first: dict[str, Record] = {}
    taught: dict[bool, set[str]] = {True: set(), False: set()}  # methods by whether a student is of all languages
    for record in records:
        model = record["model"]
        name = model.rpartition("/")[0] if model.startswith(f"{STUDENTS}/") else model
        known = first.setdefault(name, record)
        if model.startswith(f"{STUDENTS}/") and "weights" in record:
            taught[name.startswith(f"{STUDENTS}/{MULTILINGUAL}/")].add(name.rpartition("/")[2])
        settings = [_leaves(each.get("settings", {})) for each in (known, record)]
        for key in sorted((settings[0].keys() & settings[1].keys()) - {"seed"}):
            if settings[0][key] != settings[1][key]:
                faults.append(f"{name}: the runs have two values of {key}, {settings[0][key]} and {settings[1][key]}")
        if name == model and known.get("weights") != record.get("weights"):
            processors = dict.fromkeys(str(each.get("machine", {}).get("model", "unknown")) for each in (known, record))
            doubts.append(f"{name} is not the same in all runs; processors: {', '.join(processors)}")
    both = sorted(taught[True] & taught[False])
    faults += [f"{method}: a run has one student for all languages, another a student for each" for method in both]
    return faults, list(dict.fromkeys(doubts))


def _leaves(value: object, key: str = "") -> dict[str, object]:
    """Return the values of nested maps by their dotted names."""
    if not isinstance(value, dict):
        return {key: value}
    parts = [_leaves(part, f"{key}.{name}" if key else str(name)) for name, part in value.items()]
    return {name: leaf for part in parts for name, leaf in part.items()}


def held_out_rows(records: Iterable[Record]) -> list[Row]:
    """Return what the check on held-out pairs said of the students."""
    return [record["held_out"] for record in records if "held_out" in record]


def as_notes(records: Iterable[Record]) -> list[str]:
    """Return records as notes of a file of scores."""
    return [json.dumps(record, sort_keys=True) for record in records]
