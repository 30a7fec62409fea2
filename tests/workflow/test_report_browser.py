"""The report in a real browser, without a network: it loads, shows what it should, and anyone can use it."""

import pytest

from support.browser import axe, chromium
from support.report_results import LANGS, METHODS, add_extras, draw_figures, make_page, make_report_results

pytestmark = pytest.mark.workflow

TAB = "\ue004"
NARROW = 360
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
    assert browser.script("return document.scripts.length") == 0


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
