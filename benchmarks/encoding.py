"""How fast documents are encoded, beside PyLate and sentence-transformers 6 with the same weights and texts.

    python benchmarks/encoding.py            # 600 passages, MiniLM's size
                                             # on a GPU 8,192, also at multilingual-e5-small's size
    python benchmarks/encoding.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

Each candidate runs in a separate process (peers.py). A peer gets the batch size that suits it best. The vectors are
compared before any time is taken. Candidates take turns, and a ratio is the median over the turns of the ratio within a
turn. The last lines are tab-separated: claim, measured, bar, result.
"""

import statistics
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import torch
from made_up import forward_operations, new_encoder, passages
from measuring import NO_BF16, NO_PEER, Claim, Measured, in_turns, machine, matrix_rate, precisions, ratio, run
from peers import PEERS, Worker, installed

# Passages, batch sizes of the peers, turns.
PLANS = {"cpu": (600, (8, 32, 128), 5), "cuda": (8_192, (64, 256), 5), "tiny": (24, (8, 32), 1)}
TOLERANCES = {"fp32": 2e-4, "bf16": 5e-2}  # of an element of a unit vector


def claims(size: str, both: float, equal: float, of: str = "document encoding") -> dict[str, Claim]:
    """The claims on a device: each peer as it comes, in fp32, and at equal precision."""
    bars = {("bf16", "fp32"): both, ("bf16", "bf16"): equal, ("fp32", "fp32"): equal}
    return {
        f"{size}, {mine}, {name}, {theirs}": Claim(f"{of} in {mine}, times {each.title} in {theirs}", bar)
        for name, each in PEERS.items()
        for (mine, theirs), bar in bars.items()
    }


MULTILINGUAL = "document encoding, multilingual-e5-small's size,"
CLAIMS = {
    "cpu": claims("minilm", 2.5, 1.2),
    "cuda": claims("minilm", 1.3, 1.3) | claims("e5-small", 1.3, 1.3, MULTILINGUAL),
}


def measure(device: str, tiny: bool, encoder_size: str) -> Measured:
    """Print passages a second of every candidate; return what the claims on this size of encoder need."""
    keys = [key for key in CLAIMS[device] if key.startswith(encoder_size)]
    if not keys:
        return {}
    size, (count, batch_sizes, turns) = ("tiny", PLANS["tiny"]) if tiny else (encoder_size, PLANS[device])
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, candidates = Path(name) / "encoder", {}
        texts = passages(count, new_encoder(folder, size).settings.document_length - 3)

        def encode(worker: Worker, precision: str, **options: object) -> float:
            return worker("encode", folder=folder, precision=precision, device=device, **{"texts": texts} | options)

        def vectors(worker: Worker, precision: str, **options: object) -> list[torch.Tensor]:
            encode(worker, precision, to=folder / "vectors.pt", **options)
            return torch.load(folder / "vectors.pt")

        ours = stack.enter_context(Worker("optical"))
        expected = vectors(ours, "fp32")
        for kind in precisions(device):
            assert_close(vectors(ours, kind), expected, kind)
            candidates[f"ours, {kind}"] = lambda kind=kind: count / encode(ours, kind)
        for name, python in installed().items():
            worker = stack.enter_context(Worker(name, python))
            for kind in precisions(device):
                assert_close(vectors(worker, kind, texts=texts[:64], batch_size=8), expected[:64], kind)
                best = min(batch_sizes, key=lambda batch: encode(worker, kind, batch_size=batch))
                candidates[f"{name}, {kind}"] = lambda worker=worker, kind=kind, best=best: (
                    count / encode(worker, kind, batch_size=best)
                )
        taken = in_turns(candidates, turns)

    lengths = np.array([len(text) for text in expected])
    needed = forward_operations(lengths, size)
    floors = {kind: count * matrix_rate(kind, device, tiny) / needed for kind in precisions(device)}
    print(f"\n{count} passages of {lengths.mean():.0f} tokens, {size}, {machine(device)}")
    for kind, floor in floors.items():
        print(
            f"floor in {kind}: {needed / 1e9:.3g} G operations at the rate of a square product are {floor:.1f} a second"
        )
    print(f"\n{'candidate':<32}{'passages/s':>12}{'share of floor':>16}")
    for name, values in taken.items():
        median = statistics.median(values)
        print(f"{name:<32}{median:>12.1f}{median / floors['bf16' if 'bf16' in name else 'fp32']:>16.2f}")

    measured: Measured = {}
    for key in keys:
        _, mine, name, theirs = key.split(", ")
        if not {mine, theirs} <= set(precisions(device)):
            measured[key] = NO_BF16
        elif f"{name}, {theirs}" not in taken:
            measured[key] = NO_PEER
        else:
            measured[key] = ratio(taken[f"ours, {mine}"], taken[f"{name}, {theirs}"])
    return measured


def assert_close(vectors: list[torch.Tensor], expected: list[torch.Tensor], precision: str) -> None:
    """Check the vectors of some texts."""
    for some, others in zip(vectors, expected, strict=True):
        torch.testing.assert_close(some.float(), others, atol=TOLERANCES[precision], rtol=0)


if __name__ == "__main__":
    run(__doc__, CLAIMS, {size: partial(measure, encoder_size=size) for size in ("minilm", "e5-small")})
