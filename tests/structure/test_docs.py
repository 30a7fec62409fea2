"""The pages keep to what is there: links lead somewhere, files that commands name exist, figures are counted."""

import contextlib
import csv
import importlib.util
import io
import re

import pytest

from support.workspace import ROOT

SNAKEMAKES_OWN = {"IncompleteFilesException", "LockException", "pip"}

FOLDERS = ("docs", "config", "workflow", "tests")
BELOW = (page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "results/README.md", *BELOW])
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}


def anchors(text):
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://)([^)\s]+)\)", TEXTS[page]):
        path, _, anchor = target.partition("#")
        there = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), target


def test_configs_and_profiles_that_pages_name_are_there():
    stranger = {
        "config/zu.yaml",
        "config/zulu.yaml",
        "config/mine.yaml",
        "config/first.yaml",
        "config/nllb.yaml",
        "config/xlmr.yaml",
    }  # the reader's own
    for page, text in TEXTS.items():
        commands = re.findall(r"^ *snakemake .*$", text, re.MULTILINE)
        for path in re.findall(r"\b(?:config|workflow|tests)/[\w/.-]+", " ".join(commands)):
            assert path in stranger or (ROOT / path).exists(), f"{page}: {path}"


@pytest.mark.parametrize("page", ["docs/losses.md"])
def test_the_cells_of_a_page_print_what_it_shows(page):
    names, printed, shown = {}, io.StringIO(), []
    for kind, block in re.findall(r"```(python|text)\n(.*?)```", TEXTS[page], re.DOTALL):
        if kind == "text":
            shown.append(block)
            continue
        with contextlib.redirect_stdout(printed):
            exec(block, names)
    assert printed.getvalue() == "".join(shown)


def test_the_readme_is_short_and_says_first_what_comes_out():
    lines = TEXTS["README.md"].splitlines()
    assert len(lines) <= 110
    top = lines[:60]
    for word in ("sentence pairs", "What comes out", "snakemake", "optical search", "<!-- open-table -->"):
        assert any(word in line for line in top), word


def test_the_picture_of_the_result_stands_on_the_page_of_results():
    assert "](map.png)" in TEXTS["docs/results.md"]
    assert (ROOT / "docs/map.png").read_bytes().startswith(b"\x89PNG")
    assert (ROOT / "docs/map.png").stat().st_size < 200_000


def test_symptoms_that_the_page_of_troubles_lists_are_messages_of_the_code():
    rows = re.findall(r"^\| (.*?) \|", TEXTS["docs/troubleshooting.md"], re.MULTILINE)
    shown = {code for row in rows for code in re.findall(r"`([^`]+)`", row)} - SNAKEMAKES_OWN
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/scripts/optical").rglob("*.py"))
    assert len(shown) > 5
    for symptom in shown:
        words = [re.escape(part) for part in symptom.split("...") if part.strip()]
        assert re.search(r"[^\n]*".join(words), code), symptom


def test_the_hours_of_the_full_experiment_are_those_counted_from_its_config():
    place = importlib.util.spec_from_file_location("paper_budget", ROOT / "benchmarks/paper_budget.py")
    budget = importlib.util.module_from_spec(place)
    place.loader.exec_module(budget)
    page = TEXTS["docs/reproduce-the-paper.md"]
    shown = page.partition("<!-- budget -->\n")[2].partition("<!-- /budget -->")[0]
    counted = "\n".join([*budget.HEADER, *budget.table(budget.RATE, budget.SHARE)]) + "\n"
    assert shown == counted, "run: python benchmarks/paper_budget.py, and put its table into the page"


AFRICAN = "bem+ha+ig+rw+sw+zu"
MEANS = {"low": "sw+so+tl+mr", "high": "fi+de+fr", "mean": AFRICAN}
# page, mark of the table, config and collection, and those of a column of another one
TABLES = [
    ("README.md", "open", "flores", {"AfriQA": ("afriqa", "afriqa", AFRICAN)}),
    ("docs/results.md", "open", "flores", {}),
    ("docs/results.md", "afriqa", "afriqa", {}),
    ("docs/open-data.md", "afriqa_questions", "afriqa", {}),
    ("docs/results.md", "subwords", "flores", {"AfriQA": ("subwords", "afriqa", "sw")}),
    ("docs/results.md", "default", "atlas", {}),
]


@pytest.mark.parametrize(("page", "experiment", "collection", "others"), TABLES)
def test_the_tables_of_a_page_hold_the_figures_that_runs_are_compared_with(page, experiment, collection, others):
    table = TEXTS[page].partition(f"<!-- {experiment}-table -->\n")[2].partition("\n\n")[0]
    header, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    with (ROOT / "config/expected.tsv").open(encoding="utf-8") as file:
        expected = {
            (row["method"], row["config"], row["collection"], row["lang"]): row["value"]
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if row["measure"] == "AP" and row["config"] in (experiment, *(config for config, _, _ in others.values()))
        }
    compared = set()
    for method, *cells in rows:
        for column, value in zip(header[1:], cells, strict=True):
            place = (method, *others.get(column, (experiment, collection, MEANS.get(column, column))))
            if place in expected:
                compared.add(place)
                assert value == expected[place], place
    shown = {method for method, *_ in rows}
    assert page == "README.md" or shown.issuperset(method for method, *_ in expected)
    missed = {place for place in expected if place[0] in shown} - compared
    assert all(lang not in MEANS.values() and lang not in header for *_, lang in missed), missed
    means = MEANS.keys() & set(header)
    assert means and len(compared) >= len(means) * len(rows) - 1
