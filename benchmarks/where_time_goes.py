"""Where the time of distillation, encoding and search goes, by kind of operation, as torch's profiler finds it.

    python benchmarks/where_time_goes.py            # on the CPU, and on the GPU if there is one; two minutes
    python benchmarks/where_time_goes.py --part encoding
    python benchmarks/where_time_goes.py --tiny     # the same code in seconds, for CI; its shares mean nothing

The work is that of the benchmarks of the same names: 16 steps of distillation, batches of passages, blocks of a
collection. Distillation uses all threads. Encoding and search use one, because each core works on batches and blocks of
its own. A table for each precision has the share of every kind, the largest first. The line above it tells how
much of the time matrix products alone would take at the rate of a square product.

The time of an operation is wall time, without the operations that it calls. So other work on the machine changes the
seconds, and the shares hardly. "outside of operations" is the time when no operation runs: Python, NumPy, reading from
disk, and on a GPU waiting for the processor.
"""

import contextlib
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from distillation import RACES
from made_up import SIZES, forward_operations, new_encoder, passages, write_bitext
from measuring import Measured, machine, matrix_rate, precisions, run, seconds
from our_distillation import our_loss
from search import DIM, FULL, QUERY_TOKENS, TINY, TOP_K, unit_vectors, write_collection
from torch.autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile, record_function
from worker_optical import vectors_of

from optical.config.training import TrainingSettings
from optical.runtime.machine import Machine
from optical.search.exact import search
from optical.text.token_files import TokenFile
from optical.training.loop import train
from optical.training.teacher_vectors import encode_english

STEPS = 16
PASSAGES = {"cpu": 120, "cuda": 8_192, "tiny": 24}
OBJECTIVE = "the objective"  # its range in the profile: torch's names do not tell whose product it is
# The first kind whose pattern is found in the name of an operation, or in that of one that called it.
ENCODER_KINDS = {
    "optimiser and clipping": r"^Optimizer\.|_foreach_|_fused_adamw_",
    "objective, its gradient aside": f"^{OBJECTIVE}$",
    "casts between precisions": r"_to_copy|ToCopyBackward",
    "linear layers": r"^aten::(addmm|mm)$|AddmmBackward|mkldnn_linear",
    "products of the attention": r"^aten::(bmm|baddbmm)$|scaled_dot_product|flash_attention|efficient_attention",
    "softmax and masks": r"softmax|masked_fill|SoftmaxBackward|MaskedFillBackward",
    "activation": r"gelu|GeluBackward",
    "norms": r"layer_norm|LayerNormBackward|linalg_vector_norm",
    "embeddings": r"embedding|EmbeddingBackward",
    "row of tokens to texts and back": r"index_copy|index_select|IndexCopyBackward|IndexSelectBackward",
    "copies and new tensors": r"^aten::(copy_|clone|contiguous|cat|empty\w*|zeros\w*|new_zeros|zero_|fill_)$",
    "sums and scalings": r"^aten::(add_?|sub|mul_?|div_?|sum)$",
}
SEARCH_KINDS = {
    "exact scores of candidates": r"^aten::bmm$",
    "product of documents and queries": r"^aten::mm$",
    "maxima over the tokens of a document": r"^aten::(amax|min)$",
    "reading, casts and copies": r"^aten::(_to_copy|copy_|clone|index_select)$",
    "best hits": r"topk|sort|^aten::(cat|where|index|index_put_|_index_put_impl_|nonzero|lt|ge)$",
}
OTHER, OUTSIDE = "other operations", "outside of operations"


def time_by_kind(call: Callable[[], object], device: str, kinds: dict[str, str]) -> Counter[str]:
    """Run a call under torch's profiler; return the seconds of each kind of operation, in all of its threads."""
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (device == "cuda")
    all_threads = torch.profiler._ExperimentalConfig(profile_all_threads=True)  # encoding and search start their own
    with profile(activities=activities, experimental_config=all_threads, acc_events=True) as profiled:
        taken = seconds(call, device)
    spent: Counter[str] = Counter()
    for event in profiled.events():
        if event.device_type == DeviceType.CPU:  # kernels of a GPU are counted with the operation that started them
            own = event.self_cpu_time_total if device == "cpu" else event.self_device_time_total
            spent[kind_of(event, kinds)] += own / 1e6
    spent[OUTSIDE] = max(taken - spent.total(), 0.0)
    return spent


def kind_of(event: FunctionEvent | None, kinds: dict[str, str]) -> str:
    """Return the kind of an operation."""
    names = []
    while event is not None:
        names.append(event.name)
        event = event.cpu_parent
    return next((kind for kind, pattern in kinds.items() if any(re.search(pattern, name) for name in names)), OTHER)


def show(what: str, call: Callable[[], object], operations: float, where: tuple[str, str, bool], kinds: dict) -> None:
    """Print how the time of a call divides, and how much of it its matrix products would take.

    Args:
        what: the call in words.
        call: what is measured, already warm.
        operations: of its matrix products.
        where: device, precision, whether tiny.
        kinds: of operations, with their patterns.
    """
    device, precision, tiny = where
    rate = matrix_rate(precision, device, tiny)
    spent = time_by_kind(call, device, kinds)
    taken = spent.total()
    print(f"\n{what}, {precision}, {machine(device)}: {taken:.3g} s")
    print(f"its matrix products at {rate / 1e9:.3g} GFLOP/s, the rate of a square one: {operations / rate / taken:.3f}")
    print(f"\n{'share':>8}{'seconds':>10}  kind of operation")
    for kind, own in spent.most_common():
        print(f"{own / taken:>8.3f}{own:>10.3g}  {kind}")


def labelled(call: Callable, name: str) -> Callable:
    """Return the call; the profile shows its time under the name."""

    def inside(*arguments: object) -> object:
        with record_function(name):
            return call(*arguments)

    return inside


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let torch work with one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def distillation(device: str, tiny: bool) -> Measured:
    """Show where the time of training steps goes."""
    size, _, batch_size, _ = RACES["tiny" if tiny else device]
    settings = TrainingSettings(steps=STEPS, batch_size=batch_size, dropout=0.0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        teacher = new_encoder(folder / "teacher", size).to(device)
        write_bitext(folder / "tokens", folder / "teacher", STEPS * batch_size, SIZES[size]["vocab_size"])
        operations = 3 * forward_operations(TokenFile(folder / "tokens/foreign").lengths + 3, size)
        for precision in precisions(device):
            vectors = folder / "vectors" / precision
            encode_english(teacher, TokenFile(folder / "tokens/english"), ["query"], vectors, precision)
            loss = our_loss(folder, "optical", settings, precision, device)
            loss.objective = labelled(loss.objective, OBJECTIVE)
            call = partial(train, loss.student, loss, machine=Machine(precision=precision), checkpoints=None, what=name)
            call(settings if device == "cuda" else settings.changed(steps=1))
            what = f"distillation, {STEPS} steps of {batch_size} pairs, {size}"
            show(what, partial(call, settings), operations, (device, precision, tiny), ENCODER_KINDS)
    return {}


def encoding(device: str, tiny: bool) -> Measured:
    """Show where the time of reading passages goes."""
    size = "tiny" if tiny else "minilm"
    with tempfile.TemporaryDirectory() as name, one_thread():
        encoder = new_encoder(Path(name), size).to(device)
        texts = passages(PASSAGES["tiny" if tiny else device], encoder.settings.document_length - 3)
        lengths = np.array([len(vectors) for vectors in vectors_of(encoder, texts, "fp32")])
        for precision in precisions(device):
            call = partial(vectors_of, encoder, texts, precision)
            call()
            what = f"encoding, {len(texts)} passages of {lengths.mean():.0f} tokens, {size}"
            show(what, call, forward_operations(lengths, size), (device, precision, tiny), ENCODER_KINDS)
    return {}


def searching(device: str, tiny: bool) -> Measured:
    """Show where the time of scoring a collection goes."""
    documents, queries = (TINY if tiny else FULL)[:2]
    with tempfile.TemporaryDirectory() as name, one_thread():
        collection = write_collection(Path(name) / "collection", documents)
        query_vectors, mask = unit_vectors(queries, QUERY_TOKENS, DIM), torch.ones(queries, QUERY_TOKENS)
        operations = 2.0 * collection.tokens * queries * QUERY_TOKENS * DIM
        for precision in precisions(device):
            shards = [collection.folder]
            call = partial(search, query_vectors, mask, shards, TOP_K, precision=precision, device=device)
            call()
            what = f"search, {documents} documents, {queries} queries of {QUERY_TOKENS} tokens"
            show(what, call, operations, (device, precision, tiny), SEARCH_KINDS)
    return {}


if __name__ == "__main__":
    parts = {"distillation": distillation, "encoding": encoding, "search": searching}
    run(__doc__, {"cpu": {}, "cuda": {}}, parts)
