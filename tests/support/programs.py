"""Run the workflow's programs in processes of their own, quickly: torch is imported once, by a server that forks them.

Each program runs as `python workflow/scripts/NAME.py ...` would: same arguments, exit status and signals. It runs as
on a compute node: whatever reaches for a network is refused, and recorded.
"""

import multiprocessing
import os
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = (None, "", "localhost", "127.0.0.1", "::1")
REFUSED = "no network on a compute node"
# Programs of CPU rules that the rehearsal of the full experiment runs with the network refused.
REHEARSED = {
    "align_words",
    "clean_bitext",
    "compare_expected",
    "evaluate_run",
    "make_map_table",
    "prepare_collection",
    "prepare_training_set",
    "score_translations",
    "search_lexical",
    "switch_queries",
    "tokenise_bitext",
    "tokenise_training_set",
}
PRELOADED = ["torch", "transformers", "transformers.models.bert.modeling_bert", "optical.training.student"]


def _run(program, arguments, output, environment, folder):
    os.chdir(folder)
    os.environ.update(environment)
    sys.path[:0] = [folder for folder in environment.get("PYTHONPATH", "").split(os.pathsep) if folder]
    forbid_network()
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    script = ROOT / f"workflow/scripts/{program}.py"
    sys.argv = [str(script), *arguments]
    runpy.run_path(str(script), run_name="__main__")


def forbid_network():
    """Refuse this process to look up or connect to any host but this one, and say that it tried."""

    def check(event, arguments):
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        if host not in LOCAL:
            os.write(2, f"{REFUSED}: {event} {host}\n".encode())
            raise OSError(f"{REFUSED}: {host}")

    sys.addaudithook(check)


def server():
    """Return the context whose processes are forked from one that has torch in memory."""
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Run:
    """One program that runs, or ran: with words as they are, and options by name."""

    def __init__(self, context, program, output, environment=None, words=(), folder=".", **arguments):
        self.output = Path(output)
        words = list(words)
        for option, value in arguments.items():
            words += [f"--{option.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
        rest = (str(self.output.absolute()), environment or {}, str(Path(folder).absolute()))
        self.process = context.Process(target=_run, args=(program, words, *rest), daemon=True)
        self.process.start()

    def wait(self, seconds=600):
        """Return the exit status; negative is the signal that ended it. Patient, for a machine that does other work."""
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
            raise TimeoutError(self.output.read_text())
        return self.process.exitcode
