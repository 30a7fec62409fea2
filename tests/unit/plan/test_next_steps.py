"""What a finished run tells to do next: only what its results allow."""

from dataclasses import replace

import pytest

from optical.plan.next_steps import next_steps
from support.experiments import experiment

OWN = {"collection_table": {"own": {"reader": "plain", "documents": "results/atlas/documents.jsonl"}}}
SEARCH = 'Search: optical search --results results --collection {} --lang sw --method optical --seed 1 "QUERY"'


@pytest.mark.parametrize(
    ("collection", "made", "lines"),
    [
        ("own", ["vectors/own", "students/sw/optical/1"], [SEARCH.format("own")]),
        ("own", ["vectors/own", "students/sw/mse/1"], []),
        (
            "own",
            ["students/sw/optical/1", "held_out/sw.tsv", "held_out/so.tsv"],
            ["Did training help: results/held_out/sw.tsv, results/held_out/so.tsv"],
        ),
        (
            "atlas",
            ["vectors/atlas", "students/sw/mse/1", "students/sw/optical/1", "held_out/sw.tsv", "map_table.md"],
            ["Table: results/map_table.md", SEARCH.format("atlas")],
        ),
    ],
)
def test_only_what_is_there_is_offered(tmp_path, collection, made, lines):
    for name in made:
        (tmp_path / "results" / name).mkdir(parents=True)
    methods = ["zero-shot", "optical"] if collection == "own" else ["mse", "optical"]
    planned = experiment(OWN, languages=["sw", "so"], methods=methods, collections=[collection])
    assert next_steps(replace(planned, folder=tmp_path)) == lines
