"""Reading and writing files: gzip or not, strict UTF-8, and never a half-written output under its final name."""

import codecs
import contextlib
import gzip
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from optical import disk, seals
from optical.errors import DataError

LINES_AT_ONCE = 256  # a write of each line takes longer than making it
BUFFER_BYTES = 1 << 17
LARGEST_GROWTH, LARGEST_UNPACKED = 200, 1 << 28  # what unpacks to more bytes and grows more times is no text
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")
GZIP = b"\x1f\x8b"
# By what a compressed file begins, whatever its name.
COMPRESSED = {
    GZIP: "gzip",
    b"PK\x03\x04": "zip",
    b"BZh91AY&SY": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


def open_bytes(path: str | Path) -> io.BufferedReader:
    """Open a file for reading bytes, decompressing `.gz`.

    Raises:
        DataError: there is no such file, it cannot be read, or it is compressed otherwise than its name says; while it
            is read, the compressed stream is damaged.
    """
    path = Path(path)
    if not os.path.isfile(path):
        what = "a folder, not a file" if os.path.isdir(path) else "no such file"
        raise DataError(what, where=path, hint="check the path")
    seals.check_file(path)
    raw: io.RawIOBase = Guarded(lambda: path.open("rb"), path)
    head = raw.read(len(max(COMPRESSED, key=len))) or b""
    raw.seek(0)
    form = next((form for magic, form in COMPRESSED.items() if head.startswith(magic)), None)
    named = path.suffix.lower() == ".gz"
    if named and head and form != "gzip":
        raise DataError("not compressed with gzip, as .gz says", where=path, hint="rename it, or compress it with gzip")
    if form == "gzip" and not named:
        raise DataError("compressed with gzip, but not named .gz", where=path, hint=f"rename it to {path.name}.gz")
    if form not in ("gzip", None):
        table = path.suffix.lower() in (".xlsx", ".ods")
        hint = "save the table as CSV UTF-8" if table else "unpack it, or compress it with gzip"
        raise DataError(f"compressed with {form}", where=path, hint=hint)
    if named:
        unpacked = Gunzip(raw)
        raw = Guarded(lambda: unpacked, path)
    return io.BufferedReader(raw, BUFFER_BYTES)


class Guarded(io.RawIOBase):
    """A stream from outside whose faults are `DataError`s: of the disk, and of whatever unpacks it.

    The faults are caught in the call that reads, so that errors of the code that uses the data do not pass for them.
    """

    FAULTS: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error)
    HINT = "fetch or make it again"

    def __init__(self, open_stream: Callable[[], Any], where: object):
        self.where = where
        self.stream = self.guarded(open_stream)

    def guarded(self, act: Callable[[], Any]) -> Any:
        """Return what a call returns; its faults become one line."""
        try:
            return act()
        except self.FAULTS as error:
            what = "damaged gzip file" if isinstance(error, EOFError | zlib.error) else "cannot read"
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"{what}: {reason}", where=self.where, hint=self.HINT) from error

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return bool(self.stream.seekable())

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        return int(self.stream.seek(place, whence))

    def readinto(self, buffer: Any) -> int:
        data = self.guarded(lambda: self.stream.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self.stream.close()
        super().close()


class Gunzip(io.RawIOBase):
    """The content of a gzip stream of one or several members; bytes behind them are ignored, as by the command gzip."""

    def __init__(self, packed: io.RawIOBase):
        self.packed = packed
        self.inflate: Any = zlib.decompressobj(31)
        self.rest, self.taken, self.given = b"", 0, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = b""
        while not data and self.inflate is not None:
            chunk = self.rest or self._packed()
            data = self.inflate.decompress(chunk, len(buffer))
            self.rest = self.inflate.unconsumed_tail
            if self.inflate.eof:
                self.rest = self.inflate.unused_data
                if len(self.rest) < len(GZIP):  # no more: the rest of many small members would grow, and be copied
                    self.rest += self._packed()
                self.inflate = zlib.decompressobj(31) if self.rest.startswith(GZIP) else None
            elif not chunk and not data:
                raise EOFError("it is cut off")
        self.given += len(data)
        if self.given > max(LARGEST_UNPACKED, LARGEST_GROWTH * self.taken):
            raise OSError(f"it unpacks to more than {LARGEST_GROWTH} times its size, as no text does")
        buffer[: len(data)] = data
        return len(data)

    def _packed(self) -> bytes:
        packed = self.packed.read(BUFFER_BYTES) or b""
        self.taken += len(packed)
        return packed

    def close(self) -> None:
        self.packed.close()
        super().close()


@contextlib.contextmanager
def open_text(path: str | Path, encoding: str = "utf-8-sig", newline: str | None = "\n") -> Iterator[io.TextIOBase]:
    """Open a text file for reading, decompressing `.gz`; raise `DataError` for one that cannot be read as such."""
    try:
        with io.TextIOWrapper(open_bytes(path), encoding=encoding, newline=newline) as file:
            yield file
    except UnicodeError as error:
        name = "UTF-8" if encoding.startswith("utf-8") else encoding
        fault = f"{error.reason} at byte {error.start} of a block" if isinstance(error, UnicodeDecodeError) else error
        with open_bytes(path) as file:
            before = "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin1"
        hint = f"convert it, e.g. with iconv -f {before} -t utf-8 FILE > NEW_FILE"
        raise DataError(f"not {name}: {fault}", where=path, hint=hint) from error


def is_encoding(name: str) -> bool:
    """Return whether there is a text encoding of this name.

    >>> is_encoding("latin1"), is_encoding("latin9000"), is_encoding("rot13")
    (True, False, False)
    """
    try:
        "a".encode(name)
    except (LookupError, ValueError):
        return False
    return True


def encoding_of_xml(head: bytes) -> str:
    """Return the encoding of an XML file by its first bytes: a byte-order mark, or what it declares.

    >>> encoding_of_xml(b'<?xml version="1.0" encoding="GB18030"?>'), encoding_of_xml(b"<topics>")
    ('gb18030', 'utf-8-sig')
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith((b"<\0", b"\0<")):
        return "utf-16-le" if head[0] else "utf-16-be"
    declared = _DECLARED.search(head)
    name = declared[1].decode("ascii", "replace").lower() if declared else "utf-8"
    return "utf-8-sig" if name in ("utf-8", "utf8", "utf-16") else name  # what says so in single bytes is not UTF-16


def read_text(path: str | Path) -> str:
    """Return all of a text file."""
    with open_text(path) as file:
        return file.read()


def read_lines(path: str | Path) -> Iterator[str]:
    """Yield the lines of a text file without their line ends. Only "\\n" and "\\r\\n" end a line.

    A Unicode line separator inside a sentence must not shift the two sides of a bitext against each other,
    which is what `str.splitlines` would do.
    """
    with open_text(path) as file:
        for line in file:
            yield line.rstrip("\n").removesuffix("\r")


def read_texts(path: str | Path) -> Iterator[str]:
    """Yield the texts of a file that are not empty: its lines, or the cells of a table (`.tsv`), such as bitext."""
    table = Path(path).name.lower().removesuffix(".gz").endswith(".tsv")
    for line in read_lines(path):
        yield from (text for text in (line.split("\t") if table else [line]) if text)


def read_rows(path: str | Path, columns: int) -> Iterator[list[str]]:
    """Yield the tab-separated rows of a headerless table that must have `columns` columns (at least)."""
    return (row for _, row in numbered_rows(path, columns))


def numbered_rows(path: str | Path, columns: int, hint: str = "") -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of `read_rows` with the numbers of their lines."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line:
            continue
        row = line.split("\t")
        if len(row) < columns:
            what = f"line {number} has {len(row)} tab-separated columns, {columns} are needed"
            raise DataError(what, where=path, hint=f"separate the columns by tabs, not by spaces or commas{hint}")
        yield number, row


def read_table(path: str | Path, columns: Sequence[str] = (), hint: str = "") -> list[dict[str, str]]:
    """Read a tab-separated table as one dict of text a row; its header must be `columns` where these are given."""
    lines = read_lines(path)
    header = next(lines, "").split("\t")
    if columns and header != list(columns):
        raise DataError(f"not a table with the columns {' '.join(columns)}", where=path, hint=hint)
    rows = []
    for number, line in enumerate(lines, start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            what = f"line {number} has {len(cells)} tab-separated columns, its header {len(header)}"
            raise DataError(what, where=path, hint=hint or "where a rule made it: remove it, and run again")
        rows.append(dict(zip(header, cells, strict=True)))
    return rows


def read_jsonl(path: str | Path) -> Iterator[Any]:
    """Yield the objects of a JSON Lines file."""
    return (item for _, item in numbered_jsonl(path))


def numbered_jsonl(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Yield the objects of `read_jsonl` with the numbers of their lines."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        yield number, parse_json(line, path, number)


@contextlib.contextmanager
def atomic_path(path: str | Path, sealed: bool = False) -> Iterator[Path]:
    """Give a temporary file name beside `path`; rename it to `path` on success, delete it on failure.

    A device or a pipe stays what it is: what was written goes into it. Where `sealed`, size and SHA-256 are recorded
    beside the file, and who reads it compares them.
    """
    path = Path(path)
    if disk.is_stream(path):
        with tempfile.TemporaryDirectory() as folder, disk.one_line_for_faults(path, path):
            temporary = Path(folder, path.name)
            yield temporary
            with temporary.open("rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        return
    disk.require_kind(path, folder=False)
    temporary = disk.temporary_beside(path)
    with disk.one_line_for_faults(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        try:
            mode = temporary.stat().st_mode
            yield temporary
            disk.settle(temporary, mode)
            if sealed:
                seals.write_record(path, temporary)
            else:
                seals.beside(path).unlink(missing_ok=True)
            temporary.replace(path)
            disk.sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; rename it to `path` on success (replacing it), delete it on failure.

    Sizes and SHA-256 of its files are recorded in it. A job that is killed at once leaves it behind, and the next that
    writes `path` removes it; code that lists such folders skips names that begin with a dot.
    """
    path = Path(path)
    disk.require_kind(path, folder=True)
    temporary = disk.temporary_beside(path)
    with disk.one_line_for_faults(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        try:
            mode = temporary.stat().st_mode
            yield temporary
            seals.write_list(temporary)
            disk.settle(temporary, mode)
            disk.replace_folder(path, temporary)
            disk.sync_folder(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_lines(path: str | Path, lines: Iterable[str], sealed: bool = False) -> int:
    """Write lines to a file (gzip by suffix), as `atomic_path` does; return how many. Gzip has no time stamp."""
    count = 0
    with atomic_path(path, sealed) as temporary, contextlib.ExitStack() as stack:
        file: io.IOBase = stack.enter_context(temporary.open("wb"))
        if Path(path).suffix == ".gz":
            file = stack.enter_context(gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename=""))
        lines = iter(lines)
        while some := list(itertools.islice(lines, LINES_AT_ONCE)):
            file.write("\n".join([*some, ""]).encode("utf-8"))
            count += len(some)
    return count


def write_rows(path: str | Path, rows: Iterable[Iterable[object]], sealed: bool = False) -> int:
    """Write a tab-separated table without a header; white space inside a cell becomes one space."""
    return write_lines(path, ("\t".join(" ".join(str(cell).split()) for cell in row) for row in rows), sealed)


def write_jsonl(path: str | Path, objects: Iterable[Mapping[str, object]]) -> int:
    """Write objects as JSON Lines."""
    return write_lines(path, (json.dumps(item, ensure_ascii=False) for item in objects))


def write_json(path: str | Path, value: object, sealed: bool = False) -> None:
    """Write a JSON file, indented, with sorted keys."""
    write_lines(path, [json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)], sealed)


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return parse_json(read_text(path), path)


def parse_json(text: str, path: object, line: int = 0) -> Any:
    """Return what a JSON text from outside holds.

    Args:
        text: the whole file, or one line of it.
        path: the file, for messages.
        line: its number from 1; 0 for a whole file.
    Raises:
        DataError: it is no JSON, is nested too deeply, or holds a number or half of a character that nothing can use.
    """
    place = f"line {line}" if line else "the file"
    try:
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:  # an escaped half of a character, without its other half, is no text
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        what = f"{place} is not JSON: {error.msg}" + ("" if line else f" in line {error.lineno}")
        raise DataError(what, where=path, hint="one object a line" if line else "") from error
    except UnicodeEncodeError as error:
        what = f"{place} holds half of a character, {error.object[error.start]!a}"
        raise DataError(what, where=path, hint="write its other half after it, or remove it") from error
    except RecursionError as error:
        raise DataError(f"{place} is nested too deeply for JSON", where=path, hint="is it the right file?") from error
    except ValueError as error:  # of int()
        raise DataError(f"{place} holds a number of too many digits", where=path, hint="put it in quotes") from error
    return value


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_argument(value: object) -> str:
    """Write a piece of config as one command-line argument (JSON, which YAML reads)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
