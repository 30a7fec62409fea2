"""How `optical serve` bears many clients: answers, errors, memory, and its end.

    python benchmarks/serving.py            # 10,000 passages, MiniLM's size, 32 clients for a minute: five minutes
    python benchmarks/serving.py --tiny     # the same code in seconds, for CI; its figures mean nothing

Clients ask one query after another on the loopback, each other words. The memory is that of the whole process. The last
lines are tab-separated: claim, measured, bar, result.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import psutil
from made_up import new_encoder, passages
from measuring import ROOT, Claim, machine

from optical.search.retriever import Retriever

# Encoder, passages, words of a passage, clients, seconds, seconds before memory is first read.
PLANS = {False: ("minilm", 10_000, 60, 32, 60, 10), True: ("tiny", 50, 10, 4, 2, 1)}
CLAIMS = {
    "alone": Claim("optical serve, one client, median answer", 1, " s", most=True),
    "after": Claim("optical serve, one client after the load, median answer", 1, " s", most=True),
    "answered": Claim("optical serve, many clients, share of requests answered", 1),
    "growth": Claim("optical serve, many clients, memory at the end beside that at the start", 1.1, most=True),
    "end": Claim("optical serve, from SIGTERM to its end, exit code 0", 5, " s", most=True),
}


def ask(address: str, words: int) -> float:
    """Ask one query; return the seconds until its answer is read."""
    started = time.perf_counter()
    query = "+".join(f"w{word}" for word in range(words, words + 6))
    with urllib.request.urlopen(f"{address}/api/search?lang=en&q={query}", timeout=60) as answer:
        assert json.load(answer)["passages"]
    return time.perf_counter() - started


def median_answer(address: str) -> float:
    """Return the median seconds of ten answers to one client."""
    return statistics.median(ask(address, number) for number in range(10))


def load(address: str, clients: int, seconds: float) -> tuple[list[float], int]:
    """Let clients ask for some time; return the seconds of every answer, and how many failed."""
    taken: list[float] = []
    errors: list[Exception] = []
    end = time.monotonic() + seconds

    def client(number: int) -> None:
        while time.monotonic() < end:
            try:
                taken.append(ask(address, number + len(taken) % 50))
            except Exception as error:  # whatever it is, it is an error of the service
                errors.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken, len(errors)


def main(tiny: bool) -> None:
    size, count, words, clients, seconds, before = PLANS[tiny]
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "teacher").mkdir()
        new_encoder(folder / "teacher", size)
        documents = ({"id": f"d{number}", "text": text} for number, text in enumerate(passages(count, words)))
        Retriever.load(folder / "teacher").index(documents, folder / "index")
        library = os.pathsep.join([str(ROOT / "workflow/scripts"), os.environ.get("PYTHONPATH", "")])
        options = ["--index", str(folder / "index"), "--lang", "en", "--port", "0"]
        command = [sys.executable, "-m", "optical.cli.main", "serve", *options]
        environment = os.environ | {"PYTHONPATH": library}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
            address = re.search(r"http://\S+", server.stdout.readline())[0]
            alone = median_answer(address)
            load(address, clients, before)
            memory = psutil.Process(server.pid)
            first = memory.memory_info().rss
            taken, errors = load(address, clients, seconds)
            last = memory.memory_info().rss
            after = median_answer(address)
            started = time.perf_counter()
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=60)
            end = time.perf_counter() - started
    taken.sort()
    print(f"\n{count} passages of {words} words, encoder of {size}'s size,", end=" ")
    print(f"{clients} clients, {seconds} s: {len(taken)} answers")
    print(f"p50 {taken[len(taken) // 2]:.2f} s, p95 {taken[int(len(taken) * 0.95)]:.2f} s", end="; ")
    print(f"memory {first / 2**20:.0f} MiB, then {last / 2**20:.0f} MiB\n")
    measured = {
        "alone": alone,
        "after": after,
        "answered": len(taken) / (len(taken) + errors),
        "growth": last / first,
        "end": end if code == 0 else 60.0,
    }
    for key, claim in CLAIMS.items():
        print(claim.line(measured[key], ", tiny" * tiny))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes: only to see that it runs")
    main(parser.parse_args().tiny)
