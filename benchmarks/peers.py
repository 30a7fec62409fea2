"""Environments of the programs that this project is compared with, and processes in them that do as they are told.

    make peers                              # builds an environment for each in .venv-peers, a minute each
    python benchmarks/peers.py pylate       # of one of them

The peers need different versions, so each has a separate environment. It is laid over the running one: what it lacks,
it finds there. So nothing as large as torch is installed twice, and all compute with the same torch. The variable PEERS
names another folder than .venv-peers.

A worker is a process in such an environment, `benchmarks/worker_*.py`. It reads a line of JSON for each call, such as
{"call": "encode", "texts": ["a text"], "batch_size": 8}, and answers with what the call returned, as a line of JSON.
Large results travel as files. This module needs the standard library only, since it runs in all environments.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("PEERS", HERE.parent / ".venv-peers"))


class Peer(NamedTuple):
    """A program to compare with, and the packages of its environment."""

    title: str
    requirements: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()  # packages whose own requirements would pull another torch


TRAINING = ("accelerate==1.15.0", "datasets==5.2.0")
PEERS = {
    "sentence_transformers": Peer(
        "sentence-transformers 6", ("sentence-transformers==6.2.0", "transformers==5.24.0", *TRAINING)
    ),
    "pylate": Peer(
        "PyLate",
        ("sentence-transformers==5.3.0", "transformers==5.3.0", "ujson==5.12.0", "fastkmeans==0.5.0", *TRAINING),
        ("pylate==1.6.0",),
    ),
}


def build(folder: Path, requirements: Sequence[str], without_dependencies: Sequence[str]) -> None:
    """Build an environment over the running one, or leave nothing; raises subprocess.SubprocessError."""
    beneath = sysconfig.get_paths()["purelib"]
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        venv.create(temporary, with_pip=True)
        (packages,) = temporary.glob("lib/python*/site-packages")
        (packages / "zz_beneath.pth").write_text(f"import site; site.addsitedir({beneath!r})\n", encoding="utf-8")
        constraints = temporary / "constraints.txt"
        constraints.write_text(f"torch=={version('torch')}\n", encoding="utf-8")
        for options, names in ((["--constraint", constraints], requirements), (["--no-deps"], without_dependencies)):
            if names:
                command = [temporary / "bin/python", "-m", "pip", "install", "--quiet", *options, *names]
                subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def reason(error: subprocess.SubprocessError) -> str:
    """Return the last line of what a command that failed said."""
    return (getattr(error, "stderr", "") or str(error)).strip().splitlines()[-1]


class Worker:
    """A process that computes what it is told: `worker("encode", texts=[...])` returns what its `encode` does."""

    def __init__(self, name: str, python: str | Path = sys.executable):
        """Start benchmarks/worker_NAME.py; its standard error is this process's."""
        self.name = name
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        command = [python, HERE / f"worker_{name}.py"]
        settings = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, env=clean | settings, **pipes)

    def __call__(self, call: str, **arguments: object) -> object:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"call": call, **arguments}, default=str), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"worker_{self.name}.py ended in {call!r}; see above")
        return json.loads(answer)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()


def installed() -> dict[str, Path]:
    """Return the Python of each peer that has an environment; print a line for one that has none."""
    pythons = {name: FOLDER / name / "bin/python" for name in PEERS}
    for name, python in pythons.items():
        if not python.exists():
            print(f"no peer: {PEERS[name].title}: no {python}; `make peers` installs it")
    return {name: python for name, python in pythons.items() if python.exists()}


def serve(*calls: Callable) -> None:
    """Answer calls until there are none; whatever else the process prints goes to standard error."""
    by_name = {call.__name__: call for call in calls}
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        arguments = json.loads(line)
        result = by_name[arguments.pop("call")](**arguments)
        print(json.dumps(result), file=answers, flush=True)


def main() -> None:
    """Build the environments that are missing; the status is 1 if one of them cannot be built."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=PEERS, default=list(PEERS), help="which ones (default: all)")
    failed = False
    for name in parser.parse_args().names:
        if not (FOLDER / name).exists():
            print(f"building {FOLDER / name}", flush=True)
            try:
                build(FOLDER / name, *PEERS[name][1:])
            except subprocess.SubprocessError as error:
                print(f"peers.py: no environment of {PEERS[name].title}: {reason(error)}", file=sys.stderr)
                failed = True
    sys.exit(failed)


if __name__ == "__main__":
    main()
