"""What writing needs to know of disks: names for what is half written, what a kill left, faults, and flushing."""

import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from optical.errors import ConfigError, ResourceError

# Of a disk that is full or cannot be written; a broken pipe is none of them.
_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES, errno.EPERM, errno.ENOTDIR}
# How torch, safetensors and numpy say that a write failed: without a number.
_FAULT = re.compile(r"os error (28|30|5|122)\b|PytorchStreamWriter failed|\d+ requested and \d+ written")
_STREAMS = ("/dev/std", "/dev/fd/", "/proc/")
HOST = re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())[:40]
OLD_SECONDS = 24 * 3600  # of another machine's file: a job that still writes has changed it since


def is_stream(path: Path) -> bool:
    """Return whether a path is a device, a pipe or a process's own output: written into, never replaced."""
    return (path.exists() and not path.is_file() and not path.is_dir()) or str(path).startswith(_STREAMS)


def temporary_beside(path: Path) -> Path:
    """Return a name beside a file or folder for what is not whole yet, and remove what killed processes left there."""
    with contextlib.suppress(FileNotFoundError):
        for entry in os.scandir(path.parent):
            if entry.name.startswith(f".{path.name}.") and _is_abandoned(path, entry):
                shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.unlink(entry)
    return path.with_name(f".{path.name}.{HOST}-{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")


def _is_abandoned(path: Path, entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is a half-written version of `path` whose process is gone."""
    name = re.escape(f".{path.name}.") + r"(\w+)-(\d+)-[0-9a-f]{8}" + re.escape(path.suffix)
    made = re.fullmatch(name, entry.name)
    if made is None:
        return False
    if made[1] != HOST:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > OLD_SECONDS
    try:
        os.kill(int(made[2]), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


@contextlib.contextmanager
def one_line_for_faults(path: Path, temporary: Path) -> Iterator[None]:
    """Raise a `ResourceError` that names path and free space where a disk is full, read-only or failing.

    Args:
        path: what is written.
        temporary: its name until it is whole; faults of other files pass.
    """
    try:
        yield
    except Exception as error:
        reason = _reason(error, path, temporary)
        if reason is None:
            raise
        what = f"{reason} while it was written; {_free_space(path)}"
        raise ResourceError(what, where=path, hint="free space, or write to another disk") from error


def _reason(error: Exception, path: Path, temporary: Path) -> str | None:
    if isinstance(error, OSError) and error.errno in _FAULTS:
        name = str(error.filename or path)
        own = name.startswith(str(temporary)) or str(path).startswith(name)
        return os.strerror(error.errno) if own else None
    return "a write failed" if _FAULT.search(str(error)) else None


def _free_space(path: Path) -> str:
    with contextlib.suppress(OSError):
        folder = next(folder for folder in path.absolute().parents if folder.is_dir())
        return f"{shutil.disk_usage(folder).free / 2**20:,.0f} MiB are free there"
    return "its free space is unknown"


def require_kind(path: Path, folder: bool) -> None:
    """Refuse to replace a folder by a file, or a file by a folder."""
    if path.exists() and path.is_dir() != folder:
        kinds = ("a file", "a folder") if folder else ("a folder", "a file")
        raise ConfigError(f"{kinds[0]}, not {kinds[1]}", where=path, hint="give another name")


def replace_folder(path: Path, new: Path) -> None:
    """Give a new folder a name; one that has it leaves it whole, and is removed then.

    Another process may do the same at the same time: the last one wins.
    """
    while True:
        old = temporary_beside(path)
        with contextlib.suppress(FileNotFoundError):
            path.rename(old)
        try:
            new.replace(path)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        finally:
            old.unlink() if old.is_symlink() else shutil.rmtree(old, ignore_errors=True)


def settle(path: Path, mode: int) -> None:
    """Flush a file, or a folder with all in it, to disk, with the permissions that the user's mask gives."""
    for folder, _, names in os.walk(path):
        for name in names:
            _settle_file(Path(folder, name), mode)
        sync_folder(Path(folder))
    if path.is_file():
        _settle_file(path, mode)


def _settle_file(path: Path, mode: int) -> None:
    if path.is_symlink():
        return
    path.chmod(mode & 0o666)  # some libraries write files that only their owner may read
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to disk, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)
