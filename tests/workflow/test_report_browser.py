"""The report in a real browser, without a network: it loads, shows what it should, and anyone can use it."""

import pytest

from support.browser import axe, chromium
from support.report_results import (
    HOSTILE,
    LANGS,
    METHODS,
    TEXTS,
    add_extras,
    draw_figures,
    make_page,
    make_report_results,
)

pytestmark = pytest.mark.workflow

TAB, ENTER = "\ue004", "\ue007"
NARROW = 360
MEANS = "const table = document.querySelector('table'); "
CHANGE = """
const control = [...document.querySelectorAll(arguments[0] + ' .controls label')]
  .find(label => label.textContent.startsWith(arguments[1])).querySelector('select, input');
control.value = arguments[2];
control.dispatchEvent(new Event(control.matches('select') ? 'change' : 'input'));
"""
RUN_AXE = """
return axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.map(violation =>
  violation.id + ": " + violation.nodes.map(node => node.html).join(" | ").slice(0, 300)))
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    add_extras(make_report_results(folder, queries=30))
    return make_page(draw_figures(folder))


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def test_it_loads_without_a_network_and_without_an_error(browser, report):
    browser.open(report)
    assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []
    assert [entry["message"] for entry in browser.log("browser")] == []
    kinds = browser.script("return [...document.scripts].map(script => script.type)")
    assert kinds == ["application/json", ""]


def test_figures_and_tables_are_drawn(browser, report):
    browser.open(report)
    sizes = browser.script(
        "return [...document.querySelectorAll('svg.plot')].map(svg => [svg.getAttribute('aria-label'),"
        " svg.getBoundingClientRect().width, svg.getBoundingClientRect().height])"
    )
    assert len(sizes) == 5 + len(LANGS)
    assert all(label and width > 300 and height > 100 for label, width, height in sizes)
    rows = browser.script("return [...document.querySelectorAll('table')[0].rows].map(row => row.cells[0].innerText)")
    assert rows == ["method", *METHODS]
    headings = browser.script("return [...document.querySelectorAll('h2')].map(heading => heading.innerText)")
    assert {"Learning curves", "Translation quality", "Cost", "Sentence pairs", "Provenance"} <= set(headings)


def test_marathi_is_shaped_by_the_font_that_the_page_brings(browser, report):
    browser.open(report)
    assert browser.script("return document.fonts.ready.then(fonts => [...fonts].map(font => font.status))") == [
        "loaded"
    ]
    widths = browser.script(
        "const span = document.createElement('span'); document.querySelector('[lang=mr]').append(span);"
        "return ['\\u0924\\u094d\\u092f', '\\u0924\\u094d\\u200c\\u092f'].map(text =>"
        " { span.innerText = text; return span.getBoundingClientRect().width })"
    )
    assert 0 < widths[0] < widths[1], "a conjunct is narrower than its letters side by side"


def test_a_link_to_data_holds_the_data(browser, report):
    browser.open(report)
    data = browser.script("return fetch ? document.querySelector('a[download]').href : ''")
    assert data.startswith("data:text/tab-separated-values")


def test_a_narrow_screen_scrolls_tables_but_not_the_page(browser, report):
    browser.open(report, width=NARROW, height=640)
    assert browser.script("return document.documentElement.scrollWidth") <= NARROW
    boxes = browser.script(
        "return [...document.querySelectorAll('.scroll')].map(box =>"
        " [box.getBoundingClientRect().right, box.scrollWidth > box.clientWidth])"
    )
    assert max(right for right, _ in boxes) <= NARROW
    assert any(scrolls for _, scrolls in boxes)


def test_a_column_is_sorted_by_keyboard_and_rows_are_filtered(browser, report):
    browser.open(report)
    browser.script(MEANS + "table.querySelectorAll('thead button')[1].focus()")
    read = MEANS + "return [...table.tBodies[0].rows].map(row => [row.cells[0].innerText, row.cells[1].innerText])"
    for order in ("descending", "ascending"):
        browser.press(ENTER)
        means = [float(mean[:5]) for _, mean in browser.script(read)]
        assert means == sorted(means, reverse=order == "descending")
        assert browser.script(MEANS + "return table.querySelectorAll('th')[1].ariaSort") == order
    browser.script(CHANGE, "section:has(#table)", "Rows", "OPT")
    shown = (
        MEANS
        + "return [...table.tBodies[0].rows].filter(row => row.checkVisibility()).map(row => row.cells[0].innerText)"
    )
    assert browser.script(shown) == ["optical"]


def test_the_opponent_of_the_tests_can_be_chosen(browser, report):
    browser.open(report)
    shown = (
        "return [...document.querySelectorAll('.choice details')].filter(part => part.checkVisibility())"
        ".map(part => [part.querySelector('caption').innerText, part.querySelectorAll('tbody tr').length])"
    )
    for opponent in ("optical", "bm25"):
        browser.script(CHANGE, ".choice", "Compare", str(["optical", *METHODS].index(opponent)))
        [(caption, rows)] = browser.script(shown)
        assert caption.startswith(f"AP of each method minus that of {opponent}")
        assert rows == len(METHODS) - 1


def test_every_query_is_listed_with_its_passages_as_text(browser, report):
    browser.open(report)
    title = browser.script("return document.title")
    gains = "return [...document.querySelectorAll('.queries summary b')].map(gain => gain.innerText.replace('−', '-'))"
    found = [float(gain) for gain in browser.script(gains)]
    assert len(found) == 30
    assert found == sorted(found, reverse=True)
    browser.script("document.querySelector('.queries summary').focus()")
    browser.press(ENTER)
    passages = "return [...document.querySelectorAll('.queries li')].map(passage => passage.innerText)"
    assert browser.wait_for(passages) == [f"p1 {HOSTILE}", "p2 (relevant) Guatemala speaks Spanish."] * 2
    browser.script(CHANGE, ".explorer", "Show", "worse")
    assert all(float(gain) < 0 for gain in browser.script(gains))
    browser.script(CHANGE, ".explorer", "Show", "all")
    browser.script(CHANGE, ".explorer", "Opponent", "optical")
    assert {float(gain) for gain in browser.script(gains)} == {0}
    browser.script(CHANGE, ".explorer", "Language", "mr")
    browser.script(CHANGE, ".explorer", "Queries", "(7)")
    shown = "return [...document.querySelectorAll('.queries summary span')].map(text => [text.lang, text.innerText])"
    assert browser.script(shown) == [["mr", f"{TEXTS['mr']} (7)"]]
    assert browser.script("return [document.title, document.images.length]") == [title, 0]
    assert [entry["message"] for entry in browser.log("browser")] == []


def test_the_keyboard_reaches_the_content_and_what_scrolls(browser, report):
    browser.open(report)
    browser.press(TAB)
    assert browser.script("return document.activeElement.innerText") == "Skip to the content"
    assert browser.script("return document.activeElement.getBoundingClientRect().left") >= 0
    unreachable = browser.script(
        "return [...document.querySelectorAll('.scroll')].filter(box => box.tabIndex !== 0).length"
    )
    assert unreachable == 0
    targets = browser.script(
        "return [...document.querySelectorAll('nav a')].map(link => !!document.querySelector(link.hash))"
    )
    assert all(targets)
    assert len(targets) >= 10


@pytest.mark.parametrize("width", [1200, NARROW])
def test_the_accessibility_checker_finds_nothing(browser, report, tmp_path_factory, width):
    source = axe(tmp_path_factory.getbasetemp())
    browser.open(report, width=width)
    browser.script("document.querySelectorAll('details').forEach(details => details.open = true)")
    browser.script(source)
    assert browser.script(RUN_AXE) == []
