"""What made a model: settings, inputs, code, packages, machine. No path of the machine goes into it."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from optical import __version__
from optical.errors import DataError
from optical.files import read_json, write_json
from optical.seals import LIST, sha256_of_same

# What the names of instructions that compute with vectors begin with: models trained with others differ a little.
VECTOR_INSTRUCTIONS = ("amx", "avx", "fma", "bf16", "i8mm", "neon", "sme", "sve")
# In a folder that was exported: by name, the SHA-256 of a file before the export changed it, and now.
EXPORTED = "exported.json"
PACKAGES = ("torch", "transformers", "tokenizers", "POT", "numpy", "snakemake")


def write_provenance(
    folder: str | Path,
    settings: Mapping[str, object],
    inputs: Mapping[str, str | Path],
    started: float,
    device: str = "cpu",
    figures: Mapping[str, float] | None = None,
) -> None:
    """Write `provenance.json` into a model folder.

    Args:
        settings: the resolved config of this model.
        inputs: name -> file or folder whose contents are hashed.
        started: `time.monotonic()` when the program began.
        device: the name of what computed it, see `devices.name_of`.
        figures: what else is to be known of how it was made, by name.
    """
    record = {
        "settings": settings,
        "inputs": {name: _hashes(Path(path)) for name, path in inputs.items()},
        "sources": {name: source for name, path in inputs.items() if (source := _source_of(Path(path)))},
        "version": __version__,
        "git_commit": _git_commit(),
        "packages": {name: version_of(name) for name in PACKAGES},
        "machine": _processor() | {"system": platform.system(), "device": device},
        "wall_seconds": round(time.monotonic() - started, 1),
        **(figures or {}),
    }
    write_json(Path(folder) / "provenance.json", record)


def files_of(path: str | Path) -> list[Path]:
    """Return the files of a folder, or the file itself, without `provenance.json`, which names times and machines.

    The same model made twice has the same files then.
    """
    path = Path(path)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in files if file.is_file() and file.name not in ("provenance.json", LIST)]


def content_hash(path: str | Path) -> str:
    """Return a short hash of what is in a file or folder; a file that stays the same is read once."""
    return _joined(map(sha256_of_same, files_of(path)))


def check_belongs(model: str | Path, base: str | Path, made_by: str = "") -> None:
    """Refuse a model that was made from another base: a student beside the teacher of another experiment, for one.

    A model whose folder says of nothing that it was made from it, such as one from elsewhere, is let pass.

    Args:
        model: folder of the model.
        base: folder of what it must have been made from, or of something else that this base has made.
        made_by: `content_hash` of the base, where `base` is something that it has made, such as vectors.

    Raises:
        DataError: none of the folders that the model was made from is the base, nor is the model itself.
    """
    model, base = Path(model), Path(base)
    path = model / "provenance.json"
    inputs = read_json(path).get("inputs", {}) if path.is_file() else {}
    folders = [hashes for hashes in inputs.values() if isinstance(hashes, dict) and hashes]
    if not folders or model.resolve() == base.resolve():
        return
    if made_by:
        known = any(made_by == _joined(hashes[name] for name in sorted(hashes, key=Path)) for hashes in folders)
    else:
        known = any(holds(base, hashes) for hashes in folders)
    if not known and content_hash(model) != (made_by or content_hash(base)):
        what = f"{model} was made from another model"
        hint = "take both from one experiment; provenance.json says what a model was made from"
        raise DataError(what, where=base, hint=hint)


def holds(folder: Path, hashes: Mapping[str, str]) -> bool:
    """Return whether a folder holds files with these SHA-256 hashes, by their names; it may hold others, too.

    A model that was exported or copied lacks its learning curve and what the workflow hides beside it. Of a file that
    the export changed, EXPORTED has the hash before and the hash now.
    """
    exported = read_json(folder / EXPORTED) if (folder / EXPORTED).is_file() else {}
    for name, wanted in hashes.items():
        if name in ("curve.tsv", EXPORTED) or name.startswith("."):
            continue
        found = sha256_of_same(folder / name) if (folder / name).is_file() else ""
        record = exported.get(name) if isinstance(exported, dict) else None
        if found != wanted and record != {"before": wanted, "now": found}:
            return False
    return True


def _joined(hashes: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:16]


def _hashes(path: Path) -> str | dict[str, str]:
    if path.is_file():
        return sha256_of_same(path)
    return {str(file.relative_to(path)): sha256_of_same(file) for file in files_of(path)}


def _processor() -> dict[str, object]:
    """Return the architecture and the model of the processor, and its vector instructions."""
    import torch  # here: what only reads provenance needs none

    found = torch.cpu.get_capabilities()
    instructions = sorted(name for name, has in found.items() if has is True and name.startswith(VECTOR_INSTRUCTIONS))
    model = found.get("cpu_name") or platform.processor()
    return {"processor": platform.machine(), "model": model, "instructions": instructions}


def _source_of(path: Path) -> dict[str, object]:
    """Return where a fetched or unpacked model is from, without the hashes of its files; empty for anything else."""
    file = path / "source.json"
    return {key: value for key, value in read_json(file).items() if key != "files"} if file.is_file() else {}


def _git_commit() -> str:
    command = ["git", "-C", os.path.dirname(__file__), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # no git there
        return "unknown"
    return result.stdout.strip() or "unknown"


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
