"""docs/architecture.md says what is there: packages, imports, the way of the data, the walk of a parameter."""

import os
import re
import subprocess
import sys

import pytest

from support.architecture import LIBRARY, PAGE, PARTS, WAY, imports_of, shown
from support.workspace import ROOT, rule_texts, rules

TEXT = PAGE.read_text(encoding="utf-8")
HINT = "run: make docs"
MOST_FILES = 4


@pytest.mark.parametrize("part", PARTS)
def test_the_table_and_the_picture_are_those_of_the_imports(part):
    assert shown(part) == PARTS[part](), HINT


@pytest.mark.parametrize(("package", "folder"), sorted({(source, folder) for source, folder, _ in WAY}))
def test_a_folder_on_the_way_of_the_data_is_written_by_a_program_of_that_package(package, folder):
    writing = [name for name, text in rule_texts().items() if re.search(rf"results\}}?/{folder}[/\" ]", written(text))]
    programs = {rules()[name][0] for name in writing} - {None}
    using = {program for program in programs if package in imports_of(ROOT / f"workflow/scripts/{program}.py")}
    assert using, f"none of {programs} imports {package}"


def written(rule):
    """Return what a rule says of its outputs."""
    return rule.partition("    output:\n")[2].partition("    log:\n")[0] + " ".join(re.findall(r"--out \S+", rule))


def test_five_lines_tell_methods_and_files_without_snakemake_and_torch():
    lines, printed = re.search(r"```python\n(.*?)```.*?```text\n(.*?)```", TEXT, re.DOTALL).groups()
    assert sum(1 for line in lines.splitlines() if line) == 5
    program = f"{lines}import sys\nprint({{'snakemake', 'torch'}} & set(sys.modules), file=sys.stderr)\n"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (printed, "set()\n")


WALKS = re.findall(r"^`(\w+\.\w+)`[^\n]*:\n\n\| file.*?\n\|---\|---\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)


def test_the_walks_are_those_of_three_parameters():
    assert [key for key, _ in WALKS] == ["transport.regularisation", "encoder.document_length", "student.steps"]


@pytest.mark.parametrize(("key", "rows"), WALKS, ids=[key for key, _ in WALKS])
def test_a_walk_enters_few_files_that_mention_what_the_row_says(key, rows):
    cells = [re.fullmatch(r"\| ([`*])([\w/.]+)[`*] \| (.*) \|", row).groups() for row in rows.splitlines()]
    assert sum(sign == "`" for sign, _, _ in cells) <= MOST_FILES
    assert sum(sign == "*" for sign, _, _ in cells) == 1, "one program"
    block, name = key.split(".")
    for sign, file, what in cells:
        text = ((LIBRARY if sign == "`" else LIBRARY.parent) / file).read_text(encoding="utf-8")
        named = re.findall(r"`(\w+)`", what)
        assert named
        assert all(re.search(rf"\b{word}\b", text) for word in named), file
        assert sign == "*" or re.search(rf"\b({block}|{name}|settings)\b", text), file
    for file in (cells[0][1], cells[-1][1]):
        assert re.search(rf"\b{name}\b", (LIBRARY / file).read_text(encoding="utf-8")), file


@pytest.mark.parametrize("module", re.findall(r"^\| [^|]+\? \| (.*) \|$", TEXT, re.MULTILINE))
def test_the_modules_of_the_plan_that_the_page_names_are_there(module):
    for name in re.findall(r"`(\w+)", module):
        assert (LIBRARY / f"plan/{name}.py").is_file()
