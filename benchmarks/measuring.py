"""What the benchmarks share: claims and their lines, the machine in words, its best rates, candidates in turns.

A benchmark states all its claims, measures what it can, and prints a line for each: tab-separated claim, measured, bar,
result. Results are `met` and `short`, or why nothing was measured: `no GPU`, `no peer`, `no bf16`, `no int8`.
"""

import argparse
import functools
import platform
import statistics
import sys
import time
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import NamedTuple

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))  # also without an installation

from optical.runtime.precision import dtype_of, fastest  # noqa: E402
from optical.runtime.startup import keep_memory  # noqa: E402

NO_GPU, NO_PEER, NO_BF16, NO_INT8 = "no GPU", "no peer", "no bf16", "no int8"
DEVICE_NAMES = {"cpu": "CPU", "cuda": "GPU"}
LARGEST_SQUARE = {"cpu": 2048, "cuda": 8192}
TINY_SQUARE = 256


class Claim(NamedTuple):
    """What is claimed, and the bar that the measured figure has to reach."""

    text: str
    bar: float
    unit: str = ""
    most: bool = False  # the bar is not to be exceeded

    def line(self, measured: float | str, where: str = "") -> str:
        """The claim's line; `measured` is a figure, or the word for why there is none."""
        bar = f"{'<=' if self.most else '>='} {self.bar:g}{self.unit}"
        if isinstance(measured, str):
            return f"{self.text}{where}\t\t{bar}\t{measured}"
        met = measured <= self.bar if self.most else measured >= self.bar
        return f"{self.text}{where}\t{measured:.3g}{self.unit}\t{bar}\t{'met' if met else 'short'}"


Measured = dict[Hashable, float | str]  # of each claim, by its key


def run(page: str, claims: dict[str, dict[Hashable, Claim]], parts: dict[str, Callable[[str, bool], Measured]]) -> None:
    """Measure on each device that is wanted and there, then print a line for every claim.

    Args:
        page: what `--help` says.
        claims: of each device ("cpu", "cuda"), by a key.
        parts: by name, (device, whether tiny) -> what was measured, by the keys of the claims; each prints its tables.
    """
    parser = argparse.ArgumentParser(description=page, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes: only to see that it runs")
    parser.add_argument("--device", choices=["auto", *DEVICE_NAMES], default="auto", help="auto: CPU, and GPU if any")
    parser.add_argument("--part", choices=parts, help="measure this part only, and print its claims (default: all)")
    arguments = parser.parse_args()
    keep_memory()
    wanted = list(DEVICE_NAMES) if arguments.device == "auto" else [arguments.device]
    lines = []
    for device in wanted:
        measured: Measured = {}
        if device == "cpu" or torch.cuda.is_available():
            for part in [arguments.part] if arguments.part else parts:
                torch.manual_seed(0)
                measured |= parts[part](device, arguments.tiny)
        else:
            measured = dict.fromkeys(claims[device], NO_GPU)
        where = f", {DEVICE_NAMES[device]}" + ", tiny" * arguments.tiny
        wanted_claims = {key: claim for key, claim in claims[device].items() if key in measured or not arguments.part}
        lines += [claim.line(measured[key], where) for key, claim in wanted_claims.items()]
    print("", *lines, sep="\n")


def machine(device: str = "cpu") -> str:
    """The machine in words: what a reader needs to compare figures."""
    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    return f"{model}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def precisions(device: str) -> list[str]:
    """The precisions that a device multiplies in: bf16 is left out where it is emulated, a hundred times slower."""
    return sorted({"fp32", fastest(device)})


def seconds(call: Callable[[], object], device: str = "cpu") -> float:
    """Wall time of one call, the device's queue emptied before and after."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def seconds_of_tensors(call: Callable[[], Iterable[object]], device: str, to: str = "") -> float:
    """Wall time of a call that gives tensors or arrays; with `to`, a list of them is written there as tensors."""
    found: list[object] = []
    taken = seconds(lambda: found.extend(call()), device)
    if to:
        torch.save([torch.as_tensor(each).cpu() for each in found], to)
    return taken


def matrix_rate(precision: str, device: str, tiny: bool) -> float:
    """Best rate of a square matrix product that torch reaches on this machine, in operations a second."""
    size, rate = 256, 0.0
    while size <= (TINY_SQUARE if tiny else LARGEST_SQUARE[device]):
        square = torch.randn(size, size, device=device).to(dtype_of(precision))
        out = torch.empty_like(square)
        call = functools.partial(torch.mm, square, square, out=out)
        seconds(call, device)
        rate = max(rate, 2 * size**3 / min(seconds(call, device) for _ in range(7)))
        size *= 2
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
