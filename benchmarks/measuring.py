"""What the benchmarks share: the machine in words, its best rates, candidates in turns, and the lines at the end."""

import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))  # also without an installation

from optical.precision import dtype_of  # noqa: E402

SLOW_PRODUCT = 0.5  # seconds


def machine(device: str = "cpu") -> str:
    """The machine in words: what a reader needs to compare figures."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def seconds(call: Callable[[], object], device: str = "cpu") -> float:
    """Wall time of one call, the device's queue emptied before and after."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def matrix_rate(precision: str, device: str = "cpu", size: int = 2048) -> float:
    """Best rate of a square matrix product that this machine reaches, in operations a second.

    Of a smaller one where the product takes long: a processor without bf16 needs minutes for a large one.
    """
    small, rate = 256, 0.0
    while small <= size and (not rate or 2 * small**3 / rate < SLOW_PRODUCT):
        square = torch.randn(small, small, device=device, dtype=dtype_of(precision))
        square @ square
        rate = max(rate, 2 * small**3 / min(seconds(lambda square=square: square @ square, device) for _ in range(9)))
        small *= 2
    return rate


def in_turns(candidates: dict[str, Callable[[], float]], turns: int) -> dict[str, list[float]]:
    """Let the candidates, each of which returns what it measured, take turns; return a list for each."""
    taken = {name: [] for name in candidates}
    for _ in range(turns):
        for name, call in candidates.items():
            taken[name].append(call())
    return taken


def ratio(first: list[float], second: list[float]) -> float:
    """Median over the turns of the ratio within a turn."""
    return statistics.median(a / b for a, b in zip(first, second, strict=True))


def verdict(claim: str, measured: float, bar: float, unit: str = "", most: bool = False) -> None:
    """Print a claim's line: tab-separated claim, measured, bar, met or short; `most` where less is better."""
    met = measured <= bar if most else measured >= bar
    sign = "<=" if most else ">="
    print(f"{claim}\t{measured:.3g}{unit}\t{sign} {bar:g}{unit}\t{'met' if met else 'short'}")


def no_gpu(claim: str, bar: str) -> None:
    """Print the line of a claim that needs a GPU which is not here."""
    print(f"{claim}\t\t{bar}\tno GPU")
