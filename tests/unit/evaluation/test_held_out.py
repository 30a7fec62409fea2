"""What is said of students by held-out pairs: whether training helped, or cannot be told to have."""

import numpy as np
import pytest

from optical.errors import DataError
from optical.evaluation.held_out import COLUMNS, doubts, held_out_notes, held_out_row, read_held_out, summary
from optical.files import write_rows

JOB = {"lang": "sw", "method": "optical", "seed": 1, "folder": "not a column"}


def row(student=0.5, start=0.25, bm25=0.125, pairs=40, **job):
    ones = np.ones(pairs)
    return held_out_row(JOB | job, ones * student, {"start": ones * start, "bm25": ones * bm25})


def test_a_row_has_means_and_verdicts():
    found = row()
    assert list(found) == [name for name in COLUMNS if name in found] and set(found) == set(COLUMNS)
    assert (found["student"], found["start"], found["bm25"], found["pairs"]) == ("0.5000", "0.2500", "0.1250", "40")
    assert (found["than_start"], found["than_bm25"]) == ("better", "better")
    assert doubts([found]) == []


@pytest.mark.parametrize(
    ("student", "pairs", "verdict"), [(0.5, 40, "better"), (0.1, 40, "worse"), (0.5, 3, "cannot tell")]
)
def test_few_pairs_cannot_tell(student, pairs, verdict):
    assert row(student=student, pairs=pairs)["than_start"] == verdict


def test_the_test_is_paired():
    """A small gain on every sentence is one, although the sentences differ by far more."""
    start_Q = np.linspace(0.1, 0.9, 40)
    rivals = {"start": start_Q, "bm25": start_Q}
    assert held_out_row(JOB, start_Q + 0.01, rivals)["than_start"] == "better"
    mixed = held_out_row(JOB, start_Q + np.where(np.arange(40) % 2, 0.05, -0.04), rivals)
    assert mixed["than_start"] == "cannot tell"


def test_doubts_name_the_students_with_both_figures():
    rows = [row(), row(student=0.125, start=0.25, bm25=0.5, method="mse"), row(pairs=2, lang="so")]
    worse, unknown, behind, unclear = doubts(rows)
    assert worse == "Training made these students worse than the model they started from: mse (sw: 0.1250, 0.2500)"
    assert unknown.endswith("training helped these students: optical (so: 0.5000, 0.2500)")
    assert behind.startswith("BM25 is better than these students") and "mse (sw: 0.1250, 0.5000)" in behind
    assert "optical (so" in unclear
    assert (
        "1 of 3 students are better than the model that they started from, 1 of 3 students are better than BM25"
        in summary(rows)
    )


def test_seeds_are_named_where_there_are_several():
    rows = [row(student=0.125), row(student=0.125, seed=2)]
    assert "optical (sw, seed 1: 0.1250, 0.2500), optical (sw, seed 2: " in doubts(rows)[0]


def test_notes_of_a_table_are_markdown_and_nothing_without_students():
    assert held_out_notes([]) == []
    assert held_out_notes([row()]) == ["", summary([row()])]
    notes = held_out_notes([row(student=0.1)])
    assert notes[2] == "" and all(line.startswith("- ") and line.endswith(".") for line in notes[3:])


def test_tables_of_languages_are_read_as_one(tmp_path):
    for lang in ("sw", "so"):
        found = row(lang=lang)
        write_rows(tmp_path / f"{lang}.tsv", [COLUMNS, [found[name] for name in COLUMNS]])
    write_rows(tmp_path / "empty.tsv", [COLUMNS])
    rows = read_held_out([tmp_path / f"{name}.tsv" for name in ("sw", "empty", "so")])
    assert [each["lang"] for each in rows] == ["sw", "so"]
    write_rows(tmp_path / "other.tsv", [["lang", "method"]])
    with pytest.raises(DataError, match=r"check_students\.py"):
        read_held_out([tmp_path / "other.tsv"])
