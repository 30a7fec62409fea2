"""How much mass transport plans of real sentence pairs misplace, and how long they take.

    python benchmarks/plans.py --results results/open --languages sw so     # of an experiment that was run
    python benchmarks/plans.py --tiny                                       # the same code in seconds; made-up vectors

The vectors are those of training: of the English sentences the teacher's, of their translations those of the student
before its training and after. Batches are of 32 pairs of similar length. Solvers:

    sinkhorn, 50    Sinkhorn's iterations, 50 of them, whatever they misplace
    sinkhorn        the same until each pair misplaces no more than the tolerance
    over-relaxed    ours: until then, by steps that go further
    exact           the network simplex (ot.emd), without entropy: its plans are others, and misplace nothing

The table is tab-separated. Mass is in hundredths of a pair's, time in milliseconds a batch, the median over batches.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import measuring  # noqa: F401  # puts the library on the path
import torch
from torch import Tensor

from optical.config.transport import TransportSettings
from optical.losses import transport
from optical.losses.transport import exact, marginals, misplaced_mass, sinkhorn, token_cost
from optical.models.encoder import QUERY, Encoder
from optical.models.folders import load_encoder
from optical.text.token_files import TokenFile, bitext_token_weights

BATCH, REGULARISATIONS = 32, (0.05, 0.03)
OURS = transport.OVER_RELAXATION
Problem = tuple[Tensor, Tensor, Tensor]  # costs (B, M, N), marginals (B, M) and (B, N)
COLUMNS = ("lang", "student", "regularisation", "solver", "pairs", "median", "99.9 %", "largest", "above 1 %", "ms")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", default="results", metavar="FOLDER")
    parser.add_argument("--languages", nargs="+", default=["sw"], metavar="CODE")
    parser.add_argument("--method", default="optical")
    parser.add_argument("--pairs", type=int, default=10_000, help="most pairs of a language")
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(*COLUMNS, sep="\t")
    if arguments.tiny:
        report("-", "made up", [made_up()])
        return
    results = Path(arguments.results)
    for lang in arguments.languages:
        extended = results / "extended" / lang
        students = {
            "fresh": extended if extended.exists() else results / "teacher",
            "trained": results / "students" / lang / arguments.method / "1",
        }
        for name, folder in students.items():
            report(lang, name, list(problems(results, lang, load_encoder(folder), arguments.pairs)))


def report(lang: str, student: str, batches: list[Problem]) -> None:
    """Print a row for each regularisation and solver."""
    for regularisation in REGULARISATIONS:
        settings = TransportSettings(regularisation=regularisation)
        for name, (over_relaxation, solver, changes) in {
            "sinkhorn, 50": (1.0, sinkhorn, {"iterations": 50, "tolerance": 0.0}),
            "sinkhorn": (1.0, sinkhorn, {"iterations": 10_000}),
            "over-relaxed": (OURS, sinkhorn, {}),
            "exact": (OURS, exact, {}),
        }.items():
            transport.OVER_RELAXATION = over_relaxation
            misplaced, seconds = solve(solver, batches, settings.changed(**changes))
            mass = 100 * misplaced
            figures = (mass.median(), mass.quantile(0.999), mass.max(), 100 * (misplaced > 0.01).float().mean())
            print(
                lang,
                student,
                regularisation,
                name,
                len(mass),
                *(f"{float(x):.3f}" for x in figures),
                end="\t",
                sep="\t",
            )
            print(f"{1e3 * seconds:.2f}", flush=True)


def solve(solver: Callable[..., Tensor], batches: list[Problem], settings: TransportSettings) -> tuple[Tensor, float]:
    """Return the mass that each plan misplaces, and the median seconds of a batch."""
    misplaced, seconds = [], []
    for batch in batches:
        started = time.perf_counter()
        plan_BMN = solver(*batch, settings)
        seconds.append(time.perf_counter() - started)
        misplaced.append(misplaced_mass(plan_BMN, *batch[1:]))
    return torch.cat(misplaced), statistics.median(seconds)


def problems(results: Path, lang: str, student: Encoder, pairs: int) -> Iterator[Problem]:
    """Yield the problems of a language's sentence pairs, in batches of similar length."""
    tokens = results / "tokens/bitext" / lang
    sides = TokenFile(tokens / "english"), TokenFile(tokens / "foreign")
    english, foreign = ([side[pair] for pair in range(min(pairs, len(side)))] for side in sides)
    weights_V = bitext_token_weights(tokens, student.tokeniser.get_vocab_size(), student.special_ids)
    readers = load_encoder(results / "teacher"), student
    encoded = [
        {
            number: (vectors_LD, torch.from_numpy(weights)[ids_L])
            for number, vectors_LD, ids_L in reader.encode(texts, QUERY)
        }
        for reader, texts, weights in zip(readers, (english, foreign), weights_V, strict=True)
    ]
    order = sorted(range(len(foreign)), key=lambda pair: len(foreign[pair]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        (teacher_BND, masses_BN), (student_BMD, masses_BM) = (
            padded([side[pair] for pair in batch]) for side in encoded
        )
        yield token_cost(student_BMD, teacher_BND), masses_BM, masses_BN


def padded(texts: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return the vectors of some texts as one tensor, and the mass of their tokens."""
    vectors, weights = zip(*texts, strict=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(text)) for text in vectors], batch_first=True)
    weights_BL = torch.nn.utils.rnn.pad_sequence(list(weights), batch_first=True)
    return torch.nn.utils.rnn.pad_sequence(list(vectors), batch_first=True), marginals(mask, weights_BL)


def made_up() -> Problem:
    """Return a batch of random vectors."""
    student, teacher = (torch.nn.functional.normalize(torch.randn(BATCH, tokens, 16), dim=-1) for tokens in (12, 9))
    return token_cost(student, teacher), *(marginals(torch.ones(side.shape[:2])) for side in (student, teacher))


if __name__ == "__main__":
    main()
