"""Several searches in one process: what they read twice is encoded once."""

import numpy as np
import pytest
import torch

from optical.files import write_rows
from optical.search import jobs
from optical.search.exact import Hits
from optical.search.runs import read_run
from support.tiny_models import save_encoder


@pytest.mark.parametrize("rising", [True, False])
def test_queries_are_encoded_once_for_all_searches_of_an_encoder(tmp_path, monkeypatch, rising):
    encoder, queries = save_encoder(tmp_path / "encoder"), tmp_path / "queries.tsv"
    write_rows(queries, [("q1", "moon"), ("q2", "river")])
    other = tmp_path / "other.tsv"
    write_rows(other, [("q1", "sun"), ("q2", "north")])
    encoded = []
    encode = jobs.encode_queries
    monkeypatch.setattr(jobs, "encode_queries", lambda *args, **how: encoded.append(args[1]) or encode(*args, **how))
    searches = [
        {"encoder": str(encoder), "queries": str(asked), "out": str(tmp_path / f"{name}.trec"), "tag": name}
        | {"shards": [name]}
        for name, asked in [("a", queries), ("b", other), ("c", queries)]
    ]

    def find(job, vectors_QMD, mask_QM):
        return [Hits(np.ones(1, np.float32), [f"{job['shards'][0]}{len(vectors_QMD)}"]) for _ in mask_QM]

    jobs.write_runs(searches if rising else searches[::-1], find, torch.device("cpu"), "fp32")
    assert sorted(encoded) == [["moon", "river"], ["sun", "north"]]
    for name in "abc":
        run = read_run(tmp_path / f"{name}.trec")
        assert {query: hits[0][0] for query, hits in run.items()} == {"q1": f"{name}2", "q2": f"{name}2"}
