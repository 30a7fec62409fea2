"""How long a person waits for `optical search` and `optical --help`.

    python benchmarks/command_line.py            # 2,000 passages, MiniLM's size: two minutes, most of them for encoding
    python benchmarks/command_line.py --tiny     # the same code in seconds, for CI; its figures mean nothing

Each time is taken in a process of its own, as a person starts one, and is the median of several. An answer is timed
from the moment that the model is loaded to the end of the command, what it still imports included; help until its first
line comes. The last lines are tab-separated: claim, measured, bar, result.
"""

import argparse
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_up import new_encoder, passages
from measuring import ROOT, Claim, in_turns, machine, matrix_rate

from optical.cli.main import main as optical
from optical.files import write_jsonl
from optical.models import folders
from optical.models.encoder import DOCUMENT, Encoder
from optical.search.encoding import encode_documents

ANSWER_OF = "--answer-of"
QUERY = " ".join(f"w{word}" for word in range(1, 9))
TOP = 10
# Encoder, passages, turns.
PLANS = {False: ("minilm", 2000, 7), True: ("tiny", 50, 1)}
CLAIMS = {
    "search": Claim("optical search, from the loaded model to the answer", 2, " s", most=True),
    "help": Claim("optical --help, to its first line", 0.5, " s", most=True),
}


def write_results(folder: Path, size: str, count: int) -> int:
    """Write what a search needs as the workflow leaves it: teacher, collection, vectors; return the vectors' number."""
    (folder / "teacher").mkdir()
    teacher = new_encoder(folder / "teacher", size)
    texts = passages(count, teacher.settings.document_length - 3)
    documents = [{"id": f"d{number}", "text": text} for number, text in enumerate(texts)]
    write_jsonl(folder / "collections/made-up/documents.jsonl", documents)
    encode_documents(teacher, documents, DOCUMENT, folder / "vectors/made-up")
    return sum(len(text.split()) for text in texts)


def answer(results: str) -> float:
    """Search once; return the seconds from when the model was loaded."""
    loaded, load = [], folders.load_encoder

    def load_and_note(*arguments: object, **named: object) -> Encoder:
        model = load(*arguments, **named)
        loaded.append(time.perf_counter())
        return model

    folders.load_encoder, shown = load_and_note, io.StringIO()
    with contextlib.redirect_stdout(shown):
        code = optical(["search", "--results", results, "--collection", "made-up", "--lang", "en", QUERY])
    taken = time.perf_counter() - loaded[0]
    assert code == 0 and f"\n{TOP} passages in " in shown.getvalue()
    return taken


def answer_of(results: Path) -> float:
    """Seconds of an answer, measured in a process of its own."""
    command = [sys.executable, __file__, ANSWER_OF, str(results)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def first_line(*command: str) -> float:
    """Seconds from the start of Python with these arguments to its first line."""
    library = os.pathsep.join([str(ROOT / "workflow/scripts"), os.environ.get("PYTHONPATH", "")])
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": library}
    ) as process:
        line = process.stdout.readline()
        taken = time.perf_counter() - started
        process.stdout.read()
    assert line and process.returncode == 0
    return taken


def main(tiny: bool) -> None:
    size, count, turns = PLANS[tiny]
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        results = Path(name)
        tokens = write_results(results, size, count)
        taken = in_turns(
            {
                "search": lambda: answer_of(results),
                "help": lambda: first_line("-m", "optical.cli.main", "--help"),
                "Python alone": lambda: first_line("-c", "print(1)"),
            },
            turns,
        )
    medians = {name: statistics.median(values) for name, values in taken.items()}
    print(f"\n{count} passages, {tokens} words, encoder of {size}'s size, {turns} turns\n")
    print(f"{'what':<14}{'median':>9}{'most':>9}")
    for name, values in taken.items():
        print(f"{name:<14}{medians[name]:>8.2f}s{max(values):>8.2f}s")
    operations = 2 * tokens * len(QUERY.split()) * 128
    print(f"\nfloor of a search: its products, {1000 * operations / matrix_rate('fp32', 'cpu', tiny):.1f} ms;", end=" ")
    print("of help: Python alone\n")
    for key, claim in CLAIMS.items():
        print(claim.line(medians[key], ", tiny" * tiny))


if __name__ == "__main__":
    if sys.argv[1:2] == [ANSWER_OF]:
        print(answer(sys.argv[2]))
    else:
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes: only to see that it runs")
        main(parser.parse_args().tiny)
