"""Environments of other programs' versions, laid over the running one, so that nothing as large as torch comes twice.

An environment holds its own packages; what it lacks it finds in the running environment. It is built once under the
user's cache folder, named by what is in it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import pytest

PYLATE = "pylate==1.6.0"
BESIDE_PYLATE = (
    "sentence-transformers==5.3.0",
    "transformers==5.3.0",
    "datasets>=2.20",
    "accelerate>=0.31",
    "ujson==5.12.0",
    "fastkmeans==0.5.0",
)


def with_pylate() -> Path:
    """Return the Python of an environment with PyLate and sentence-transformers' trainer."""
    return environment(BESIDE_PYLATE, [PYLATE])


def environment(requirements: Sequence[str], without_dependencies: Sequence[str]) -> Path:
    """Return the Python of an environment with these packages, building it where needed; skip the test if that fails.

    without_dependencies: packages whose own requirements are left out, because they would pull another torch.
    """
    beneath = sysconfig.get_paths()["purelib"]
    torch = f"torch=={version('torch')}"
    wanted = json.dumps([sys.version, beneath, torch, *requirements, *without_dependencies])
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "optical-tests"
    folder = cache / hashlib.sha256(wanted.encode()).hexdigest()[:16]
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=cache))
        try:
            _build(temporary, beneath, torch, requirements, without_dependencies)
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another test process was quicker
                raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder / "bin" / "python"


def _build(folder: Path, beneath: str, torch: str, requirements: Sequence[str], bare: Sequence[str]) -> None:
    venv.create(folder, with_pip=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "zz_beneath.pth").write_text(f"import site; site.addsitedir({beneath!r})\n", encoding="utf-8")
    constraints = folder / "constraints.txt"
    constraints.write_text(torch + "\n", encoding="utf-8")
    for options, names in ((["--constraint", str(constraints)], requirements), (["--no-deps"], bare)):
        command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *options, *names]
        result = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if result.returncode:
            reason = (result.stderr.strip() or "no reason given").splitlines()[-1]
            pytest.skip(f"the environment with {' '.join(bare)} cannot be built here: {reason}")


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
