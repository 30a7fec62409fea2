"""Several searches in one process: what they read twice is encoded once."""

import gc
import weakref

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


def test_an_encoder_is_let_go_before_the_next_is_loaded(tmp_path, monkeypatch):
    queries, loaded, load = tmp_path / "queries.tsv", [], jobs.load_encoder
    write_rows(queries, [("q1", "moon")])

    def load_alone(*arguments, **how):
        assert not any(encoder() for encoder in loaded)
        encoder = load(*arguments, **how)
        loaded.append(weakref.ref(encoder))
        return encoder

    monkeypatch.setattr(jobs, "load_encoder", load_alone)
    searches = [
        {"encoder": str(save_encoder(tmp_path / name)), "queries": str(queries), "out": str(tmp_path / f"{name}.trec")}
        | {"tag": name}
        for name in "ab"
    ]
    gc.disable()  # nothing that only the garbage collector finds
    try:
        jobs.write_runs(searches, lambda job, *_: [Hits(np.ones(1, np.float32), ["d1"])], torch.device("cpu"), "bf16")
    finally:
        gc.enable()
    assert len(loaded) == 2
