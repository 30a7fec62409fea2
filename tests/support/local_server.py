"""A web server on this machine for tests: files by the paths of their addresses, and models as the hub has them."""

import contextlib
import hashlib
import http.server
import json
import re
import threading
from pathlib import Path
from urllib.parse import urlsplit

MODEL = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)/(?P<what>revision|tree)/(?P<commit>[0-9a-f]+)")
FILE = re.compile(r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<commit>[0-9a-f]+)/(?P<name>.+)")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        if self.server.busy:
            self.server.busy -= 1
            return self.answer(503, b"busy")
        if found := MODEL.fullmatch(path):
            return self.model(**found.groupdict())
        if found := FILE.fullmatch(path):
            return self.file(self.server.folder / found["id"] / found["commit"] / found["name"], found["commit"])
        return self.file(self.server.folder / path.strip("/"))

    def model(self, id, what, commit):
        folder = self.server.folder / id / commit
        if not folder.is_dir():
            code = "RevisionNotFound" if folder.parent.is_dir() else "RepoNotFound"
            return self.answer(404, b"{}", {"X-Error-Code": code})
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        names = [str(path.relative_to(folder)) for path in files]
        if what == "tree":
            rows = [
                {"type": "file", "path": name, "size": path.stat().st_size, "oid": _checksum(path)}
                for name, path in zip(names, files, strict=True)
            ]
            return self.answer(200, json.dumps(rows).encode(), {"Content-Type": "application/json"})
        record = {"id": id, "modelId": id, "sha": commit, "siblings": [{"rfilename": name} for name in names]}
        record |= {"private": False, "downloads": 0, "tags": []}
        return self.answer(200, json.dumps(record).encode(), {"Content-Type": "application/json"})

    def file(self, path, commit=""):
        if not path.is_file():
            return self.answer(404, b"gone", {"X-Error-Code": "EntryNotFound"})
        headers = {"ETag": f'"{_checksum(path)}"'} | ({"X-Repo-Commit": commit} if commit else {})
        content = path.read_bytes()
        if path.name in self.server.cut:
            return self.answer(200, content[: len(content) // 2], headers, announced=len(content))
        return self.answer(200, content, headers)

    def answer(self, status, body, headers=None, announced=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
            self.close_connection = announced is not None

    def log_message(self, *_):
        pass


def _checksum(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def serving(folder):
    """Serve a folder, where models lie under `organisation/name/commit/`; give the server, which notes what was asked.

    `address` is its address; `busy` is how many further requests it answers with 503; of files with a name in `cut`
    only half arrives.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.folder, server.asked, server.busy, server.cut = Path(folder), [], 0, set()
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
