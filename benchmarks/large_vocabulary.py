"""What a step, a checkpoint and a student cost where only the subwords in use are trained, beside the whole table.

    python benchmarks/large_vocabulary.py            # multilingual-e5-small's, mBERT's and XLM-R base's sizes
    python benchmarks/large_vocabulary.py --tiny     # the same code in seconds; its ratios mean nothing

15,000 rows of the table are in use; weights are random, sentences of made-up words have the lengths of real ones. The
objective is optimal transport, in bf16 where the device has it. Dense and compact training take turns. The time of a
step is the mean from one step's start to the next one's, without the first. The bars hold for the first size.

Before, a small model is trained 1,000 steps both ways, without weight decay: no weight may differ by more than 1e-5.
The last lines are tab-separated: claim, measured, bar, result.
"""

import math
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from distillation import our_loss
from made_up import new_encoder, write_bitext
from measuring import Claim, Measured, machine, ratio, run

from optical.config.training import TrainingSettings
from optical.runtime.machine import Machine
from optical.runtime.precision import fastest
from optical.text.token_files import TokenFile
from optical.training import subwords
from optical.training.checkpoints import Checkpoints
from optical.training.loop import train
from optical.training.teacher_vectors import encode_english

BARRED = "e5-small"
WHOLE, IN_USE = "whole table", "rows in use"
LARGE = {WHOLE: math.inf, IN_USE: 0}  # rows from which on only those in use are trained
# Encoders, rows in use, pairs of a batch, steps of a turn, turns; steps of the comparison.
PLANS = {
    "cpu": ((BARRED, "mbert", "xlmr"), 15_000, 32, 7, 3, 1000),
    "cuda": ((BARRED, "mbert", "xlmr"), 15_000, 256, 30, 3, 1000),
    "tiny": (("tiny",), 100, 4, 3, 1, 20),
}
NAME = "subwords in use, multilingual-e5-small's size"
CLAIMS = {
    device: {
        "step": Claim(f"{NAME}, a step's time as a share of dense", 0.6, most=True),
        "checkpoint": Claim(f"{NAME}, a checkpoint's size as a share of dense", 0.35, most=True),
        "student": Claim(f"{NAME}, a student on disk as a share of the whole model", 0.25, most=True),
    }
    for device in ("cpu", "cuda")
}


def train_once(
    folder: Path, way: str, rows: int, settings: TrainingSettings, device: str
) -> tuple[float, float, float]:
    """Train a student; return seconds of a step on average, and bytes of its checkpoint and of its folder."""
    precision, starts = fastest(device), []
    loss = our_loss(folder, "optical", settings, precision, device)
    subwords.LARGE = LARGE[way]
    save = subwords.saving(loss.student, [np.arange(rows)], folder / "teacher")

    def timed(position: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        if device == "cuda":
            torch.cuda.synchronize()
        starts.append(time.perf_counter())
        return loss(position)

    with tempfile.TemporaryDirectory(dir=folder) as name:
        student = Path(name, "student")
        student.mkdir()
        checkpoints = Checkpoints(Path(name), "checkpoint")
        how = Machine(precision=precision, checkpoint_steps=settings.steps)
        train(loss.student, timed, settings, how, checkpoints, way)
        save(student)
        return statistics.mean(np.diff(starts)[1:]), size_of(checkpoints.folder), size_of(student)


def size_of(folder: Path) -> int:
    """Bytes of the files of a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def prepare(folder: Path, size: str, rows: int, pairs: int, precision: str, device: str) -> None:
    """Write a teacher, sentence pairs whose subwords are among so many rows, and the teacher's vectors."""
    teacher = new_encoder(folder / "teacher", size).to(device)
    write_bitext(folder / "tokens", folder / "teacher", pairs, rows, "xlmr")
    encode_english(teacher, TokenFile(folder / "tokens/english"), ["query"], folder / "vectors" / precision, precision)


def assert_same(folder: Path, steps: int, device: str) -> None:
    """Train a small model both ways and compare all weights."""
    prepare(folder, "tiny", 300, 64, "fp32", device)
    settings = TrainingSettings(steps=steps, batch_size=8, dropout=0.0, weight_decay=0.0, learning_rate=1e-3)
    weights = []
    for way in (WHOLE, IN_USE):
        loss = our_loss(folder, "optical", settings, "fp32", device)
        subwords.LARGE = LARGE[way]
        save = subwords.saving(loss.student, loss.ids_read())
        train(loss.student, loss, settings, Machine(precision="fp32"), None, way)
        (folder / way).mkdir()
        save(folder / way)
        weights.append(torch.cat([weight.detach().flatten() for weight in loss.student.parameters()]))
    gap = float((weights[0] - weights[1]).abs().max())
    print(f"after {steps} steps of a small model without weight decay no weight differs by more than {gap:.1e}")
    assert gap <= 1e-5, "training the rows in use is not training the whole table"


def measure(device: str, tiny: bool) -> Measured:
    sizes, rows, batch_size, steps, turns, compared = PLANS["tiny" if tiny else device]
    settings = TrainingSettings(steps=steps, batch_size=batch_size, dropout=0.0)
    shares = {}
    with tempfile.TemporaryDirectory() as name:
        assert_same(Path(name, "same"), compared, device)
        print(f"\n{rows} rows in use, batches of {batch_size} pairs, {fastest(device)}, {machine(device)}\n")
        print(f"{'encoder':<10}{'training':<14}{'s a step':>10}{'checkpoint, MB':>16}{'student, MB':>13}")
        for size in sizes:
            folder = Path(name, size)
            prepare(folder, size, rows, batch_size * steps, fastest(device), device)
            taken = {way: [] for way in (WHOLE, IN_USE)}
            for _ in range(turns):
                for way, found in taken.items():
                    found.append(train_once(folder, way, rows, settings, device))
            columns = {way: list(zip(*found, strict=True)) for way, found in taken.items()}
            for way, (times, checkpoints, students) in columns.items():
                figures = f"{statistics.median(times):>10.3g}{checkpoints[0] / 1e6:>16.0f}{students[0] / 1e6:>13.0f}"
                print(f"{size:<10}{way:<14}{figures}")
            pairs = zip(columns[IN_USE], columns[WHOLE], strict=True)
            shares[size] = [ratio(list(ours), list(dense)) for ours, dense in pairs]
            print(f"{size:<10}{'share':<14}{shares[size][0]:>10.2f}{shares[size][1]:>16.2f}{shares[size][2]:>13.2f}")
    return dict(zip(("step", "checkpoint", "student"), shares[sizes[0]], strict=True))


if __name__ == "__main__":
    run(__doc__, CLAIMS, {"step": measure})
