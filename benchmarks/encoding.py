"""How fast documents are encoded, beside PyLate with the same weights and texts.

    python benchmarks/encoding.py            # 600 passages, MiniLM's size
    python benchmarks/encoding.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

PyLate (pip install pylate) gets the batch size that suits it best; without it only this project's rates are shown. The
vectors are compared before any time is taken. Candidates take turns, and a ratio is the median over the turns of the
ratio within a turn. The last lines are tab-separated: claim, measured, bar, met|short|no GPU.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from distillation import SIZES, new_encoder, operations
from measuring import in_turns, machine, matrix_rate, no_gpu, ratio, seconds, verdict

from optical.encoder import DOCUMENT, Encoder
from optical.precision import fastest
from optical.tokens import tokenise

PASSAGE_LENGTH = (4.6, 0.45)  # logarithm of the tokens of a passage of MS MARCO's kind: mean, standard deviation
PEER_BATCHES = (8, 32, 128)


def passages(count: int, longest: int) -> list[str]:
    """Passages of made-up words and realistic lengths."""
    generator = np.random.default_rng(0)
    lengths = np.exp(generator.normal(*PASSAGE_LENGTH, count)).round().clip(10, longest).astype(int)
    return [" ".join(f"w{rank % 400}" for rank in generator.zipf(1.3, length)) for length in lengths]


def encode(encoder: Encoder, texts: list[str], precision: str) -> list[torch.Tensor]:
    """The vectors of each text, in the texts' order, as the workflow computes them."""
    ids = list(tokenise(encoder.tokeniser, texts))
    found = {index: vectors for index, vectors, _ in encoder.encode(ids, DOCUMENT, precision=precision)}
    return [found[index] for index in range(len(texts))]


def peer(folder: Path) -> Callable[[list[str], int], list] | None:
    """PyLate's way to encode, or None where it is not installed."""
    try:
        from pylate.models import ColBERT
    except ImportError as error:
        print(f"without PyLate: {error}")
        return None
    model = ColBERT(str(folder), device="cpu")
    return lambda texts, size: model.encode(texts, batch_size=size, is_query=False, show_progress_bar=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes: only to see that it runs")
    size, count, turns = ("tiny", 24, 1) if parser.parse_args().tiny else ("minilm", 600, 5)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        encoder = new_encoder(Path(name), size)
        texts = passages(count, encoder.settings.document_length - 3)
        their_encode = peer(Path(name))
        ours = encode(encoder, texts, "fp32")
        candidates = {
            f"ours, {precision}": lambda precision=precision: count / seconds(lambda: encode(encoder, texts, precision))
            for precision in sorted({"fp32", fastest("cpu")})
        }
        if their_encode:
            for vectors, theirs in zip(ours, their_encode(texts, 8), strict=True):
                torch.testing.assert_close(vectors, torch.as_tensor(theirs), atol=2e-4, rtol=0)
            for batch in PEER_BATCHES:
                candidates[f"PyLate, batches of {batch}"] = lambda batch=batch: (
                    count / seconds(lambda: their_encode(texts, batch))
                )
        taken = in_turns(candidates, turns + 1)
    taken = {name: values[1:] for name, values in taken.items()}  # the first turn warms up
    medians = {name: statistics.median(values) for name, values in taken.items()}

    lengths = np.array([len(vectors) for vectors in ours])
    needed = operations(lengths, size) / 3  # forward only
    print(f"\n{count} passages of {lengths.mean():.0f} tokens, {size} {SIZES[size]}, {machine()}\n")
    print(f"{'candidate':<26}{'passages/s':>12}{'share of floor':>16}")
    for name, median in medians.items():
        floor = count * matrix_rate("bf16" if "bf16" in name else "fp32") / needed
        print(f"{name:<26}{median:>12.1f}{median / floor:>16.2f}")
    print("floor: the operations of the real tokens at the rate of a square product of that precision\n")
    if their_encode:
        best = max((name for name in taken if name.startswith("PyLate")), key=medians.get)
        if "ours, bf16" in taken:
            verdict("document encoding in bf16, CPU, times PyLate", ratio(taken["ours, bf16"], taken[best]), 2.5)
        verdict("document encoding in fp32, CPU, times PyLate", ratio(taken["ours, fp32"], taken[best]), 1.2)
    no_gpu("document encoding, H100, times PyLate", ">= 1.3")


if __name__ == "__main__":
    main()
