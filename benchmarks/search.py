"""How fast and lean exact late-interaction search is, beside the machine's own matrix products and PyLate's scoring.

    python benchmarks/search.py            # 10,000 documents of 40 to 160 tokens, 64 queries of 32 tokens
    python benchmarks/search.py --part products  # a minute: which products this processor is fast at
    python benchmarks/search.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

Before any time is taken, the hits are checked against scoring each document by itself in fp32. Then the candidates take
turns, and a ratio is the median over the turns of the ratio within a turn, so that whatever else the machine does hits
both sides. PyLate scores in a separate process (peers.py) with its `colbert_scores`, on tensors and without a fused
backend; where it is not installed, that process does the same: one einsum over padded documents, times the mask,
maximum, sum (release 1.6.0, pylate/scores/colbert.py). It is given the documents in order of length, in batches of the
size that suits it best, on a part of the collection, since its rate does not depend on that. Its scores are checked as
well.

The products are those of search: a block of document tokens with 512 tokens of queries, and the maxima over each
document, on one thread. ONNX Runtime packs the queries once; it has a row where it is installed.

Memory is that of the whole process at its peak, pages of the mapped collection included (VmHWM of /proc/self/status),
in a separate process for each collection. The last lines are tab-separated: claim, measured, bar, result.
"""

import importlib.util
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from measuring import (
    NO_BF16,
    NO_INT8,
    Claim,
    Measured,
    in_turns,
    machine,
    matrix_rate,
    precisions,
    ratio,
    run,
    seconds,
)
from peers import Worker, installed

from optical.runtime.precision import processor_int8
from optical.runtime.startup import keep_memory
from optical.search import maxsim
from optical.search.exact import search
from optical.search.vectors import TokenVectors, write_vectors

DIM = 128
LENGTHS = (40, 160)
QUERY_TOKENS = 32
TOP_K = 100
BARS = {"fp32": 0.80, "bf16": 0.45}
INT8_BAR, INT8_PEER_BAR = 2, 4
PEER_BATCHES = (4, 32, 128)
PEER_DOCUMENTS = 1000
OPERATIONS = "PyLate's operations"
MEMORY_MB = 64
MEMORY_QUERIES = 16
MEMORY_OF = "--memory-of"  # FOLDER: what the processes are started with whose memory is measured
# Documents, queries, turns; then documents of the smaller collection whose search's memory is measured.
FULL, TINY = (10_000, 64, 5, 9000), (100, 4, 1, 50)


def claims() -> dict[str, Claim]:
    """The claims on speed, the same on each device."""
    found = {}
    for precision, bar in BARS.items():
        how = " with exact re-scoring" * (precision == "bf16")
        found[precision] = Claim(f"search in {precision}{how}, share of the rate of a square product", bar)
        found[f"{precision}, peer"] = Claim(f"search in {precision}{how}, times PyLate's colbert_scores", 8)
    return found


MEMORY = "memory of search over a collection ten times larger, growth"
INT8 = "search in int8 with exact re-scoring, times"
INT8_CLAIMS = {
    "int8": Claim(f"{INT8} search in bf16", INT8_BAR),
    "int8, peer": Claim(f"{INT8} PyLate's colbert_scores", INT8_PEER_BAR),
}
CLAIMS = {
    "cpu": claims()
    | INT8_CLAIMS
    | {
        "memory": Claim(f"{MEMORY}, whole process", 1.2, most=True),
        "memory of search": Claim(f"{MEMORY}, without what the process had before", 1.2, most=True),
    },
    "cuda": claims(),
}


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


def assert_same_hits(
    queries: torch.Tensor, collection: TokenVectors, precision: str, device: str, expected: torch.Tensor
) -> None:
    """Check that search finds the naive top-k, with its scores; documents may swap where scores are equal."""
    mask = torch.ones(queries.shape[:2])
    found = search(queries, mask, [collection.folder], TOP_K, precision=precision, device=device)
    best = expected.topk(min(TOP_K, collection.documents), dim=1).values
    for hits, scores, top in zip(found, expected, best, strict=True):
        named = scores[[int(name[1:]) for name in hits.ids]]
        assert len(set(hits.ids)) == len(top)
        torch.testing.assert_close(torch.from_numpy(hits.scores), named, atol=2e-5, rtol=0)
        torch.testing.assert_close(torch.from_numpy(hits.scores), top, atol=2e-5, rtol=0)


def write_batches(file: Path, collection: TokenVectors, documents: int, batch: int) -> int:
    """Write every n-th document in padded batches of neighbours in length: vectors and masks; return their tokens."""
    chosen = np.linspace(0, collection.documents - 1, documents).astype(int)
    batches = []
    for first in range(0, documents, batch):
        vectors = [torch.from_numpy(collection.document(i)).float() for i in chosen[first : first + batch]]
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(v)) for v in vectors], batch_first=True)
        batches.append((torch.nn.utils.rnn.pad_sequence(vectors, batch_first=True), mask))
    torch.save(batches, file)
    return sum(int(mask.sum()) for _, mask in batches)


def scorer() -> tuple[str, Worker]:
    """A process that scores with PyLate, or by the same operations; and how to call it."""
    found = installed()
    return ("PyLate", Worker("pylate", found["pylate"])) if "pylate" in found else (OPERATIONS, Worker("optical"))


def speed(
    collection: TokenVectors, queries: torch.Tensor, peer: tuple[str, Worker], device: str, turns: int, tiny: bool
) -> Measured:
    """Check hits and the peer's scores, then print a table of rates on a device; return what the claims need."""
    mask = torch.ones(queries.shape[:2])
    operations = 2 * collection.tokens * queries.shape[0] * QUERY_TOKENS * DIM
    expected = naive_scores(queries, collection)

    def search_rate(precision: str) -> float:
        call = lambda: search(queries, mask, [collection.folder], TOP_K, precision=precision, device=device)  # noqa: E731
        return operations / seconds(call, device)

    with_int8 = device == "cpu" and bool(processor_int8())
    rates = {}
    for precision in [*precisions(device), *["int8"] * with_int8]:
        assert_same_hits(queries, collection, precision, device, expected)
        if precision != "int8":
            rates[f"square product {precision}"] = lambda precision=precision: matrix_rate(precision, device, tiny)
        rates[f"search {precision}"] = lambda precision=precision: search_rate(precision)
    name, worker = peer
    documents = min(collection.documents, PEER_DOCUMENTS)
    torch.save(queries, collection.folder / "queries.pt")
    for batch in PEER_BATCHES:
        file = collection.folder / f"batches{batch}.pt"
        tokens = write_batches(file, collection, documents, batch)
        score = partial(worker, "score", queries=collection.folder / "queries.pt", batches=file, device=device)
        score(to=collection.folder / "scores.pt")
        chosen = np.linspace(0, collection.documents - 1, documents).astype(int)
        scores = torch.cat(torch.load(collection.folder / "scores.pt"), 1)
        torch.testing.assert_close(scores, expected[:, chosen], atol=2e-5, rtol=0)
        rates[f"{name}, batches of {batch}"] = lambda score=score, tokens=tokens: (
            operations * tokens / collection.tokens / score()
        )
    taken = {what: values[1:] for what, values in in_turns(rates, turns + 1).items()}  # the first turn warms up
    medians = {what: statistics.median(values) for what, values in taken.items()}

    size = f"{collection.tokens} token vectors of {DIM}, {len(queries)} queries of {QUERY_TOKENS} tokens"
    print(f"\n{size}, {machine(device)}")
    for precision in precisions(device):
        floor = operations / medians[f"square product {precision}"]
        print(
            f"floor in {precision}: {operations / 1e9:.3g} G operations at the rate of a square product: {floor:.3g} s"
        )
    print(f"  {collection.tokens * DIM * 2 / 1e6:.3g} MB of vectors read once are little beside that\n")
    print(f"{'what':<36}{'GFLOP/s':>10}{'x floor':>10}")  # for int8 the floor of the lower of the other precisions
    for what, median in medians.items():
        low = "bf16" in what or ("int8" in what and "bf16" in precisions(device))
        square = medians["square product bf16" if low else "square product fp32"]
        print(f"{what:<36}{median / 1e9:>10.1f}{square / median:>10.2f}")

    measured: Measured = dict.fromkeys(claims(), NO_BF16)
    best = max((what for what in taken if what.startswith(name)), key=medians.get)
    for precision in precisions(device):
        rate = taken[f"search {precision}"]
        measured[precision] = ratio(rate, taken[f"square product {precision}"])
        measured[f"{precision}, peer"] = ratio(rate, taken[best])
    if device == "cpu":
        measured |= dict.fromkeys(INT8_CLAIMS, NO_INT8)
    if with_int8:
        has_bf16 = "bf16" in precisions(device)
        measured["int8"] = ratio(taken["search int8"], taken["search bf16"]) if has_bf16 else NO_BF16
        measured["int8, peer"] = ratio(taken["search int8"], taken[best])
    return measured


def products(device: str, tiny: bool) -> Measured:
    """Print the rates of one thread for the products of search, alone and with the maxima over documents."""
    if device != "cpu":
        return {}
    tokens, columns, length, turns = (256, 64, 32, 1) if tiny else (2048, 512, 64, 25)
    documents, queries = unit_vectors(tokens, DIM), unit_vectors(columns, DIM)
    eight = {
        name: (side * 254).round().clamp(-127, 127).to(torch.int8) for name, side in (("d", documents), ("q", queries))
    }
    calls = {"fp32": (torch.mm, documents, queries.T.contiguous(), torch.float32)}
    if "bf16" in precisions(device):
        calls["bf16"] = (torch.mm, documents.bfloat16(), queries.T.bfloat16().contiguous(), torch.bfloat16)
    if processor_int8():
        calls["int8, torch._int_mm"] = (torch._int_mm, eight["d"], eight["q"].T.contiguous(), torch.int32)
        if importlib.util.find_spec("onnxruntime") and importlib.util.find_spec("onnx"):
            packed = onnx_product(eight["q"].T.contiguous())
            calls["int8, ONNX Runtime, packed"] = (packed, (eight["d"].int() + 128).to(torch.uint8), None, torch.int32)
    runs = [(0, tokens // length, length)]
    operations, rates = 2 * tokens * columns * DIM, {}
    for name, (multiply, left, right, dtype) in calls.items():
        out = torch.empty(tokens, columns, dtype=dtype)
        alone = partial(multiply, left, right, out=out)
        rates[name] = lambda call=alone: operations / seconds(call)
        both = lambda call=alone, out=out: (call(), maxsim._maxima(out, runs))  # noqa: E731
        rates[f"{name}, with maxima"] = lambda call=both: operations / seconds(call)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    taken = in_turns(rates, turns + 1)
    torch.set_num_threads(threads)
    print(f"\nproducts of {tokens} x {DIM} x {columns}, one thread, {machine(device)}")
    print(f"\n{'what':<44}{'G operations/s':>16}")
    for name, values in taken.items():
        print(f"{name:<44}{statistics.median(values[1:]) / 1e9:>16.0f}")
    return {}


def onnx_product(queries_DC: torch.Tensor) -> Callable:
    """Return ONNX Runtime's product of unsigned 8-bit rows with queries that it packs once."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    dim, columns = queries_DC.shape
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["rows", "queries"], ["product"])],
        "product",
        [helper.make_tensor_value_info("rows", TensorProto.UINT8, [None, dim])],
        [helper.make_tensor_value_info("product", TensorProto.INT32, [None, columns])],
        [numpy_helper.from_array(queries_DC.numpy(), "queries")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def multiply(rows_TD: torch.Tensor, _: None, out: torch.Tensor) -> None:
        binding = session.io_binding()
        binding.bind_cpu_input("rows", rows_TD.numpy())
        binding.bind_output("product", "cpu", 0, np.int32, tuple(out.shape), out.data_ptr())
        session.run_with_iobinding(binding)

    return multiply


def peak_bytes() -> tuple[int, int]:
    """Memory of this process now and at its peak, mapped pages included."""
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def search_and_tell_memory(folder: str) -> None:
    """Search one collection with the setting; print the process's memory before and at its peak."""
    keep_memory()  # as every program does
    torch.manual_seed(1)
    queries = unit_vectors(MEMORY_QUERIES, QUERY_TOKENS, DIM)
    torch.mm(queries[0], queries[1].T)  # libraries that load at the first use are no part of the search
    before, _ = peak_bytes()
    search(queries, torch.ones(queries.shape[:2]), [folder], TOP_K, memory_mb=MEMORY_MB)
    print(before, peak_bytes()[1])


def memory(folder: Path, documents: int) -> Measured:
    """Print the memory of a search over a collection and one ten times larger; return what the claims need."""
    print(f"\nmemory in MB, {MEMORY_QUERIES} queries, setting {MEMORY_MB} MB")
    kept = MEMORY_QUERIES * (QUERY_TOKENS * DIM * 4 + TOP_K * 8)
    print(f"floor of the search alone: queries and hits, {kept / 1e6:.3g}; it may use what the setting says\n")
    print(f"{'documents':<12}{'on disk':>12}{'before':>12}{'peak':>12}{'search alone':>14}")
    peaks, alone = [], []
    for count in (documents, 10 * documents):
        collection = write_collection(folder / str(count), count)
        command = [sys.executable, __file__, MEMORY_OF, str(collection.folder)]
        before, peak = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
        peaks.append(peak)
        alone.append(peak - before)
        row = (collection.tokens * DIM * 2, before, peak)
        print(f"{count:<12}" + "".join(f"{x / 1e6:>12.0f}" for x in row) + f"{alone[-1] / 1e6:>14.1f}")
    return {"memory": peaks[1] / peaks[0], "memory of search": alone[1] / alone[0]}


@torch.no_grad()
def measure(device: str, tiny: bool) -> Measured:
    documents, queries, turns, small = TINY if tiny else FULL
    name, worker = scorer()
    with tempfile.TemporaryDirectory() as folder, worker:
        collection = write_collection(Path(folder) / "collection", documents)
        queries_BMD = unit_vectors(queries, QUERY_TOKENS, DIM)
        measured = speed(collection, queries_BMD, (name, worker), device, turns, tiny)
        return measured | (memory(Path(folder), small) if device == "cpu" else {})


if __name__ == "__main__":
    if sys.argv[1:2] == [MEMORY_OF]:
        search_and_tell_memory(sys.argv[2])
    else:
        run(__doc__, CLAIMS, {"search": measure, "products": products})
