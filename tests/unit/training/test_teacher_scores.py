"""Scores of a cross-encoder: kept with the tokenised training set, and what the teacher then learns."""

import json

import numpy as np
import pytest
import torch

from optical.config.training import RankingSettings
from optical.errors import DataError
from optical.files import read_json
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.token_files import TokenFile
from optical.training.teacher import TeacherLoss
from optical.training.triples import open_scores, pair_numbers, scores_of
from support.corpora import write_lines
from support.programs import Run, server
from support.scored import QUERIES, SCORES, TRIPLES, as_rows
from support.tiny_models import TEXTS, save_encoder


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
    write_lines(
        folder / "set/documents.jsonl", [json.dumps({"id": f"d{k}", "text": text}) for k, text in enumerate(TEXTS)]
    )
    write_lines(folder / "set/queries.tsv", [f"q{k}\t{text}" for k, text in enumerate(QUERIES)])
    write_lines(folder / "set/triples.tsv", ["\t".join(row) for row in TRIPLES])
    write_lines(folder / "set/scores.tsv", as_rows(SCORES))
    status, output = tokenise_set(folder / "set", folder / "tokens")
    assert status == 0, output
    return folder


def test_every_pair_of_a_triple_keeps_its_score(bench):
    triples, scores = np.load(bench / "tokens/triples.npy"), open_scores(bench / "tokens/scores")
    assert scores_of(scores, pair_numbers(triples[:, :1], triples[:, 1:], 5)).tolist() == [[0.0, 4.0, -3.0]] * 5


def test_a_triple_without_a_score_is_named_by_its_line_and_leaves_nothing(bench, tmp_path):
    (tmp_path / "encoder").symlink_to(bench / "encoder")
    (tmp_path / "set").mkdir()
    for name in ("documents.jsonl", "queries.tsv", "triples.tsv"):
        (tmp_path / "set" / name).symlink_to(bench / "set" / name)
    kept = [row for row in SCORES if row[:2] != ("q3", "d0")]
    write_lines(tmp_path / "set/scores.tsv", as_rows([*kept, *kept]))
    status, output = tokenise_set(tmp_path / "set", tmp_path / "tokens")
    assert status != 0
    assert f"line 4: query q3 and document d0 have no score [{tmp_path}/set/triples.tsv]" in output
    assert not (tmp_path / "tokens").exists()


def test_the_first_score_of_a_pair_counts(bench, tmp_path):
    (tmp_path / "encoder").symlink_to(bench / "encoder")
    (tmp_path / "set").mkdir()
    for name in ("documents.jsonl", "queries.tsv", "triples.tsv"):
        (tmp_path / "set" / name).symlink_to(bench / "set" / name)
    write_lines(tmp_path / "set/scores.tsv", as_rows([*SCORES, *((*row[:2], 99.0) for row in SCORES)]))
    status, output = tokenise_set(tmp_path / "set", tmp_path / "tokens")
    assert status == 0, output
    for ours, theirs in zip(open_scores(tmp_path / "tokens/scores"), open_scores(bench / "tokens/scores"), strict=True):
        assert ours.tolist() == theirs.tolist()


def loss_with(encoder, folder, **changes):
    return TeacherLoss(encoder, folder, RankingSettings(**{"batch_size": 5, "negatives": 2} | changes))


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
    ranking, _ = loss_with(encoder, bench / "tokens", in_batch_negatives=in_batch)(0)
    measured, figures = loss_with(encoder, bench / "tokens", in_batch_negatives=in_batch, distillation=1.0)(0)
    scores_QP, divergences = scores_by(encoder, bench / "tokens"), []
    for row in range(5):
        scores = scores_QP[row, [row, (row + 2) % 5, (row + 3) % 5]].log_softmax(0)
        wanted = torch.tensor([0.0, 4.0, -3.0]).log_softmax(0)
        divergences.append((wanted.exp() * (wanted - scores)).sum())
    expected = torch.stack(divergences).mean().item()
    assert measured.item() == pytest.approx(expected, abs=1e-4)
    assert figures["ranking"].item() == pytest.approx(ranking.item(), abs=1e-5)
    mixed, _ = loss_with(encoder, bench / "tokens", in_batch_negatives=in_batch, distillation=0.25)(0)
    assert mixed.item() == pytest.approx(0.75 * ranking.item() + 0.25 * expected, abs=1e-4)


def test_scores_must_be_there_and_have_something_to_compare(bench, tmp_path):
    encoder = load_encoder(bench / "encoder")
    with pytest.raises(DataError, match="no second document"):
        loss_with(encoder, bench / "tokens", distillation=0.5, negatives=0)
    for name in ("queries", "documents", "triples.npy"):
        (tmp_path / name).symlink_to(bench / "tokens" / name)
    with pytest.raises(DataError, match="has no scores") as caught:
        loss_with(encoder, tmp_path, distillation=0.5)
    assert "teacher.training_set.scores" in caught.value.hint


@pytest.mark.parametrize("distillation", [0.0, 1.0])
def test_a_teacher_ranks_by_the_scores_and_not_by_the_labels_that_contradict_them(bench, tmp_path, distillation):
    settings = {"steps": 100, "batch_size": 5, "learning_rate": 5e-3, "dropout": 0.0, "seed": 1}
    settings |= {"in_batch_negatives": False, "negatives": 2, "distillation": distillation}
    settings["encoder"] = {"dimension": 16, "query_length": 12, "document_length": 20}
    arguments = {"encoder": bench / "encoder", "training_set": bench / "tokens", "out": tmp_path / "teacher"}
    run = Run(server(), "train_teacher", tmp_path / "run.out", settings=json.dumps(settings), **arguments)
    assert run.wait() == 0, run.output.read_text()
    scores_QP = scores_by(load_encoder(tmp_path / "teacher"), bench / "tokens")
    for row in range(5):
        labelled, preferred, last = scores_QP[row, [row, (row + 2) % 5, (row + 3) % 5]].tolist()
        if distillation:
            assert (preferred - labelled, last - labelled) == (pytest.approx(4, abs=0.5), pytest.approx(-3, abs=0.5))
        else:
            assert labelled > max(preferred, last) + 4
    assert read_json(tmp_path / "teacher/provenance.json")["settings"]["distillation"] == distillation
