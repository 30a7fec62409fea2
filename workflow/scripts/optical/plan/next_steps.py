"""What to do with the results of a finished run."""

from pathlib import Path

from optical.plan import jobs
from optical.plan.experiment import Experiment


def next_steps(experiment: Experiment) -> list[str]:
    """Return a line for each result of the default targets that is there: a table to read, and a search to try.

    The table of the means says whether training helped each student; the tables of held-out pairs stand in for it.
    """
    tables = {
        "Table": [f"{experiment.results}/map_table.md"],
        "Did training help": jobs.held_out_tables(experiment),
    }
    made = {what: [file for file in files if Path(experiment.folder, file).exists()] for what, files in tables.items()}
    read = [f"{what}: {', '.join(files)}" for what, files in made.items() if files]
    return [*read[:1], *(f"Search: {command}" for command in _searches(experiment)[:1])]


def _searches(experiment: Experiment) -> list[str]:
    """Return the searches that are possible, those by students of the reference first."""
    students = sorted(experiment.students(["distilled"]), key=lambda student: student[1] != experiment.config.reference)
    return [
        f"optical search --results {experiment.results} --collection {name} --lang {lang} --method {method} "
        f'--seed {seed} "QUERY"'
        for name in [*experiment.searchable_collections(), *experiment.test_collections()]
        for lang, method, seed in students
        if lang in experiment.languages_of(name)
        and Path(experiment.folder, experiment.results, "vectors", name).is_dir()
        and Path(experiment.folder, experiment.student(lang, method, seed)).is_dir()
    ]
