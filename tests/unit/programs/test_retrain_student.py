"""A retrained student learns to rank for other queries, while the documents stay as the teacher encodes them."""

import json

import numpy as np
import pytest
import torch

from optical.config.training import RetrainingSettings
from optical.errors import DataError
from optical.files import read_json
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from optical.training.teacher import TeacherLoss
from support.prepared import prepare_training_set
from support.programs import Run, server
from support.tiny_models import TEXTS, save_encoder

ENGLISH = ("the first question", "the river", "the north", "the moon", "the sun")
SWITCHED = ("swali la kwanza", "mto", "kaskazini", "mwezi", "jua")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a teacher, a tokenised training set and its queries in other words."""
    folder = tmp_path_factory.mktemp("retraining")
    save_encoder(folder / "teacher")
    (folder / "set").mkdir()
    rows = {
        "set/documents.jsonl": [json.dumps({"id": f"d{row}", "text": text}) for row, text in enumerate(TEXTS)],
        "set/queries.tsv": [f"q{row}\t{text}" for row, text in enumerate(ENGLISH)],
        "set/triples.tsv": [f"q{row}\td{row}\td{(row + 2) % 5}" for row in range(5)],
        "switched.tsv": [f"q{row}\t{text}" for row, text in enumerate(SWITCHED)],
    }
    for name, lines in rows.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    arguments = {"tokeniser": folder / "teacher", "training_set": folder / "set", "out": folder / "tokens"}
    run = Run(server(), "tokenise_training_set", folder / "tokenise.out", **arguments)
    assert run.wait() == 0, run.output.read_text()
    return folder


def loss_of(folder, student, batch_size=5, **more):
    return TeacherLoss(student, folder / "tokens", RetrainingSettings(batch_size=batch_size), **more)


def pieces(encoder, texts):
    return [np.array(ids, dtype=np.int32) for ids in tokenise(encoder.tokeniser, texts)]


def test_a_copy_of_the_teacher_starts_with_the_teachers_loss(folder):
    student, teacher = (load_encoder(folder / "teacher").eval() for _ in range(2))
    alone, _ = loss_of(folder, student)(0)
    beside, _ = loss_of(folder, student, document_encoder=teacher)(0)
    assert beside.item() == pytest.approx(alone.item(), rel=1e-5)


def test_only_queries_learn(folder):
    student, teacher = (load_encoder(folder / "teacher").eval() for _ in range(2))
    loss = loss_of(folder, student, document_encoder=teacher.train())
    assert not teacher.training, "no dropout in what must not change"
    value, _ = loss(0)
    value.backward()
    assert all(weight.grad is None for weight in teacher.parameters())
    seen = set(np.concatenate(pieces(student, ENGLISH)).tolist())
    of_documents = set(np.concatenate(pieces(student, TEXTS)).tolist()) - seen
    moved = student.transformer.embeddings.word_embeddings.weight.grad.abs().sum(dim=1)
    assert all(moved[index] > 0 for index in seen)
    assert not any(moved[index] > 0 for index in of_documents), "a document's words are no concern of the student"


def test_other_queries_take_the_place_of_the_training_set(folder):
    student, teacher = (load_encoder(folder / "teacher").eval() for _ in range(2))
    loss = loss_of(folder, student, 1, document_encoder=teacher, queries=pieces(student, SWITCHED))
    read = []
    student.forward = lambda ids, attention, forward=student.forward: read.append(ids) or forward(ids, attention)
    loss(0)
    [ids_BL] = read
    words = [student.tokeniser.decode(ids_BL[0].tolist())]
    assert words[0].strip() in SWITCHED
    with pytest.raises(DataError, match="4 queries replace 5"):
        loss_of(folder, student, queries=pieces(student, SWITCHED[:4]))


@pytest.mark.parametrize("switched", [False, True])
def test_the_program_ranks_better_and_leaves_the_document_side_to_the_teacher(folder, tmp_path, switched):
    settings = {"steps": 80, "batch_size": 5, "learning_rate": 2e-3, "dropout": None}
    arguments = {"teacher": folder / "teacher", "training_set": folder / "tokens", "out": tmp_path / "student"}
    arguments |= {"queries": folder / "switched.tsv"} if switched else {}
    run = Run(server(), "retrain_student", tmp_path / "run.out", settings=json.dumps(settings), **arguments)
    assert run.wait() == 0, run.output.read_text()
    teacher, student = load_encoder(folder / "teacher"), load_encoder(tmp_path / "student")
    queries = SWITCHED if switched else ENGLISH
    assert margin(student, teacher, queries) > margin(teacher, teacher, queries) + 0.5
    inputs = read_json(tmp_path / "student/provenance.json")["inputs"]
    assert inputs.keys() == {"teacher", "training_set"} | ({"queries"} if switched else set())


def test_a_student_of_both_sides_learns_from_the_documents_too(folder, tmp_path):
    arguments = {"teacher": folder / "teacher", "training_set": folder / "tokens"}
    moved = {}
    for sides in (["query"], ["query", "document"]):
        settings = json.dumps({"sides": sides, "steps": 3, "batch_size": 5, "weight_decay": 0.0})
        out = tmp_path / "-".join(sides)
        run = Run(server(), "retrain_student", tmp_path / "run.out", settings=settings, out=out, **arguments)
        assert run.wait() == 0, run.output.read_text()
        words = [load_encoder(path).transformer.embeddings.word_embeddings.weight for path in (folder / "teacher", out)]
        moved[len(sides)] = {row for row, change in enumerate((words[0] - words[1]).abs().sum(dim=1)) if change}
    teacher = load_encoder(folder / "teacher")
    asked, told = (set(np.concatenate(pieces(teacher, texts)).tolist()) for texts in (ENGLISH, TEXTS))
    assert told - asked <= moved[2] - moved[1]


def margin(encoder, teacher, queries):
    """Return how far the right documents lie ahead of the best wrong ones, on average."""
    documents = {row: vectors for row, vectors, _ in teacher.encode(pieces(teacher, TEXTS), DOCUMENT)}
    margins = []
    for row, query_MD, _ in encoder.encode(pieces(encoder, queries), QUERY):
        scores = [(query_MD @ documents[number].T).max(dim=1).values.sum() for number in range(len(TEXTS))]
        margins.append(scores[row] - max(score for number, score in enumerate(scores) if number != row))
    return torch.stack(margins).mean().item()


def test_triples_with_swapped_sides_make_foreign_queries_for_english_documents(tmp_path):
    (tmp_path / "documents.tsv").write_text("w1\tMto mkubwa wa Afrika uko kaskazini\nw2\tMwezi\n")
    (tmp_path / "queries.tsv").write_text("q1\tThe river\nq2\tThe moon\n")
    (tmp_path / "triples.tsv").write_text("q1\tw1\tw2\nq2\tw2\tw1\n")
    block = {name: str(tmp_path / f"{name}.tsv") for name in ("documents", "queries", "triples")}
    prepare_training_set(block | {"reader": "plain", "swap": True, "query_words": 3}, tmp_path / "out")
    assert (tmp_path / "out/triples.tsv").read_text() == "w1\tq1\nw2\tq2\n"
    assert (tmp_path / "out/queries.tsv").read_text() == "w1\tMto mkubwa wa\nw2\tMwezi\n"
