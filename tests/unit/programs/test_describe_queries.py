"""describe_queries.py joins queries, scores, runs and passages into what the report lists."""

from argparse import Namespace

import describe_queries
from optical.evaluation.scores import Score, write_scores
from optical.files import read_json, write_jsonl, write_lines, write_rows

PASSAGES = [{"id": "d1", "title": "Moon", "text": "It is round. " * 50}, {"id": "d2", "text": "unseen"}]


def test_queries_come_with_scores_passages_and_the_relevant_one(tmp_path):
    write_jsonl(tmp_path / "documents.jsonl", PASSAGES)
    write_rows(tmp_path / "queries/sw.tsv", [("q1", "mwezi")])
    write_rows(tmp_path / "queries/en.tsv", [("q1", "the moon"), ("q2", "not asked in Swahili")])
    write_lines(tmp_path / "qrels.txt", ["q1 0 d1 1"])
    write_lines(tmp_path / "run.trec", ["q1 Q0 d1 1 2.5 optical"])
    write_scores(tmp_path / "sw.tsv", [Score("atlas", "optical", "sw", "1", "q1", "AP", 1.0)])
    asked = {"prepared": tmp_path, "lang": "sw", "scores": tmp_path / "sw.tsv", "measure": "AP", "passages": False}
    jobs = [{"run": str(tmp_path / "run.trec"), "method": "optical"}]
    describe_queries.main(Namespace(**asked, collection="atlas", jobs=jobs, out=tmp_path / "sw.json"))
    record = read_json(tmp_path / "sw.json")
    assert record["queries"] == [{"id": "q1", "text": "mwezi", "english": "the moon", "relevant": ["d1"]}]
    assert record["methods"] == {"optical": {"scores": [1.0], "ranks": [1], "found": [["d1"]]}}
    assert record["passages"].keys() == {"d1"} and record["passages"]["d1"].startswith("Moon It is round.")
