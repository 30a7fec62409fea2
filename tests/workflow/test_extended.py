"""Students with subwords of their language: the same chain, another start, and as much of the bitext as they see."""

import json

import pytest

from optical.files import read_rows, read_table
from optical.search.vectors import Collection
from support.tiny_models import save_nllb
from support.workspace import ROOT, SMALL, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

CONFIGS = [SMALL, ROOT / "config/pieces.yaml"]
METHODS = ("english", "zero-shot", "extended", "optical", "dense", "dense+mse", "nmt-nllb")
TRANSLATOR = {"source": "nllb", "source_code": "swh_Latn", "target_code": "eng_Latn", "beams": 1}
CHANGES = (
    "languages=[sw]",
    f"methods=[{','.join(METHODS)}]",
    f"method_table={json.dumps({'nmt-nllb': {'kind': 'translated', 'translator': TRANSLATOR}})}",
    "vocabulary={pieces: 300}",
    "bitext_curve={shares: [50], methods: [optical]}",
)
PIECES = "results/pieces/extended/sw"
STUDENT = "results/pieces/students/sw/optical/1"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("extended"))
    save_nllb(workspace / "nllb")
    arguments = ("--cores", "2", "--config", *CHANGES)
    run_snakemake(workspace, *arguments, config=CONFIGS, target="results/pieces/alignments/sw.json")
    said = run_snakemake(workspace, *arguments, config=CONFIGS, target="results/pieces/bitext_curve.tsv").stdout
    run_snakemake(workspace, *arguments, config=CONFIGS, target="results/pieces/map_table.tsv")
    return workspace, said


def test_the_table_has_what_the_vocabulary_alone_does(finished):
    workspace, _ = finished
    table = read_table(workspace / "results/pieces/map_table.tsv")
    assert [row["method"] for row in table] == [*METHODS]
    methods = {row[1] for row in read_rows(workspace / "results/pieces/scores/atlas/sw.tsv", 2)}
    assert methods >= {*METHODS}


def test_a_student_of_the_encoder_with_one_vector_a_text_keeps_its_subwords_and_is_checked_beside_it(finished):
    workspace, _ = finished
    folder = workspace / "results/pieces"
    inputs = json.loads((folder / "students/sw/dense+mse/1/provenance.json").read_text(encoding="utf-8"))["inputs"]
    assert "start" not in inputs and "1_Pooling/config.json" in inputs["teacher"]
    assert Collection([folder / "model_vectors/atlas/dense"]).dim == 32, (
        "the encoder's hidden size, without a projection"
    )
    assert {row["method"] for row in read_table(folder / "held_out/sw.tsv")} == {"optical", "dense+mse"}


def test_a_method_has_a_translator_of_its_own_and_no_other_is_trained(finished):
    workspace, _ = finished
    scored = read_table(workspace / "results/pieces/translation_table.tsv")
    assert [(row["lang"], row["method"]) for row in scored] == [("sw", "nmt-nllb")]
    assert not (workspace / "results/pieces/translators").exists()


def test_students_and_their_shares_start_from_pieces_of_their_own_bitext(finished):
    workspace, output = finished
    assert job_counts(output)["extend_vocabulary"] == 1
    whole, half = (
        json.loads((workspace / folder / "provenance.json").read_text(encoding="utf-8"))["inputs"]["bitext"]
        for folder in (PIECES, "results/pieces/bitext_curve/50/extended/sw")
    )
    assert whole != half
    student = json.loads((workspace / STUDENT / "provenance.json").read_text(encoding="utf-8"))
    assert "start" in student["inputs"]
    vocabularies = [(workspace / folder / "tokenizer.json").read_bytes() for folder in (PIECES, STUDENT)]
    assert vocabularies[0] == vocabularies[1]


def test_the_drawn_alignment_is_between_pieces_of_the_language(finished):
    workspace, _ = finished
    drawn = json.loads((workspace / "results/pieces/alignments/sw.json").read_text(encoding="utf-8"))
    plans = [drawn[when]["plan"] for when in ("before", "after")]
    assert [len(plan) for plan in plans] == [len(drawn["foreign"])] * 2
