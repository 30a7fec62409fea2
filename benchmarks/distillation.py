"""How fast a student is distilled, beside the same loop with another loss, a plain loop, and sentence-transformers.

    python benchmarks/distillation.py            # MiniLM's size: 6 layers of 384
    python benchmarks/distillation.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

The sentences have the lengths of real ones: NTREX-128 and TICO-19, English and Swahili, in MiniLM's subwords. Their
words are made up, which changes no time. Before any time is taken, losses and gradients are compared on one batch. Each
candidate passes over the same pairs; they take turns, and a ratio is the median over the turns of the ratio within one.

    ours, optical    this project's loop with optimal transport, the teacher's vectors read from a file
    ours, mse        the same with the distance of the sentences' means, which costs nothing
    plain            batches drawn blindly and padded, fp32, the teacher read again, a loop of ot.sinkhorn
    trainer          sentence-transformers' trainer and MSELoss, its targets computed before, fused AdamW, the same
                     batches of similar length; needs sentence-transformers, datasets and accelerate
    trainer, helped  the same without dropout, with plain attention and freed memory kept, which this project's loop
                     found out for itself

All but `plain` compute in bf16 where the device has it.

The share of the transport in a step is measured at multilingual BERT's size, on batches of 256 pairs of 32 tokens, with
50 iterations each. The last lines are tab-separated: claim, measured, bar, result.
"""

import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import ot.batch
import torch
from distillation_peers import (
    PlainLoss,
    assert_trainer_takes_the_same_loss,
    pair_losses,
    plain_seconds,
    trainer_seconds,
)
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

from optical.config.objectives import Objectives
from optical.config.training import DistillationSettings, TrainingSettings
from optical.config.transport import TransportSettings
from optical.losses.objectives import PairBatch, build_objective
from optical.losses.transport import marginals, token_cost
from optical.models.folders import load_encoder
from optical.runtime.machine import Machine
from optical.runtime.precision import autocast, fastest
from optical.text.token_files import TokenFile
from optical.training.batches import EpochBatches
from optical.training.loop import optimiser_for, prepare, train
from optical.training.student import DistillationLoss
from optical.training.subwords import saving
from optical.training.teacher_vectors import encode_english

TRANSPORT = TransportSettings()
FIXED = TRANSPORT.changed(iterations=50, tolerance=0.0)  # as many for all, about what real pairs take
CONVERGED = TRANSPORT.changed(iterations=2000, tolerance=1e-6)  # to compare losses
OBJECTIVES = {"optical": Objectives(optimal_transport=1.0), "mse": Objectives(sentence_mse=1.0)}
# Encoder, pairs, batch size, turns of the race; then pairs, tokens and turns of the share of transport.
RACES = {"cpu": ("minilm", 512, 32, 3), "cuda": ("minilm", 16_384, 256, 3), "tiny": ("tiny", 32, 8, 1)}
SHARES = {"cpu": ("mbert", 256, 32, 2), "cuda": ("mbert", 256, 32, 9), "tiny": ("tiny", 8, 16, 1)}
# How far loss and gradient may be from the plain loop's, relative to them.
TOLERANCES = {"fp32": (1e-3, 1e-2), "bf16": (5e-2, 0.25)}


UTILISED = "operations as a share of the"
TRAINER = "times sentence-transformers' trainer"


def claims(trainer: float) -> dict[str, Claim]:
    """The claims on both devices, with the bar that differs."""
    rate = "distillation, pairs a second"
    return {
        "mse": Claim(f"{rate}, times the same loop with MSE", 0.95),
        "plain": Claim(f"{rate}, times a plain loop", 3),
        "trainer": Claim(f"{rate}, {TRAINER}", trainer),
        "trainer, helped": Claim(f"{rate}, {TRAINER}, helped", trainer),
        "share": Claim("distillation, multilingual BERT's size, share of transport in a step", 0.03, most=True),
    }


CLAIMS = {
    "cpu": claims(2)
    | {kind: Claim(f"distillation, MiniLM's size, {UTILISED} {kind} matrix rate", 0.30) for kind in ("bf16", "fp32")},
    "cuda": claims(1.5)
    | {
        "mbert, bf16": Claim(f"distillation, multilingual BERT's size, {UTILISED} bf16 matrix rate", 0.40),
        "e5-small, trainer": Claim(f"distillation, multilingual-e5-small's size, {TRAINER}", 1.5),
        "e5-small, trainer, helped": Claim(f"distillation, multilingual-e5-small's size, {TRAINER}, helped", 1.5),
    },
}


def our_loss(
    folder: Path,
    objective: str,
    settings: TrainingSettings,
    precision: str,
    device: str,
    transport: TransportSettings = TRANSPORT,
) -> DistillationLoss:
    """This project's own objective, with a student that starts as the teacher's weights."""
    student = load_encoder(folder / "teacher").to(device)
    settings = DistillationSettings(**settings.model_dump(), objectives=OBJECTIVES[objective], transport=transport)
    built = build_objective(settings.objectives, settings.transport)
    return DistillationLoss(student, folder / "tokens", folder / "vectors" / precision, settings, built)


def our_seconds(folder: Path, objective: str, settings: TrainingSettings, precision: str, device: str) -> float:
    """Time of one pass of this project's own loop, start-up aside."""
    loss = our_loss(folder, objective, settings, precision, device)
    saving(loss.student, loss.ids_read())  # as the program does: of a large vocabulary only the rows in use are trained
    call = lambda: train(loss.student, loss, settings, Machine(precision=precision), None, objective)  # noqa: E731
    return seconds(call, device)


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
            kinds = zip(("loss", "gradient"), measured, expected, TOLERANCES[precision], strict=True)
            for what, one, other, tolerance in kinds:
                gap = float((one - other).norm() / other.norm())
                assert gap < tolerance, f"{objective}, {precision}: the {what} is {gap:.1e} off the plain loop's"


def _loss_and_gradient(model: torch.nn.Module, loss: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    loss.backward()
    gradients = [weight.grad.flatten() for weight in model.parameters() if weight.grad is not None]
    return loss.detach(), torch.cat(gradients)


Candidate = Callable[[TrainingSettings], float]  # one pass over the pairs -> pairs a second


def our_candidates(folder: Path, device: str, pairs: int, kinds: list[str]) -> dict[str, Candidate]:
    """This project's loop in each of some precisions."""

    def ours(objective: str, precision: str) -> Candidate:
        return lambda settings: pairs / our_seconds(folder, objective, settings, precision, device)

    optical = {f"ours, optical, {precision}": ours("optical", precision) for precision in kinds}
    return optical | {"ours, mse": ours("mse", fastest(device))}


def plain_candidate(folder: Path, device: str, settings: TrainingSettings) -> dict[str, Candidate]:
    """The plain loop, after a look at whether it computes the same."""
    assert_same_as_plain(folder, settings, device)
    pair_loss, size = pair_losses(TRANSPORT)["optical"], settings.batch_size
    part = min(2, settings.steps)  # its rate does not depend on how much it does
    return {"plain": lambda _: part * size / plain_seconds(folder, pair_loss, part, size, device)}


def trainer_candidates(
    folder: Path, device: str, foreign: list[str], settings: TrainingSettings
) -> dict[str, Candidate]:
    """sentence-transformers' trainer where it is installed, after a look at whether its loss is the one it names."""
    best = fastest(device)
    try:
        assert_trainer_takes_the_same_loss(folder, foreign[:8], device)
        trainer_seconds(folder, foreign, settings.changed(steps=1), best, device)
    except ImportError as error:
        print(f"no peer: sentence-transformers' trainer: {error}")
        return {}

    def trainer(helped: bool) -> Candidate:
        return lambda some: len(foreign) / trainer_seconds(folder, foreign, some, best, device, helped)

    return {"trainer": trainer(False), "trainer, helped": trainer(True)}


def race(
    folder: Path, device: str, tiny: bool, plan: tuple[str, int, int, int], plain: bool = False, trainer: bool = False
) -> Measured:
    """Print pairs a second of every candidate; return what the claims need.

    The plain loop and the other precision that it computes in take part if `plain` says so, the trainer likewise.
    """
    size, pairs, batch_size, turns = plan
    best = fastest(device)
    kinds = precisions(device) if plain else [best]
    teacher = new_encoder(folder / "teacher", size).to(device)
    foreign = write_bitext(folder / "tokens", folder / "teacher", pairs, SIZES[size]["vocab_size"])
    for precision in kinds:
        vectors = folder / "vectors" / precision
        encode_english(teacher, TokenFile(folder / "tokens/english"), ["query"], vectors, precision)
    settings = TrainingSettings(steps=pairs // batch_size, batch_size=batch_size, dropout=0.0)
    candidates = our_candidates(folder, device, pairs, kinds)
    if plain:
        candidates |= plain_candidate(folder, device, settings)
    if trainer:
        candidates |= trainer_candidates(folder, device, foreign, settings)
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
    print(f"\n{'candidate':<24}{'pairs/s':>10}{'share of floor':>16}")
    for name, values in taken.items():
        rate = rates["fp32" if name == "plain" or name.endswith("fp32") else best]
        median = statistics.median(values)
        print(f"{name:<24}{median:>10.1f}{median * needed / pairs / rate:>16.2f}")

    measured: Measured = {"bf16": NO_BF16, "trainer": NO_PEER, "trainer, helped": NO_PEER}
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
        return race(Path(name), device, tiny, RACES["tiny" if tiny else device], plain=True, trainer=True)


def measure_larger(device: str, tiny: bool, size: str, trainer: bool = False) -> Measured:
    """Race at another size, in the fastest precision; the processor has no claim on it."""
    if device == "cpu":
        return {}
    plan = RACES["tiny"] if tiny else (size, *RACES[device][1:])
    with tempfile.TemporaryDirectory() as name:
        measured = race(Path(name), device, tiny, plan, trainer=trainer)
    return {f"{size}, {key}": value for key, value in measured.items()}


def measure_share(device: str, tiny: bool) -> Measured:
    """Measure the share of transport in a step."""
    with tempfile.TemporaryDirectory() as name:
        return {"share": share_of_transport(Path(name), device, SHARES["tiny" if tiny else device], tiny)}


PARTS = {
    "minilm": measure_minilm,
    "mbert": partial(measure_larger, size="mbert"),
    "e5-small": partial(measure_larger, size="e5-small", trainer=True),
    "share": measure_share,
}

if __name__ == "__main__":
    run(__doc__, CLAIMS, PARTS)
