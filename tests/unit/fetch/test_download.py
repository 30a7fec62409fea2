"""Fetching against a small server that misbehaves in every way a real one does."""

import contextlib
import hashlib
import http.server
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from optical.config.tables import Dataset
from optical.errors import DataError, ResourceError
from optical.fetch import download
from optical.fetch.download import fetch, read_lock

CONTENT = bytes(range(256)) * 400
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()
SIZE = str(len(CONTENT))


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Try for a second, not for minutes."""
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    monkeypatch.setattr(download, "FIRST_DELAY_SECONDS", 0.01)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    requests: list[tuple[str, str]]
    versions: list[str | None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answer by the path: /good, /missing, /busy, /stall, /short, /flaky (cut once; can resume), /restart (cannot).

    /elsewhere resumes at another place, /changed is another file at the second attempt, /page and /empty are no file,
    /drip sends ten bytes now and then.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.strip("/")
        asked = self.headers.get("Range", "")
        earlier = sum(path == name for path, _ in self.server.requests)
        self.server.requests.append((name, asked))
        if name == "missing":
            return self.answer(404, b"gone")
        if name == "broken" or (name == "busy" and earlier == 0):
            return self.answer(503, b"busy")
        if name in ("page", "empty"):
            return self.answer(200, b"<!DOCTYPE html><p>log in" if name == "page" else b"")
        if name == "elsewhere" and asked:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes 0-9/{len(CONTENT)}")
            self.send_header("Content-Length", "10")
            self.end_headers()
            return self.wfile.write(CONTENT[:10])
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if name == "flaky" else 0
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        if name == "changed":
            body = body if earlier == 0 else body[::-1]
            self.send_header("ETag", f'"{earlier}"')
            self.server.versions.append(self.headers.get("If-Range"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if name == "drip":
            with contextlib.suppress(OSError):  # the client goes
                for place in range(0, 1000, 10):
                    self.wfile.write(body[place : place + 10])
                    self.wfile.flush()
                    time.sleep(0.02)
            return
        cut = name in ("short", "stall") or (name in ("flaky", "restart", "elsewhere", "changed") and earlier == 0)
        self.wfile.write(body[: 50_000 if cut else None])
        self.wfile.flush()
        if name == "stall":
            time.sleep(1.0)
        self.close_connection = True

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    server = Server(("127.0.0.1", 0), Handler)
    server.requests, server.versions = [], []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def dataset(server, name, sha256=CHECKSUM, size=SIZE):
    url = f"http://127.0.0.1:{server.server_address[1]}/{name}"
    return Dataset("a.bin", "1", url, sha256, size, "CC0-1.0", "lines", "")


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["good", "busy", "flaky", "restart"])
def test_the_file_arrives_whole(server, tmp_path, name):
    path = fetch(dataset(server, name), tmp_path / "a.bin")
    assert path.read_bytes() == CONTENT
    assert leftovers(tmp_path) == ["a.bin"]
    assert len(server.requests) == (1 if name == "good" else 2)


def test_a_cut_download_is_resumed_where_it_stopped(server, tmp_path):
    fetch(dataset(server, "flaky"), tmp_path / "a.bin")
    assert [asked for _, asked in server.requests] == ["", "bytes=50000-"]


@pytest.mark.parametrize(
    ("name", "error", "what", "attempts"),
    [
        ("missing", ResourceError, "HTTP 404.*fix its url", 1),
        ("broken", ResourceError, "3 attempts: HTTP 503", 3),
        ("stall", ResourceError, "no byte for 0.3 s", 3),
        ("short", ResourceError, "truncated", 3),
        ("drip", ResourceError, r"only \d+ bytes in 0.\d s", 3),
    ],
)
def test_failures_say_why_and_leave_nothing(server, tmp_path, monkeypatch, name, error, what, attempts):
    monkeypatch.setattr(download, "READ_SECONDS", 0.3)
    monkeypatch.setattr(download, "PERIOD_SECONDS", 0.1)
    with pytest.raises(error, match=what) as caught:
        fetch(dataset(server, name), tmp_path / "a.bin")
    assert "\n" not in str(caught.value)
    assert leftovers(tmp_path) == []
    assert len(server.requests) == attempts


def test_a_part_from_elsewhere_is_not_taken_for_the_rest(server, tmp_path):
    fetch(dataset(server, "elsewhere"), tmp_path / "a.bin")
    assert [asked for _, asked in server.requests] == ["", "bytes=50000-", ""]


def test_a_file_that_changes_between_attempts_is_not_pieced_together(server, tmp_path):
    row = dataset(server, "changed", sha256="-", size="-")
    assert fetch(row, tmp_path / "a.bin", lock=tmp_path / "lock").read_bytes() == CONTENT[::-1]
    assert server.versions == [None, '"0"']
    fetch(dataset(server, "flaky", sha256="-", size="-")._replace(name="b.bin"), tmp_path / "b", lock=tmp_path / "lock")
    assert ("flaky", "bytes=50000-") not in server.requests  # the server tells no version: from the beginning


@pytest.mark.parametrize(
    ("name", "file", "what"),
    [("page", "a.txt", "a web page"), ("page", "a.tsv.gz", "a web page"), ("empty", "a.txt", "empty")]
    + [("good", "a.zip", "not compressed with zip"), ("good", "a.gz", "not compressed with gzip")],
)
def test_what_is_no_file_is_never_recorded_as_the_right_one(server, tmp_path, name, file, what):
    row = dataset(server, name, sha256="-", size="-")._replace(name=file)
    with pytest.raises(DataError, match=f"{file} is {what}.*browser"):
        fetch(row, tmp_path / "out", lock=tmp_path / "lock.tsv")
    assert read_lock(tmp_path / "lock.tsv") == {}


def test_more_than_was_declared_is_not_stored(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "CHUNK_BYTES", 1000)
    with pytest.raises(DataError, match="more than the 2000 bytes expected"):
        fetch(dataset(server, "good", size="2000"), tmp_path / "a.bin")
    assert leftovers(tmp_path) == []


def test_https_is_not_left_for_http(tmp_path):
    row = Dataset("a.bin", "1", "https://example.org/a", CHECKSUM, SIZE, "CC0-1.0", "lines", "")
    urls = (f"{kind}://example.org/a" for kind in ("http", "https"))
    plain, safe = (SimpleNamespace(url=url, status_code=302, history=[]) for url in urls)
    for response in (plain, SimpleNamespace(url=safe.url, history=[safe, plain], status_code=200)):
        with pytest.raises(ResourceError, match=r"a.bin is redirected from https to http \[http://example.org/a\]"):
            download._refuse_bad_status(response, row, tmp_path / "a")


def test_no_server_at_all(server, tmp_path):
    row = dataset(server, "good")._replace(url="http://127.0.0.1:9/a.bin")
    with pytest.raises(ResourceError, match="no connection"):
        fetch(row, tmp_path / "a.bin")


def test_a_wrong_checksum_names_both_and_leaves_nothing(server, tmp_path):
    with pytest.raises(DataError, match=f"expected {'0' * 64}, got {CHECKSUM}.*trust"):
        fetch(dataset(server, "good", sha256="0" * 64), tmp_path / "a.bin")
    with pytest.raises(DataError, match="more than the 7 bytes expected"):
        fetch(dataset(server, "good", size="7"), tmp_path / "a.bin")
    assert leftovers(tmp_path) == []


def test_an_unknown_checksum_is_recorded_once_and_then_enforced(server, tmp_path):
    lock = tmp_path / "lock.tsv"
    row = dataset(server, "good", sha256="-", size="-")
    with pytest.raises(DataError, match="no checksum known.*--lock"):
        fetch(row, tmp_path / "a.bin")
    fetch(row, tmp_path / "a.bin", lock=lock)
    assert read_lock(lock) == {"a.bin": (CHECKSUM, str(len(CONTENT)))}
    fetch(row, tmp_path / "again.bin", lock=lock)
    other = tmp_path / "other.bin"
    other.write_bytes(CONTENT[::-1])
    with pytest.raises(DataError, match="wrong checksum.*lock.tsv"):
        fetch(row._replace(url=other.as_uri()), tmp_path / "third.bin", lock=lock)


def test_parallel_fetches_share_the_lock_file(tmp_path):
    lock, names = tmp_path / "lock.tsv", [f"{number}.txt" for number in range(8)]
    for name in names:
        (tmp_path / name).write_text(name)
    rows = [Dataset(name, "1", (tmp_path / name).as_uri(), "-", "-", "CC0-1.0", "lines", "") for name in names]
    threads = [threading.Thread(target=fetch, args=(row, tmp_path / "out" / row.name, None, lock)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_lock(lock)) == names


def test_a_mirror_serves_the_address_and_never_asks_the_network(server, tmp_path):
    row = dataset(server, "good")
    host = row.url.split("/")[2]
    with pytest.raises(ResourceError, match="not there.*unset the mirror"):
        fetch(row, tmp_path / "a.bin", mirror=tmp_path / "mirror")
    place = tmp_path / "mirror" / host / "good"
    place.parent.mkdir(parents=True)
    place.write_bytes(CONTENT)
    assert fetch(row, tmp_path / "a.bin", mirror=tmp_path / "mirror").read_bytes() == CONTENT
    assert server.requests == []


def test_local_paths(tmp_path):
    (tmp_path / "my file.txt").write_bytes(CONTENT)
    row = Dataset("a.bin", "1", (tmp_path / "my file.txt").as_uri(), CHECKSUM, "-", "CC0-1.0", "lines", "")
    for url in (row.url, str(tmp_path / "my file.txt")):
        assert fetch(row._replace(url=url), tmp_path / "out.txt").read_bytes() == CONTENT
    with pytest.raises(ResourceError, match="not there.*datasets.tsv"):
        fetch(row._replace(url=str(tmp_path / "none")), tmp_path / "none.txt")


@pytest.mark.parametrize(("denied", "what"), [("source.bin", "cannot read"), ("out.bin", "cannot write")])
def test_what_may_not_be_read_or_written_is_named(tmp_path, monkeypatch, denied, what):
    def copy(source, destination):
        raise PermissionError(13, "Permission denied", str(tmp_path / denied))

    (tmp_path / "source.bin").write_bytes(CONTENT)
    monkeypatch.setattr("optical.fetch.download.shutil.copyfile", copy)
    row = Dataset("a.bin", "1", str(tmp_path / "source.bin"), CHECKSUM, "-", "CC0-1.0", "lines", "")
    with pytest.raises(ResourceError, match=rf"{what}: Permission denied \[{tmp_path / denied}\]"):
        fetch(row, tmp_path / "out.bin")
