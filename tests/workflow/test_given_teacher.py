"""A ColBERT that was trained elsewhere teaches, in either layout, and what it says of itself wins over the config."""

import pytest

from optical.files import read_json, read_rows
from optical.models.export import write_stanford
from optical.models.folders import load_encoder
from support.tiny_models import save_encoder
from support.workspace import job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

LAYOUTS = {"pylate": "models/pylate", "stanford": "models/stanford"}
# None of these is what tests/config/small.yaml says.
OWN = {"tokeniser": "bert", "query_length": 12, "document_length": 20, "dimension": 8, "query_expansion": True}
NEVER = {"train_teacher", "pretrain_encoder", "train_tokeniser", "tokenise_text", "prepare_training_set"}


def changes(layout):
    source = f"teacher={{source: {LAYOUTS[layout]}}}"
    return ("languages=[sw]", "methods=[zero-shot,optical]", "student={steps: 3}", f"results=results/{layout}", source)


def run(workspace, layout, *arguments):
    target = f"results/{layout}/map_table.tsv"
    return run_snakemake(workspace, "--cores", "2", *arguments, "--config", *changes(layout), target=target).stdout


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Return a workspace with the same random teacher in both layouts."""
    workspace = make_workspace(tmp_path_factory.mktemp("given"))
    teacher = load_encoder(save_encoder(workspace / "models/pylate", **OWN))
    (workspace / "models/stanford").mkdir()
    write_stanford(teacher, workspace / "models/stanford")
    return workspace


@pytest.fixture(scope="module")
def finished(workspace):
    """Return the workspace in which both have taught, and what each run said."""
    return workspace, {layout: run(workspace, layout) for layout in LAYOUTS}


def test_no_job_makes_a_teacher(finished):
    for output in finished[1].values():
        ran = job_counts(output)
        assert not NEVER & set(ran)
        assert (ran["encode_collection"], ran["distil_student"], ran["encode_bitext"]) == (1, 1, 1)


def test_the_layout_is_no_matter_of_the_results(finished):
    workspace, _ = finished
    files = ("map_table.tsv", "students/sw/optical/1/model.safetensors", "scores/atlas/sw.tsv")
    for name in files:
        pylate, stanford = ((workspace / "results" / layout / name).read_bytes() for layout in LAYOUTS)
        assert pylate == stanford, name
    methods = {row[1] for row in read_rows(workspace / "results/stanford/scores/atlas/sw.tsv", 2)}
    assert methods >= {"zero-shot", "optical"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_student_reads_as_its_teacher_does_and_not_as_the_config_says(finished, layout):
    workspace, _ = finished
    student = workspace / "results" / layout / "students/sw/optical/1"
    settings = load_encoder(student).settings
    assert settings == load_encoder(workspace / LAYOUTS[layout]).settings
    assert (settings.query_length, settings.document_length, settings.dimension) == (12, 20, 8)
    assert (settings.query_marker, settings.query_expansion) == ("[unused0]", True)
    assert "teacher" in read_json(student / "provenance.json")["inputs"]
