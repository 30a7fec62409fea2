"""Each study ends in its table, at a tiny size, and at its real size learns from no text that it is tested on."""

import json
import os
import subprocess

import pytest
import yaml

from optical.corpora_files import comparable
from optical.files import read_jsonl, read_rows, read_table, read_texts
from optical.tables import fill_codes, read_languages
from workspace import QUIET, ROOT, job_counts, make_workspace, run_snakemake, snakemake_command

STUDIES = sorted((ROOT / "config/studies").glob("*.yaml"))
TINY = ROOT / "tests/config/study.yaml"
# What a tiny run leaves out of each study.
CUTS = {
    "multi30k": {"methods": ["zero-shot", "contrastive"], "bitext_curve": {"shares": [50]}},
    "mtop": {
        "languages": ["th"],
        "methods": ["zero-shot", "optical"],
        "bitext_curve": {"shares": [50]},
        "study": {"only": ["en"]},
    },
    "miracl": {
        "methods": ["zero-shot", "optical"],
        "study": {"only": ["left_out"], "variants": {"left_out": {"methods": ["zero-shot", "optical"]}}},
    },
    "domain": {"languages": ["zu"], "methods": ["english", "optical"], "collections": ["medicine"]},
    "pretraining": {
        "languages": ["sw", "de"],
        "atlas": {"documents": 300, "train_documents": 300, "test_queries": 20, "dev_queries": 5, "train_queries": 100},
        "study": {"only": ["mlm", "both"], "repeats": [1]},
    },
    "pretraining_open": {"languages": ["sw", "de"], "study": {"only": ["mlm", "transport"], "repeats": [1]}},
}
# Studies that measure how well names are aligned, too.
ALIGNED = ["pretraining"]

# Of a study with variants, the one whose texts are compared.
FOREIGN = {"mtop": "de", "domain": "both", "miracl": "left_out"}

# How often each study trains, over all its variants.
PLANS = {
    "multi30k": {"pretrain_encoder": 1, "train_teacher": 1, "distil_student": 8, "distil_share": 16},
    "mtop": {"pretrain_encoder": 1, "train_teacher": 5, "distil_student": 42, "distil_share": 84},
    "domain": {"pretrain_encoder": 1, "train_teacher": 1, "distil_student": 24, "clean_bitext": 10},
    "miracl": {"train_teacher": 1, "retrain_student": 3, "distil_student": 9, "encode_with_student": 10},
    # six and five variants, each twice
    "pretraining": {"pretrain_encoder": 12, "train_teacher": 12, "distil_student": 84, "generate_atlas": 1},
    "pretraining_open": {"pretrain_encoder": 10, "train_teacher": 10, "distil_student": 70, "prepare_collection": 10},
}

pytestmark = pytest.mark.workflow
real_data = pytest.mark.skipif(
    "OPTICAL_MIRROR" not in os.environ, reason="OPTICAL_MIRROR names no folder with the real data"
)


def run(folder, study, changes, *targets, extra=()):
    """Run a study with changes in a folder of its own; return the folder of its results."""
    workspace = make_workspace(folder / "workspace")
    (folder / "changes.yaml").write_text(json.dumps(changes), encoding="utf-8")
    results = settings_of(study)["results"]
    files = [study, *extra, folder / "changes.yaml"]
    command = snakemake_command("--cores", "2", "--quiet", "all", config=files, target=targets[0])
    done = subprocess.run(
        [*command, *targets[1:]],
        cwd=workspace,
        env=os.environ | QUIET,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return workspace / results


def settings_of(study):
    """Return the config of a study."""
    return yaml.safe_load(study.read_text(encoding="utf-8"))


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_a_study_trains_each_variant_and_shares_what_they_have_in_common(tmp_path, study):
    arguments = ("--cores", "2", "--dry-run", "--quiet", "rules")
    target = f"{settings_of(study)['results']}/figure.svg"
    counts = job_counts(run_snakemake(make_workspace(tmp_path), *arguments, config=study, target=target).stdout)
    planned = {
        rule: sum(count for name, count in counts.items() if name == rule or name.endswith(f"_{rule}"))
        for rule in PLANS[study.stem]
    }
    assert planned == PLANS[study.stem]


@real_data
@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_a_study_ends_in_its_table_and_figure(tmp_path, study):
    settings = settings_of(study)
    targets = ["figure.svg", *(["alignment_quality.tsv"] if study.stem in ALIGNED else [])]
    targets = [f"{settings['results']}/{target}" for target in targets]
    results = run(tmp_path, study, CUTS[study.stem], *targets, extra=[TINY])
    rows = read_table(results / "table.tsv")
    asked = settings | CUTS[study.stem]
    assert {row["method"] for row in rows} == set(asked["methods"])
    assert {row["collection"] for row in rows} == set(asked["collections"])
    assert all(0 <= float(row["mean"]) <= 1 for row in rows if row["lang"] != "gap")
    repeats = CUTS[study.stem].get("study", {}).get("repeats") or settings.get("study", {}).get("repeats", [1])
    assert {row["seeds"] for row in rows} == {str(len(repeats))}
    assert len({(*list(row.values())[:5], row["measure"]) for row in rows}) == len(rows)
    assert (results / "figure.png").stat().st_size > 5000
    if study.stem in ALIGNED:
        aligned = read_table(results / "alignment_quality.tsv")
        assert {row["method"] for row in aligned} == {"encoder", "teacher", "optical"}
        assert {row["lang"] for row in aligned} == {*CUTS[study.stem]["languages"], "low", "high", "gap"}
        assert {row["measure"] for row in aligned} == {"mass", "mass_translated", "chance"}
        assert {row["reference"] for row in aligned} == {settings["study"]["reference"]}


def texts_in(folder):
    """Return the texts of a prepared collection or training set, without case and punctuation."""
    queries = [row[1] for path in folder.rglob("*.tsv") if path.name != "triples.tsv" for row in read_rows(path, 2)]
    return {comparable(text) for text in [*queries, *(row["text"] for row in read_jsonl(folder / "documents.jsonl"))]}


@real_data
@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_a_study_learns_from_no_text_that_it_is_tested_on(tmp_path, study):
    settings, variant = settings_of(study), FOREIGN.get(study.stem)
    own = settings | settings.get("study", {}).get("variants", {}).get(variant, {})
    place = f"{settings['results']}/{variant}" if variant else settings["results"]
    langs = own["languages"][:2]
    learned = [f"{place}/bitext/{lang}/{part}.tsv" for lang in langs for part in ("train", "dev")]
    tested = [f"{place}/collections/{collection}" for collection in own["collections"]]
    changes = {"languages": langs, "study": {"only": [variant] if variant else []}}
    overlapping = ["flores.devtest.eng_Latn.txt", "flores.devtest.deu_Latn.txt", "belebele.eng_Latn.jsonl"]
    files = [f"results/data/{name}" for name in overlapping]
    texts = own["pretraining"]["text"]
    read = [name for name in (texts if isinstance(texts, list) else [texts]) if name != "bitext"]
    rows = read_languages(ROOT / "config/languages.tsv")
    read = [fill_codes(name, rows[lang]) for name in read for lang in ["en", *langs]]
    read = [name if name.startswith("results/") else f"results/data/{name}" for name in read]
    targets = [*learned, *tested, f"{place}/training_sets/teacher/en", *files, *read]  # with variants, the study's own
    workspace = run(tmp_path, study, changes, *targets).parents[2]
    bitext = {comparable(text) for path in [*learned, *read] for text in read_texts(workspace / path)}
    training = bitext | texts_in(workspace / place / "training_sets/teacher/en")
    evaluation = set().union(*(texts_in(workspace / path) for path in tested))
    evaluation |= {comparable(text) for path in files[:2] for text in read_texts(workspace / path)}
    evaluation |= {comparable(row["text"]) for row in read_jsonl(workspace / files[2])}
    assert len(training) > 500
    assert len(evaluation) > 3000
    assert not training & evaluation - {""}
