"""The pruned index: which documents it gets and what its hits are called, on a stand-in; how good it is, on fast-plaid.

`OPTICAL_PRUNED_PYTHON` names a Python that has the packages of envs/pruned.yaml.
"""

import os
import subprocess
import sys

import pytest
import torch

from optical.errors import DataError, ResourceError
from optical.search.exact import search
from optical.search.pruned import build_pruned_index, open_pruned_index, search_pruned_index
from optical.search.vectors import write_vectors
from support.workspace import ROOT

PROBED = {"probes": 8, "candidates": 4096}
OVERLAP = 0.9  # of the ten best, so many at least must be found


def write_shard(folder, lengths, seed=0, first=0):
    """Write a shard of random documents of these numbers of tokens; stored from the longest to the shortest."""
    generator = torch.Generator().manual_seed(seed)
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    vectors_TD = tokens_in_context(sum(lengths), generator)
    with write_vectors(folder, 32) as writer:
        writer.append(order, [f"d{first + place}" for place in order], [lengths[place] for place in order], vectors_TD)
    return folder


def tokens_in_context(count, generator):
    """Return unit vectors like an encoder's: each is one of 300 words, a little moved by where it stands."""
    words_WD = torch.randn(300, 32, generator=torch.Generator().manual_seed(5))
    words_TD = words_WD[torch.randint(300, (count,), generator=generator)]
    return torch.nn.functional.normalize(words_TD + 0.5 * torch.randn(count, 32, generator=generator), dim=-1)


def queries(count=3, tokens=4):
    generator = torch.Generator().manual_seed(9)
    vectors_QMD = tokens_in_context(count * tokens, generator).reshape(count, tokens, 32)
    mask_QM = torch.ones(count, tokens, dtype=torch.bool)
    mask_QM[-1, 2:] = False
    return vectors_QMD, mask_QM


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tests/packages")
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "fast_plaid"]:
        del sys.modules[name]


@pytest.fixture
def shards(tmp_path):
    return [write_shard(tmp_path / "0", [3, 9, 0, 5]), write_shard(tmp_path / "1", [7, 2], seed=1, first=4)]


def test_hits_have_the_names_of_their_documents_over_all_shards(tmp_path, shards, stand_in):
    assert build_pruned_index(shards, tmp_path / "index", bits=4) == 5  # one of six has no token
    found = search_pruned_index(*queries(), open_pruned_index(tmp_path / "index"), top_k=4, **PROBED)
    exact = search(*queries(), shards, top_k=4)
    assert [hits.ids for hits in found] == [hits.ids for hits in exact]
    for hits, wanted in zip(found, exact, strict=True):
        assert hits.scores == pytest.approx(wanted.scores, abs=1e-5)


def test_no_index_is_left_of_documents_without_tokens(tmp_path, stand_in):
    with pytest.raises(DataError, match="no document has a token"):
        build_pruned_index([write_shard(tmp_path / "0", [0, 0])], tmp_path / "index", bits=4)
    assert not (tmp_path / "index").exists()


def test_without_fast_plaid_one_line_says_what_to_do(tmp_path, shards, monkeypatch):
    monkeypatch.setitem(sys.modules, "fast_plaid", None)
    with pytest.raises(ResourceError, match="--sdm conda"):
        build_pruned_index(shards, tmp_path / "index", bits=4)
    assert [path.name for path in tmp_path.iterdir()] == ["0", "1"]


def test_fast_plaid_finds_what_the_exact_search_finds(tmp_path):
    python = os.environ.get("OPTICAL_PRUNED_PYTHON")
    if not python:
        pytest.skip("OPTICAL_PRUNED_PYTHON names no Python with the packages of envs/pruned.yaml")
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(5, 60, (2000,), generator=generator).tolist()
    shard = write_shard(tmp_path / "vectors", lengths)
    vectors_QMD, mask_QM = queries(20, 6)
    torch.save((vectors_QMD, mask_QM), tmp_path / "queries.pt")
    code = f"""
import torch
from optical.search.pruned import build_pruned_index, open_pruned_index, search_pruned_index
folder = {str(tmp_path)!r}
build_pruned_index([folder + "/vectors"], folder + "/index", bits=4)
vectors_QMD, mask_QM = torch.load(folder + "/queries.pt")
for hits in search_pruned_index(vectors_QMD, mask_QM, open_pruned_index(folder + "/index"), 10, 32, 4096):
    print(*hits.ids)
"""
    paths = {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    done = subprocess.run([python, "-c", code], env=os.environ | paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines()]
    exact = [hits.ids for hits in search(vectors_QMD, mask_QM, [shard], top_k=10)]
    shares = [len(set(ids) & set(wanted)) / 10 for ids, wanted in zip(found, exact, strict=True)]
    assert sum(shares) / len(shares) >= OVERLAP
