"""How fast and lean exact late-interaction search is, beside the machine's own matrix products and PyLate's scoring.

    python benchmarks/search.py            # 10,000 documents of 40 to 160 tokens, 64 queries of 32 tokens
    python benchmarks/search.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

Before any time is taken, the hits are checked against scoring each document by itself in fp32. Then the candidates take
turns, and a ratio is the median over the turns of the ratio within a turn, so that whatever else the machine does hits
both sides. PyLate's way is what its `colbert_scores` does on tensors without a fused backend: one einsum over padded
documents, times the mask, maximum, sum (release 1.6.0, pylate/scores/colbert.py); it is given the documents in order of
length, in batches of the size that suits it best, on a part of the collection, since its rate does not depend on that.

Memory is that of the whole process at its peak, pages of the mapped collection included (VmHWM of /proc/self/status),
in a process of its own for each collection. The last lines are tab-separated: claim, measured, bar, met|short|no GPU.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from measuring import in_turns, machine, no_gpu, ratio, seconds, verdict

from optical.precision import PRECISIONS
from optical.scoring import search
from optical.vectors import TokenVectors, write_vectors

DIM = 128
LENGTHS = (40, 160)
QUERY_TOKENS = 32
TOP_K = 100
BARS = {"fp32": 0.80, "bf16": 0.45}
PEER_BATCHES = (4, 32, 128)
MEMORY_MB = 64


def unit_vectors(*shape: int) -> torch.Tensor:
    """Random token vectors of length one."""
    return torch.nn.functional.normalize(torch.randn(*shape), dim=-1)


def write_collection(folder: Path, documents: int) -> TokenVectors:
    """Write random documents in order of length, as an encoder would."""
    lengths = np.sort(np.random.default_rng(0).integers(LENGTHS[0], LENGTHS[1] + 1, documents))
    with write_vectors(folder, DIM) as writer:
        for some in np.array_split(np.arange(documents), max(documents // 500, 1)):
            vectors = unit_vectors(int(lengths[some].sum()), DIM)
            writer.append(some, [f"d{i}" for i in some], lengths[some], vectors)
    return TokenVectors.open(folder)


def naive_scores(queries: torch.Tensor, collection: TokenVectors) -> torch.Tensor:
    """Score each document by itself in fp32: (queries, documents)."""
    flat = queries.view(-1, DIM)
    scores = torch.empty(len(queries), collection.documents)
    for stored in range(collection.documents):
        product = flat @ torch.from_numpy(collection.document(stored)).float().T
        scores[:, stored] = product.amax(1).view(len(queries), -1).sum(1)
    return scores


def assert_same_hits(queries: torch.Tensor, collection: TokenVectors, precision: str, expected: torch.Tensor) -> None:
    """Check that search finds the naive top-k, with its scores; documents may swap where scores are equal."""
    mask = torch.ones(queries.shape[:2])
    found = search(queries, mask, [collection.folder], TOP_K, precision=precision)
    best = expected.topk(min(TOP_K, collection.documents), dim=1).values
    for hits, scores, top in zip(found, expected, best, strict=True):
        named = scores[[int(name[1:]) for name in hits.ids]]
        assert len(set(hits.ids)) == len(top)
        torch.testing.assert_close(torch.from_numpy(hits.scores), named, atol=2e-5, rtol=0)
        torch.testing.assert_close(torch.from_numpy(hits.scores), top, atol=2e-5, rtol=0)


def square_rate(sizes: tuple[int, ...], dtype: torch.dtype, device: str) -> float:
    """Operations a second of the best square matrix product: best size, median of five."""
    rates = []
    for size in sizes:
        left, out = (
            torch.randn(size, size, device=device).to(dtype),
            torch.empty(size, size, dtype=dtype, device=device),
        )
        call = lambda left=left, out=out: torch.mm(left, left, out=out)  # noqa: E731
        seconds(call, device)
        rates.append(2 * size**3 / statistics.median(seconds(call, device) for _ in range(5)))
    return max(rates)


def pylate_batches(collection: TokenVectors, documents: int, batch: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Pad every n-th document into batches of neighbours in length: vectors and masks."""
    chosen = np.linspace(0, collection.documents - 1, documents).astype(int)
    batches = []
    for first in range(0, documents, batch):
        vectors = [torch.from_numpy(collection.document(i)).float() for i in chosen[first : first + batch]]
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(v)) for v in vectors], batch_first=True)
        batches.append((torch.nn.utils.rnn.pad_sequence(vectors, batch_first=True), mask))
    return batches


def pylate_scores(queries: torch.Tensor, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Score padded documents as PyLate's `colbert_scores` does without a fused backend."""
    parts = []
    for vectors, mask in batches:
        scores = torch.einsum("ash,bth->abst", queries, vectors) * mask.unsqueeze(0).unsqueeze(2)
        parts.append(scores.max(axis=-1).values.sum(axis=-1))
    return torch.cat(parts, 1)


def speed(collection: TokenVectors, queries: torch.Tensor, device: str, sizes: tuple[int, ...], turns: int) -> list:
    """Print a table of rates on a device; return the claims."""
    mask = torch.ones(queries.shape[:2])
    operations = 2 * collection.tokens * queries.shape[0] * QUERY_TOKENS * DIM

    def search_rate(precision: str) -> float:
        call = lambda: search(queries, mask, [collection.folder], TOP_K, precision=precision, device=device)  # noqa: E731
        return operations / seconds(call, device)

    rates = {}
    for precision, dtype in PRECISIONS.items():
        rates[f"square product {precision}"] = lambda dtype=dtype: square_rate(sizes, dtype, device)
        rates[f"search {precision}"] = lambda precision=precision: search_rate(precision)
    if device == "cpu":
        part = min(collection.documents, 1000)
        peers = {batch: pylate_batches(collection, part, batch) for batch in PEER_BATCHES}
        tokens = sum(int(batch_mask.sum()) for _, batch_mask in peers[PEER_BATCHES[0]])
        for batch, batches in peers.items():
            call = lambda batches=batches: pylate_scores(queries, batches)  # noqa: E731
            name = f"PyLate's way, batches of {batch}"
            rates[name] = lambda call=call: operations * tokens / collection.tokens / seconds(call, device)
    taken = {name: values[1:] for name, values in in_turns(rates, turns + 1).items()}  # the first turn warms up
    medians = {name: statistics.median(values) for name, values in taken.items()}

    floor = operations / medians["square product fp32"]
    size = f"{collection.tokens} token vectors of {DIM}, {len(queries)} queries of {QUERY_TOKENS} tokens"
    print(f"\n{size}, {machine(device)}")
    print(
        f"floor: {operations / 1e9:.0f} G operations at the rate of the square product: {floor:.3f} s in fp32,", end=" "
    )
    print(f"{operations / medians['square product bf16']:.3f} s in bf16;", end=" ")
    print(f"{collection.tokens * DIM * 2 / 1e6:.0f} MB of vectors read once are little beside that\n")
    print(f"{'what':<32}{'GFLOP/s':>10}{'x floor':>10}")
    for name, median in medians.items():
        square = medians["square product bf16" if "bf16" in name else "square product fp32"]
        print(f"{name:<32}{median / 1e9:>10.0f}{square / median:>10.2f}")

    claims = []
    for precision, bar in BARS.items():
        share = ratio(taken[f"search {precision}"], taken[f"square product {precision}"])
        how = " with exact re-scoring" if precision == "bf16" else ""
        claims.append((f"search in {precision}{how}, {device.upper()}, share of square product", share, bar))
    if device == "cpu":
        peer = max((name for name in taken if name.startswith("PyLate")), key=medians.get)
        for precision in PRECISIONS:
            times = ratio(taken[f"search {precision}"], taken[peer])
            claims.append((f"search in {precision}, CPU, times {peer}", times, 8))
    return claims


def peak_bytes() -> tuple[int, int]:
    """Memory of this process now and at its peak, mapped pages included."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def search_and_tell_memory(folder: str) -> None:
    """Search one collection with the setting; print the process's memory before and at its peak."""
    torch.manual_seed(1)
    queries = unit_vectors(16, QUERY_TOKENS, DIM)
    torch.mm(queries[0], queries[1].T)  # libraries that load at the first use are no part of the search
    before, _ = peak_bytes()
    search(queries, torch.ones(queries.shape[:2]), [folder], TOP_K, memory_mb=MEMORY_MB)
    print(before, peak_bytes()[1])


def memory(folder: Path, documents: int) -> list:
    """Print the memory of a search over a collection and one ten times larger; return the claims."""
    print(f"\nmemory in MB, setting {MEMORY_MB} MB\n")
    print(f"{'documents':<12}{'on disk':>12}{'before':>12}{'peak':>12}{'search alone':>14}")
    peaks = []
    for count in (documents, 10 * documents):
        collection = write_collection(folder / str(count), count)
        command = [sys.executable, __file__, "--memory-of", str(collection.folder)]
        before, peak = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        peaks.append(peak)
        on_disk = collection.tokens * DIM * 2
        print(f"{count:<12}" + "".join(f"{x / 1e6:>12.0f}" for x in (on_disk, before, peak)), end="")
        print(f"{(peak - before) / 1e6:>14.0f}")
    return [("memory of search over a collection ten times larger, growth", peaks[1] / peaks[0], 1.2)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes: only to see that it runs")
    parser.add_argument("--memory-of", metavar="FOLDER", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_of:
        search_and_tell_memory(arguments.memory_of)
        return
    documents, queries, sizes, turns = (100, 4, (256,), 1) if arguments.tiny else (10_000, 64, (1024, 2048, 4096), 7)
    small = 50 if arguments.tiny else 9000
    torch.manual_seed(0)
    claims = []
    with tempfile.TemporaryDirectory() as name, torch.no_grad():
        collection = write_collection(Path(name) / "collection", documents)
        vectors = unit_vectors(queries, QUERY_TOKENS, DIM)
        expected = naive_scores(vectors, collection)
        for precision in PRECISIONS:
            assert_same_hits(vectors, collection, precision, expected)
        for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
            claims += speed(collection, vectors, device, sizes, turns)
        claims += memory(Path(name), small)
    print()
    for claim, measured, bar in claims:
        verdict(claim, measured, bar, most="memory" in claim)
    if not torch.cuda.is_available():
        for precision, bar in BARS.items():
            no_gpu(f"search in {precision}, CUDA, share of square product", f">= {bar}")


if __name__ == "__main__":
    main()
