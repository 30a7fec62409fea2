"""How fast documents are encoded, beside PyLate with the same weights and texts.

    python benchmarks/encoding.py            # 600 passages, MiniLM's size
                                             # on a GPU 8,192, also at multilingual-e5-small's size
    python benchmarks/encoding.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

PyLate (docs/benchmarks.md says how to install it) gets the batch size that suits it best. The vectors are compared
before any time is taken. Candidates take turns, and a ratio is the median over the turns of the ratio within a turn.
The last lines are tab-separated: claim, measured, bar, result.
"""

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from made_up import forward_operations, new_encoder, passages
from measuring import (
    NO_BF16,
    NO_PEER,
    Claim,
    Measured,
    in_turns,
    machine,
    matrix_rate,
    peer_seconds,
    precisions,
    ratio,
    run,
    seconds,
)

from optical.models.encoder import DOCUMENT, Encoder
from optical.runtime.precision import dtype_of
from optical.text.tokeniser import tokenise

# Passages, batch sizes of PyLate, turns.
PLANS = {"cpu": (600, (8, 32, 128), 3), "cuda": (8_192, (64, 256), 3), "tiny": (24, (8, 32), 1)}
TOLERANCES = {"fp32": 2e-4, "bf16": 5e-2}  # of an element of a unit vector


def claims(size: str, both: float, equal: float, of: str = "document encoding") -> dict[str, Claim]:
    """The claims on a device: PyLate as it comes, in fp32, and at equal precision."""
    return {
        f"{size}, bf16, fp32": Claim(f"{of} in bf16, times PyLate in fp32", both),
        f"{size}, bf16, bf16": Claim(f"{of} in bf16, times PyLate in bf16", equal),
        f"{size}, fp32, fp32": Claim(f"{of} in fp32, times PyLate in fp32", equal),
    }


MULTILINGUAL = "document encoding, multilingual-e5-small's size,"
CLAIMS = {
    "cpu": claims("minilm", 2.5, 1.2),
    "cuda": claims("minilm", 1.3, 1.3) | claims("e5-small", 1.3, 1.3, MULTILINGUAL),
}


def encode(encoder: Encoder, texts: list[str], precision: str) -> list[torch.Tensor]:
    """The vectors of each text, in the texts' order, as the workflow computes them."""
    ids = list(tokenise(encoder.tokeniser, texts))
    found = {index: vectors for index, vectors, _ in encoder.encode(ids, DOCUMENT, precision=precision)}
    return [found[index] for index in range(len(texts))]


def peers(folder: Path, device: str) -> dict[str, Callable[[list[str], int], list]]:
    """PyLate's way to encode, in each precision; none where it is not installed."""
    try:
        from pylate.models import ColBERT
    except ImportError as error:
        print(f"no peer: PyLate: {error}")
        return {}
    models = {kind: ColBERT(str(folder), device=device).to(dtype_of(kind)) for kind in precisions(device)}
    options = {"is_query": False, "show_progress_bar": False}
    return {
        kind: lambda texts, size, model=model: model.encode(texts, batch_size=size, **options)
        for kind, model in models.items()
    }


def measure(device: str, tiny: bool, encoder_size: str) -> Measured:
    """Print passages a second of every candidate; return what the claims on this size of encoder need."""
    keys = [key for key in CLAIMS[device] if key.startswith(encoder_size)]
    if not keys:
        return {}
    size, (count, peer_batches, turns) = ("tiny", PLANS["tiny"]) if tiny else (encoder_size, PLANS[device])
    with tempfile.TemporaryDirectory() as name:
        encoder = new_encoder(Path(name), size).to(device)
        texts = passages(count, encoder.settings.document_length - 3)
        ours = encode(encoder, texts, "fp32")
        candidates = {
            f"ours, {kind}": lambda kind=kind: count / seconds(lambda: encode(encoder, texts, kind), device)
            for kind in precisions(device)
        }
        for kind, their_encode in peers(Path(name), device).items():
            for vectors, theirs in zip(ours[:64], their_encode(texts[:64], 8), strict=True):
                torch.testing.assert_close(vectors, torch.as_tensor(theirs), atol=TOLERANCES[kind], rtol=0)
            for batch in peer_batches:
                candidates[f"PyLate, {kind}, batches of {batch}"] = lambda batch=batch, their_encode=their_encode: (
                    count / peer_seconds(lambda: their_encode(texts, batch), device)
                )
        for kind in precisions(device):
            for vectors, own in zip(ours[:64], encode(encoder, texts[:64], kind), strict=True):
                torch.testing.assert_close(vectors, own, atol=TOLERANCES[kind], rtol=0)
        taken = in_turns(candidates, turns + 1)
    taken = {name: values[1:] for name, values in taken.items()}  # the first turn warms up
    medians = {name: statistics.median(values) for name, values in taken.items()}

    lengths = np.array([len(vectors) for vectors in ours])
    needed = forward_operations(lengths, size)
    floors = {kind: count * matrix_rate(kind, device, tiny) / needed for kind in precisions(device)}
    print(f"\n{count} passages of {lengths.mean():.0f} tokens, {size}, {machine(device)}")
    for kind, floor in floors.items():
        print(
            f"floor in {kind}: {needed / 1e9:.3g} G operations at the rate of a square product are {floor:.1f} a second"
        )
    print(f"\n{'candidate':<32}{'passages/s':>12}{'share of floor':>16}")
    for name, median in medians.items():
        print(f"{name:<32}{median:>12.1f}{median / floors['bf16' if 'bf16' in name else 'fp32']:>16.2f}")

    measured: Measured = {}
    for key in keys:
        _, mine, theirs = key.split(", ")
        found = [name for name in taken if name.startswith(f"PyLate, {theirs}")]
        if not {mine, theirs} <= set(precisions(device)):
            measured[key] = NO_BF16
        elif not found:
            measured[key] = NO_PEER
        else:
            measured[key] = ratio(taken[f"ours, {mine}"], taken[max(found, key=medians.get)])
    return measured


if __name__ == "__main__":
    run(__doc__, CLAIMS, {size: partial(measure, encoder_size=size) for size in ("minilm", "e5-small")})
