"""Triples are as wide as the longest; faulty ones are named."""

import numpy as np
import pytest

from optical.errors import DataError
from optical.training.triples import MISSING, write_triples


def test_triples_are_as_wide_as_the_longest_wherever_it_stands(tmp_path):
    (tmp_path / "triples.tsv").write_text("q\tb\nq\ta\tb\tc\nq\tc\ta\n")
    write_triples(tmp_path / "out", tmp_path / "triples.tsv", {"q": 0}, {"a": 0, "b": 1, "c": 2})
    rows = [[0, 1, MISSING, MISSING], [0, 0, 1, 2], [0, 2, 0, MISSING]]
    assert np.load(tmp_path / "out").tolist() == rows


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("q\tx\n", "1 names the document x"),
        ("q\ta\nz\ta\n", "2 names the query z"),
        ("", "no training triples"),
    ],
)
def test_faulty_triples_are_named_and_leave_nothing(tmp_path, content, what):
    (tmp_path / "triples.tsv").write_text(content)
    with pytest.raises(DataError, match=what):
        write_triples(tmp_path / "out", tmp_path / "triples.tsv", {"q": 0}, {"a": 0})
    assert [path.name for path in tmp_path.iterdir()] == ["triples.tsv"]
