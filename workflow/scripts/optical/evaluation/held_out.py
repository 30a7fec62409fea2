"""Whether training helped: students against their starting model and against BM25, on held-out pairs.

No test query is looked at. A foreign sentence finds its own English one among those of all held-out pairs; the figure
is the mean reciprocal rank, tested in pairs over the sentences.

Shape suffix: Q pairs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from optical.evaluation.significance import randomisation_test
from optical.files import read_table

SIGNIFICANT = 0.05
BETTER, WORSE, UNKNOWN = "better", "worse", "cannot tell"
COLUMNS = [
    "lang",
    "method",
    "seed",
    "pairs",
    "student",
    "start",
    "p_start",
    "than_start",
    "bm25",
    "p_bm25",
    "than_bm25",
]
# What is doubted: the sentence, whom the students are compared with, and the verdict.
DOUBTS = (
    ("Training made these students worse than the model they started from", "start", WORSE),
    ("The pairs cannot tell whether training helped these students", "start", UNKNOWN),
    ("BM25 is better than these students: search with it, or find more sentence pairs", "bm25", WORSE),
    ("The pairs cannot tell these students from BM25", "bm25", UNKNOWN),
)
TITLE = "Held-out sentence pairs (a foreign sentence finds its English one: mean reciprocal rank, paired test)"

Row = dict[str, str]


def verdict_on(student: float, rival: float, p_value: float) -> str:
    """Return whether a student is better or worse than a rival, or that the pairs cannot tell.

    >>> verdict_on(0.5, 0.4, 0.01), verdict_on(0.3, 0.4, 0.01), verdict_on(0.3, 0.4, 0.2)
    ('better', 'worse', 'cannot tell')
    """
    if p_value >= SIGNIFICANT:
        return UNKNOWN
    return BETTER if student > rival else WORSE


def held_out_row(job: Mapping[str, object], student_Q: np.ndarray, rivals: Mapping[str, np.ndarray]) -> Row:
    """Return the figures of a student: its mean, and of each rival (start, bm25) the mean, p-value and verdict.

    >>> job, ranks = {"lang": "sw", "method": "optical", "seed": 1}, np.ones(8)
    >>> held_out_row(job, ranks, {"start": ranks / 2, "bm25": ranks})["than_start"]
    'better'
    """
    row = {name: str(job[name]) for name in ("lang", "method", "seed")}
    row |= {"pairs": str(len(student_Q)), "student": f"{student_Q.mean():.4f}"}
    for name, rival_Q in rivals.items():
        p_value = float(randomisation_test(student_Q - rival_Q))
        row |= {name: f"{rival_Q.mean():.4f}", f"p_{name}": f"{p_value:.4f}"}
        row[f"than_{name}"] = verdict_on(student_Q.mean(), rival_Q.mean(), p_value)
    return row


def read_held_out(paths: Sequence[str | Path]) -> list[Row]:
    """Read the tables of some languages as one."""
    return [row for path in paths for row in read_table(path, COLUMNS, hint="make it with check_students.py")]


def doubts(rows: Sequence[Row]) -> list[str]:
    """Return a line for each way in which training did not help, with the students concerned; an empty list is good.

    >>> job, ranks = {"lang": "sw", "method": "optical", "seed": 1}, np.ones(8)
    >>> doubts([held_out_row(job, ranks / 2, {"start": ranks, "bm25": ranks / 3})])
    ['Training made these students worse than the model they started from: optical (sw: 0.5000, 1.0000)']
    """
    several_seeds = len({row["seed"] for row in rows}) > 1
    lines = []
    for sentence, rival, verdict in DOUBTS:
        students = [_student(row, rival, several_seeds) for row in rows if row[f"than_{rival}"] == verdict]
        if students:
            lines.append(f"{sentence}: {', '.join(students)}")
    return lines


def summary(rows: Sequence[Row]) -> str:
    """Return how many students are better than what they started from, and than BM25."""
    better = {rival: sum(row[f"than_{rival}"] == BETTER for row in rows) for rival in ("start", "bm25")}
    return (
        f"{TITLE}: {better['start']} of {len(rows)} students are better than the model that they started from, "
        f"{better['bm25']} of {len(rows)} students are better than BM25."
    )


def held_out_notes(rows: Sequence[Row]) -> list[str]:
    """Return what the Markdown table says below its caption: a paragraph, and a list of doubts."""
    if not rows:
        return []
    items = [f"- {line}." for line in doubts(rows)]
    return ["", summary(rows), *([""] if items else []), *items]


def _student(row: Row, rival: str, with_seed: bool) -> str:
    """Return a student's name with its figure and that of the rival."""
    seed = f", seed {row['seed']}" if with_seed else ""
    return f"{row['method']} ({row['lang']}{seed}: {row['student']}, {row[rival]})"
