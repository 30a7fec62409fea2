"""How many GPU hours config/paper.yaml takes, counted in operations: an estimate. Prints a table.

    python benchmarks/paper_budget.py                        # at the rates of the table in docs/reproduce-the-paper.md
    python benchmarks/paper_budget.py --rate 4e14 --share 0.3
    python benchmarks/paper_budget.py --measure              # which share of its matrix rate this machine's CPU reaches

Operations are counted from the config and from the mean lengths below. `--rate` is what the GPU reaches in a large
matrix product, `--share` the part of it that a whole training step reaches; `--measure` takes steps of this project's
own loop at multilingual BERT's size and prints that share for one thread of this machine, by processor time.
"""

import argparse
import tempfile
import time
from pathlib import Path

from optical.plan.experiment import Experiment
from optical.plan.methods import kinds_searching

ROOT = Path(__file__).resolve().parents[1]
HIDDEN, LAYERS = 768, 12  # multilingual BERT
WEIGHTS = LAYERS * 12 * HIDDEN**2  # those that every token meets
NLLB_WEIGHTS = 350e6  # of 600 million; the others are embeddings
# Subwords of an average text; passages and sentences are believed, not counted. Queries are filled up to this.
QUERY, PASSAGE, SENTENCE = 32, 90, 35
ARTICLES, ARTICLE = 600_000, 170  # of CLIRMatrix, pooled: a hundred a query and language; cut at 180
QUERIES = 1000  # of a language, in CLIRMatrix
BEAMS = 4
RATE, SHARE = 2e14, 0.25  # about an A100 in bf16; believed, not measured
HEADER = ("| rule | jobs | operations | GPU hours |", "|---|---:|---:|---:|")


def forward(texts: float, length: int) -> float:
    """Return the operations of reading texts: two a weight and token, and those of the attention."""
    return texts * length * (2 * WEIGHTS + 4 * LAYERS * length * HIDDEN)


def jobs(experiment: Experiment) -> list[tuple[str, int, float]]:
    """Return (rule, jobs, operations of all jobs) of what runs on GPUs."""
    config = experiment.config
    langs = experiment.languages_of(config.collections[0])
    distilled, retrained = (len(experiment.students([kind])) for kind in ("distilled", "retrained"))
    read = config.teacher.steps * config.teacher.batch_size
    taught = config.student.steps * config.student.batch_size
    encoded = len(experiment.aligned_languages())
    pairs = config.bitext_cleaning.train_pairs or 0
    runs = sum(len(experiment.runs(lang, kinds_searching("maxsim", lang))) for lang in langs)
    ranking = 3 * forward(taught, QUERY) + forward(2 * taught, PASSAGE)
    return [
        ("train_teacher", 1, 3 * (forward(read, QUERY) + forward(2 * read, PASSAGE))),
        ("encode_bitext", encoded, encoded * forward(pairs, SENTENCE)),
        ("distil_student", distilled, distilled * 3 * forward(taught, SENTENCE)),
        ("retrain_student", retrained, retrained * ranking),
        ("encode_collection", 1, forward(ARTICLES, ARTICLE)),
        ("search_collection", len(langs), runs * QUERIES * 2.0 * ARTICLES * ARTICLE * QUERY * 128),
        (
            "translate_queries",
            len(experiment.translated_languages()),
            len(langs) * QUERIES * SENTENCE * BEAMS * 2 * NLLB_WEIGHTS,
        ),
    ]


def table(rate: float, share: float) -> list[str]:
    """Return the rows of the table, the sum the last."""
    experiment = Experiment.from_files(ROOT / "config/paper.yaml", folder=ROOT)
    rows = [(name, count, total, total / rate / share / 3600) for name, count, total in jobs(experiment)]
    rows.append(("all", sum(row[1] for row in rows), sum(row[2] for row in rows), sum(row[3] for row in rows)))
    return [f"| {name} | {count} | {total:.1e} | {hours:.1f} |" for name, count, total, hours in rows]


def measured_share(steps: int = 3, batch_size: int = 16) -> float:
    """Return the share of this machine's matrix rate that a step of distillation reaches, on one thread."""
    import torch
    from distillation import OBJECTIVES, TRANSPORT, DistillationLoss
    from made_up import new_encoder, write_bitext

    from optical.config.training import DistillationSettings
    from optical.losses.objectives import build_objective
    from optical.models.folders import load_encoder
    from optical.runtime.machine import Machine
    from optical.text.token_files import TokenFile
    from optical.training.loop import train
    from optical.training.teacher_vectors import encode_english

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        teacher = new_encoder(folder / "teacher", "mbert")
        write_bitext(folder / "tokens", folder / "teacher", steps * batch_size, 119_547)
        encode_english(teacher, TokenFile(folder / "tokens/english"), ["query"], folder / "vectors", "fp32")
        sizes = {"steps": steps, "batch_size": batch_size, "dropout": None}
        settings = DistillationSettings(objectives=OBJECTIVES["optical"], transport=TRANSPORT, **sizes)
        student = load_encoder(folder / "teacher")
        objective = build_objective(settings.objectives, settings.transport)
        loss = DistillationLoss(student, folder / "tokens", folder / "vectors", settings, objective)
        started = time.process_time()
        train(student, loss, settings, Machine(), None, "mbert")
        used = time.process_time() - started
        lengths = TokenFile(folder / "tokens/foreign").lengths
        operations = 3 * sum(forward(1, int(length)) for length in lengths)
    return operations / used / matrix_rate()


def matrix_rate(size: int = 2048) -> float:
    """Return the best rate of a square matrix product in fp32, by processor time, which other jobs do not lengthen."""
    import torch

    square, times = torch.randn(size, size), []
    for _ in range(7):
        started = time.process_time()
        square @ square
        times.append(time.process_time() - started)
    return 2 * size**3 / min(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=RATE, help="of a matrix product, operations a second")
    parser.add_argument("--share", type=float, default=SHARE, help="of that rate, in a whole step")
    parser.add_argument("--measure", action="store_true", help="print this machine's share instead")
    arguments = parser.parse_args()
    if arguments.measure:
        print(f"share of the matrix rate in a step of distillation: {measured_share():.2f}")
    else:
        print("\n".join([*HEADER, *table(arguments.rate, arguments.share)]))
