"""How fast the transport plans of a batch are found, beside Python Optimal Transport (POT) in the same run.

    python benchmarks/transport.py            # 128 problems of 32 x 32, 50 iterations; on a GPU also 8,192
    python benchmarks/transport.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

Before any time is taken, every plan is checked against the reference and against the exact optimum. The candidates take
turns of a few calls each, so that whatever else the machine does hits all of them; the median of their calls counts.
The last lines are tab-separated: claim, measured, bar, result.
"""

import os
import statistics
from collections.abc import Callable
from functools import partial

import ot
import torch
from measuring import Claim, Measured, in_turns, machine, matrix_rate, run, seconds

from optical.config.transport import TransportSettings
from optical.losses.transport import SOLVERS, token_cost, transport_plan

PROBLEM = TransportSettings(regularisation=0.1, marginals="uniform", tolerance=0.0)
DIMENSIONS = 128
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"  # the fused kernel runs on the processor, too slow to time
# Problems, tokens of either side, iterations, turns. So many problems fill a GPU; 128 are the pairs of a small batch.
FULL, LARGE, TINY = (128, 32, 50, 9), (8192, 32, 50, 5), (8, 8, 50, 1)
LOOP, ARRAYS, BATCH = "loop of ot.sinkhorn", "the same on NumPy arrays", "POT batch log_sinkhorn"
PLAIN, FUSED, READING = "ours sinkhorn", "ours fused, with gradient", "reading the vectors"
WHAT = "transport, 128 problems of 32 x 32, 50 iterations"


def gpu_claims(problems: int) -> dict[tuple[int, str], Claim]:
    """The claims on the fused kernel, by the number of problems and what it is compared with."""
    what = f"transport, {problems} problems of 32 x 32, 50 iterations, fused"
    return {
        (problems, BATCH): Claim(f"{what} loss and gradient, times POT's batched plan", 10),
        (problems, PLAIN): Claim(f"{what} loss and gradient, times the plan by plain torch", 2),
        (problems, READING): Claim(f"{what}, times of reading the vectors once", 3, most=True),
    }


CLAIMS = {
    "cpu": {
        LOOP: Claim(f"{WHAT}, times a loop of ot.sinkhorn on tensors", 50),
        ARRAYS: Claim(f"{WHAT}, times a loop of ot.sinkhorn on NumPy arrays", 50),
        BATCH: Claim(f"{WHAT}, times POT's batched solver", 2),
    },
    "cuda": gpu_claims(FULL[0]) | gpu_claims(LARGE[0]),
}


def medians_in_turns(candidates: dict[str, Callable[[], object]], turns: int, device: str) -> dict[str, float]:
    """Median seconds of a call of each candidate: so many turns of five calls, after one to warm up."""
    calls = {name: lambda call=call: [seconds(call, device) for _ in range(5)] for name, call in candidates.items()}
    taken = in_turns(calls, turns + 1)
    return {name: statistics.median(time for turn in values[1:] for time in turn) for name, values in taken.items()}


def floor_seconds(pairs: int, tokens: int, iterations: int, device: str, tiny: bool) -> tuple[float, str]:
    """Time below which no implementation of the iterations can come here, from rates that this machine reaches.

    Each iteration is two matrix-vector products with a kernel that stays in the cache (or on the chip).
    """
    operations = pairs * iterations * 2 * (2 * tokens * tokens)
    rate = matrix_rate("fp32", device, tiny)
    bytes_read = pairs * iterations * 2 * tokens * tokens * 4
    kernel = torch.rand(pairs, tokens, tokens, device=device)
    bandwidth = kernel.numel() * 4 / medians_in_turns({"read": lambda: kernel.sum()}, 99, device)["read"]
    floor = max(operations / rate, bytes_read / bandwidth)
    how = (
        f"{operations / 1e6:.1f} M operations at {rate / 1e9:.0f} GFLOP/s, the rate of a square product,\n"
        f"and {bytes_read / 1e6:.1f} MB of kernel at {bandwidth / 1e9:.1f} GB/s, the rate of a sum over it"
    )
    return floor, how


def problems(pairs: int, tokens: int, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Costs between noisy, shuffled translations of each other, and uniform marginals."""
    generator = torch.Generator().manual_seed(0)
    teacher = torch.nn.functional.normalize(torch.randn(pairs, tokens, DIMENSIONS, generator=generator), dim=-1)
    noise = torch.randn(pairs, tokens, DIMENSIONS, generator=generator) / DIMENSIONS**0.5
    student = torch.nn.functional.normalize(teacher[:, torch.randperm(tokens, generator=generator)] + noise, dim=-1)
    return token_cost(student, teacher).to(device), torch.full((pairs, tokens), 1 / tokens, device=device)


def candidates(cost: torch.Tensor, weights: torch.Tensor, iterations: int, loops: bool) -> dict[str, Callable]:
    """Each way to the plans: name -> a call that returns them."""
    settings = PROBLEM.changed(iterations=iterations)
    exact = SOLVERS["exact"](cost, weights, weights, settings)

    def ours(solver: str, **changes: object) -> Callable[[], torch.Tensor]:
        return lambda: SOLVERS[solver](cost, weights, weights, settings.changed(**changes))

    def pot_batch() -> torch.Tensor:
        return ot.batch.solve_batch(
            cost,
            PROBLEM.regularisation,
            weights,
            weights,
            max_iter=iterations,
            tol=0,
            method="log_sinkhorn",
            grad="detach",
        ).plan

    reference = torch.as_tensor(pot_batch())
    # the loop ends on the other half of an iteration; ipot and emd solve the problem without entropy
    accuracy = {"ours ipot": (exact, 1e-2), "loop of ot.emd": (exact, 1e-6)}
    accuracy |= dict.fromkeys([LOOP, ARRAYS, PLAIN], (reference, 1e-3))  # ours is further than POT's by then
    found = {BATCH: pot_batch, PLAIN: ours("sinkhorn"), "ours ipot": ours("ipot")}
    if loops:
        arrays, weight = cost.numpy(), weights[0].numpy()
        doubles, double = cost.double().numpy(), weights[0].double().numpy()  # ot.emd computes in no other precision

        def pot_loop(weight: object, costs: object) -> torch.Tensor:
            settings = {"reg": PROBLEM.regularisation, "numItermax": iterations, "stopThr": 0, "warn": False}
            return torch.stack([torch.as_tensor(ot.sinkhorn(weight, weight, cost, **settings)) for cost in costs])

        found[LOOP] = lambda: pot_loop(weights[0], cost)
        found[ARRAYS] = lambda: pot_loop(weight, arrays)
        found["loop of ot.emd"] = lambda: torch.stack([torch.from_numpy(ot.emd(double, double, c)) for c in doubles])
    for name, call in found.items():
        plan = call().to(cost.device)
        expected, tolerance = accuracy.get(name, (reference, 1e-6))
        gap = ((plan - expected) * cost).sum((1, 2)).abs().max().item()
        assert gap < tolerance, f"{name}: its cost is {gap:.2e} away from the reference's"
        assert (plan - expected).abs().max() < tolerance, f"{name}: its plan is not the reference's"
    return found


def fused(pairs: int, tokens: int, iterations: int, device: str) -> dict[str, Callable[[], object]]:
    """From bf16 vectors: loss and gradient in one kernel, and reading the same vectors once."""
    from optical.losses.transport_fused import fused_runs, fused_transport_loss

    settings = PROBLEM.changed(iterations=iterations)
    student, teacher = (
        torch.nn.functional.normalize(torch.randn(pairs, tokens, DIMENSIONS, device=device), dim=-1).bfloat16()
        for _ in range(2)
    )
    mask = torch.ones(pairs, tokens, dtype=torch.bool, device=device)
    assert fused_runs(student, teacher, settings), "the fused kernel does not work on this device"
    cost = (1 - student.double() @ teacher.double().transpose(1, 2)).float()
    expected = (transport_plan(cost, mask, mask, settings) * cost).sum((1, 2))
    assert torch.allclose(fused_transport_loss(student, teacher, mask, mask, settings)[0], expected, atol=1e-4)
    vectors = torch.cat([student, teacher])
    return {
        FUSED: lambda: fused_transport_loss(student, teacher, mask, mask, settings),
        READING: lambda: vectors.amax(2),
    }


def table(title: str, medians: dict[str, float], floor: float, how: str) -> None:
    """Print medians, ratios to our Sinkhorn and distance from the floor."""
    print(f"\n{title}\nfloor: {floor * 1e3:.3f} ms = the larger of {how}\n")
    print(f"{'solver':<26}{'ms':>10}{'x ours':>10}{'x floor':>10}")
    for name, median in sorted(medians.items(), key=lambda item: item[1]):
        print(f"{name:<26}{median * 1e3:>10.3f}{median / medians[PLAIN]:>10.1f}{median / floor:>10.1f}")


@torch.no_grad()
def measure(device: str, tiny: bool, plan: tuple[int, int, int, int]) -> Measured:
    """Print the time of every candidate; return what the claims need."""
    pairs, tokens, iterations, turns = TINY if tiny else plan
    cost, weights = problems(pairs, tokens, device)
    found = candidates(cost, weights, iterations, loops=device == "cpu")
    if device == "cuda" or INTERPRETED:
        found |= fused(pairs, tokens, iterations, device)
    medians = medians_in_turns(found, turns, device)
    size = f"{pairs} problems of {tokens} x {tokens}, {iterations} iterations"
    table(f"{size}, {machine(device)}", medians, *floor_seconds(pairs, tokens, iterations, device, tiny))
    if device == "cpu":
        return {name: medians[name] / medians[PLAIN] for name in CLAIMS["cpu"]}
    return {
        (plan[0], BATCH): medians[BATCH] / medians[FUSED],
        (plan[0], PLAIN): medians[PLAIN] / medians[FUSED],
        (plan[0], READING): medians[FUSED] / medians[READING],
    }


def measure_large(device: str, tiny: bool) -> Measured:
    """Measure problems enough to fill a GPU; the processor has no claim on them."""
    return {} if device == "cpu" else measure(device, tiny, LARGE)


if __name__ == "__main__":
    run(__doc__, CLAIMS, {"small": partial(measure, plan=FULL), "large": measure_large})
