"""The teacher's loss compares what it should, and never calls a known answer wrong."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.config.training import RankingSettings
from optical.errors import DataError
from optical.files import write_rows
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.token_files import write_token_file
from optical.training.teacher import TeacherLoss
from optical.training.triples import write_triples
from support.tiny_models import TEXTS, save_encoder

QUERIES = ("the question", "the moon", "the river", "the sun", "the north", "the first question", "moon and sun")
# query, positive, negatives: documents 0 and 1 both answer query 0, and document 2 answers two queries
TRIPLES = (
    (0, 0, 3, 4),
    (0, 1, 3, 2),
    (1, 2, 0, 1),
    (2, 2, 4, 3),
    (3, 3, 0),
    (4, 4, 1, 0),
    (5, 0, 2, 3),
    (6, 1, 4, 2),
)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_encoder(save_encoder(tmp_path_factory.mktemp("encoder"))).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, encoder):
    """Return a tokenised training set of the triples above."""
    folder = tmp_path_factory.mktemp("training_set")
    encoder.save_transformer(folder)
    write_token_file(folder / "queries", folder, QUERIES)
    write_token_file(folder / "documents", folder, TEXTS)
    write_rows(folder / "triples.tsv", [[f"q{row[0]}", *(f"d{number}" for number in row[1:])] for row in TRIPLES])
    names = ({f"q{number}": number for number in range(7)}, {f"d{number}": number for number in range(5)})
    assert write_triples(folder / "triples.npy", folder / "triples.tsv", *names) == len(TRIPLES)
    return folder


def loss_with(encoder, folder, batch_size=4, **changes):
    return TeacherLoss(encoder, folder, RankingSettings(batch_size=batch_size, **changes))


def answers():
    known = {}
    for query, positive, *_ in TRIPLES:
        known.setdefault(query, set()).add(positive)
    return known


@settings(max_examples=25, deadline=None)
@given(
    step=st.integers(0, 30),
    batch_size=st.integers(1, 8),
    in_batch=st.booleans(),
    negatives=st.integers(0, 3),
)
def test_a_query_is_compared_with_its_positive_and_never_with_another_answer(
    encoder, folder, step, batch_size, in_batch, negatives
):
    seen = {}

    def recording(scores_BP, targets_B, forbidden_BP):
        seen.update(targets=targets_B.numpy(), forbidden=forbidden_BP.numpy())
        return scores_BP.sum()

    loss = loss_with(encoder, folder, batch_size, in_batch_negatives=in_batch, negatives=negatives)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optical.training.teacher.ranking_loss", recording)
        documents = []
        patch.setattr(loss, "documents", _Recorder(loss.documents, documents))
        queries = []
        patch.setattr(loss, "queries", _Recorder(loss.queries, queries))
        loss(step)
    targets, forbidden = seen["targets"], seen["forbidden"]
    assert forbidden.shape == (batch_size, len(documents))
    assert len(set(documents)) == len(documents), "each document is encoded once"
    for row, query in enumerate(queries):
        positive = documents[targets[row]]
        compared = {document for column, document in enumerate(documents) if not forbidden[row, column]}
        assert positive in answers()[query]
        assert compared & answers()[query] == {positive}
        if in_batch:
            assert compared == (set(documents) - answers()[query]) | {positive}
        else:
            others = {document for triple in TRIPLES if triple[:2] == (query, positive) for document in triple[2:]}
            assert compared <= others | {positive}
            assert len(compared) <= 1 + negatives


class _Recorder:
    """A token file that notes which texts are read."""

    def __init__(self, file, seen):
        self.file, self.seen = file, seen

    def __len__(self):
        return len(self.file)

    def __getitem__(self, index):
        self.seen.append(int(index))
        return self.file[index]


def test_a_step_does_not_go_through_all_positives(encoder, folder):
    """It looks a few up. Sorting the 500,000 of MS MARCO took longer than the rest of a step on a GPU."""
    loss = loss_with(encoder, folder)
    loss.positives = np.arange(0, 3_000_000, 3)
    tracemalloc.start()
    forbidden_BP = loss._forbidden(np.array([0, 1]), np.array([[0], [1]]), np.array([0, 1, 3]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert forbidden_BP.tolist() == [[False, False, True], [False, False, False]]  # pairs 0, 1, 3 and 5, 6, 8
    assert peak < loss.positives.nbytes / 10


def test_every_negative_has_its_turn(encoder, folder):
    loss = loss_with(encoder, folder, negatives=1)
    rows = np.load(folder / "triples.npy")
    met = {tuple(loss._candidates(rows[:1], step)[1][0].tolist()) for step in range(6)}
    assert met == {(0, 3), (0, 4)}


def test_the_value_is_the_cross_entropy_of_late_interaction(encoder, folder):
    loss = loss_with(encoder, folder, batch_size=len(TRIPLES), in_batch_negatives=False, negatives=2)
    measured, figures = loss(0)
    assert figures == {}
    expected = []
    for query, positive, *negatives in TRIPLES:
        # with in-batch negatives off a query meets its own negatives, except those that answer it too
        others = [number for number in negatives if number not in answers()[query]]
        scores = torch.tensor([score(encoder, loss, query, document) for document in (positive, *others)])
        expected.append(-torch.log_softmax(scores, 0)[0])
    assert measured.item() == pytest.approx(torch.stack(expected).mean().item(), abs=1e-4)


def score(encoder, loss, query, document):
    [(_, query_MD, _)] = encoder.encode([loss.queries[query]], QUERY)
    [(_, document_LD, _)] = encoder.encode([loss.documents[document]], DOCUMENT)
    return (query_MD @ document_LD.T).max(dim=1).values.sum().item()


def test_a_step_down_the_gradient_ranks_the_positives_higher(encoder, folder):
    model = load_encoder(save_encoder(folder / "fresh", seed=1)).eval()
    loss = loss_with(model, folder, batch_size=8)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        value, _ = loss(0)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        losses.append(value.item())
    assert losses[-1] < 0.7 * losses[0]


def test_triples_without_negatives_need_in_batch_negatives(encoder, folder, tmp_path):
    for name in ("queries", "documents"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "pairs.tsv").write_text("q0\td0\nq1\td1\n")
    names = {"q0": 0, "q1": 1}, {"d0": 0, "d1": 1}
    write_triples(tmp_path / "triples.npy", tmp_path / "pairs.tsv", *names)
    with pytest.raises(DataError, match="no negatives") as caught:
        loss_with(encoder, tmp_path, in_batch_negatives=False)
    assert "in_batch_negatives: true" in caught.value.hint
    value, _ = loss_with(encoder, tmp_path, batch_size=2, negatives=3)(0)
    assert torch.isfinite(value)
