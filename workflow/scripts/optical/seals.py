"""What was written, by size and SHA-256, so that who reads it can tell damage from data.

A file has its record beside it, `.NAME.sum`; a folder that was written at once has one record of all its files,
`.checksums.json`. Whatever has no record, such as a user's file, is read as it is.
"""

import functools
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from optical.disk import temporary_beside
from optical.errors import DataError, ResourceError

FORMAT = 1  # of the records, and of the folders of this project that have one
LIST = ".checksums.json"
UNLISTED = (LIST, ".snakemake_timestamp")  # the record itself, and what comes after it
LARGE_BYTES = 200 * 2**20  # the SHA-256 of a larger file is compared where somebody asks for it
DEPTH = 3  # folders above a file in which its record may lie


class Record(NamedTuple):
    """What was written of a file."""

    bytes: int
    sha256: str


def beside(path: Path) -> Path:
    """Return where the record of a file lies.

    >>> beside(Path("bitext/train.tsv")).as_posix()
    'bitext/.train.tsv.sum'
    """
    return path.with_name(f".{path.name}.sum")


def write_record(path: Path, of: Path) -> None:
    """Write the record of a file beside it, from its content in another file that is to take its name."""
    temporary = temporary_beside(beside(path))
    with temporary.open("w", encoding="utf-8") as file:
        file.write(_text({path.name: _record(of)}))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(beside(path))


def write_list(folder: Path) -> None:
    """Write one record of all files of a folder into it, in place of those of folders within."""
    for inner in folder.rglob(LIST):
        inner.unlink()
    names = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in UNLISTED)
    text = _text({path.relative_to(folder).as_posix(): _record(path) for path in names})
    (folder / LIST).write_text(text, encoding="utf-8")


def check_file(path: str | Path, whole: bool = False) -> None:
    """Compare a file with what was recorded when it was written; pass where nothing was.

    Args:
        path: the file.
        whole: compare the SHA-256 of a large file, too.

    Raises:
        DataError: the file is another one, or its record is of another format.
        ResourceError: it cannot be read; that says nothing of its content.
    """
    path = Path(path)
    found = _find_record(path)
    if found is None:
        return
    listed, recorded = found
    try:
        state = path.stat()
        if state.st_size != recorded.bytes:
            raise _changed(path, f"it has {state.st_size} bytes, {recorded.bytes} were written", listed)
        if (whole or state.st_size <= LARGE_BYTES) and sha256_of_same(path) != recorded.sha256:
            raise _changed(path, "its SHA-256 is another than when it was written", listed)
    except OSError as error:
        raise ResourceError(f"cannot read: {error.strerror or error}", where=path, hint="run it again") from error


def check_folder(folder: str | Path, whole: bool = False) -> None:
    """Compare all files of a folder with its record, or with that of a folder that it was written in; as `check_file`.

    Raises:
        DataError: a file is missing, or another one than was written.
    """
    for top in [Path(folder), *Path(folder).parents[:DEPTH]]:
        if (top / LIST).is_file():
            for path in map(top.joinpath, _read(top / LIST)):
                if path.is_relative_to(folder):
                    if not path.is_file():
                        raise _changed(path, "it is missing", top / LIST)
                    check_file(path, whole)
            return


def accept(path: Path) -> None:
    """Record a file or a folder as it is now, because somebody changed it on purpose."""
    if path.is_dir():
        write_list(path)
    elif (found := _find_record(path)) and found[0].name == LIST:
        write_list(found[0].parent)
    else:
        write_record(path, path)


def recorded_in(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder that has a record."""
    for record in sorted(folder.rglob(".*.sum")):
        yield record.with_name(record.name.removeprefix(".").removesuffix(".sum"))
    for record in sorted(folder.rglob(LIST)):
        yield from (record.parent / name for name in _read(record))


def sha256_of_same(file: Path) -> str:
    """Return the SHA-256 of a file, read once by this process as long as it stays the same."""
    state = file.stat()
    return _sha256_of(file.resolve(), state.st_size, state.st_mtime_ns)


@functools.cache
def _sha256_of(file: Path, _size: int, _changed: int) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _find_record(path: Path) -> tuple[Path, Record] | None:
    own = beside(path)
    if own.is_file():
        if path.name not in _read(own):
            raise _damaged(own)
        return own, _read(own)[path.name]
    name = Path(path.name)
    for folder in path.parents[:DEPTH]:
        if (folder / LIST).is_file():
            recorded = _read(folder / LIST).get(name.as_posix())
            return (folder / LIST, recorded) if recorded else None
        name = folder.name / name
    return None


def _read(path: Path) -> dict[str, Record]:
    state = path.stat()
    return _read_same(path, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _read_same(path: Path, _size: int, _changed: int) -> dict[str, Record]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, files = content["format"], content["files"]
        records = {name: Record(size, digest) for name, (size, digest) in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error
    if version != FORMAT:
        what = f"written in format {version}, this version reads {FORMAT}"
        raise DataError(what, where=path.parent, hint="make it again, or use the version of OPTICAL that made it")
    return records


def _damaged(path: Path) -> DataError:
    hint = "make again what it is the record of, or delete it to read that unchecked"
    return DataError("damaged record of what was written", where=path, hint=hint)


def _record(path: Path) -> Record:
    with path.open("rb") as content:
        return Record(path.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest())


def _text(records: dict[str, Record]) -> str:
    return json.dumps({"format": FORMAT, "files": records}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _changed(path: Path, how: str, listed: Path) -> DataError:
    what = path if listed.name != LIST else listed.parent
    hint = f"make it again; if you changed it on purpose: optical check --accept {what}"
    return DataError(f"changed since it was written: {how}", where=path, hint=hint)
