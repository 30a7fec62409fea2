"""Fused methods join the runs of others, seed by seed."""

import pytest

from optical.errors import ConfigError
from optical.plan import fusions, jobs
from support.experiments import experiment

METHODS = {"methods": ["bm25", "optical", "wikiclir", "optical+bm25", "both"], "seeds": [1, 2]}
TABLE = {"method_table": {"both": {"kind": "fused", "fusion": {"methods": ["wikiclir", "bm25"], "constant": 10}}}}


def test_a_method_without_seeds_is_joined_to_every_seed():
    tried = experiment(TABLE, **METHODS)
    found = fusions.fusions(tried, "atlas", "sw")
    assert [(job["tag"], job["constant"]) for job in found] == [("optical+bm25", 60)] * 2 + [("both", 10)] * 2
    assert found[1] == {
        "runs": ["results/runs/atlas/sw/maxsim/optical/2.trec", "results/runs/atlas/sw/lexical/bm25/1.trec"],
        "out": "results/runs/atlas/sw/fused/optical+bm25/2.trec",
        "tag": "optical+bm25",
        "constant": 60,
    }
    folders = ["results/runs/atlas/sw/lexical", "results/runs/atlas/sw/maxsim"]
    assert fusions.folders_of_joined_runs(tried, "atlas", "sw") == folders
    assert {job["out"] for job in found} <= {job["run"] for job in jobs.evaluations(tried, "atlas", "sw")}
    assert not [job for job in jobs.evaluations(tried, "atlas", "sw", pruned=True) if "+" in job["method"]]


def test_a_fused_method_has_the_languages_of_all_that_it_joins():
    tried = experiment(TABLE, **METHODS)
    assert tried.languages_of_method("both") == tried.languages_of_method("wikiclir")
    assert "so" not in tried.languages_of_method("both")
    assert tried.languages_of_method("optical+bm25") == tried.config.languages


def test_a_fused_method_says_what_it_joins():
    with pytest.raises(ConfigError, match=r"'fusion' is missing \[method_table\.both\]"):
        experiment({"method_table": {"both": {"kind": "fused"}}})
    with pytest.raises(ConfigError, match=r"'bm25' is in the list twice \[method_table\.both\.fusion\.methods\]"):
        experiment({"method_table": {"both": {"kind": "fused", "fusion": {"methods": ["bm25", "bm25"]}}}})
    with pytest.raises(ConfigError, match=r"a distilled method joins no others \[method_table\.optical\]"):
        experiment({"method_table": {"optical": {"fusion": {"methods": ["optical", "bm25"]}}}})
