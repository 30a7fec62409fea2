"""`optical serve`: the page in a real browser, what programs get, many clients at once, and a clean end."""

import contextlib
import http.client
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from optical.search.retriever import Retriever
from support.browser import axe, chromium
from support.toy_results import DOCUMENTS, make_results, student_of

pytestmark = pytest.mark.workflow

TAB, ENTER = "\ue004", "\ue007"
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script> & 🌙 the moon'
RUN_AXE = """
return axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(violation => violation.id))
"""


@contextlib.contextmanager
def served(index, *arguments):
    """Start the command on a free port and give its address; a signal ends it, cleanly."""
    command = [sys.executable, "-m", "optical.cli.main", "serve", "--index", str(index), "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=20)
        assert process.returncode == 0 and "Traceback" not in error, error  # Triton may print of its own leaks
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    retriever = Retriever.load(student_of(make_results(folder / "results")))
    retriever.index([*DOCUMENTS, {"id": "hostile", "text": HOSTILE}], folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def address(index):
    with served(index) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def ask(address, path, **values):
    """Return status and answer of a request for JSON."""
    try:
        with urllib.request.urlopen(f"{address}/api/{path}?{urllib.parse.urlencode(values)}", timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_programs_get_what_the_library_finds(address, index):
    rows = [{"code": "sw", "name": "Swahili"}, {"code": "en", "name": "English"}]
    assert ask(address, "languages") == (200, {"languages": rows, "passages": len(DOCUMENTS) + 1})
    status, answer = ask(address, "search", lang="sw", q="mto uko wapi", top=3)
    hits = Retriever.open(index).search("mto uko wapi", top=3)
    assert status == 200 and [passage["id"] for passage in answer["passages"]] == [hit.id for hit in hits]
    assert answer["passages"][0]["matches"][0].keys() == {"start", "end", "similarity", "query_tokens"}
    status, alignment = ask(address, "align", lang="sw", q="mto uko wapi", id=hits[0].id)
    assert status == 200 and len(alignment["plan"]) == len(alignment["query"])


def test_faults_are_told_as_json(address):
    mto = {"lang": "sw", "q": "mto"}
    for values in ({"lang": "xx", "q": "mto"}, {"lang": "sw"}, mto | {"top": "-1"}, mto | {"where": "colour=red"}):
        status, answer = ask(address, "search", **values)
        assert status == 400 and "Hint" in answer["error"]


def test_a_change_of_the_index_is_seen_and_passages_are_filtered(tmp_path):
    retriever = Retriever.load(student_of(make_results(tmp_path / "results")))
    retriever.index(DOCUMENTS, tmp_path / "index")
    with served(tmp_path / "index") as address:
        retriever.add([{"id": "new", "text": "mto", "language": "sw"}], source="web")
        assert ask(address, "languages")[1]["passages"] == len(DOCUMENTS) + 1
        (found,) = ask(address, "search", lang="sw", q="mto", where="language=sw")[1]["passages"]
        assert (found["id"], found["metadata"]) == ("new", {"language": "sw", "source": "web"})


def test_an_index_that_is_gone_is_a_fault_of_the_server(index, tmp_path):
    copy = shutil.copytree(index.parent, tmp_path / "serve") / "index"  # it names its models by relative paths
    with served(copy) as address:
        shutil.rmtree(copy)
        status, answer = ask(address, "search", lang="sw", q="mto")
    assert status == 500 and str(copy) in answer["error"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/search?lang=sw&q=" + "neno+" * 10_000, 400),
        ("/api/search?lang=sw&q=a%00b%1B%5B2J", 200),
        ("/api/search?lang=sw&q=%ED%A0%80%FF", 200),
        ("/api/search?lang=sw&q=" + "%E2%80%8D" * 600, 200),
        ("/api/search?lang=..%2F..%2Fteacher&q=a", 400),
        ("/api/search?lang=sw&q=a&top=%D9%A1", 400),
        ("/api/align?lang=sw&q=a&id=%00..%2F", 400),
        ("/../../etc/passwd", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/page.js/../app.py", 404),
    ],
)
def test_hostile_requests_are_answered_or_refused(address, path, status):
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    connection.request("GET", path)
    assert connection.getresponse().status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_is_taken_from_clients(address, method):
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    connection.request(method, "/api/search?lang=sw&q=a", body=b"{" * 100_000)
    assert connection.getresponse().status == 405


def test_another_host_s_name_is_refused(address):
    connection = http.client.HTTPConnection(address.removeprefix("http://"))
    connection.request("GET", "/api/languages", headers={"Host": "evil.example"})
    assert connection.getresponse().status == 400


def test_many_clients_get_the_same_answers_as_one(address):
    alone = ask(address, "search", lang="sw", q="mto uko wapi")
    with ThreadPoolExecutor(16) as clients:
        answers = list(clients.map(lambda _: ask(address, "search", lang="sw", q="mto uko wapi"), range(64)))
    assert all(answer == alone for answer in answers)


def test_a_taken_port_is_one_line(address, index):
    port = address.rpartition(":")[2]
    command = [sys.executable, "-m", "optical.cli.main", "serve", "--index", str(index), "--port", port]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (
        done.returncode == 1 and done.stderr.count("\n") == 1 and "choose another by --host and --port" in done.stderr
    )


def search_by_keyboard(browser, query):
    """Type a query as a person without a mouse does, and wait for the passages."""
    browser.script("document.getElementById('query').focus(); document.getElementById('query').value = ''")
    for sign in query:
        browser.press(sign)
    browser.press(ENTER)
    wait(browser, "return /passages in/.test(document.getElementById('status').textContent)")


def wait(browser, condition):
    """Wait until a script returns true."""
    for _ in range(100):
        if browser.script(condition):
            return
        time.sleep(0.1)
    raise AssertionError(condition)


@pytest.mark.parametrize("width", [360, 1200])
def test_a_query_is_asked_and_aligned_by_keyboard(browser, address, tmp_path, width):
    browser.visit(f"{address}/", width)
    wait(browser, "return document.getElementById('lang').options.length == 2")
    search_by_keyboard(browser, "mto uko wapi")
    assert browser.script("return document.querySelectorAll('#passages li').length") == 8
    assert browser.script("return document.querySelectorAll('mark').length") > 0
    browser.press(TAB)  # to the button of the form
    browser.press(TAB)  # to that of the first passage
    browser.press(ENTER)
    wait(browser, "return document.querySelectorAll('table').length == 1")
    assert browser.script("return document.activeElement.textContent") == "Hide alignment"
    assert browser.script("return document.querySelectorAll('tbody tr').length") == 3
    first, sentence = browser.script(
        "return ['li p', 'blockquote'].map(name => document.querySelector(name).textContent)"
    )
    assert sentence and sentence in first
    assert browser.script("return document.documentElement.scrollWidth") <= width, "nothing is cut off"
    assert [entry["message"] for entry in browser.log("browser")] == []


def test_a_server_that_has_ended_is_named(browser, index):
    with served(index) as address:
        browser.visit(f"{address}/")
        wait(browser, "return document.getElementById('lang').options.length == 2")
    browser.script("document.getElementById('query').value = 'mto'; document.querySelector('form').requestSubmit()")
    wait(browser, "return /does not answer/.test(document.getElementById('status').textContent)")
    browser.log("browser")  # the browser's own word for it


def test_hostile_passages_and_queries_stay_text(browser, address):
    browser.visit(f"{address}/")
    wait(browser, "return document.getElementById('lang').options.length == 2")
    search_by_keyboard(browser, "<b onclick=x>")
    texts = browser.script("return [...document.querySelectorAll('#passages p')].map(text => text.textContent)")
    assert HOSTILE in texts
    assert browser.script("return [document.title, document.images.length, document.scripts.length]") == [
        "Search",
        0,
        1,
    ]
    marked = browser.script("return [...document.querySelectorAll('mark')].map(mark => mark.textContent)")
    assert all(word in HOSTILE or any(word in document["text"] for document in DOCUMENTS) for word in marked)


def test_it_is_accessible(browser, address, tmp_path):
    browser.visit(f"{address}/")
    wait(browser, "return document.getElementById('lang').options.length == 2")
    search_by_keyboard(browser, "mto")
    browser.script("document.querySelector('#passages button').click()")
    wait(browser, "return document.querySelectorAll('table').length == 1")
    browser.script(axe(tmp_path))
    assert browser.script(RUN_AXE) == []
