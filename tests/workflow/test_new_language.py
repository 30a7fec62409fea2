"""A stranger adds a language by the six lines of config/README.md, with files of their own in every form they may have.

The language is made up in the manner of Zulu: noun classes with their prefixes, verbs that agree with them.
"""

import gzip
import itertools
import json
import random
import re

import pytest
import yaml

from support.workspace import ROOT, SMALL, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

NOUNS = (
    ("teacher", "umufunda"),
    ("farmer", "umulima"),
    ("child", "umutana"),
    ("river", "imifula"),
    ("tree", "imithi"),
    ("city", "idolobe"),
    ("stone", "idwala"),
    ("school", "isikolwe"),
    ("market", "isigcaki"),
    ("house", "indlova"),
    ("cow", "inkomba"),
    ("book", "incwazi"),
)
VERBS = (("sees", "bona"), ("buys", "thenga"), ("loves", "thanda"), ("builds", "akha"), ("finds", "thola"))
PLACES = (("in Durban", "eDurban"), ("at home", "ekhaya"), ("near the sea", "olwandle"), ("in winter", "ebusika"))
PAGE = (ROOT / "config/README.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Add your language")[2].partition("\n## ")[0]
LINES = re.search(r"```yaml\n(.*?)```", SECTION, re.DOTALL)[1]
COMMAND = re.search(r"^    snakemake (.*)$", SECTION, re.MULTILINE)[1].split()
# The same experiment with files of other forms: what a line of the config becomes.
ENGLISH, FOREIGN = "english: data/sentences.en.gz", "foreign: data/sentences.zu.gz"
BITEXT = ("bitext/zu/train.tsv", "bitext/zu/dev.tsv")
COLLECTION = ("collections/mine", "collections/mine/documents.jsonl", "collections/mine/qrels.txt")
OTHER_FORMS = {
    "lines, plain": (BITEXT, {ENGLISH: "english: data/sentences.en", FOREIGN: "foreign: data/sentences.zu"}),
    "TSV, gzip": (BITEXT, {f"{ENGLISH}, {FOREIGN}": "pairs: data/sentences.tsv.gz"}),
    "collection, gzip and TSV": (
        COLLECTION,
        {"documents.jsonl": "documents.tsv.gz", "{lang}.tsv": "{lang}.tsv.gz", "qrels.txt": "qrels.txt.gz"},
    ),
}


def sentences():
    """Return pairs of an English sentence and its translation: subject, agreeing verb, object, place."""
    parts = itertools.product(NOUNS, VERBS, NOUNS, PLACES)
    pairs = [
        (
            f"The {one[0]} {verb[0]} the {other[0]} {place[0]}.",
            f"{one[1]} {one[1][0]}ya{verb[1]} {other[1]} {place[1]}.",
        )
        for one, verb, other, place in parts
        if one != other
    ]
    return random.Random(1).sample(pairs, 400)


def write_data(folder):
    """Write the stranger's files, each plain and compressed."""
    pairs = sentences()
    bitext, asked = pairs[:300], pairs[300:]
    documents = [(f"d{number}", english) for number, (english, _) in enumerate(asked)]
    files = {
        "sentences.en": [english for english, _ in bitext],
        "sentences.zu": [foreign for _, foreign in bitext],
        "sentences.tsv": ["\t".join(pair) for pair in bitext],
        "documents.jsonl": [json.dumps({"id": name, "text": text}) for name, text in documents],
        "documents.tsv": ["\t".join(document) for document in documents],
        "queries.zu.tsv": [f"q{number}\t{foreign}" for number, (_, foreign) in enumerate(asked[:30])],
        "queries.en.tsv": [f"q{number}\t{english}" for number, (english, _) in enumerate(asked[:30])],
        "qrels.txt": [f"q{number} 0 d{number} 1" for number in range(30)],
    }
    folder.mkdir()
    for name, lines in files.items():
        content = ("\n".join(lines) + "\n").encode()
        (folder / name).write_bytes(content)
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))


def run_here(workspace, lines, results, *arguments, target="map_table.tsv"):
    """Run the experiment of these lines, with the small one's sizes, in a results folder of its own."""
    config = workspace / f"{results}.yaml"
    config.write_text(lines.replace("results/zulu", f"results/{results}"), encoding="utf-8")
    return run_snakemake(
        workspace, "--cores", "2", *arguments, config=[sizes(workspace), config], target=f"results/{results}/{target}"
    )


def sizes(workspace):
    """Write the sizes of the small experiment, and nothing else of it."""
    small = yaml.safe_load(SMALL.read_text(encoding="utf-8"))
    path = workspace / "sizes.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in small.items() if key != "languages"}))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder in which the page's lines were run."""
    workspace = make_workspace(tmp_path_factory.mktemp("stranger") / "project")
    write_data(workspace / "data")
    run_here(workspace, LINES, "zulu")
    return workspace


def test_it_is_six_lines_and_the_command_is_for_them():
    assert len(LINES.splitlines()) == 6
    assert set(yaml.safe_load(LINES)) == {"results", "languages", "bitext", "collections", "collection_table"}
    assert COMMAND[-4:] == ["--configfile", "config/zulu.yaml", "--", "results/zulu/map_table.tsv"]


def test_the_six_lines_end_in_a_table(finished):
    header, *rows = [line.split("\t") for line in (finished / "results/zulu/map_table.tsv").read_text().splitlines()]
    assert header == ["method", "zu", "low", "high", "gap"]
    assert [row[0] for row in rows] == ["english", "bm25", "zero-shot", "optical"]
    for _, mean, low, high, gap in rows:
        assert (low, high, gap) == (mean, "", "")
    means = {row[0]: float(row[1]) for row in rows}
    assert means.pop("bm25") == 0, "the language shares no word with English"
    assert all(0 < mean <= 1 for mean in means.values())
    report = json.loads((finished / "results/zulu/bitext/zu/report.json").read_text())
    assert report["train"] + report["dev"] == 300, "clean pairs are kept"


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_files_of_another_form_give_the_same_data(finished, form):
    (target, *names), changes = OTHER_FORMS[form]
    lines = LINES
    for here, there in changes.items():
        assert here in lines
        lines = lines.replace(here, there)
    results = re.sub(r"\W", "", form)
    run_here(finished, lines, results, target=target)
    for name in names:
        assert (finished / f"results/{results}/{name}").read_bytes() == (finished / "results/zulu" / name).read_bytes()


def test_the_stranger_runs_it_again_and_nothing_is_done(finished):
    assert "Nothing to be done" in run_here(finished, LINES, "zulu").stdout


def test_without_english_queries_only_that_row_is_empty(finished):
    queries = finished / "data/queries.en.tsv"
    kept = queries.read_bytes()
    queries.unlink()
    try:
        output = run_here(finished, LINES, "zulu", "--dry-run").stdout
    finally:
        queries.write_bytes(kept)
    assert "distil_student" not in job_counts(output)
    assert "make_map_table" in job_counts(output)
