"""Exact search against naive scoring, over random collections, shards, masks and settings."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.errors import ConfigError, DataError
from optical.search import exact, maxsim
from optical.search.exact import search, to_run
from optical.search.runs import merge_runs
from optical.search.vectors import write_vectors
from support.vectors import DIM, unit_vectors, write_collection

few = settings(max_examples=25, deadline=None)


def naive_scores(queries: torch.Tensor, mask: torch.Tensor, documents: list[np.ndarray]) -> np.ndarray:
    """Score in float64, one pair at a time: (queries, documents)."""
    return np.array(
        [
            [
                (query[keep].double().numpy() @ document.T.astype(np.float64)).max(1).sum()
                if len(document)
                else -math.inf
                for document in documents
            ]
            for query, keep in zip(queries, mask.bool(), strict=True)
        ]
    )


def assert_best(hits: exact.Hits, expected: np.ndarray, top_k: int, tolerance: float = 1e-5) -> None:
    """Check that the hits are the best documents, best first, except for swaps of scores equal up to the tolerance."""
    found = np.array([int(name[1:]) for name in hits.ids], dtype=int)
    count = min(top_k, int(np.isfinite(expected).sum()))
    assert len(found) == len(set(found.tolist())) == count
    np.testing.assert_allclose(hits.scores, expected[found], atol=tolerance)
    np.testing.assert_allclose(np.sort(hits.scores)[::-1], hits.scores)
    np.testing.assert_allclose(hits.scores, np.sort(expected)[::-1][:count], atol=tolerance)


@st.composite
def cases(draw: st.DrawFn) -> dict:
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    lengths = draw(st.lists(st.integers(0, 9), min_size=1, max_size=40))
    queries, tokens = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    mask = torch.from_numpy(rng.random((queries, tokens)) < draw(st.sampled_from([0.3, 1.0])))
    mask[:, 0] = True
    return {
        "documents": [unit_vectors(rng, length) for length in lengths],
        "queries": torch.from_numpy(unit_vectors(rng, queries * tokens).reshape(queries, tokens, DIM)),
        "mask": mask,
        "cuts": sorted(draw(st.lists(st.integers(0, len(lengths)), max_size=3))),
        "by_length": draw(st.booleans()),
        "top_k": draw(st.integers(1, 50)),
        "dtype": draw(st.sampled_from(["float16", "float32"])),
    }


@few
@given(cases(), st.sampled_from(["fp32", "bf16", "int8"]))
def test_search_equals_naive_scoring(tmp_path_factory, case, precision):
    folder = tmp_path_factory.mktemp("collection")
    shards = write_collection(folder, case["documents"], case["cuts"], case["by_length"], case["dtype"])
    stored = [document.astype(case["dtype"]) for document in case["documents"]]
    expected = naive_scores(case["queries"], case["mask"], stored)
    found = search(case["queries"], case["mask"], shards, case["top_k"], memory_mb=8, precision=precision)
    for hits, scores in zip(found, expected, strict=True):
        assert_best(hits, scores, case["top_k"])


@few
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 30))
def test_blocks_and_groups_of_any_size_give_the_same(tmp_path_factory, seed, product_bytes, columns):
    rng = np.random.default_rng(seed)
    documents = [unit_vectors(rng, int(length)) for length in rng.integers(1, 12, 60)]
    shards = write_collection(tmp_path_factory.mktemp("collection"), documents)
    queries, mask = torch.from_numpy(unit_vectors(rng, 12).reshape(4, 3, DIM)), torch.ones(4, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(maxsim.PRODUCT_BYTES, "cpu", product_bytes * 64)
        patch.setitem(maxsim.PAIR_BYTES, "cpu", product_bytes * 64)
        patch.setitem(maxsim.COLUMNS, "cpu", columns)
        for precision in ("fp32", "bf16", "int8"):
            for hits, scores in zip(
                search(queries, mask, shards, 7, precision=precision),
                naive_scores(queries, mask, documents),
                strict=True,
            ):
                assert_best(hits, scores, 7)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_masked_tokens_count_for_nothing(tmp_path, precision):
    rng = np.random.default_rng(1)
    documents = [-unit_vectors(rng, 3) for _ in range(20)]
    shards = write_collection(tmp_path, documents)
    short = torch.from_numpy(unit_vectors(rng, 4).reshape(2, 2, DIM))
    padded = torch.cat([short, torch.full((2, 3, DIM), torch.nan)], 1)
    mask = torch.tensor([[1, 1, 0, 0, 0]] * 2)
    found = search(padded, mask, shards, 20, precision=precision)
    for hits, expected in zip(found, naive_scores(short, mask[:, :2], documents), strict=True):
        assert_best(hits, expected, 20)


def test_maxima_of_negative_products_are_right():
    product = torch.tensor([[-1.0, 2.0], [-3.0, -4.0], [-5.0, 0.0], [-0.5, -0.25], [-0.75, -7.0]])
    for dtype in (torch.float32, torch.bfloat16):
        maxima = maxsim._maxima(product.to(dtype), [(0, 1, 3), (1, 2, 2)])
        assert maxima.tolist() == [[-1.0, 2.0], [-0.5, -0.25]]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_a_query_without_tokens_has_no_hits(tmp_path, precision):
    rng = np.random.default_rng(2)
    shards = write_collection(tmp_path, [unit_vectors(rng, 4) for _ in range(200)])
    queries = torch.from_numpy(unit_vectors(rng, 6).reshape(3, 2, DIM))
    mask = torch.tensor([[1, 1], [0, 0], [1, 0]])
    assert [len(hits.ids) for hits in search(queries, mask, shards, 5, precision=precision)] == [5, 0, 5]
    assert [hits.ids for hits in search(queries, mask * 0, shards, 5, precision=precision)] == [[], [], []]


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
@pytest.mark.parametrize("cuts", [[], [70, 130]])
def test_ties_are_in_collection_order(tmp_path, precision, cuts):
    # Vectors of halves: every sum is exact, so that equal documents have equal scores in any order of summing.
    rng = np.random.default_rng(3)
    kinds = [rng.integers(-1, 2, (length, DIM)).astype(np.float32) / 2 for length in (2, 5)]
    documents = [kinds[i] for i in rng.integers(0, 2, 200)]
    shards = write_collection(tmp_path, documents, cuts)
    queries, mask = torch.from_numpy(kinds[1][None, :3]), torch.ones(1, 3)
    (hits,) = search(queries, mask, shards, 120, precision=precision)
    expected = naive_scores(queries, mask, documents)[0]
    assert hits.ids == [f"d{i}" for i in np.argsort(-expected, kind="stable")[:120]]


def test_several_shards_are_one_and_their_runs_merge(tmp_path):
    rng = np.random.default_rng(4)
    documents = [unit_vectors(rng, int(length)) for length in rng.integers(1, 20, 150)]
    one = write_collection(tmp_path / "one", documents)
    three = write_collection(tmp_path / "three", documents, [40, 90])
    queries, mask = torch.from_numpy(unit_vectors(rng, 15).reshape(5, 3, DIM)), torch.ones(5, 3)
    names = [f"q{i}" for i in range(5)]
    whole = to_run(names, search(queries, mask, one, 30))
    apart = merge_runs((to_run(names, search(queries, mask, [shard], 30)) for shard in three), 30)
    together = to_run(names, search(queries, mask, three, 30))
    for query in names:
        for other in (apart, together):
            assert [document for document, _ in other[query]] == [document for document, _ in whole[query]]
            np.testing.assert_allclose([s for _, s in other[query]], [s for _, s in whole[query]], atol=1e-6)


@pytest.mark.parametrize("by_length", [True, False])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_little_memory_gives_the_same(tmp_path, precision, by_length):
    rng = np.random.default_rng(9)
    documents = [unit_vectors(rng, int(length)) for length in rng.integers(1, 20, 1500)]
    shards = write_collection(tmp_path, documents, by_length=by_length)
    assert (shards[0] / "vectors.npy").stat().st_size > 3 * (1 << 20) // 8  # more than three windows of 1 MB of memory
    queries, mask = torch.from_numpy(unit_vectors(rng, 4).reshape(2, 2, DIM)), torch.ones(2, 2)
    expected = naive_scores(queries, mask, documents)
    for hits, scores in zip(search(queries, mask, shards, 50, 1, precision), expected, strict=True):
        assert_best(hits, scores, 50)


def test_a_short_query_does_not_make_blocks_that_memory_cannot_hold(tmp_path, monkeypatch):
    dim, memory = 128, 8 << 20
    shards = write_collection(tmp_path, [unit_vectors(np.random.default_rng(9), 5, dim)])
    asked = []
    blocks = maxsim._blocks
    monkeypatch.setattr(maxsim, "_blocks", lambda *arguments: asked.append(arguments[2]) or blocks(*arguments))
    search(torch.ones(1, 4, dim), torch.ones(1, 4), shards, 1, memory >> 20)
    assert 0 < asked[0] * dim * 8 <= memory // 4  # a token's vector in fp32, and what it was read as


def close_collection(seed: int) -> list[np.ndarray]:
    """Documents that differ from one another by less than bf16 or int8 can tell."""
    rng = np.random.default_rng(seed)
    base = unit_vectors(rng, 6, 32)
    return [base + 3e-4 * rng.standard_normal(base.shape).astype(np.float32) for _ in range(400)]


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_hits_are_those_of_fp32_even_where_rounding_hides_the_difference(tmp_path, monkeypatch, precision):
    documents = close_collection(5)
    shards = write_collection(tmp_path, documents)
    rng = np.random.default_rng(6)
    queries, mask = torch.from_numpy(unit_vectors(rng, 24, 32).reshape(6, 4, 32)), torch.ones(6, 4)
    expected = naive_scores(queries, mask, documents)
    for hits, scores in zip(search(queries, mask, shards, 10, precision=precision), expected, strict=True):
        assert_best(hits, scores, 10)
    # The documents are a fair test: without the margin, hits are lost.
    monkeypatch.setattr(exact, "ERROR_MARGIN", 0.0)
    blind = search(queries, mask, shards, 10, precision=precision)
    best = np.sort(expected, axis=1)[:, ::-1][:, :10]
    assert any(not np.allclose(hits.scores, row, atol=1e-5) for hits, row in zip(blind, best, strict=True))


def test_int8_finds_documents_of_a_block_that_is_rounded_more_coarsely(tmp_path, monkeypatch):
    # A large number in a dimension where the queries have none rounds all else in those documents to nothing.
    rng = np.random.default_rng(7)
    queries, mask = torch.from_numpy(unit_vectors(rng, 24).reshape(6, 4, DIM)), torch.ones(6, 4)
    queries[..., -1] = 0
    documents = [unit_vectors(rng, 2) for _ in range(400)] + [query.numpy().copy() for query in queries]
    for document in documents[400:]:
        document[:, -1] = 1000.0
    shards = write_collection(tmp_path, documents)
    monkeypatch.setitem(maxsim.PRODUCT_BYTES, "cpu", 4096)
    for hits, scores in zip(
        search(queries, mask, shards, 10, precision="int8"), naive_scores(queries, mask, documents), strict=True
    ):
        assert_best(hits, scores, 10)


@pytest.mark.parametrize(
    ("precision", "device", "instructions", "top_k", "expected"),
    [
        ("bf16", "cpu", ["avx512_vnni"], 10, "int8"),
        ("bf16", "cpu", ["avx512_vnni", "amx_bf16"], 10, "bf16"),
        ("bf16", "cpu", [], 10, "bf16"),
        ("bf16", "cuda", ["avx512_vnni"], 10, "bf16"),
        ("fp32", "cpu", ["avx512_vnni"], 10, "fp32"),
        ("bf16", "cpu", ["avx512_vnni"], 40, "fp32"),  # of 300 documents, most would be scored twice
    ],
)
def test_the_precision_of_a_search_is_the_fastest(
    monkeypatch, tmp_path, precision, device, instructions, top_k, expected
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(instructions, True))
    shards = write_collection(tmp_path, [unit_vectors(np.random.default_rng(0), 2)] * 300)
    assert exact.fastest_precision(precision, device, shards, top_k) == expected


def test_search_refuses_what_does_not_fit(tmp_path):
    (shard,) = write_collection(tmp_path, [unit_vectors(np.random.default_rng(0), 2)])
    queries, mask = torch.ones(1, 2, DIM), torch.ones(1, 2)
    with pytest.raises(DataError, match="documents of 8"):
        search(queries[..., :4], mask, [shard], 1)
    with pytest.raises(DataError, match="not finite"):
        search(queries * torch.nan, mask, [shard], 1)
    with pytest.raises(ConfigError, match="unknown precision .int4."):
        search(queries, mask, [shard], 1, precision="int4")
    with pytest.raises(ConfigError, match="int8 on cuda"):
        search(queries, mask, [shard], 1, precision="int8", device="cuda")
    with pytest.raises(ConfigError, match="no shards"):
        search(queries, mask, [], 1)
    with write_vectors(tmp_path / "other", DIM, encoder="another") as writer:
        writer.append([0], ["x"], [1], np.ones((1, DIM)))
    with pytest.raises(DataError, match="different encoders"):
        search(queries, mask, [shard, tmp_path / "other"], 1)


def test_threads_are_as_before_after_a_search(tmp_path):
    shards = write_collection(tmp_path, [unit_vectors(np.random.default_rng(0), 2)])
    before = torch.get_num_threads()
    search(torch.ones(1, 1, DIM), torch.ones(1, 1), shards, 1)
    assert torch.get_num_threads() == before


@few
@given(cases(), st.sampled_from(["fp32", "bf16", "int8"]))
def test_documents_that_are_not_kept_are_not_found(tmp_path_factory, case, precision):
    folder = tmp_path_factory.mktemp("collection")
    shards = write_collection(folder, case["documents"], case["cuts"], case["by_length"], case["dtype"])
    kept = np.random.default_rng(len(case["documents"])).random(len(case["documents"])) < 0.5
    stored = [document.astype(case["dtype"]) for document in case["documents"]]
    expected = np.where(kept, naive_scores(case["queries"], case["mask"], stored), -math.inf)
    found = search(case["queries"], case["mask"], shards, case["top_k"], 8, precision, kept=kept)
    for hits, scores in zip(found, expected, strict=True):
        assert_best(hits, scores, case["top_k"])
    with pytest.raises(DataError, match="marks for"):
        search(case["queries"], case["mask"], shards, 1, kept=kept[1:])
