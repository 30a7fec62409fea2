"""How fast the transport plans of a batch are found, beside Python Optimal Transport (POT) in the same run.

    python benchmarks/transport.py            # 128 problems of 32 x 32, 50 iterations
    python benchmarks/transport.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

Before any time is taken, every plan is checked against the reference and against the exact optimum. The candidates take
turns of a few calls each, so that whatever else the machine does hits all of them; the median of their calls counts.
The last lines are tab-separated: claim, measured, bar, met|short|no GPU.
"""

import argparse
import statistics
from collections.abc import Callable
from dataclasses import replace

import ot
import torch
from measuring import in_turns, machine, no_gpu, seconds, verdict

from optical.transport import SOLVERS, TransportSettings, token_cost, transport_plan

REGULARISATION = 0.1
DIMENSIONS = 128


def medians_in_turns(candidates: dict[str, Callable[[], object]], turns: int, device: str) -> dict[str, float]:
    """Median seconds of a call of each candidate: so many turns of five calls, after one to warm up."""
    calls = {name: lambda call=call: [seconds(call, device) for _ in range(5)] for name, call in candidates.items()}
    taken = in_turns(calls, turns + 1)
    return {name: statistics.median(time for turn in values[1:] for time in turn) for name, values in taken.items()}


def floor_seconds(pairs: int, tokens: int, iterations: int, device: str) -> tuple[float, str]:
    """Time below which no implementation of the iterations can come here, from rates that this machine reaches.

    Each iteration is two matrix-vector products with a kernel that stays in the cache (or on the chip).
    """
    operations = pairs * iterations * 2 * (2 * tokens * tokens)
    square = torch.rand(1024, 1024, device=device)
    rate = 2 * 1024**3 / medians_in_turns({"product": lambda: square @ square}, 9, device)["product"]
    bytes_read = pairs * iterations * 2 * tokens * tokens * 4
    kernel = torch.rand(pairs, tokens, tokens, device=device)
    bandwidth = kernel.numel() * 4 / medians_in_turns({"read": lambda: kernel.sum()}, 99, device)["read"]
    floor = max(operations / rate, bytes_read / bandwidth)
    how = (
        f"{operations / 1e6:.1f} M operations at {rate / 1e9:.0f} GFLOP/s, the rate of a square product, and"
        f" {bytes_read / 1e6:.1f} MB of kernel at {bandwidth / 1e9:.1f} GB/s, the rate of a sum over it"
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
    settings = TransportSettings(regularisation=REGULARISATION, iterations=iterations, tolerance=0.0)
    exact = SOLVERS["exact"](cost, weights, weights, settings)
    reference = SOLVERS["sinkhorn_pot"](cost, weights, weights, settings)

    def ours(solver: str, **changes: object) -> Callable[[], torch.Tensor]:
        return lambda: SOLVERS[solver](cost, weights, weights, replace(settings, **changes))

    def pot_batch() -> torch.Tensor:
        return ot.batch.solve_batch(
            cost, REGULARISATION, weights, weights, max_iter=iterations, tol=0, method="log_sinkhorn", grad="detach"
        ).plan

    # the loop ends on the other half of an iteration; ipot and emd solve the problem without entropy
    accuracy = {"ours ipot": (exact, 1e-2), "loop of ot.emd": (exact, 1e-6)}
    accuracy |= dict.fromkeys(["loop of ot.sinkhorn", "the same on NumPy arrays"], (reference, 1e-3))
    found = {"POT batch log_sinkhorn": pot_batch, "ours sinkhorn": ours("sinkhorn"), "ours ipot": ours("ipot")}
    if loops:
        arrays, weight = cost.double().numpy(), weights[0].double().numpy()

        def pot_loop(weight: object, costs: object) -> torch.Tensor:
            settings = {"reg": REGULARISATION, "numItermax": iterations, "stopThr": 0, "warn": False}
            return torch.stack([torch.as_tensor(ot.sinkhorn(weight, weight, cost, **settings)) for cost in costs])

        found["loop of ot.sinkhorn"] = lambda: pot_loop(weights[0], cost)
        found["the same on NumPy arrays"] = lambda: pot_loop(weight, arrays)
        found["loop of ot.emd"] = lambda: torch.stack([torch.from_numpy(ot.emd(weight, weight, c)) for c in arrays])
    for name, call in found.items():
        plan = call().to(cost.device)
        expected, tolerance = accuracy.get(name, (reference, 1e-6))
        gap = ((plan - expected) * cost).sum((1, 2)).abs().max().item()
        assert gap < tolerance, f"{name}: its cost is {gap:.2e} away from the reference's"
        assert (plan - expected).abs().max() < tolerance, f"{name}: its plan is not the reference's"
    return found


def fused(pairs: int, tokens: int, iterations: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """On the GPU, from bf16 vectors: loss and gradient in one kernel, and reading the same vectors once."""
    from optical.transport_fused import fused_runs, fused_transport_loss

    settings = TransportSettings(regularisation=REGULARISATION, iterations=iterations, tolerance=0.0)
    student, teacher = (
        torch.nn.functional.normalize(torch.randn(pairs, tokens, DIMENSIONS, device="cuda"), dim=-1).bfloat16()
        for _ in range(2)
    )
    mask = torch.ones(pairs, tokens, dtype=torch.bool, device="cuda")
    assert fused_runs(student, teacher, settings), "the fused kernel does not work on this device"
    cost = (1 - student.double() @ teacher.double().transpose(1, 2)).float()
    expected = (transport_plan(cost, mask, mask, settings) * cost).sum((1, 2))
    assert torch.allclose(fused_transport_loss(student, teacher, mask, mask, settings), expected, atol=1e-4)
    vectors = torch.cat([student, teacher])
    return lambda: fused_transport_loss(student, teacher, mask, mask, settings), lambda: vectors.amax(2)


def table(title: str, medians: dict[str, float], floor: float, how: str) -> None:
    """Print medians, ratios to our Sinkhorn and distance from the floor."""
    print(f"{title}\nfloor: {floor * 1e3:.3f} ms = the larger of {how}\n")
    print(f"{'solver':<26}{'ms':>10}{'x ours':>10}{'x floor':>10}")
    for name, median in sorted(medians.items(), key=lambda item: item[1]):
        print(f"{name:<26}{median * 1e3:>10.3f}{median / medians['ours sinkhorn']:>10.1f}{median / floor:>10.1f}")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds instead of a minute: only to see that it runs")
    tiny = parser.parse_args().tiny
    pairs, tokens, iterations, turns = (8, 8, 50, 1) if tiny else (128, 32, 50, 9)
    size = f"{pairs} problems of {tokens} x {tokens}, {iterations} iterations"
    medians = {"cuda": {}}
    with torch.no_grad():
        for device in ["cpu"] + ["cuda"] * torch.cuda.is_available():
            cost, weights = problems(pairs, tokens, device)
            found = candidates(cost, weights, iterations, loops=device == "cpu")
            if device == "cuda":
                found["ours fused, with gradient"], found["reading the vectors"] = fused(pairs, tokens, iterations)
            medians[device] = medians_in_turns(found, turns, device)
            table(f"{size}, {machine(device)}", medians[device], *floor_seconds(pairs, tokens, iterations, device))

    cpu, ours = medians["cpu"], medians["cpu"]["ours sinkhorn"]
    loop, arrays, batch = "loop of ot.sinkhorn", "the same on NumPy arrays", "POT batch log_sinkhorn"
    verdict(f"sinkhorn against a {loop} on tensors, CPU, {size}", cpu[loop] / ours, 50, "x")
    verdict(f"sinkhorn against a {loop} on NumPy arrays, CPU, {size}", cpu[arrays] / ours, 50, "x")
    verdict(f"sinkhorn against POT's batched one, CPU, {size}", cpu[batch] / ours, 2, "x")
    against_batch = f"fused loss and gradient against POT's batched plan, GPU, {size}"
    against_reading = f"fused loss and gradient against reading the vectors once, GPU, {size}"
    if gpu := medians["cuda"]:
        ours = gpu["ours fused, with gradient"]
        verdict(against_batch, gpu[batch] / ours, 10, "x")
        verdict(against_reading, ours / gpu["reading the vectors"], 3, "x", most=True)
    else:
        no_gpu(against_batch, ">= 10x")
        no_gpu(against_reading, "<= 3x")


if __name__ == "__main__":
    main()
