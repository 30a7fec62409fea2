"""The pages keep to what is there: links lead somewhere, files that commands name exist, figures are counted."""

import contextlib
import csv
import importlib.util
import io
import re

import pytest

from support.workspace import ROOT

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
    stranger = {"config/zulu.yaml", "config/mine.yaml", "config/first.yaml", "config/xlmr.yaml"}  # the reader's own
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


def test_the_picture_of_the_result_stands_at_the_top_of_the_readme():
    top = TEXTS["README.md"].partition("\n## ")[0]
    assert "](docs/map.png)" in top
    assert (ROOT / "docs/map.png").read_bytes().startswith(b"\x89PNG")
    assert (ROOT / "docs/map.png").stat().st_size < 200_000


def test_the_hours_of_the_full_experiment_are_those_counted_from_its_config():
    place = importlib.util.spec_from_file_location("paper_budget", ROOT / "benchmarks/paper_budget.py")
    budget = importlib.util.module_from_spec(place)
    place.loader.exec_module(budget)
    page = TEXTS["docs/reproduce-the-paper.md"]
    shown = page.partition("<!-- budget -->\n")[2].partition("<!-- /budget -->")[0]
    counted = "\n".join([*budget.HEADER, *budget.table(budget.RATE, budget.SHARE)]) + "\n"
    assert shown == counted, "run: python benchmarks/paper_budget.py, and put its table into the page"


README_TABLES = [("map", "default", "atlas"), ("open", "open", "flores")]


@pytest.mark.parametrize(("mark", "experiment", "collection"), README_TABLES)
def test_the_tables_of_the_readme_hold_the_figures_that_runs_are_compared_with(mark, experiment, collection):
    table = TEXTS["README.md"].partition(f"<!-- {mark}-table -->\n")[2].partition("\n\n")[0]
    header, _, *rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()]
    shown = {(row[0], column): row[header.index(column)] for row in rows for column in header[1:]}
    names = {"sw+so+tl+mr": "low", "fi+de+fr": "high"}
    compared = 0
    with (ROOT / "config/expected.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if (row["config"], row["collection"], row["measure"]) == (experiment, collection, "AP"):
                compared += 1
                assert shown[row["method"], names.get(row["lang"], row["lang"])] == row["value"], row
    assert compared > 2 * len(rows) - 2
