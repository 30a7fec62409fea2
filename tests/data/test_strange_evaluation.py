"""The strange runs, judgements and scores: the right figure, a warning, or one line."""

import pytest

from optical.errors import ConfigError, DataError
from optical.evaluation.measures import evaluate, max_p, read_judgments, read_ranking
from optical.evaluation.scores import read_scores
from optical.files import read_rows
from support.cases import CASES, needs_cases

pytestmark = needs_cases
FOLDER = CASES / "evaluation"


def scores(run, qrels, queries, measures=("AP",)):
    """Return the scores by query and measure."""
    ids = [row[0] for row in read_rows(FOLDER / queries, 2)]
    rows = evaluate(read_ranking(FOLDER / run), read_judgments(FOLDER / qrels), ids, list(measures))
    return {(query, measure): value for query, measure, value in rows}


@pytest.mark.parametrize(
    "measure", ["ERR@20", "RBP(p=0.8)", "alpha_nDCG@10", "NRBP", "Accuracy", "AP@0", "nDCG@0", "AP@-1", "P", ""]
)
def test_a_measure_that_cannot_be_computed_is_refused(measure):
    with pytest.raises(ConfigError):
        scores("odd.run", "qrels.odd", "odd.tsv", [measure])


def test_a_query_of_an_odd_name_is_scored():
    assert scores("odd.run", "qrels.odd", "odd.tsv", ["AP", "RR"]) == {("q-1", "AP"): 1.0, ("q-1", "RR"): 1.0}


def test_a_query_that_is_only_judged_below_minus_one_scores_0():
    assert scores("run3.trec", "qrels3.txt", "q3.tsv") == {("q1", "AP"): 1.0, ("q2", "AP"): 0.0}


def test_a_run_of_other_queries_is_warned_of(caplog):
    assert scores("other.run", "q1.qrels", "q1.tsv") == {("q1", "AP"): 0.0}
    assert "no result for any of the 1 judged queries" in caplog.text


def test_a_run_of_documents_is_not_taken_for_passages():
    with pytest.raises(DataError):
        max_p(read_ranking(FOLDER / "ties.run"))


def test_equal_scores_are_ranked_by_name_as_trec_eval_does():
    assert scores("ties.run", "qrels.txt", "q.tsv")["q1", "AP"] == 0.5


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(DataError, match=r"nan\.tsv") as caught:
        list(read_scores([FOLDER / "nan.tsv"]))
    assert "\n" not in str(caught.value)
