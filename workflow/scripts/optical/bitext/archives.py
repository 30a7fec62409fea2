"""Zip files of bitext: which of their members are sentence pairs, and how they are read."""

import contextlib
import io
import lzma
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Set
from pathlib import Path

from optical.bitext.codes import ENGLISH, Tongue, best_fitting, is_of
from optical.errors import DataError
from optical.files import LARGEST_GROWTH, LARGEST_UNPACKED, Guarded, Gunzip

Two = dict[str, str]  # "english" and "foreign" -> member


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
    """Return the members that are files, without those that macOS adds and hidden ones."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    return [name for name in names if not (name.startswith("__MACOSX/") or Path(name).name.startswith("."))]


def line_aligned_members(names: list[str], tongue: Tongue) -> list[Two]:
    """Return the members that translate each other line by line, in the archive's order.

    OPUS calls them `Corpus.en-sw.en` and `Corpus.en-sw.sw`, either code first; `train.en` and `train.sw` will do. Of
    several variants of the language, such as `pt` and `pt_br`, those that fit best are taken.

    >>> line_aligned_members(["README", "A.en-sw.en", "A.en-sw.sw", "B.sw-en.sw", "B.sw-en.en"], Tongue({"sw"}))
    [{'english': 'A.en-sw.en', 'foreign': 'A.en-sw.sw'}, {'english': 'B.sw-en.en', 'foreign': 'B.sw-en.sw'}]
    """
    sides: dict[tuple[str, str], Two] = {}  # stem and foreign code -> members
    english: dict[str, str] = {}
    for name in names:
        stem, _, code = name.removesuffix(".gz").rpartition(".")
        if is_of(code, ENGLISH):
            english[stem] = name
        elif is_of(code, tongue.codes):
            sides[stem, code] = {"foreign": name}
    pairs = [
        (code, {"english": english[stem], **files})
        for (stem, code), files in sides.items()
        if stem in english and _names_no_other_pair(stem, tongue.codes)
    ]
    return best_fitting(pairs, tongue)


def _names_no_other_pair(stem: str, codes: Set[str]) -> bool:
    """Return whether a stem such as `Corpus.en-sw` names English and the language, or, as `train`, no languages."""
    first, _, second = stem.rpartition(".")[2].partition("-")
    if is_of(first, ENGLISH):
        return not second or is_of(second, codes)
    return not is_of(second, ENGLISH) or is_of(first, codes)
