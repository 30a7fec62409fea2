"""Files of scores come back as written; damaged ones are refused."""

import pytest

from optical.errors import DataError
from optical.evaluation.scores import read_scores, write_scores
from optical.seals import beside


def test_scores_survive_writing_and_reading(tmp_path):
    rows = [("atlas", "optical", "sw", "0", "q1", "AP", 0.123456), ("atlas", "optical", "sw", "0", "q2", "AP", 1.0)]
    assert write_scores(tmp_path / "scores.tsv.gz", rows) == 2
    assert list(read_scores([tmp_path / "scores.tsv.gz"])) == rows


def test_a_file_that_holds_no_scores_is_refused(tmp_path):
    (tmp_path / "scores.tsv").write_text("method\tvalue\n")
    with pytest.raises(DataError, match="not a file of scores"):
        list(read_scores([tmp_path / "scores.tsv"]))


@pytest.mark.parametrize(
    ("line", "message"),
    [("atlas\toptical\tsw\t0.5", "line 3 has 4 columns"), ("a", "not end in a number")]
    + [(f"atlas\toptical\tsw\t0\tq2\tAP\t{value}", f"line 3: the value is {value}") for value in ("nan", "inf")],
)
def test_a_broken_row_of_scores_is_named(tmp_path, line, message):
    write_scores(tmp_path / "scores.tsv", [("atlas", "optical", "sw", "0", "q1", "AP", 0.5)])
    with (tmp_path / "scores.tsv").open("a") as file:
        file.write(line + "\n")
    beside(tmp_path / "scores.tsv").unlink()
    with pytest.raises(DataError, match=message):
        list(read_scores([tmp_path / "scores.tsv"]))
