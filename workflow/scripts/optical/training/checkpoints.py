"""Checkpoints that survive a kill at any moment, and that only their own run reads.

They are in `<folder>/<fingerprint>/`, outside Snakemake's outputs, which it deletes before a job. The fingerprint
hashes everything that decides the result, so a changed config starts from the beginning.
"""

import hashlib
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from optical.errors import ResourceError
from optical.files import as_argument, atomic_path
from optical.runtime.imports import library_files
from optical.runtime.provenance import files_of, version_of
from optical.seals import beside, check_file, sha256_of_same

log = logging.getLogger(__name__)

DECIDING = ("torch", "transformers", "POT", "numpy")  # packages whose versions may change a result
KEPT = 2  # the newest may be the one that a full disk truncated


def fingerprint(settings: Mapping[str, object], inputs: Sequence[str | Path], program: str | Path) -> str:
    """Return a short hash of settings, input contents, the program's code with that of the library, and packages.

    >>> fingerprint({"steps": 1}, [], __file__) == fingerprint({"steps": 2}, [], __file__)
    False
    """
    files = [file for path in inputs for file in files_of(path)]
    checksums = [sha256_of_same(Path(file)) for file in [*files, program, *library_files(program)]]
    parts = [as_argument(settings), *checksums, *map(version_of, DECIDING)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


class Checkpoints:
    """The checkpoints of one training: `save` keeps the last two, `load` gives the newest whole one."""

    def __init__(self, folder: str | Path, key: str):
        self.folder = Path(folder) / key

    def save(self, state: Mapping[str, Any]) -> None:
        """Write a state, which must hold `step`, so that either all of it or nothing is there."""
        path = self.folder / f"step-{state['step']:09d}.pt"
        with atomic_path(path, sealed=True) as temporary:
            torch.save(state, temporary)
        saved = self._newest_first()
        # one of a later step is damaged, or the run would have gone on from it
        kept = [other for other in saved if other.name <= path.name][:KEPT]
        for other in set(saved).difference(kept):
            other.unlink(missing_ok=True)
            beside(other).unlink(missing_ok=True)

    def load(self) -> dict[str, Any] | None:
        """Return the newest whole state, or None; a damaged file is skipped with a warning.

        Raises:
            ResourceError: a file cannot be read now. Its content may be right, so no file is skipped or deleted.
        """
        for path in self._newest_first():
            try:
                check_file(path, whole=True)
                state = torch.load(path, map_location="cpu", weights_only=True)
                log.info("resuming at step %d from %s", state["step"], path)
                return state
            except (ResourceError, PermissionError) as error:
                hint = "run the job again; to continue from an older checkpoint, delete this one"
                raise ResourceError("cannot read a checkpoint", where=path, hint=hint) from error
            except Exception as error:  # whatever a damaged archive raises: the older one will do
                if isinstance(error, MemoryError) or "allocate memory" in str(error):
                    hint = "give the job more memory"
                    raise ResourceError("no memory for a checkpoint", where=path, hint=hint) from error
                reason = (str(error) or type(error).__name__).splitlines()[0]  # an empty file's error says nothing
                log.warning("skipping the damaged checkpoint %s: %s", path, reason)
        return None

    def remove(self) -> None:
        """Delete them all, because the training has its final model."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("step-*.pt"), reverse=True)
