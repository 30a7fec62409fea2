"""Environments of other programs' versions, built by benchmarks/peers.py over the running one.

An environment is built once under the user's cache folder, named by what is in it.
"""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

from support.workspace import ROOT

spec = importlib.util.spec_from_file_location("benchmark_peers", ROOT / "benchmarks/peers.py")
benchmark_peers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(benchmark_peers)


def with_peer(name: str) -> Path:
    """Return the Python of an environment with a peer of the benchmarks and its trainer."""
    return environment(*benchmark_peers.PEERS[name][1:])


def environment(requirements: Sequence[str], without_dependencies: Sequence[str]) -> Path:
    """Return the Python of an environment with these packages, building it where needed; skip the test if that fails.

    without_dependencies: packages whose own requirements are left out, because they would pull another torch.
    """
    beneath = sysconfig.get_paths()["purelib"]
    wanted = json.dumps([sys.version, beneath, version("torch"), *requirements, *without_dependencies])
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "optical-tests"
    folder = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    if not folder.is_dir():
        try:
            benchmark_peers.build(folder, requirements, without_dependencies)
        except subprocess.SubprocessError as error:
            wanted = " ".join([*requirements, *without_dependencies])
            pytest.skip(f"no environment with {wanted} can be built here: {benchmark_peers.reason(error)}")
        except OSError:
            if not folder.is_dir():  # else another test process was quicker
                raise
    return folder / "bin" / "python"


def run_in(python: Path, script: Path, *arguments: object) -> object:
    """Run a script in an environment with a JSON argument each; return what it printed last, read as JSON."""
    command = [python, script, *(json.dumps(argument, default=str) for argument in arguments)]
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    settings = {"PATH": path, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "warning"}
    result = subprocess.run(command, capture_output=True, text=True, env=clean | settings, timeout=300, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    assert "newly initialized" not in result.stderr, "weights that are made up give other vectors each time"
    return json.loads(result.stdout.splitlines()[-1])
