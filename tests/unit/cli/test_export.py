"""`optical export`: a model card that tells, and a model that loads again."""

import shutil
from pathlib import Path

import pytest
import torch

from optical import Retriever
from optical.errors import DataError
from optical.files import read_json, sha256_of, write_json
from optical.models.folders import load_encoder
from optical.models.origin import teacher_of
from optical.runtime.provenance import EXPORTED, write_provenance
from support.hub import forget_client, use_hub
from support.local_server import TOKEN, serving
from support.tiny_models import save_encoder
from support.toy_results import student_of


def test_the_model_card_says_languages_licences_scores_and_limits(optical, results, tmp_path):
    scores = tmp_path / "scores.tsv"
    rows = ["collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue"]
    rows += [f"atlas\toptical\tsw\t1\t{query}\tAP\t{value}" for query, value in (("q1", 0.5), ("q2", 1.0))]
    rows += ["atlas\toptical\tsw\t2\tq1\tAP\t0.0", "atlas\tmse\tsw\t1\tq1\tAP\t0.0"]
    scores.write_text("\n".join(rows) + "\n", encoding="utf-8")
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments, "--scores", scores)[0] == 0
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    for part in ("- sw\n- en", "| tico19 | 9 | CC0 |", "CC BY 4.0", "| atlas | AP | 0.7500 | 2 |", "12 tokens", "ipot"):
        assert part in card
    assert (tmp_path / "out/query/provenance.json").is_file()
    assert not (tmp_path / "out/document/provenance.json").exists()


@pytest.mark.parametrize(
    ("other", "what"),
    [("mse\tsw\t1", "method: mse, optical"), ("optical\tsw\t2", "seed: 1, 2"), ("optical\tso\t1", "lang: so, sw")],
)
def test_scores_of_several_models_are_not_averaged(optical, results, tmp_path, other, what):
    shutil.copytree(student_of(results), tmp_path / "model")
    scores = tmp_path / "scores.tsv"
    scores.write_text("collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue\natlas\toptical\tsw\t1\tq1\tAP\t0.5\n")
    arguments = ["export", "--teacher", results / "teacher", "--scores", scores, "--model", tmp_path / "model", "--to"]
    assert optical(*arguments, tmp_path / "alone")[0] == 0
    with scores.open("a") as file:
        file.write(f"atlas\t{other}\tq1\tAP\t1.0\n")
    code, _, error = optical(*arguments, tmp_path / "together")
    assert code == 1 and f"more than one {what} [{scores}]. Hint: " in error
    assert not (tmp_path / "together").exists()


@pytest.mark.parametrize(
    ("options", "code", "what"),
    [
        (["--public"], 2, "--public is only for --push"),
        (["--push", "me/sw"], 1, "no token for the hub [me/sw]. Hint: "),
    ],
)
def test_a_push_that_cannot_work_exports_nothing(optical, results, tmp_path, monkeypatch, options, code, what):
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    forget_client(monkeypatch)
    arguments = ["--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    found, _, error = optical("export", *arguments, *options)
    forget_client(monkeypatch)
    assert found == code and what in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_retriever_reads_what_was_pushed(optical, results, tmp_path, monkeypatch):
    (tmp_path / "served").mkdir()
    arguments = ["--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    with serving(tmp_path / "served") as server:
        use_hub(monkeypatch, server.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        assert optical("export", *arguments, "--push", "me/sw")[0] == 0
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download("me/sw"))
        forget_client(monkeypatch)
    assert folder.is_relative_to(tmp_path / "home")
    retriever = Retriever.load(f"{folder}/query")
    assert retriever.reader == folder / "document"


def test_what_is_exported_can_be_loaded_again(optical, results, tmp_path):
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments)[0] == 0
    for name, source in (("query", student_of(results)), ("document", results / "teacher")):
        ours, theirs = load_encoder(source), load_encoder(tmp_path / "out" / name)
        assert ours.settings == theirs.settings
        assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_an_exported_student_knows_its_exported_teacher_until_that_changes(optical, results, tmp_path):
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments)[0] == 0
    student, teacher = tmp_path / "out/query", tmp_path / "out/document"
    changed = read_json(teacher / EXPORTED)
    assert sha256_of(teacher / "model.safetensors") == changed["model.safetensors"]["now"]
    assert teacher_of(student) == teacher
    (tmp_path / "out/.checksums.json").unlink()
    with (teacher / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"    ")
    for record in (changed, []):
        write_json(teacher / EXPORTED, record)
        with pytest.raises(DataError, match="not the teacher"):
            teacher_of(student)


@pytest.mark.parametrize("form", ["pylate", "stanford"])
def test_an_export_with_a_teacher_from_elsewhere_is_loaded_and_exported_again(optical, tmp_path, form):
    teacher = save_encoder(tmp_path / "teacher")
    write_json(teacher / "config.json", read_json(teacher / "config.json") | {"transformers_version": "4.0"})
    (teacher / "README.md").write_text("A ColBERT of the hub", encoding="utf-8")
    folder = save_encoder(tmp_path / "student", seed=1)
    write_provenance(folder, {"sides": ["query"]}, {"teacher": teacher}, 0.0, "cpu")
    for place in ("out", "again"):
        arguments = ["--model", folder, "--teacher", teacher, "--to", tmp_path / place, "--format", form]
        code, _, error = optical("export", *arguments)
        assert code == 0, error
        folder, teacher = tmp_path / place / "query", tmp_path / place / "document"
        assert Retriever.load(folder).reader == teacher
        assert Retriever.load(folder, teacher=teacher)


def test_scores_of_a_student_of_all_languages_are_its_scores(optical, results, tmp_path):
    student = shutil.copytree(student_of(results), tmp_path / "results/students/mul/optical/1")
    (tmp_path / "scores.tsv").write_text(
        "collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue\natlas\toptical\tsw\t1\tq1\tAP\t0.5\n"
    )
    arguments = ["--model", student, "--teacher", results / "teacher", "--scores", tmp_path / "scores.tsv"]
    assert optical("export", *arguments, "--to", tmp_path / "out")[0] == 0
    assert "0.500" in (tmp_path / "out/README.md").read_text(encoding="utf-8")
