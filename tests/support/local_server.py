"""A web server on this machine for tests: files by the paths of their addresses, and models as the hub has them.

It takes uploads as the hub does: a repository is created, each file is announced, large files are put where a batch of
Git LFS says, and one commit names them all.
"""

import base64
import contextlib
import hashlib
import http.server
import json
import re
import threading
from pathlib import Path
from urllib.parse import urlsplit

MODEL = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)(/(?P<what>revision|tree)/(?P<commit>[0-9a-f]+|main))?")
FILE = re.compile(r"/(?P<id>[^/]+/[^/]+)/resolve/(?P<commit>[0-9a-f]+)/(?P<name>.+)")
PUSH = re.compile(r"/api/models/(?P<id>[^/]+/[^/]+)/(?P<what>preupload|commit)/main")
BATCH = re.compile(r"/(?P<id>[^/]+/[^/]+)\.git/info/lfs/objects/batch")
TOKEN, READ_TOKEN = "hf_write", "hf_read"
COMMITTED = "c" * 40  # the only commit of a repository that was created here


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

    def do_POST(self):
        path = urlsplit(self.path).path
        self.server.asked.append(path)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in (TOKEN, READ_TOKEN):
            return self.json(401, {"error": "Invalid username or password."})
        if token == READ_TOKEN:
            return self.json(403, {"error": "You don't have the rights to create a model under this namespace"})
        if path == "/api/repos/create":
            return self.create(**json.loads(body))
        if path == "/api/validate-yaml":
            return self.json(200, {"errors": [], "warnings": []})
        if found := BATCH.fullmatch(path):
            return self.batch(found["id"], json.loads(body))
        found = PUSH.fullmatch(path)
        if not found or found["id"] not in self.server.private:
            return self.answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
        if found["what"] == "preupload":
            return self.preupload(json.loads(body)["files"])
        return self.commit(found["id"], [json.loads(line) for line in body.splitlines()])

    def do_PUT(self):
        self.server.large[self.path.rpartition("/")[2]] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"")

    def create(self, name, organization, type="model", visibility="public", **_):
        id = f"{organization}/{name}"
        address = f"{self.server.address}/{id}"
        if id in self.server.private:
            return self.json(409, {"error": "You already created this model repo", "url": address})
        self.server.private[id] = visibility == "private"
        (self.server.folder / id / COMMITTED).mkdir(parents=True)
        (self.server.folder / id / COMMITTED / ".gitattributes").touch()
        return self.json(200, {"url": address, "name": id, "id": id})

    def preupload(self, files):
        modes = {True: "lfs", False: "regular"}
        answers = [
            {"path": file["path"], "uploadMode": modes[file["path"].endswith(".safetensors")], "shouldIgnore": False}
            for file in files
        ]
        return self.json(200, {"files": answers})

    def batch(self, id, wanted):
        assert wanted["operation"] == "upload" and "basic" in wanted["transfers"]
        objects = [
            one | {"authenticated": True, "actions": {"upload": {"href": f"{self.server.address}/large/{one['oid']}"}}}
            for one in wanted["objects"]
        ]
        return self.json(200, {"transfer": "basic", "objects": objects})

    def commit(self, id, lines):
        if self.headers["Content-Type"] != "application/x-ndjson" or lines[0]["key"] != "header":
            return self.json(400, {"error": "no commit"})
        for line in lines[1:]:
            value, path = line["value"], self.server.folder / id / COMMITTED / line["value"]["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            if line["key"] == "file":
                path.write_bytes(base64.b64decode(value["content"]))
            else:  # a large file, which must have come before
                content = self.server.large.get(value["oid"], b"")
                if hashlib.sha256(content).hexdigest() != value["oid"] or len(content) != value["size"]:
                    return self.json(400, {"error": "an LFS pointer leads to no object"})
                path.write_bytes(content)
        address = f"{self.server.address}/{id}/commit/{COMMITTED}"
        return self.json(200, {"success": True, "commitOid": COMMITTED, "commitUrl": address, "hookOutput": ""})

    def json(self, status, body):
        return self.answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def model(self, id, what, commit):
        commit = COMMITTED if commit in (None, "main") else commit
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
            return self.json(200, rows)
        record = {"id": id, "modelId": id, "sha": commit, "siblings": [{"rfilename": name} for name in names]}
        record |= {"private": self.server.private.get(id, False), "downloads": 0, "tags": []}
        return self.json(200, record)

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
    only half arrives; `private` says of each repository that was created whether it is.
    """
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.folder, server.asked, server.busy, server.cut = Path(folder), [], 0, set()
    server.private, server.large = {}, {}
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
