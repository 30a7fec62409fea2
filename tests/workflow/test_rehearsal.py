"""config/paper.yaml itself, unchanged except for sizes, from downloads to table, on stand-ins in the true formats."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter

import pytest
import yaml

from optical.files import read_rows
from support.local_server import serving
from support.programs import REFUSED, REHEARSED
from support.stand_ins import CORPORA, DOCUMENTS, QUERIES, write_catalogue, write_clef, write_models, write_opus
from support.workspace import QUIET, ROOT, job_counts, make_workspace, rules, snakemake_command

pytestmark = pytest.mark.workflow

PAPER, SIZES = ROOT / "config/paper.yaml", ROOT / "tests/config/rehearsal.yaml"
CONFIG = yaml.safe_load(PAPER.read_text(encoding="utf-8"))
RESULTS = "results/paper"
NOWHERE = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")


def workspace_with_data(folder, address):
    """Make a folder with the licensed files, what ir_datasets has downloaded, and OPUS at another address."""
    workspace = make_workspace(folder / "workspace")
    (workspace / "config").unlink()
    shutil.copytree(ROOT / "config", workspace / "config")
    table = workspace / "config/datasets.tsv"
    table.write_text(
        table.read_text(encoding="utf-8").replace("https://object.pouta.csc.fi", address), encoding="utf-8"
    )
    write_clef(workspace / "data/clef")
    write_catalogue(folder / "home")
    return workspace


def offline(folder):
    """Return variables under which every Python is refused a network, and says so where it tries."""
    (folder / "guard").mkdir()
    path = f"sys.path.append({str(ROOT / 'tests')!r})"
    lines = ["import sys", path, "from support.programs import forbid_network", "forbid_network()"]
    (folder / "guard/sitecustomize.py").write_text("\n".join([*lines, "sys.path.pop()", ""]))
    hub = {"HF_HUB_OFFLINE": "", "HF_ENDPOINT": "https://huggingface.co"}
    return {"PYTHONPATH": str(folder / "guard")} | hub | dict.fromkeys(NOWHERE, "")


def run(workspace, *targets, endpoint="http://127.0.0.1:9", network=NOWHERE):
    command = [*snakemake_command("--cores", "2", config=[PAPER, SIZES], target=targets[0]), *targets[1:]]
    variables = QUIET | {"no_proxy": "127.0.0.1", "HF_ENDPOINT": endpoint, "IR_DATASETS_DL_TRIES": "1"}
    variables |= {"IR_DATASETS_HOME": str(workspace.parent / "home"), "HF_HUB_OFFLINE": "1", "OPTICAL_MIRROR": ""}
    variables |= network
    done = subprocess.run(
        command, cwd=workspace, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Fetch everything from a server, which is busy at first; shut it down; run the experiment without it."""
    folder = tmp_path_factory.mktemp("rehearsal")
    write_opus(folder / "served")
    write_models(folder / "served", CONFIG["encoder"], CONFIG["translator"])
    with serving(folder / "served") as server:
        workspace = workspace_with_data(folder, server.address)
        server.busy = 1
        run(workspace, "fetch_all", endpoint=server.address)
    said = run(workspace, f"{RESULTS}/map_table.tsv", f"{RESULTS}/expected.tsv", network=offline(folder))
    (folder / "said.txt").write_text(said)
    return workspace


def rows_of(path):
    header, *rows = read_rows(path, 2)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_sizes_of_the_rehearsal_are_sizes_only():
    sizes = yaml.safe_load(SIZES.read_text(encoding="utf-8"))
    sized = {"languages", "seeds", "collections", "machine"}
    numbers = {"dev_pairs", "steps", "batch_size", "beams", "top_k", "memory_mb"}
    assert all(key in sized or value.keys() <= numbers for key, value in sizes.items())


def test_every_method_has_its_cells_on_both_collections(finished):
    for collection, without in (("clef", set()), ("clirmatrix", {"english"})):
        rows = rows_of(finished / RESULTS / f"tables/{collection}/map_table.tsv")
        assert [row["method"] for row in rows] == CONFIG["methods"]
        empty = {(row["method"], lang) for row in rows for lang in ("sw", "de") if row[lang] == ""}
        assert empty == {("mmarco", "sw")} | {(method, lang) for method in without for lang in ("sw", "de")}
    clef = rows_of(finished / RESULTS / "tables/clef/map_table.tsv")
    wordless = (
        "bm25",
        "nmt-bm25",
    )  # find nothing: an invented language and its translations share no word with English
    found = [float(row["sw"]) for row in clef if row["sw"] and row["method"] not in wordless]
    assert all(value > 0 for value in found), "runs of passages are scored as documents"
    first = (finished / RESULTS / "map_table.tsv").read_text()
    assert first == (finished / RESULTS / "tables/clef/map_table.tsv").read_text()


def test_no_job_reaches_for_a_network(finished):
    said = (finished.parent / "said.txt").read_text()
    assert REFUSED not in said
    ran = {rules()[name][0] for name in job_counts(said) if name in rules()}
    assert ran >= REHEARSED


def test_a_job_that_would_reach_for_a_network_is_caught(finished):
    words = [sys.executable, "-c", "import socket; socket.create_connection(('example.org', 80))"]
    variables = os.environ | {"PYTHONPATH": str(finished.parent / "guard")}
    done = subprocess.run(words, env=variables, capture_output=True, text=True)
    assert done.returncode == 1
    assert REFUSED in done.stderr


def test_no_run_lists_more_than_the_config_asks_for(finished):
    asked = yaml.safe_load(SIZES.read_text(encoding="utf-8"))["search"]["top_k"]
    runs = [path for path in (finished / RESULTS / "runs").rglob("*.trec") if path.is_file()]
    longest = {
        path.parent.name: max(Counter(line.split()[0] for line in path.open()).values())
        for path in runs
        if path.stat().st_size
    }
    assert longest.keys() >= {"optical", "smt"}
    assert set(longest.values()) == {asked}


def test_what_was_fetched_is_pinned(finished):
    lock = {name: checksum for name, checksum, _ in read_rows(finished / "results/data.lock.tsv", 3)}
    assert lock.keys() == {f"opus.{corpus}.v1.en-{lang}.zip" for lang in CORPORA for corpus in CORPORA[lang]}
    for key in ("encoder", "translator"):
        model = f"{CONFIG[key]['source'].replace('/', '--')}--{CONFIG[key]['revision']}"
        source = json.loads((finished / "results/models" / model / "source.json").read_text())
        assert (source["id"], source["revision"]) == (CONFIG[key]["source"], CONFIG[key]["revision"])


def test_collections_and_training_sets_are_read_whole(finished):
    clef = json.loads((finished / RESULTS / "collections/clef/collection.json").read_text())
    assert clef["queries"] == dict.fromkeys(("en", "sw", "de"), QUERIES), "a topic without an answer is left out"
    assert clef["documents"] > DOCUMENTS, "a long document is split"
    assert clef["relevant"] == QUERIES, "judgements of the other newspaper do not count"
    matrix = json.loads((finished / RESULTS / "collections/clirmatrix/collection.json").read_text())
    assert matrix["queries"] == {"sw": QUERIES, "de": QUERIES}
    pairs = [row[:2] for row in read_rows(finished / RESULTS / "training_sets/wikiclir/sw/triples.tsv", 2)]
    assert pairs == [[f"sw{row}", str(row)] for row in range(QUERIES)], "foreign queries, English documents, grade 2"
    german = read_rows(finished / RESULTS / "training_sets/mmarco/de/queries.tsv", 2)
    english = read_rows(finished / RESULTS / "training_sets/teacher/en/queries.tsv", 2)
    assert [row[0] for row in german] == [row[0] for row in english]


def test_translations_are_scored_with_their_signature(finished):
    rows = rows_of(finished / RESULTS / "translation_table.tsv")
    assert {row["lang"] for row in rows} == {"sw", "de"}
    assert all("version:" in value for row in rows for key, value in row.items() if "signature" in key)


def test_expected_figures_stand_beside_ours(finished):
    rows = rows_of(finished / RESULTS / "expected.tsv")
    published = [row for row in rows_of(ROOT / "config/expected.tsv") if row["config"] == "paper"]
    assert [row["value"] for row in rows] == [row["value"] for row in published]
    assert {row["status"] for row in rows} == {"NOT RUN"}, "each is a mean that needs a language left out here"


def test_a_second_run_finds_nothing_to_do(finished):
    assert "Nothing to be done" in run(finished, f"{RESULTS}/map_table.tsv", f"{RESULTS}/expected.tsv")
