"""The reader and the kind of docs/extend.md, added as the page says: each gets its row from two or three files.

The objective is that of docs/add-a-method.md: see test_docs_add_a_method.py.
"""

import re
import shutil

import pytest
import yaml

from optical.files import read_table
from support.workspace import ROOT, SMALL, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

_, _, READER, KIND = (ROOT / "docs/extend.md").read_text(encoding="utf-8").split("\n## ")
LIBRARY = "workflow/scripts/optical"
ANSWERS = {"1": "drink clean water", "2": "wash both hands", "3": "sleep under a net"}
QUESTIONS = {"1": "maji water", "2": "mikono hands", "3": "lala net"}


def blocks_of(section, language):
    """Return the code blocks of a section of the page."""
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


def insert(workspace, name, anchor, text):
    """Put lines above those with which a place in a library file begins."""
    path = workspace / LIBRARY / name
    before, place, after = path.read_text(encoding="utf-8").partition(anchor)
    assert place, f"{name} has no {anchor!r}"
    path.write_text(f"{before}{text}{place}{after}", encoding="utf-8")


def copy(folder):
    """Return a folder with a copy of the code."""
    workspace = make_workspace(folder)
    (workspace / "workflow").unlink()
    shutil.copytree(ROOT / "workflow", workspace / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    return workspace


def changed_files(workspace):
    """Return the files of the code that differ from the repository's."""
    files = {path.relative_to(workspace) for path in (workspace / "workflow").rglob("*.py")}
    return {str(path) for path in files if not same(workspace / path, ROOT / path)}


def same(one, other):
    """Return whether two files are there with the same content."""
    return other.is_file() and one.read_bytes() == other.read_bytes()


def run(workspace, *configs):
    """Run an experiment without a model to its table; return the table's rows and what Snakemake said."""
    paths = []
    for number, config in enumerate(configs):
        paths.append(workspace / f"{number}.yaml")
        paths[-1].write_text(yaml.safe_dump(config), encoding="utf-8")
    said = run_snakemake(workspace, "--cores", "2", config=[SMALL, *paths]).stdout
    return read_table(workspace / "results/map_table.tsv"), said


def test_a_new_reader_is_searched(tmp_path):
    workspace = copy(tmp_path / "project")
    block, function, entry = blocks_of(READER, "python")
    insert(workspace, "config/collections.py", "COLLECTION_KINDS = (\n", f"{block}\n\n")
    insert(workspace, "config/collections.py", "    PlainCollection,\n", "    FaqCollection,\n")
    (workspace / LIBRARY / "corpora/faq.py").write_text(function, encoding="utf-8")
    insert(workspace, "corpora/readers.py", '    "plain": read_plain,\n', entry)
    insert(
        workspace,
        "corpora/readers.py",
        "from optical.corpora.files import",
        "from optical.corpora.faq import read_faq\n",
    )
    assert len(changed_files(workspace)) == 3
    [config] = (yaml.safe_load(text) for text in blocks_of(READER, "yaml"))
    (workspace / "data/faq").mkdir(parents=True)
    for name, rows in (("answers", ANSWERS), ("sw", QUESTIONS)):
        lines = "".join(f"{key}\t{text}\n" for key, text in rows.items())
        (workspace / f"data/faq/{name}.tsv").write_text(lines, encoding="utf-8")
    rows, said = run(workspace, config, {"methods": ["english", "bm25"], "reference": "bm25"})
    assert {row["method"]: row["sw"] for row in rows} == {"english": "", "bm25": "1.0000"}
    assert "search_collection" not in job_counts(said), "there are no English queries"


def test_a_new_kind_gets_its_row(tmp_path):
    workspace = copy(tmp_path / "project")
    name, row = blocks_of(KIND, "text")
    insert(workspace, "config/methods.py", '        "lexical",\n', name)
    insert(workspace, "plan/methods.py", '    "lexical": Kind(', row)
    assert len(changed_files(workspace)) == 2
    [config] = (yaml.safe_load(text) for text in blocks_of(KIND, "yaml"))
    rows, said = run(workspace, config, {"languages": ["sw", "de"]})
    assert job_counts(said)["search_lexical"] == 3  # Swahili, German, English
    means = {row["method"]: [float(row[lang]) for lang in ("sw", "de")] for row in rows}
    assert list(means) == config["methods"]
    assert means["english-bm25"][0] == means["english-bm25"][1] > max(means["bm25"])
