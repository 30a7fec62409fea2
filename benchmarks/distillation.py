"""How fast a student is distilled, beside the same loop with another loss, a plain loop, and the trainers of peers.

    python benchmarks/distillation.py            # MiniLM's size: 6 layers of 384
    python benchmarks/distillation.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

The sentences have the lengths of real ones: NTREX-128 and TICO-19, English and Swahili, in MiniLM's subwords. Their
words are made up, which changes no time. Before any time is taken, losses and gradients are compared on one batch. Each
candidate passes over the same pairs in a separate process (peers.py). They take turns, and a ratio is the median over
the turns of the ratio within one.

    ours, optical    this project's loop with optimal transport, the teacher's vectors read from a file
    ours, mse        the same with the distance of the sentences' means, which costs nothing
    plain            batches drawn blindly and padded, fp32, the teacher read again, a loop of ot.sinkhorn
    sentence-transformers 6
                     its MultiVectorEncoder and the trainer of that, with the objective of `ours, optical` as its loss:
                     the teacher's vectors read from the same file, fused AdamW, the same batches of similar length
    PyLate           the same with its ColBERT, its collator, and the trainer of sentence-transformers 5.3
    ..., helped      without dropout, with plain attention and freed memory kept, which this project's loop found out
                     for itself; PyLate then pads to the longest text of a batch

All but `plain` compute in bf16 where the device has it.

The share of the transport in a step is measured at multilingual BERT's size, on batches of 256 pairs of 32 tokens, with
50 iterations each. The last lines are tab-separated: claim, measured, bar, result.
"""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import ot.batch
import torch
from made_up import SIZES, forward_operations, new_encoder, write_bitext
from measuring import (
    NO_BF16,
    NO_PEER,
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
from our_distillation import OBJECTIVES, TRANSPORT, PlainLoss, our_loss, pair_losses
from peers import PEERS, Worker, installed

from optical.config.training import TrainingSettings
from optical.losses.objectives import PairBatch, build_objective
from optical.losses.transport import marginals, token_cost
from optical.models.folders import load_encoder
from optical.runtime.precision import autocast, fastest
from optical.text.token_files import TokenFile
from optical.training.batches import EpochBatches
from optical.training.loop import optimiser_for, prepare
from optical.training.teacher_vectors import encode_english

FIXED = TRANSPORT.changed(iterations=50, tolerance=0.0)  # as many for all, about what real pairs take
CONVERGED = TRANSPORT.changed(iterations=2000, tolerance=1e-6)  # to compare losses
# Encoder, pairs, batch size, turns of the race; then pairs, tokens and turns of the share of transport.
RACES = {"cpu": ("minilm", 512, 32, 5), "cuda": ("minilm", 4_096, 256, 5), "tiny": ("tiny", 32, 8, 1)}
SHARES = {"cpu": ("mbert", 256, 32, 2), "cuda": ("mbert", 256, 32, 9), "tiny": ("tiny", 8, 16, 1)}
# How far loss and gradient may be from those of another program, relative to them.
TOLERANCES = {"fp32": (1e-3, 1e-2), "bf16": (5e-2, 0.25)}

UTILISED = "operations as a share of the"
HELPED = ", helped"
TRAINERS = {
    f"{name}{helped}": (f"times {each.title}'s trainer{helped}", bar)
    for name, each in PEERS.items()
    for helped, bar in (("", 2), (HELPED, 1.3))
}


def trainer_claims(what: str, before: str = "") -> dict[str, Claim]:
    """The claims on the peers' trainers, as they come and with what our loop found out."""
    return {before + key: Claim(f"{what}, {times}", bar) for key, (times, bar) in TRAINERS.items()}


RATE = "distillation, pairs a second"
BOTH = {
    "mse": Claim(f"{RATE}, times the same loop with MSE", 0.95),
    "plain": Claim(f"{RATE}, times a plain loop", 3),
    **trainer_claims(RATE),
    "share": Claim("distillation, multilingual BERT's size, share of transport in a step", 0.03, most=True),
}
CLAIMS = {
    "cpu": BOTH
    | {kind: Claim(f"distillation, MiniLM's size, {UTILISED} {kind} matrix rate", 0.30) for kind in ("bf16", "fp32")},
    "cuda": BOTH
    | {"mbert, bf16": Claim(f"distillation, multilingual BERT's size, {UTILISED} bf16 matrix rate", 0.40)}
    | trainer_claims("distillation, multilingual-e5-small's size", "e5-small, "),
}


def assert_same_as_plain(folder: Path, settings: TrainingSettings, device: str) -> None:
    """Check loss and gradient of the first batch against the plain loop's, for each objective and precision."""
    for objective, pair_loss in pair_losses(CONVERGED).items():
        student, teacher = (load_encoder(folder / "teacher").to(device) for _ in range(2))
        plain = PlainLoss(student, teacher, folder / "tokens", pair_loss)
        pairs = EpochBatches(plain.foreign.lengths, settings.batch_size, settings.seed)[0]
        expected = _loss_and_gradient(student, plain(pairs))
        for precision in precisions(device):
            ours = our_loss(folder, objective, settings, precision, device, CONVERGED)
            with autocast(ours.device, precision):
                loss, _ = ours(0)
            measured = _loss_and_gradient(ours.student, loss)
            _assert_near(measured, expected, precision, f"{objective} in {precision} and the plain loop")


def _loss_and_gradient(model: torch.nn.Module, loss: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    loss.backward()
    gradients = [weight.grad.flatten() for weight in model.parameters() if weight.grad is not None]
    return loss.detach(), torch.cat(gradients)


def assert_same_as_ours(worker: Worker, folder: Path, settings: TrainingSettings, device: str, helped: bool) -> None:
    """Check loss and gradient of a trainer's first batch against ours, in fp32."""
    ours = our_loss(folder, "optical", settings, "fp32", device)
    expected, _ = ours(0)
    expected.backward()
    gradient = ours.student.transformer.get_input_embeddings().weight.grad.cpu()
    file, options = folder / "gradient.pt", {"precision": "fp32", "device": device, "helped": helped}
    loss = worker("gradient", to=file, folder=folder, settings=settings.model_dump(), **options)
    measured = torch.tensor(loss), torch.load(file)
    _assert_near(measured, (expected.detach().cpu(), gradient), "fp32", f"{worker.name} and ours")


def _assert_near(
    measured: tuple[torch.Tensor, torch.Tensor], expected: tuple[torch.Tensor, torch.Tensor], precision: str, of: str
) -> None:
    kinds = zip(("loss", "gradient"), measured, expected, TOLERANCES[precision], strict=True)
    for what, one, other, tolerance in kinds:
        gap = float((one - other).norm() / other.norm())
        assert gap < tolerance, f"{of}: the {what} differs by {gap:.1e}"


Candidate = Callable[[TrainingSettings], float]  # one pass over the pairs -> pairs a second


def candidates_of(
    stack: ExitStack, folder: Path, device: str, settings: TrainingSettings, kinds: list[str], plain: bool, peers: bool
) -> dict[str, Candidate]:
    """Start a process for each candidate, after a look at whether all compute the same; `race` says which take part."""
    best = fastest(device)

    def passing(worker: Worker, precision: str = best, **options: object) -> Candidate:
        """Return how a worker passes over the pairs."""
        options |= {"folder": folder, "precision": precision, "device": device}

        def pairs_a_second(some: TrainingSettings) -> float:
            return some.steps * some.batch_size / worker("train", settings=some.model_dump(), **options)

        return pairs_a_second

    ours = stack.enter_context(Worker("optical"))
    found = {f"ours, optical, {precision}": passing(ours, precision) for precision in kinds}
    found["ours, mse"] = passing(ours, objective="mse")
    if plain:
        assert_same_as_plain(folder, settings, device)
        apart = stack.enter_context(Worker("optical"))  # its process does not keep freed memory
        part = {"batches": min(2, settings.steps), "batch_size": settings.batch_size}  # its rate does not depend on it
        pairs = part["batches"] * part["batch_size"]
        found["plain"] = lambda _: pairs / apart("plain", folder=folder, device=device, **part)
    for name, python in installed().items() if peers else ():
        for key, helped in ((name, False), (name + HELPED, True)):
            worker = stack.enter_context(Worker(name, python))
            assert_same_as_ours(worker, folder, settings, device, helped)
            found[key] = passing(worker, helped=helped)
    return found


def race(
    folder: Path, device: str, tiny: bool, plan: tuple[str, int, int, int], plain: bool = False, peers: bool = False
) -> Measured:
    """Print pairs a second of every candidate; return what the claims need.

    The plain loop and the other precision that it computes in take part if `plain` says so, the trainers likewise.
    """
    size, pairs, batch_size, turns = plan
    best = fastest(device)
    kinds = precisions(device) if plain else [best]
    teacher = new_encoder(folder / "teacher", size).to(device)
    foreign = write_bitext(folder / "tokens", folder / "teacher", pairs, SIZES[size]["vocab_size"])
    (folder / "foreign.txt").write_text("\n".join(foreign), encoding="utf-8")
    for precision in sorted({*kinds, "fp32"}):  # the trainers are compared with ours in fp32
        vectors = folder / "vectors" / precision
        encode_english(teacher, TokenFile(folder / "tokens/english"), ["query"], vectors, precision)
    settings = TrainingSettings(steps=pairs // batch_size, batch_size=batch_size, dropout=0.0)
    with ExitStack() as stack:
        candidates = candidates_of(stack, folder, device, settings, kinds, plain, peers)
        for call in candidates.values():  # a GPU compiles a kernel for each size of batch at its first use
            call(settings if device == "cuda" else settings.changed(steps=1))
        taken = in_turns({name: lambda call=call: call(settings) for name, call in candidates.items()}, turns)

    lengths = TokenFile(folder / "tokens/foreign").lengths + 3
    needed = 3 * forward_operations(lengths, size)  # forward and backward
    rates = {precision: matrix_rate(precision, device, tiny) for precision in kinds}
    print(f"\n{pairs} pairs of {lengths.mean():.0f} foreign tokens, batches of {batch_size}, {size}, {machine(device)}")
    for precision, rate in rates.items():
        print(f"floor in {precision}: {needed / 1e9:.3g} G operations at {rate / 1e9:.3g} GFLOP/s, the rate of a")
        print(f"  square product, are {pairs * rate / needed:.1f} pairs a second")
    print(f"\n{'candidate':<32}{'pairs/s':>10}{'share of floor':>16}")
    for name, values in taken.items():
        rate = rates["fp32" if name == "plain" or name.endswith("fp32") else best]
        median = statistics.median(values)
        print(f"{name:<32}{median:>10.1f}{median * needed / pairs / rate:>16.2f}")

    measured: Measured = {"bf16": NO_BF16} | dict.fromkeys(TRAINERS, NO_PEER)
    for precision, rate in rates.items():
        measured[precision] = statistics.median(taken[f"ours, optical, {precision}"]) * needed / pairs / rate
    fastest_of_ours = taken[f"ours, optical, {best}"]
    others = [name for name in taken if not name.startswith("ours, optical")]
    keys = {"ours, mse": "mse"}
    return measured | {keys.get(name, name): ratio(fastest_of_ours, taken[name]) for name in others}


def share_of_transport(folder: Path, device: str, plan: tuple[str, int, int, int], tiny: bool) -> float:
    """Print how much of a step is the transport: cost, plan, loss and their gradient; return the share."""
    size, pairs, tokens, turns = plan
    precision = fastest(device)
    student = new_encoder(folder / "student", size).to(device)
    prepare(student, TrainingSettings(dropout=0.0))
    optimiser = optimiser_for(student, TrainingSettings())
    objective = build_objective(OBJECTIVES["optical"], FIXED)
    ids_BM = torch.randint(10, SIZES[size]["vocab_size"], (pairs, tokens), device=device)
    mask_BM = torch.ones_like(ids_BM)
    weights_BM = torch.rand(pairs, tokens, device=device)
    teacher_BND = torch.nn.functional.normalize(torch.randn(pairs, tokens, 128, device=device), dim=-1)
    transport_seconds = []

    def transport_loss(student_BMD: torch.Tensor) -> torch.Tensor:
        some = slice(len(student_BMD))
        mask, weights = mask_BM[some].bool(), weights_BM[some]
        return objective(PairBatch(student_BMD, mask, teacher_BND[some], mask, weights, weights))[0]

    def step(some: slice) -> None:
        with autocast(torch.device(device), precision):
            student_BMD = student(ids_BM[some], mask_BM[some])
            # the gradient to the vectors is taken at once, so that nothing else is in the transport's time
            leaf_BMD = student_BMD.detach().requires_grad_()
            transport_seconds.append(seconds(lambda: transport_loss(leaf_BMD).backward(), device))
        (student_BMD * leaf_BMD.grad).sum().backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    _assert_same_as_reference(transport_loss, teacher_BND, weights_BM)
    step(slice(None) if device == "cuda" else slice(8))  # warms up
    steps = [seconds(lambda: step(slice(None)), device) for _ in range(turns)]
    share = statistics.median(part / whole for part, whole in zip(transport_seconds[-turns:], steps, strict=True))
    dense = 3 * forward_operations(mask_BM.sum(1).cpu().numpy(), size)
    needed = pairs * tokens**2 * (4 * 128 + 4 * FIXED.iterations)
    moved = 3 * pairs * tokens * 128 * 4
    print(f"\na step of {pairs} x {tokens} tokens, {size}, {precision}, {machine(device)}:")
    print(f"{statistics.median(steps):.3g} s, of which transport {statistics.median(transport_seconds[-turns:]):.3g} s")
    print(f"floor: {needed / 1e9:.3g} G operations of the step's {(dense + needed) / 1e9:.3g} G are a share of")
    print(f"  {needed / (dense + needed):.1e}; {moved / 1e6:.3g} MB of vectors and gradient moved once")
    return share


def _assert_same_as_reference(loss: Callable, teacher_BND: torch.Tensor, weights_BM: torch.Tensor) -> None:
    """Check the loss against that of POT's batched solver, on vectors near the teacher's."""
    noise_BND = torch.randn_like(teacher_BND) / teacher_BND.shape[2] ** 0.5
    student_BMD = torch.nn.functional.normalize(teacher_BND + noise_BND, dim=-1)
    cost_BMN = token_cost(student_BMD, teacher_BND)
    masses_BM = marginals(torch.ones_like(weights_BM), weights_BM)
    # named, because the default method of POT 0.9.7 has a sign error
    method = {"max_iter": CONVERGED.iterations, "tol": 0.0, "method": "log_sinkhorn", "grad": "detach"}
    plan_BMN = ot.batch.solve_batch(cost_BMN, TRANSPORT.regularisation, masses_BM, masses_BM, **method).plan
    torch.testing.assert_close(loss(student_BMD), (plan_BMN * cost_BMN).sum((1, 2)).mean(), atol=1e-4, rtol=0)


def measure_minilm(device: str, tiny: bool) -> Measured:
    """Let all candidates race at MiniLM's size."""
    with tempfile.TemporaryDirectory() as name:
        return race(Path(name), device, tiny, RACES["tiny" if tiny else device], plain=True, peers=True)


def measure_larger(device: str, tiny: bool, size: str, peers: bool = False) -> Measured:
    """Race at another size, in the fastest precision; the processor has no claim on it."""
    if device == "cpu":
        return {}
    plan = RACES["tiny"] if tiny else (size, *RACES[device][1:])
    with tempfile.TemporaryDirectory() as name:
        measured = race(Path(name), device, tiny, plan, peers=peers)
    return {f"{size}, {key}": value for key, value in measured.items()}


def measure_share(device: str, tiny: bool) -> Measured:
    """Measure the share of transport in a step."""
    with tempfile.TemporaryDirectory() as name:
        return {"share": share_of_transport(Path(name), device, SHARES["tiny" if tiny else device], tiny)}


PARTS = {
    "minilm": measure_minilm,
    "mbert": partial(measure_larger, size="mbert"),
    "e5-small": partial(measure_larger, size="e5-small", peers=True),
    "share": measure_share,
}

if __name__ == "__main__":
    run(__doc__, CLAIMS, PARTS)
