"""Each study plans what it says, and ends in its table at a tiny size."""

import pytest

from optical.files import read_table
from support.mirror import needs_mirror
from support.studies import STUDIES, by_name, run_study, settings_of
from support.workspace import ROOT, job_counts, make_workspace, run_snakemake

TINY = ROOT / "tests/config/study.yaml"
# What a tiny run leaves out of each study. What is left out is prepared in full in test_study_texts.py: the other files
# of AfriQA, which a teacher learns from as from the first, and the sentence pairs of each variant.
ONE_FILE = {"teacher": {"training_set": {"pairs": ["afriqa.gold.hau.train.json"]}}}
CUTS = {
    "multi30k": {"languages": ["de"], "methods": ["zero-shot", "contrastive"], "bitext_curve": {"shares": [50]}},
    "mtop": {
        "languages": ["th"],
        "methods": ["zero-shot", "optical"],
        "bitext_curve": {"shares": [50]},
        "study": {"only": ["en"]},
    },
    "miracl": ONE_FILE
    | {
        "methods": ["zero-shot", "optical"],
        "study": {"only": ["left_out"], "variants": {"left_out": {"methods": ["zero-shot", "optical"]}}},
    },
    "domain": ONE_FILE
    | {
        "languages": ["zu"],
        "methods": ["english", "optical"],
        "collections": ["medicine"],
        "study": {"only": ["news", "health"]},
    },
    "pretraining": {
        "languages": ["sw", "de"],
        "atlas": {"documents": 300, "train_documents": 300, "test_queries": 20, "dev_queries": 5, "train_queries": 100},
        "study": {"only": ["mlm", "both"], "repeats": [1]},
    },
    "pretraining_open": ONE_FILE | {"languages": ["sw", "de"], "study": {"only": ["mlm", "transport"], "repeats": [1]}},
}
# Tables that some studies have beside their own: how well names are aligned, what distance explains.
OTHER_TABLES = {"pretraining": ["alignment_quality.tsv"], "mtop": ["distances.tsv"]}

# How often each study trains, over all its variants and shares.
PLANS = {
    "multi30k": {"pretrain_encoder": 1, "train_teacher": 1, "distil_student": 24 * 5},
    "mtop": {"pretrain_encoder": 1, "train_teacher": 5, "distil_student": 42 * 3},
    "domain": {"pretrain_encoder": 1, "train_teacher": 1, "distil_student": 24, "clean_bitext": 10},
    "miracl": {"train_teacher": 1, "retrain_student": 5, "distil_student": 12, "encode_with_model": 14},
    # six and five variants, each twice
    "pretraining": {"pretrain_encoder": 12, "train_teacher": 12, "distil_student": 84, "generate_atlas": 1},
    "pretraining_open": {"pretrain_encoder": 10, "train_teacher": 10, "distil_student": 70, "prepare_collection": 10},
}

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize("study", STUDIES, ids=by_name)
def test_a_study_trains_each_variant_and_shares_what_they_have_in_common(tmp_path, study):
    arguments = ("--cores", "2", "--dry-run", "--quiet", "rules")
    target = f"{settings_of(study)['results']}/figure.svg"
    counts = job_counts(run_snakemake(make_workspace(tmp_path), *arguments, config=study, target=target).stdout)
    assert {rule: counts.get(rule) for rule in PLANS[study.stem]} == PLANS[study.stem]


@needs_mirror
@pytest.mark.parametrize("study", STUDIES, ids=by_name)
def test_a_study_ends_in_its_table_and_figure(tmp_path, study):
    settings = settings_of(study)
    targets = [f"{settings['results']}/{name}" for name in ["figure.svg", *OTHER_TABLES.get(study.stem, [])]]
    workspace = make_workspace(tmp_path / "workspace")
    run_study(workspace, study, CUTS[study.stem], *targets, extra=[TINY])
    results = workspace / settings["results"]
    rows = read_table(results / "table.tsv")
    asked = settings | CUTS[study.stem]
    assert {row["method"] for row in rows} == set(asked["methods"])
    assert {row["collection"] for row in rows} == set(asked["collections"])
    assert all(0 <= float(row["mean"]) <= 1 for row in rows if row["lang"] != "gap")
    repeats = CUTS[study.stem].get("study", {}).get("repeats") or settings.get("study", {}).get("repeats", [1])
    assert {row["seeds"] for row in rows} == {str(len(repeats))}
    assert len({(*list(row.values())[:6], row["measure"]) for row in rows}) == len(rows)
    assert (results / "figure.png").stat().st_size > 5000
    if study.stem == "mtop":
        distances = read_table(results / "distances.tsv")
        assert {row["method"] for row in distances} == set(asked["methods"])
        assert {row["rho"] for row in distances} == {""}  # of one cell
    if study.stem == "pretraining":
        aligned = read_table(results / "alignment_quality.tsv")
        assert {row["method"] for row in aligned} == {"encoder", "teacher", "optical"}
        assert {row["lang"] for row in aligned} == {*CUTS[study.stem]["languages"], "low", "high", "gap"}
        assert {row["measure"] for row in aligned} == {"mass", "mass_translated", "chance"}
        assert {row["reference"] for row in aligned} == {settings["study"]["reference"]}
