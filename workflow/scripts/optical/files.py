"""Reading and writing files: gzip or not, strict UTF-8, and never a half-written output under its final name."""

import contextlib
import gzip
import hashlib
import io
import itertools
import json
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from optical.disk import is_stream, one_line_for_faults, require_kind, settle, sync_folder, temporary_beside
from optical.errors import DataError

LINES_AT_ONCE = 256  # a write of each line takes longer than making it


@contextlib.contextmanager
def open_text(path: str | Path) -> Iterator[io.TextIOBase]:
    """Open a text file for reading, decompressing `.gz`; raise `DataError` for a missing or damaged file."""
    path = Path(path)
    if not path.is_file():
        raise DataError("no such file", where=path, hint="check the path")
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="\n") as file:
            yield file
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8: {error.reason} at byte {error.start} of a block",
            where=path,
            hint="convert it, e.g. with iconv -t utf-8",
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"damaged gzip file: {error}", where=path, hint="fetch or make it again") from error


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
    table = Path(path).name.removesuffix(".gz").endswith(".tsv")
    for line in read_lines(path):
        yield from (text for text in (line.split("\t") if table else [line]) if text)


def read_rows(path: str | Path, columns: int) -> Iterator[list[str]]:
    """Yield the tab-separated rows of a headerless table that must have `columns` columns (at least)."""
    return (row for _, row in numbered_rows(path, columns))


def numbered_rows(path: str | Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of `read_rows` with the numbers of their lines."""
    for number, line in enumerate(read_lines(path), start=1):
        if not line:
            continue
        row = line.split("\t")
        if len(row) < columns:
            raise DataError(
                f"line {number} has {len(row)} tab-separated columns, {columns} are needed",
                where=path,
                hint="separate the columns by tabs, not by spaces or commas",
            )
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
        try:
            item = json.loads(line)
            if "\\ud" in line or "\\uD" in line:  # an escaped half of a character, without its other half, is no text
                json.dumps(item, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            raise DataError(f"line {number} is not JSON: {error.msg}", where=path, hint="one object a line") from error
        except UnicodeEncodeError as error:
            what = f"line {number} holds half of a character, {error.object[error.start]!a}"
            raise DataError(what, where=path, hint="write its other half after it, or leave it out") from error
        yield number, item


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary file name beside `path`; rename it to `path` on success, delete it on failure.

    A device or a pipe stays what it is: what was written goes into it.
    """
    path = Path(path)
    if is_stream(path):
        with tempfile.TemporaryDirectory() as folder, one_line_for_faults(path, path):
            temporary = Path(folder, path.name)
            yield temporary
            with temporary.open("rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        return
    require_kind(path, folder=False)
    temporary = temporary_beside(path)
    with one_line_for_faults(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        try:
            mode = temporary.stat().st_mode
            yield temporary
            settle(temporary, mode)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `path`; rename it to `path` on success (replacing it), delete it on failure.

    A job that is killed at once leaves it behind, and the next that writes `path` removes it: whoever lists such
    folders passes over names that begin with a dot.
    """
    path = Path(path)
    require_kind(path, folder=True)
    temporary = temporary_beside(path)
    with one_line_for_faults(path, temporary):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        try:
            mode = temporary.stat().st_mode
            yield temporary
            settle(temporary, mode)
            if path.exists():
                shutil.rmtree(path)
            temporary.replace(path)
            sync_folder(path.parent)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_lines(path: str | Path, lines: Iterable[str]) -> int:
    """Write lines to a file (gzip by suffix), atomically; return how many. Gzip files carry no time stamp."""
    count = 0
    with atomic_path(path) as temporary, contextlib.ExitStack() as stack:
        file: io.IOBase = stack.enter_context(temporary.open("wb"))
        if Path(path).suffix == ".gz":
            file = stack.enter_context(gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename=""))
        lines = iter(lines)
        while some := list(itertools.islice(lines, LINES_AT_ONCE)):
            file.write("\n".join([*some, ""]).encode("utf-8"))
            count += len(some)
    return count


def write_rows(path: str | Path, rows: Iterable[Iterable[object]]) -> int:
    """Write a tab-separated table without a header; white space inside a cell becomes one space."""
    return write_lines(path, ("\t".join(" ".join(str(cell).split()) for cell in row) for row in rows))


def write_jsonl(path: str | Path, objects: Iterable[Mapping[str, object]]) -> int:
    """Write objects as JSON Lines."""
    return write_lines(path, (json.dumps(item, ensure_ascii=False) for item in objects))


def write_json(path: str | Path, value: object) -> None:
    """Write a JSON file, indented, with sorted keys."""
    write_lines(path, [json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)])


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    with open_text(path) as file:
        try:
            return json.load(file)
        except json.JSONDecodeError as error:
            raise DataError(f"not JSON: {error.msg} in line {error.lineno}", where=path) from error


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_argument(value: object) -> str:
    """Write a piece of config as one command-line argument (JSON, which YAML reads)."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
