"""Merge the scores of seeds that were run apart into one table, with their spread, and into one small file.

examples:
  optical merge results/scores --to seed-1
  optical merge seed-1/scores.tsv.gz results/scores --to both

A run of the workflow with other `seeds` writes other scores. Keep `scores.tsv.gz` of each run, which has a value for
each query, and merge them: the table is that of one run with all seeds. Runs must share the teacher.
"""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from optical.errors import DataError

if TYPE_CHECKING:
    from optical.evaluation.scores import Score
    from optical.plan.experiment import Experiment

FILE = "scores.tsv.gz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical merge`."""
    help_ = f"folder of scores of a run, such as results/scores, or a {FILE} of this command"
    parser.add_argument("scores", nargs="+", metavar="SCORES", help=help_)
    parser.add_argument("--config", nargs="+", default=[], metavar="FILE", help="laid over config/config.yaml")
    parser.add_argument("--to", required=True, metavar="FOLDER", help=f"is made, with {FILE} and a table by collection")


def run(arguments: argparse.Namespace) -> None:
    """Merge, write and say what there is."""
    from optical.config.project import project_folder
    from optical.evaluation.scores import merge_scores, read_scores, write_scores
    from optical.files import atomic_folder
    from optical.plan.experiment import Experiment

    to = Path(arguments.to)
    if to.exists():
        raise DataError("already there", where=to, hint="name a new folder, or delete this one")
    experiment = Experiment.from_files(*arguments.config, folder=project_folder())
    untrained = {name for name in experiment.config.method_table if experiment.kind_of(name).reader != "student"}
    scores = merge_scores(read_scores(files_of(arguments.scores)), untrained)
    with atomic_folder(to) as folder:
        write_scores(folder / FILE, scores)
        for collection in experiment.test_collections():
            write_table(experiment, collection, scores, folder)
    seeds = sorted({int(score.seed) for score in scores})
    print(f"{to}: {len(scores)} scores; seed {', '.join(map(str, seeds))}")


def files_of(places: Iterable[str]) -> list[Path]:
    """Return the files of scores that places name, folders with all that is below them."""
    files: list[Path] = []
    for place in map(Path, places):
        found = sorted(place.rglob("*.tsv")) if place.is_dir() else [place]
        if not found:
            raise DataError("no scores there", where=place, hint="name a folder such as results/scores")
        files += [path for path in found if not path.name.startswith(".")]
    return files


def write_table(experiment: "Experiment", collection: str, scores: "Sequence[Score]", folder: Path) -> None:
    """Write the cells and the table of a collection, if it has scores."""
    from optical.evaluation.comparison import CELL_COLUMNS, cell_rows, compare_methods
    from optical.evaluation.map_table import cells_of, describe, map_rows, markdown_lines
    from optical.files import write_lines, write_rows

    if not any(score.collection == collection for score in scores):
        return
    config, langs = experiment.config, experiment.languages_of(collection)
    shown = (config.methods, langs, config.measures, config.reference, experiment.levels())
    place = folder / collection
    place.mkdir()
    write_rows(place / "map_cells.tsv", [CELL_COLUMNS, *cell_rows(compare_methods(scores, collection, *shown))])
    cells = cells_of(place / "map_cells.tsv", collection, config.measure)
    write_rows(place / "map_table.tsv", map_rows(cells, config.methods, langs))
    caption = describe(cells, collection, config.measure)
    write_lines(place / "map_table.md", markdown_lines(cells, config.methods, langs, caption))
