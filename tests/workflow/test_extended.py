"""Students with word pieces of their language: the same chain, another start, and as much of the bitext as they see."""

import json

import pytest

from optical.files import read_rows
from support.workspace import job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

CHANGES = (
    "languages=[sw]",
    "methods=[english,zero-shot,extended,optical]",
    "vocabulary={pieces: 300}",
    "bitext_curve={shares: [50], methods: [optical]}",
)
PIECES = "results/extended/sw"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("extended"))
    arguments = ("--cores", "2", "--config", *CHANGES)
    run_snakemake(workspace, *arguments, target="results/alignments/sw.json")
    return workspace, run_snakemake(workspace, *arguments, target="results/bitext_curve.tsv").stdout


def test_the_table_has_what_the_vocabulary_alone_does(finished):
    workspace, _ = finished
    methods = {row[1] for row in read_rows(workspace / "results/scores/atlas/sw.tsv", 2)}
    assert methods >= {"extended", "optical", "zero-shot", "english"}


def test_students_and_their_shares_start_from_pieces_of_their_own_bitext(finished):
    workspace, output = finished
    assert job_counts(output)["extend_vocabulary"] == 1
    whole, half = (
        json.loads((workspace / folder / "provenance.json").read_text(encoding="utf-8"))["inputs"]["bitext"]
        for folder in (PIECES, "results/bitext_curve/50/extended/sw")
    )
    assert whole != half
    student = json.loads((workspace / "results/students/sw/optical/1/provenance.json").read_text(encoding="utf-8"))
    assert "start" in student["inputs"]
    vocabularies = [
        (workspace / folder / "tokenizer.json").read_bytes() for folder in (PIECES, "results/students/sw/optical/1")
    ]
    assert vocabularies[0] == vocabularies[1]


def test_the_drawn_alignment_is_between_pieces_of_the_language(finished):
    workspace, _ = finished
    drawn = json.loads((workspace / "results/alignments/sw.json").read_text(encoding="utf-8"))
    plans = [drawn[when]["plan"] for when in ("before", "after")]
    assert [len(plan) for plan in plans] == [len(drawn["foreign"])] * 2
