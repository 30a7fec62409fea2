"""Multiple-choice questions: rows are checked, and only a question's own options are judged."""

import pytest

from optical.corpora.choices import read_mmlu, read_parallel_questions
from optical.errors import DataError
from optical.evaluation.measures import evaluate, read_judgments
from support.prepared import prepare_collection


def test_mmlu_rows_are_read_and_checked(tmp_path):
    (tmp_path / "en.csv").write_text('"Which bone, exactly?",rib,"hip, left",jaw,shin,B\nWhich sense?,a,b,c,d,D\n')
    (tmp_path / "zu.csv").write_text("Yiliphi ithambo?,a,b,c,d,B\nYimuphi umuzwa?,a,b,c,d,A\n")
    first = read_mmlu(tmp_path / "en.csv")[0]
    assert first == ("Which bone, exactly?", ["rib", "hip, left", "jaw", "shin"], 1)
    with pytest.raises(DataError, match="do not run parallel to those in en"):
        read_parallel_questions({"en": str(tmp_path / "en.csv"), "zu": str(tmp_path / "zu.csv")}, "mmlu")
    (tmp_path / "bad.csv").write_text("Which bone?,rib,hip,jaw,shin,E\n")
    with pytest.raises(DataError, match="row 1 is not a question"):
        read_mmlu(tmp_path / "bad.csv")


def test_the_options_of_a_question_are_what_is_judged(tmp_path):
    (tmp_path / "a.csv").write_text("Which bone?,rib,hip,jaw,shin,C\n")
    (tmp_path / "b.csv").write_text("Which organ?,liver,lung,skin,heart,A\n")
    (tmp_path / "zu.csv").write_text("Yiliphi ithambo?,ubambo,inqulu,umhlathi,ugongolo,C\nYisiphi isitho?,a,b,c,d,A\n")
    questions = {"en": [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], "zu": str(tmp_path / "zu.csv")}
    counts = prepare_collection({"reader": "choices", "questions": questions}, ["zu"], tmp_path / "out")
    assert (counts["documents"], counts["relevant"], counts["queries"]) == (8, 2, {"en": 2, "zu": 2})
    judged = [line.split() for line in (tmp_path / "out/qrels.txt").open()]
    assert ["q0", "0", "q0-C", "1"] in judged
    assert len(judged) == 8
    run = {"q0": {"q1-A": 9.0, "q0-C": 2.0, "q0-A": 1.0}, "q1": {"q0-C": 9.0, "q1-B": 2.0, "q1-A": 1.0}}
    rows = evaluate(run, read_judgments(tmp_path / "out/qrels.txt"), ["q0", "q1"], ["P(judged_only=True)@1"])
    assert [value for _, _, value in rows] == [1.0, 0.0]
