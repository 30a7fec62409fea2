"""Zip files: read within bounds, with their faults in one line."""

import contextlib
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from optical.errors import DataError
from optical.files import LARGEST_GROWTH, LARGEST_UNPACKED, Guarded, Gunzip


class _Zipped(Guarded):
    """A zip file or a member of it."""

    FAULTS = (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        OSError,
        EOFError,
        RuntimeError,  # encrypted; not implemented, such as Deflate64
        ValueError,
        OverflowError,
    )
    HINT = "fetch it again; or unpack it, and give its files"


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; raise `DataError` for one that is missing or damaged."""
    if not os.path.isfile(path):
        raise DataError("no such file", where=path, hint="check the path")
    try:
        archive = zipfile.ZipFile(path)
    except _Zipped.FAULTS as error:
        raise DataError(f"not a zip file: {error}", where=path, hint="fetch it again") from error
    with archive:
        yield archive


def open_member(archive: zipfile.ZipFile, member: str) -> io.BufferedReader:
    """Open a member for reading bytes, decompressing `.gz`; its faults are `DataError`s that name it."""
    where = f"{archive.filename}: {member}"
    details = archive.getinfo(member)
    if details.file_size > max(LARGEST_UNPACKED, LARGEST_GROWTH * details.compress_size):
        raise DataError(f"unpacks to {details.file_size} bytes", where=where, hint="no text is so repetitive")
    stream = _Zipped(lambda: archive.open(member), where)
    if not member.lower().endswith(".gz"):
        return io.BufferedReader(stream)
    return io.BufferedReader(Guarded(lambda: Gunzip(stream), where))


def read_member(archive: zipfile.ZipFile, member: str) -> Iterator[str]:
    """Yield the lines of a member, without their line ends."""
    where = f"{archive.filename}: {member}"
    with io.TextIOWrapper(open_member(archive, member), encoding="utf-8-sig", newline="\n") as file:
        try:
            for line in file:
                yield line.rstrip("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise DataError(f"not UTF-8: {error.reason}", where=where, hint="fetch it again") from error


def files_in(archive: zipfile.ZipFile) -> list[str]:
    """Return the members that are files, without those that macOS adds and hidden ones.

    Raises:
        DataError: two have the same name, of which only one could be read.
    """
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        where = f"{archive.filename}: {twice[0]}"
        raise DataError("two members have this name", where=where, hint="unpack the right one, and give its files")
    return [name for name in names if not (name.startswith("__MACOSX/") or Path(name).name.startswith("."))]
