"""Scores of a cross-encoder: read from either form, kept with the training set, and what the teacher then learns."""

import gzip
import json

import numpy as np
import pytest
import torch

from optical.corpora.readers import prepare_training_set
from optical.corpora.training_sets import read_candidates, read_scores
from optical.errors import ConfigError, DataError
from optical.files import read_json
from optical.losses.ranking import distillation_loss
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.token_files import TokenFile
from optical.training.loop import TrainingSettings
from optical.training.teacher import TeacherLoss
from optical.training.triples import open_scores, open_triples, pair_numbers, scores_of
from support.programs import Run, server
from support.tiny_models import TEXTS, save_encoder

QUERIES = ("the first question", "the river", "the north", "the moon", "the sun")
# The labels call document k the answer to query k; the cross-encoder prefers document k + 2.
TRIPLES = [[f"q{k}", f"d{k}", f"d{(k + 2) % 5}", f"d{(k + 3) % 5}"] for k in range(5)]
SCORES = [(row[0], name, score) for row in TRIPLES for name, score in zip(row[1:], (0.0, 4.0, -3.0), strict=True)]


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def as_rows(scores):
    return ["\t".join(map(str, row)) for row in scores]


def examples():
    """Return the triples and their scores as ColBERTv2 has them."""
    given = {row[:2]: row[2] for row in SCORES}
    return [json.dumps([query, *([name, given[query, name]] for name in names)]) for query, *names in TRIPLES]


@pytest.fixture
def block(tmp_path):
    """Write a small training set with scores and return its block of the config."""
    return {
        "reader": "plain",
        "documents": write(tmp_path / "d.tsv", [f"d{k}\t{text}" for k, text in enumerate(TEXTS)]),
        "queries": write(tmp_path / "q.tsv", [f"q{k}\t{text}" for k, text in enumerate(QUERIES)]),
        "triples": write(tmp_path / "t.tsv", ["\t".join(row) for row in TRIPLES]),
        "scores": write(tmp_path / "s.tsv", as_rows(SCORES)),
    }


def tokenise_set(folder, out):
    """Run the program that tokenises a training set; return its exit status and output."""
    arguments = {"tokeniser": out.parent / "encoder", "training_set": folder, "out": out}
    run = Run(server(), "tokenise_training_set", out.with_suffix(".out"), **arguments)
    return run.wait(), run.output.read_text()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Return a folder with an encoder, and the training set above, tokenised."""
    folder = tmp_path_factory.mktemp("scored")
    save_encoder(folder / "encoder")
    (folder / "set").mkdir()
    write(folder / "set/documents.jsonl", [json.dumps({"id": f"d{k}", "text": text}) for k, text in enumerate(TEXTS)])
    write(folder / "set/queries.tsv", [f"q{k}\t{text}" for k, text in enumerate(QUERIES)])
    write(folder / "set/triples.tsv", ["\t".join(row) for row in TRIPLES])
    write(folder / "set/scores.tsv", as_rows(SCORES))
    status, output = tokenise_set(folder / "set", folder / "tokens")
    assert status == 0, output
    return folder


# --- files


def test_both_forms_say_the_same(tmp_path):
    rows, lines = write(tmp_path / "s.tsv", as_rows(SCORES)), write(tmp_path / "examples.json", examples())
    assert list(read_scores(rows)) == list(read_scores(lines)) == SCORES
    triples = write(tmp_path / "t.tsv", ["\t".join(row) for row in TRIPLES])
    assert list(read_candidates(triples)) == list(read_candidates(lines)) == [tuple(row) for row in TRIPLES]


def test_numbers_are_ids_and_scores_are_not_needed_for_triples(tmp_path):
    lines = write(tmp_path / "triples.jsonl", ["[7, 12, 13]", "", "[8, [12, 0.5], 14]"])
    assert list(read_candidates(lines)) == [("7", "12", "13"), ("8", "12", "14")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1\td2", "line 2: query q1 and document d2 have no score"),
        ("q1\td2\t", "line 2: query q1 and document d2 have no score"),
        ("q1\td2\thigh", "line 2: query q1 and document d2 have no score"),
        ("q1\td2\tnan", "line 2: query q1 and document d2 have no score"),
        ("q1 d2 0.5", "line 2: query q1 d2 0.5 and document  have no score"),
        ('["q1", ["d1", 0.5], "d2"]', "line 2: query q1 and document d2 have no score"),
        ('["q1", ["d2", null]]', "line 2: query q1 and document d2 have no score"),
        ('["q1", ["d2", Infinity]]', "line 2: query q1 and document d2 have no score"),
        ('["q1", ["d2"]]', "line 2 is no example"),
        ('["q1", ["d2", 0.5', "line 2 is no example"),
        ('{"q1": "d2"}', "line 2 is no example"),
        ('["q1"]', "line 2 is no example"),
    ],
)
def test_a_pair_without_a_score_is_named_with_its_file_and_line(block, tmp_path, line, message):
    first = examples()[0] if line[0] in "[{" else as_rows(SCORES)[0]
    path = write(tmp_path / "bad", [first, line])
    with pytest.raises(DataError, match=message) as caught:
        prepare_training_set(block | {"scores": path}, tmp_path / "out")
    assert path in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_scores_of_what_is_not_in_the_training_set_are_left_out(block, tmp_path):
    more = [("q9", "d1", 1.0), ("q1", "d9", 1.0), *SCORES]
    with gzip.open(tmp_path / "s.tsv.gz", "wt") as file:
        file.writelines(f"{line}\n" for line in as_rows(more))
    counts = prepare_training_set(block | {"scores": str(tmp_path / "s.tsv.gz")}, tmp_path / "all")
    assert counts == {"documents": 5, "queries": 5, "triples": 5, "scores": 15}
    assert list(read_scores(tmp_path / "all/scores.tsv")) == SCORES
    assert prepare_training_set(block | {"max_triples": 1}, tmp_path / "one")["scores"] == 3


def test_examples_hold_triples_and_scores(block, tmp_path):
    path = write(tmp_path / "examples.json", examples())
    prepare_training_set(block, tmp_path / "rows")
    prepare_training_set(block | {"triples": path, "scores": path}, tmp_path / "examples")
    for name in ("triples.tsv", "scores.tsv", "queries.tsv", "documents.jsonl"):
        assert (tmp_path / "rows" / name).read_bytes() == (tmp_path / "examples" / name).read_bytes()


def test_a_training_set_without_scores_has_none(block, tmp_path):
    counts = prepare_training_set({name: block[name] for name in block if name != "scores"}, tmp_path / "out")
    assert "scores" not in counts
    assert not (tmp_path / "out/scores.tsv").exists()


def test_scores_that_serve_nobody_are_refused(block, tmp_path):
    strangers = write(tmp_path / "strangers.tsv", ["x\ty\t1.0"])
    with pytest.raises(DataError, match="not one score"):
        prepare_training_set(block | {"scores": strangers}, tmp_path / "out")
    with pytest.raises(ConfigError, match="swapped sides"):
        prepare_training_set(block | {"swap": True}, tmp_path / "out")


# --- the tokenised training set


def test_every_pair_of_a_triple_keeps_its_score(bench):
    triples, scores = open_triples(bench / "tokens/triples"), open_scores(bench / "tokens/scores")
    assert scores_of(scores, pair_numbers(triples[:, :1], triples[:, 1:], 5)).tolist() == [[0.0, 4.0, -3.0]] * 5


def test_a_triple_without_a_score_is_named_by_its_line_and_leaves_nothing(bench, tmp_path):
    (tmp_path / "encoder").symlink_to(bench / "encoder")
    (tmp_path / "set").mkdir()
    for name in ("documents.jsonl", "queries.tsv", "triples.tsv"):
        (tmp_path / "set" / name).symlink_to(bench / "set" / name)
    kept = [row for row in SCORES if row[:2] != ("q3", "d0")]
    write(tmp_path / "set/scores.tsv", as_rows([*kept, *kept]))
    status, output = tokenise_set(tmp_path / "set", tmp_path / "tokens")
    assert status != 0
    assert f"line 4: query q3 and document d0 have no score [{tmp_path}/set/triples.tsv]" in output
    assert not (tmp_path / "tokens").exists()


def test_the_first_score_of_a_pair_counts(bench, tmp_path):
    (tmp_path / "encoder").symlink_to(bench / "encoder")
    (tmp_path / "set").mkdir()
    for name in ("documents.jsonl", "queries.tsv", "triples.tsv"):
        (tmp_path / "set" / name).symlink_to(bench / "set" / name)
    write(tmp_path / "set/scores.tsv", as_rows([*SCORES, *((*row[:2], 99.0) for row in SCORES)]))
    status, output = tokenise_set(tmp_path / "set", tmp_path / "tokens")
    assert status == 0, output
    for ours, theirs in zip(open_scores(tmp_path / "tokens/scores"), open_scores(bench / "tokens/scores"), strict=True):
        assert ours.tolist() == theirs.tolist()


# --- the loss


def test_the_divergence_of_a_hand_example():
    # softmax of log p is p: given (1/2, 1/4, 1/4), own (1/4, 1/4, 1/2)
    given = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.5, 0.9]]).log()
    own = torch.tensor([[0.25, 0.25, 0.5], [0.2, 0.8, 0.1]]).log()
    there = torch.tensor([[True, True, True], [True, True, False]])
    by_hand = 0.5 * np.log(2) + 0.0 - 0.25 * np.log(2), 0.5 * np.log(0.5 / 0.2) + 0.5 * np.log(0.5 / 0.8)
    assert distillation_loss(own, given, there).item() == pytest.approx(np.mean(by_hand), abs=1e-6)


def test_the_divergence_is_that_of_torch_and_points_from_given_to_own():
    generator = torch.Generator().manual_seed(0)
    own, given = (5 * torch.randn(6, 4, generator=generator) for _ in range(2))
    own.requires_grad_()
    value = distillation_loss(own, given, torch.ones(6, 4, dtype=torch.bool))
    categorical = torch.distributions.Categorical
    expected = torch.distributions.kl_divergence(categorical(logits=given), categorical(logits=own)).mean()
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    # the gradient of a softmax's cross-entropy: what it says less what it should
    torch.testing.assert_close(own.grad, (own.softmax(1) - given.softmax(1)).detach() / 6)


def test_a_document_that_is_not_there_has_no_say():
    own = torch.tensor([[1.0, 2.0, 50.0]], requires_grad=True)
    value = distillation_loss(own, torch.tensor([[0.0, 3.0, torch.nan]]), torch.tensor([[True, True, False]]))
    value.backward()
    short = distillation_loss(own[:, :2], torch.tensor([[0.0, 3.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert value.item() == pytest.approx(short.item())
    assert own.grad[0, 2] == 0 and torch.isfinite(own.grad).all()


def loss_with(encoder, folder, **values):
    values = {"in_batch_negatives": True, "negatives": 2} | values
    return TeacherLoss(encoder, folder, TrainingSettings(batch_size=5), values)


def scores_by(encoder, folder):
    """Return the score of every query and document, of shape (queries, documents)."""
    sides = {}
    for name, kind in (("queries", QUERY), ("documents", DOCUMENT)):
        file = TokenFile(folder / name)
        encoded = encoder.eval().encode([file[row] for row in range(len(file))], kind)
        sides[name] = [vectors for _, vectors, _ in sorted(encoded, key=lambda item: item[0])]
    pairs = [[(q @ d.T).max(dim=1).values.sum() for d in sides["documents"]] for q in sides["queries"]]
    return torch.tensor(pairs)


@pytest.mark.parametrize("in_batch", [True, False])
def test_the_value_compares_the_softmax_over_a_querys_own_documents(bench, in_batch):
    encoder = load_encoder(bench / "encoder").eval()
    ranking, _ = loss_with(encoder, bench / "tokens", in_batch_negatives=in_batch)(0, 0)
    measured, figures = loss_with(encoder, bench / "tokens", in_batch_negatives=in_batch, distillation=1.0)(0, 0)
    scores_QP, divergences = scores_by(encoder, bench / "tokens"), []
    for row in range(5):
        own = scores_QP[row, [row, (row + 2) % 5, (row + 3) % 5]].log_softmax(0)
        given = torch.tensor([0.0, 4.0, -3.0]).log_softmax(0)
        divergences.append((given.exp() * (given - own)).sum())
    expected = torch.stack(divergences).mean().item()
    assert measured.item() == pytest.approx(expected, abs=1e-4)
    assert figures["ranking"].item() == pytest.approx(ranking.item(), abs=1e-5)
    mixed, _ = loss_with(encoder, bench / "tokens", in_batch_negatives=in_batch, distillation=0.25)(0, 0)
    assert mixed.item() == pytest.approx(0.75 * ranking.item() + 0.25 * expected, abs=1e-4)


def test_scores_must_be_there_and_have_something_to_compare(bench, tmp_path):
    encoder = load_encoder(bench / "encoder")
    with pytest.raises(DataError, match="no second document"):
        loss_with(encoder, bench / "tokens", distillation=0.5, negatives=0)
    for name in ("queries", "documents", "triples"):
        (tmp_path / name).symlink_to(bench / "tokens" / name)
    with pytest.raises(DataError, match="has no scores") as caught:
        loss_with(encoder, tmp_path, distillation=0.5)
    assert "teacher.training_set.scores" in caught.value.hint


@pytest.mark.parametrize("distillation", [0.0, 1.0])
def test_a_teacher_ranks_by_the_scores_and_not_by_the_labels_that_contradict_them(bench, tmp_path, distillation):
    values = {"steps": 100, "batch_size": 5, "learning_rate": 5e-3, "dropout": 0.0, "seed": 1}
    values |= {"in_batch_negatives": False, "negatives": 2, "distillation": distillation}
    values["encoder"] = {"dimension": 16, "query_length": 12, "document_length": 20}
    arguments = {"encoder": bench / "encoder", "training_set": bench / "tokens", "out": tmp_path / "teacher"}
    run = Run(server(), "train_teacher", tmp_path / "run.out", settings=json.dumps(values), **arguments)
    assert run.wait() == 0, run.output.read_text()
    scores_QP = scores_by(load_encoder(tmp_path / "teacher"), bench / "tokens")
    for row in range(5):
        labelled, preferred, last = scores_QP[row, [row, (row + 2) % 5, (row + 3) % 5]].tolist()
        if distillation:
            assert (preferred - labelled, last - labelled) == (pytest.approx(4, abs=0.5), pytest.approx(-3, abs=0.5))
        else:
            assert labelled > max(preferred, last) + 4
    assert read_json(tmp_path / "teacher/provenance.json")["settings"]["distillation"] == distillation
