"""Merge the scores of separate runs, such as one for each seed, into one table and one small file.

examples:
  optical merge results --to seed-1.tsv.gz
  optical merge seed-1.tsv.gz results/second --to both

The first command keeps the scores of each query, and what the models were made of. The second makes the tables that one
run of both would have made, without models or data. Each run may have other seeds, languages or methods.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optical.cli.arguments import not_empty
from optical.cli.terminal import printable
from optical.errors import DataError

if TYPE_CHECKING:
    from optical.evaluation.held_out import Row
    from optical.evaluation.merging import Record
    from optical.evaluation.scores import Score
    from optical.plan.experiment import Experiment

PACKED = ".tsv.gz"
FILE = f"scores{PACKED}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical merge`."""
    help_ = "results of a run, its folder of scores, or what this command wrote"
    parser.add_argument("runs", nargs="+", metavar="RUN", help=help_)
    parser.add_argument("--config", nargs="+", default=[], metavar="FILE", help="config, over config/config.yaml")
    help_ = f"a new folder for {FILE} and the tables of each collection, or NAME{PACKED} for the scores alone"
    parser.add_argument("--to", type=not_empty, required=True, metavar="PLACE", help=help_)
    for key in ("collections", "measures"):
        parser.add_argument(f"--{key}", nargs="+", metavar="NAME", help=f"keep only the scores of these {key}")
    help_ = "merge runs that differ in more than rounding; the first of two values counts"
    parser.add_argument("--force", action="store_true", help=help_)


def run(arguments: argparse.Namespace) -> None:
    """Merge, write and say what there is."""
    from optical.config.project import project_folder
    from optical.evaluation import merging
    from optical.evaluation.scores import write_scores
    from optical.files import atomic_folder
    from optical.plan.checks import check_known
    from optical.plan.experiment import Experiment

    to = Path(arguments.to)
    if to.exists():
        raise DataError("already there", where=to, hint="give a new name, or delete it")
    experiment = Experiment.from_files(*arguments.config, folder=project_folder())
    check_known(experiment)
    untrained = {name for name in experiment.config.method_table if not experiment.is_trained(name)}
    found, records = read_runs(map(Path, arguments.runs))
    if not found:
        raise DataError("no scores there", where=", ".join(arguments.runs), hint="has the run evaluated its methods?")
    found = kept(found, arguments.collections, arguments.measures)
    scores, differences = merging.merge_scores(found, untrained)
    judge(merging.judge_records(records), arguments.force)
    judge(merging.judge_differences(differences, scores, untrained), arguments.force)
    models = merging.merge_records(records)
    seeds = sorted({score.seed for score in scores}, key=lambda seed: (len(seed), seed))
    summary = f"{to}: {len(scores)} scores; seed {', '.join(seeds)}"
    if to.name.endswith(PACKED):
        write_scores(to, scores, merging.as_notes(models))
        print(summary)
        return
    held_out = merging.held_out_rows(models)
    with atomic_folder(to) as folder:
        write_scores(folder / FILE, scores, merging.as_notes(models))
        lines = [
            write_tables(experiment, collection, scores, held_out, folder / collection)
            for collection in experiment.test_collections()
            if any(score.collection == collection for score in scores)
        ]
        lines += write_matrices(experiment, scores, folder)
    print("\n".join([summary, *lines, *left_out(experiment, scores)]))


def read_runs(places: Iterable[Path]) -> "tuple[list[Score], list[Record]]":
    """Return the scores of runs, and the records of their models where these are there."""
    from optical.evaluation.merging import records_in, records_of
    from optical.evaluation.scores import read_scores

    scores: list[Score] = []
    records: list[Record] = []
    for place in places:
        packed = place / FILE if (place / FILE).is_file() else place
        if not packed.is_dir():
            scores += read_scores([packed])
            records += records_in(packed)
            continue
        folder = (place / "scores" if (place / "scores").is_dir() else place).resolve()
        files = sorted(path for path in folder.rglob("*.tsv") if not path.name.startswith("."))
        if not files:
            raise DataError("no scores there", where=place, hint="name the results of a run, such as results/open")
        found = list(read_scores(files))
        scores += found
        records += records_of(folder.parent, found) if folder.name == "scores" else []
    return scores, records


def kept(scores: "list[Score]", collections: list[str] | None, measures: list[str] | None) -> "list[Score]":
    """Return the scores of some collections and measures; None for all.

    Raises:
        DataError: a name has no scores.
    """
    for key, names in (("collection", collections), ("measure", measures)):
        there: set[str] = {getattr(score, key) for score in scores}
        if unknown := [name for name in names or [] if name not in there]:
            hint = f"there are {', '.join(sorted(there))}"
            raise DataError(f"no scores of {unknown[0]}", where=f"--{key}s", hint=hint)
        scores = [score for score in scores if names is None or getattr(score, key) in names]
    return scores


def judge(judged: tuple[list[str], list[str]], force: bool) -> None:
    """Refuse runs with faults, unless forced; print doubts, and the faults of what was forced."""
    faults, doubts = judged
    if faults and not force:
        more = f", and {len(faults) - 1} more such faults" if len(faults) > 1 else ""
        hint = "merge runs of one experiment, or add --force to take the first value"
        raise DataError(f"{faults[0]}{more}", hint=hint)
    for line in [*doubts, *faults]:
        print(f"optical merge: {printable(line)}", file=sys.stderr)


def write_tables(
    experiment: "Experiment", collection: str, scores: "Sequence[Score]", held_out: "Sequence[Row]", folder: Path
) -> str:
    """Write the tables of a collection as the workflow does, and return in a line what they lack.

    Raises:
        DataError: no score is of a method, a language and the measure of the tables.
    """
    from optical.evaluation.comparison import CELL_COLUMNS, DONE, NOT_RUN, cell_rows, compare_methods
    from optical.evaluation.map_table import cells_of, describe, fewer_seeds, write_map_table
    from optical.files import write_rows
    from optical.plan.models import weights_note

    config, langs = experiment.config, experiment.languages_of(collection)
    shown = (config.methods, langs, config.measures, config.reference, experiment.levels())
    compared = compare_methods(scores, collection, *shown)
    if not any(cell.status == DONE and cell.measure == config.measure for cell in compared):
        what = f"no scores of {config.measure} for the methods and languages of the config"
        hint = f"name the config of these runs by --config, or merge the scores alone, --to NAME{PACKED}"
        raise DataError(what, where=collection, hint=hint)
    write_rows(folder / "map_cells.tsv", [CELL_COLUMNS, *cell_rows(compared)])
    cells = cells_of(folder / "map_cells.tsv", collection, config.measure)
    caption = describe(cells, collection, config.measure, weights_note(experiment))
    rows = sorted(
        (row for row in held_out if row["lang"] in config.languages and row["method"] in config.methods),
        key=lambda row: (config.languages.index(row["lang"]), config.methods.index(row["method"]), int(row["seed"])),
    )
    forms = (folder / f"map_table.{suffix}" for suffix in ("tsv", "md", "tex"))
    write_map_table(cells, config.methods, langs, caption, rows, *forms)
    missing = sum(cell.status == NOT_RUN for cell in compared)
    parts = [f"{collection}: {len(compared)} cells, {missing} not run", *fewer_seeds(cells)]
    return "; ".join(parts)


def write_matrices(experiment: "Experiment", scores: "Sequence[Score]", folder: Path) -> list[str]:
    """Write the matrix of each collection with passages in several languages; return a line for each."""
    from optical.evaluation.matrix import write_matrix
    from optical.plan import matrices

    methods, measure, references = experiment.config.methods, experiment.config.measure, matrices.references(experiment)
    lines = []
    for collection in matrices.matrix_collections(experiment):
        langs, passages = matrices.query_languages(experiment, collection), matrices.passages_of(experiment, collection)
        of_parts = [score for score in scores if score.collection in passages]
        if of_parts:
            (folder / collection).mkdir(exist_ok=True)
            places = (folder / collection / name for name in ("matrix.tsv", "matrix.md"))
            write_matrix(of_parts, collection, langs, passages, methods, measure, references, *places)
            lines.append(f"{collection}: a matrix of queries in {len(langs)} languages by passages in {len(passages)}")
    return lines


def left_out(experiment: "Experiment", scores: "Sequence[Score]") -> list[str]:
    """Return a line with the names that scores have and the config does not, if there are any."""
    config = experiment.config
    known = {"en", *config.methods, *config.languages, *experiment.judged_collections()}
    names = {name: None for score in scores for name in score[:3]}
    others = [name for name in names if name not in known]
    return [f"not in the tables, because the config does not name them: {', '.join(others)}"] if others else []
