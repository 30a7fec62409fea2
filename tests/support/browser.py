"""A headless Chromium for tests: driven by chromedriver over its plain HTTP protocol, cut off from every network."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
LOGS = {"goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
AXE = "axe-core@4.14.1"


class Browser:
    """One window of a browser; `script` runs JavaScript in it and returns its value."""

    def __init__(self, server):
        self.server = server
        options = {"goog:chromeOptions": {"args": list(SWITCHES), "binary": program("chromium")}}
        self.session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": options | LOGS}})["sessionId"]

    def open(self, path, width=1200, height=900):
        """Load a local file in a window of this size."""
        self.visit(Path(path).resolve().as_uri(), width, height)

    def visit(self, address, width=1200, height=900):
        """Load a page in a window of this size."""
        self._here("POST", "/goog/cdp/execute", cdp("Emulation.setDeviceMetricsOverride", width, height))
        self._here("POST", "/url", {"url": address})

    def script(self, text, *arguments):
        """Run the body of a function with `arguments`; wait for a promise that it returns."""
        return self._here("POST", "/execute/sync", {"script": text, "args": list(arguments)})

    def wait_for(self, text):
        """Run JavaScript again and again until it returns something, for at most ten seconds; return that."""
        end = time.monotonic() + 10
        while not (value := self.script(text)) and time.monotonic() < end:
            time.sleep(0.05)
        return value

    def press(self, key):
        """Press and release a key."""
        actions = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._here("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def log(self, kind):
        """Return what was logged since the last call: `browser` is the console, `performance` has every request."""
        return self._here("POST", "/se/log", {"type": kind})

    def requests(self):
        """Return the addresses that were asked for since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def close(self):
        """Close the window."""
        self._here("DELETE", "", None)

    def _here(self, method, path, body):
        return self._ask(method, f"/session/{self.session}{path}", body)

    def _ask(self, method, path, body):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=300) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None


def cdp(command, width, height):
    """Return a command that sets the size of the window's contents."""
    return {"cmd": command, "params": {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}}


def program(name):
    """Return the path of a program; skip the test where it is not installed."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"no {name}: apt-get install chromium chromium-driver")
    return found


@contextlib.contextmanager
def chromium():
    """Start chromedriver and give a `Browser`; both end with the block."""
    command = [program("chromedriver"), "--port=0"]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = next(
            found[1] for line in driver.stdout if (found := re.search(r"started successfully on port (\d+)", line))
        )
        browser = Browser(f"http://127.0.0.1:{port}")
        try:
            yield browser
        finally:
            browser.close()
    finally:
        driver.terminate()
        driver.wait()


def axe(folder):
    """Return the source of axe-core, the accessibility checker: `OPTICAL_AXE` names the file, or npm fetches it."""
    given = os.environ.get("OPTICAL_AXE")
    if given:
        return Path(given).read_text(encoding="utf-8")
    npm = shutil.which("npm")
    if not npm:
        pytest.skip("neither OPTICAL_AXE (the path of axe.min.js) nor npm to fetch it")
    command = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm reaches no {AXE}: {done.stderr.strip().splitlines()[-1:]}")
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
