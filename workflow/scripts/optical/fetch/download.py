"""Turn a row of the table of data sets into a verified file on disk: from the network, a mirror or a local file.

Nothing appears under the final name before its length and checksum are right.
"""

import contextlib
import fcntl
import logging
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from optical.config.tables import UNKNOWN, Dataset
from optical.errors import DataError, ResourceError
from optical.files import COMPRESSED, atomic_path, read_rows, sha256_of, write_rows
from optical.runtime.progress import Progress

log = logging.getLogger("optical")

TABLE = "config/datasets.tsv"
PACKED = {".gz": "gzip", ".zip": "zip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
CHUNK_BYTES = 1 << 20
ATTEMPTS = 5
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 1.0, 60.0  # between two attempts; doubled after each
CONNECT_SECONDS, READ_SECONDS = 15.0, 60.0  # without a byte
SLOWEST, PERIOD_SECONDS = 1000, 120.0  # bytes a second, and how long a server may send fewer
WORTH_RETRYING = (408, 425, 429, 500, 502, 503, 504)


class _Interrupted(Exception):
    """A failed download that may succeed later; `delay` is the wait that the server asks for, in seconds."""

    def __init__(self, what: str, delay: float = 0.0):
        super().__init__(what)
        self.delay = delay


def fetch(
    dataset: Dataset, destination: str | Path, mirror: str | Path | None = None, lock: str | Path | None = None
) -> Path:
    """Fetch a data set to `destination` and verify it.

    With a mirror, `https://host/path` is read from `<mirror>/host/path` and the network is never used. A checksum that
    the table does not know is recorded in the `lock` file at the first fetch and enforced from then on.
    Raises `ResourceError` when the file cannot be had, `DataError` when it is not what it should be.
    """
    destination = Path(destination)
    with atomic_path(destination) as temporary:
        local = local_source(dataset.url, mirror)
        try:
            if local is None:
                download(dataset, temporary)
            elif local.is_file():
                shutil.copyfile(local, temporary)
            else:
                to_serve = f"put {dataset.url} there, or unset the mirror"
                hint = to_serve if mirror else "fix the address in config/datasets.tsv"
                raise ResourceError(f"{dataset.name} is not there", where=local, hint=hint)
        except OSError as error:
            verb, where = ("read", local) if local and error.filename == str(local) else ("write", destination)
            hint = "check its permissions, and the space on the disk"
            raise ResourceError(f"cannot {verb}: {error.strerror or error}", where=where, hint=hint) from error
        verify(dataset, temporary, lock)
    return destination


def local_source(url: str, mirror: str | Path | None = None) -> Path | None:
    """Return the local file that serves an address, or None where the network is needed.

    >>> local_source("https://example.org/a/b.txt", "/mirror").as_posix()
    '/mirror/example.org/a/b.txt'
    >>> local_source("https://example.org/a/b.txt") is None
    True
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ResourceError(f"not an address: {error}", where=url, hint="correct config/datasets.tsv") from error
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    if not parts.scheme:
        return Path(url)
    if not mirror:
        return None
    path = parts.path.lstrip("/") + (f"?{parts.query}" if parts.query else "")
    as_written = Path(mirror, parts.netloc, path)
    return as_written if as_written.exists() else Path(mirror, parts.netloc, unquote(path))


def download(dataset: Dataset, path: Path) -> None:
    """Download to `path` with retries; what has arrived is kept between attempts when the server can resume."""
    session = requests.Session()
    version: dict[str, str] = {}  # the header that asks for the rest of the same file only
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(session, dataset, path, version)
        except _Interrupted as error:
            if attempt == ATTEMPTS:
                raise ResourceError(
                    f"cannot download {dataset.name} in {attempt} attempts: {error}",
                    where=dataset.url,
                    hint="check the network or try later; a mirror can be given as --config mirror=FOLDER",
                ) from error
            delay = min(max(FIRST_DELAY_SECONDS * 2 ** (attempt - 1), error.delay), LONGEST_DELAY_SECONDS)
            log.warning("%s: %s; next attempt in %.1f s", dataset.name, error, delay)
            time.sleep(delay)


def _attempt(session: requests.Session, dataset: Dataset, path: Path, version: dict[str, str]) -> None:
    # Without a version and a checksum, what has arrived may be of another file.
    have = path.stat().st_size if version or dataset.sha256 != UNKNOWN else 0
    # "identity": the bytes as they are stored, for a checksum of the file and not of its unpacked content.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} | version if have else {})
    timeout = (CONNECT_SECONDS, READ_SECONDS)
    try:
        with session.get(dataset.url, headers=headers, stream=True, timeout=timeout) as response:
            _refuse_bad_status(response, dataset, path)
            sent = response.headers.get("Content-Range", "")
            if response.status_code == 206 and not sent.startswith(f"bytes {have}-"):
                path.write_bytes(b"")
                raise _Interrupted(f"the server sent another part of the file: {sent or 'unknown'}")
            version.clear()
            version.update(_if_same(response))
            _receive(response, dataset, path, have if response.status_code == 206 else 0)
    except (requests.exceptions.MissingSchema, requests.exceptions.InvalidURL) as error:
        raise ResourceError(f"not an address: {error}", where=dataset.url, hint="fix config/datasets.tsv") from error
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise _Interrupted(_in_words(error)) from error


def _if_same(response: requests.Response) -> dict[str, str]:
    """Return the header by which a server resumes a file only if it has not changed; none where it tells no version."""
    tag = response.headers.get("ETag", "")
    version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    return {"If-Range": version} if version else {}


def _refuse_bad_status(response: requests.Response, dataset: Dataset, path: Path) -> None:
    status = response.status_code
    plain = [step.url for step in (*response.history, response) if step.url.startswith("http:")]
    if dataset.url.startswith("https:") and plain:
        hint = "fix its url in config/datasets.tsv: what arrives could be anybody's"
        raise ResourceError(f"{dataset.name} is redirected from https to http", where=plain[0], hint=hint)
    if status == 416:  # what we hold is longer than the file: start again
        path.write_bytes(b"")
        raise _Interrupted("the server refused to resume")
    if status in WORTH_RETRYING:
        wish = response.headers.get("Retry-After", "")
        raise _Interrupted(f"HTTP {status} {response.reason}", delay=float(wish) if wish.isdecimal() else 0.0)
    if status >= 400:
        raise ResourceError(
            f"HTTP {status} {response.reason} for {dataset.name}",
            where=dataset.url,
            hint="the file has moved or needs a login: fix its url in config/datasets.tsv, or serve it from a mirror",
        )


def _receive(response: requests.Response, dataset: Dataset, path: Path, have: int) -> None:
    announced = response.headers.get("Content-Length", "")
    total = have + int(announced) if announced.isdecimal() else None
    most = int(dataset.bytes) if dataset.bytes != UNKNOWN else None
    with path.open("r+b") as file, Progress(f"fetch {dataset.name} (bytes)", total=total or 0, done=have) as progress:
        file.truncate(have)
        file.seek(have)
        for block in _blocks(response):
            file.write(block)
            progress.advance(len(block))
            if most is not None and file.tell() > most:
                hint = f"an error page or another version; if the new file is right, correct its row of {TABLE}"
                raise DataError(f"{dataset.name} has more than the {most} bytes expected", where=dataset.url, hint=hint)
    if total is not None and path.stat().st_size < total:
        raise _Interrupted(f"truncated: {path.stat().st_size} of {total} bytes arrived")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """Yield what arrives when it arrives; end the attempt where the server sends next to nothing."""
    began, arrived = time.monotonic(), 0
    while block := response.raw.read1(CHUNK_BYTES, decode_content=False):
        yield block
        arrived += len(block)
        seconds = time.monotonic() - began
        if seconds > PERIOD_SECONDS:
            if arrived < SLOWEST * seconds:
                raise _Interrupted(f"only {arrived} bytes in {seconds:.1f} s")
            began, arrived = time.monotonic(), 0


def _in_words(error: Exception) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or "timed out" in str(error).lower():
        return f"no byte for {READ_SECONDS:g} s"
    if "IncompleteRead" in str(error):
        return "truncated: the connection was closed early"
    return f"no connection ({type(error).__name__})"


def verify(dataset: Dataset, path: Path, lock: str | Path | None = None) -> None:
    """Compare a file's length and checksum with the table, or with the lock file where the table does not know them."""
    size, checksum = path.stat().st_size, sha256_of(path)
    source = TABLE
    if dataset.sha256 == UNKNOWN:
        if lock is None:
            raise DataError(
                f"no checksum known for {dataset.name}", hint=f"give --lock, or write {checksum} into {source}"
            )
        _refuse_unlikely(dataset, path)
        dataset, source = _recorded(dataset, checksum, size, Path(lock)), str(lock)
    if dataset.bytes != UNKNOWN and size != int(dataset.bytes):
        raise DataError(
            f"{dataset.name} has {size} bytes, {dataset.bytes} are expected",
            where=dataset.url,
            hint=f"an error page or another version; if the new file is right, correct its row of {source}",
        )
    if checksum != dataset.sha256:
        raise DataError(
            f"wrong checksum of {dataset.name}: expected {dataset.sha256}, got {checksum}",
            where=dataset.url,
            hint=f"fetch it again; if the publisher changed the file and you trust it, correct its row of {source}",
        )


def _refuse_unlikely(dataset: Dataset, path: Path) -> None:
    """Refuse a file, before its checksum is recorded as the right one, that is empty, or an error page of a server."""
    with path.open("rb") as file:
        head = file.read(200)
    suffixes = {Path(name).suffix.lower() for name in (dataset.name, urlsplit(dataset.url).path)}
    packed = next((PACKED[suffix] for suffix in suffixes if suffix in PACKED), None)
    form = next((form for magic, form in COMPRESSED.items() if head.startswith(magic)), None)
    if not head:
        what = "empty"
    elif head.lstrip().lower().startswith((b"<!doctype html", b"<html")) and not suffixes & {".html", ".htm"}:
        what = "a web page"
    elif packed and packed != form:
        what = f"not compressed with {packed}"
    else:
        return
    hint = f"open its url in a browser, and correct {TABLE}"
    raise DataError(f"{dataset.name} is {what}", where=dataset.url, hint=hint)


def read_lock(path: str | Path) -> dict[str, tuple[str, str]]:
    """Read a lock file: name -> (sha256, bytes). A missing file is an empty one."""
    if not Path(path).exists():
        return {}
    return {name: (checksum, size) for name, checksum, size, *_ in read_rows(path, columns=3)}


def _recorded(dataset: Dataset, checksum: str, size: int, lock: Path) -> Dataset:
    """Return the row with the checksum of the lock file, where it is written now if it is new."""
    with exclusive(lock):
        known = read_lock(lock)
        if dataset.name not in known:
            log.info("%s: first fetch, checksum recorded in %s", dataset.name, lock)
            known[dataset.name] = (checksum, str(size))
            write_rows(lock, ([name, *cells] for name, cells in sorted(known.items())))
    return dataset._replace(sha256=known[dataset.name][0], bytes=known[dataset.name][1])


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Lock the file against other processes: several downloads run at a time and share it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.guard").open("ab") as guard:
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
        except OSError as error:
            hint = "put the folder on a disk that can lock files"
            raise ResourceError(f"cannot lock: {error.strerror or error}", where=path, hint=hint) from error
        yield
