"""Models that are stored as changes to a base: which model it is, in which folder, and whether it is unchanged.

The folder of such a model holds `base.json`: the version of its format, the path from it to its base, and the SHA-256
of the base's files that it depends on. Its tokeniser is the base's, too.
"""

import os
from pathlib import Path

from optical.errors import DataError
from optical.files import read_json, write_json
from optical.runtime.provenance import holds
from optical.seals import sha256_of_same

FILE = "base.json"
FORMAT = 1
WEIGHTS = (".safetensors", ".bin")  # how the names of files with weights end


def write_base(folder: Path, base: Path) -> None:
    """Write into a model's folder which model it changes."""
    files = [file for file in sorted(base.iterdir()) if file.suffix in WEIGHTS or file.name in (FILE, "tokenizer.json")]
    path = Path(os.path.relpath(base.resolve(), folder.resolve())).as_posix()
    write_json(
        folder / FILE, {"format": FORMAT, "path": path, "files": {file.name: sha256_of_same(file) for file in files}}
    )


def base_of(folder: str | Path, given: str | Path | None = None) -> Path | None:
    """Return the folder of a model's base; None for a model that is stored whole.

    Args:
        folder: of the model.
        given: where its base lies now, instead of where the folder says.

    Raises:
        DataError: the base is not there, or is another model than the one that was changed.
    """
    folder = Path(folder)
    if not (folder / FILE).is_file():
        return None
    stored = read_json(folder / FILE)
    if stored["format"] != FORMAT:
        what = f"its format is {stored['format']}; this version reads {FORMAT}"
        raise DataError(what, where=folder / FILE, hint="use the version of OPTICAL that made it, see provenance.json")
    base = Path(given or os.path.normpath(folder.resolve() / stored["path"]))
    if not (base / "config.json").is_file():
        what = f"the model is stored as changes to another one, which is not in {base}"
        raise DataError(what, where=folder, hint="make that model again, or say by --base where it lies")
    if not holds(base, stored["files"]):
        what = f"the model is stored as changes to another one than that in {base}"
        raise DataError(what, where=folder, hint="name the right one by --base, or train this model again")
    return base
