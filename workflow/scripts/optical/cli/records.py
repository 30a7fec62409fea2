"""For `optical check`: compare what was written with its records, and record what somebody changed on purpose."""

from collections.abc import Iterable
from pathlib import Path

from optical.cli.terminal import printable
from optical.errors import DataError


def verify(folder: Path) -> int:
    """Print a line for each file below a folder that is another one than was written; return how many there are."""
    from optical.runtime.progress import with_progress
    from optical.seals import check_file, recorded_in

    files, changed = list(recorded_in(folder)), 0
    for file in with_progress(files, f"verifying {folder}", len(files)):
        try:
            check_file(file, whole=True)
        except DataError as error:
            changed += 1
            print(f"problem: {printable(str(error))}")
    print(f"{folder}: {len(files)} files have a record, {changed} changed since they were written")
    return changed


def accept(paths: Iterable[str]) -> None:
    """Record files and folders as they are now."""
    from optical import seals

    for path in map(Path, paths):
        if not path.exists():
            raise DataError("no such file or folder", where=path, hint="give what the workflow wrote")
        seals.accept(path)
        print(f"{path}: recorded as it is now")
