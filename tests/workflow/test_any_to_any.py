"""Any language to any language, from passages in two languages to the matrix, one index and the heat map."""

import random

import pytest
import yaml

from optical.files import read_jsonl, read_table
from support.workspace import SMALL, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

WORDS = {"en": "moon river house", "sw": "mwezi mto nyumba", "de": "Mond Fluss Haus"}
PASSAGES = ["en", "sw"]
FOLDER = "results/any_to_any"
MATRIX, ONE_INDEX = (f"{FOLDER}/tables/news/{name}.tsv" for name in ("matrix", "one_index"))
SCORES = f"{FOLDER}/scores/news/sw.tsv"  # of the whole
FIGURE = f"{FOLDER}/figures/news/matrix.svg"


def write_articles(folder):
    """Write sixteen articles of four sentences in each language, and the table of their addresses."""
    names = random.Random(1)
    articles = [names.randrange(100, 999) for _ in range(16)]
    folder.mkdir()
    for lang, words in WORDS.items():
        thing, *others = words.split()
        lines = [f"{thing} {name} {others[k % 2]} {k}" for name in articles for k in range(4)]
        (folder / f"{lang}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    urls = [f"https://example.org/{number}\tnews" for number in range(16) for _ in range(4)]
    (folder / "metadata.tsv").write_text("\n".join(["URL\tdomain", *urls]) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a finished run and what Snakemake said."""
    workspace = make_workspace(tmp_path_factory.mktemp("any_to_any"))
    write_articles(workspace / "data")
    news = {"reader": "flores_articles", "sentences": "data/{lang}.txt", "metadata": "data/metadata.tsv", "part": "all"}
    config = {
        "results": FOLDER,
        "methods": ["zero-shot", "optical"],
        "collections": ["news"],
        "collection_table": {"news": news | {"passage_languages": PASSAGES}},
        "measures": ["AP", "R@2"],
        "matrix": {"references": ["zero-shot"]},
        "student": {"sides": ["query", "document"]},
    }
    (workspace / "any.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    files = [SMALL, workspace / "any.yaml"]
    return workspace, run_snakemake(workspace, "--cores", "2", config=files, target=[ONE_INDEX, FIGURE, SCORES]).stdout


def test_every_pair_of_languages_is_measured_and_drawn(finished):
    workspace, _ = finished
    found = {(row["method"], row["lang"]): row for row in read_table(workspace / MATRIX)}
    pairs = {f"{asked}-{read}" for asked in WORDS for read in PASSAGES}
    assert {lang for method, lang in found if method == "optical" and "-" in lang} == pairs
    assert found["optical", "never trained"]["mean"] == found["optical", "de-sw"]["mean"]
    assert found["optical", "en-en"]["mean"] == found["zero-shot", "en-en"]["mean"], "English is the teacher's"
    assert "| never trained |" in (workspace / MATRIX).with_suffix(".md").read_text()
    assert (workspace / FIGURE).with_suffix(".png").stat().st_size > 5000


def test_a_student_reads_the_passages_of_its_language_and_the_teacher_english_ones(finished):
    workspace, said = finished
    counts = job_counts(said)
    encoding = {"encode_collection": 2, "encode_with_model": 1, "merge_runs": 3, "search_collection": 3}
    assert {rule: counts[rule] for rule in encoding} == encoding
    assert (workspace / FOLDER / "model_vectors/news-sw/students/sw/optical/1").is_dir()


def test_one_index_has_the_passages_of_all_languages(finished):
    workspace, _ = finished
    documents = list(read_jsonl(workspace / FOLDER / "collections/news/documents.jsonl"))
    assert [sum(document["language"] == lang for document in documents) for lang in PASSAGES] == [16, 16]
    table = read_table(workspace / ONE_INDEX)
    found = {(row["method"], row["lang"], row["measure"]): float(row["mean"]) for row in table}
    for method in ("zero-shot", "optical"):
        shares = [found[method, "all languages", f"share of {lang}"] for lang in PASSAGES]
        assert sum(shares) == pytest.approx(1, abs=1e-4)
    scores = read_table(workspace / SCORES)
    recall = [float(row["value"]) for row in scores if (row["method"], row["measure"]) == ("optical", "R@2")]
    assert found["optical", "sw", "R@2"] == pytest.approx(sum(recall) / len(recall), abs=1e-5), "as ir_measures has it"
