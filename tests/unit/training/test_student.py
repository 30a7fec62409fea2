"""Distillation reads the teacher's vectors from disk as if it had just encoded them, and moves the student alone."""

import numpy as np
import pytest
import torch

from optical.config.training import DistillationSettings
from optical.config.transport import TransportSettings
from optical.losses.objectives import build_objective
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.token_files import TokenFile, write_token_file
from optical.training.batches import EpochBatches
from optical.training.student import DistillationLoss
from optical.training.teacher_vectors import TeacherVectors, encode_english
from support.tiny_models import save_encoder

ENGLISH = ("the first question about the moon", "where is the river?", "the sun, the moon", "north!", "the river " * 9)
FOREIGN = ("swali la kwanza kuhusu mwezi", "mto uko wapi?", "jua na mwezi", "kaskazini", "mto " * 9)
TRANSPORT = TransportSettings(regularisation=0.1, iterations=20, marginals="uniform")
SETTINGS = DistillationSettings(
    batch_size=3, seed=5, special_tokens=True, objectives={"optimal_transport": 1.0}, transport=TRANSPORT
)


def make_bench(folder, **settings):
    """Fill a folder with a teacher, tokenised pairs and the teacher's vectors of both sides."""
    save_encoder(folder / "teacher", **settings)
    for side, texts in (("english", ENGLISH), ("foreign", FOREIGN)):
        write_token_file(folder / "tokens" / side, folder / "teacher", texts)
    english = TokenFile(folder / "tokens/english")
    encode_english(load_encoder(folder / "teacher"), english, (QUERY, DOCUMENT), folder / "vectors", "fp32")
    return folder


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return make_bench(tmp_path_factory.mktemp("distillation"))


@pytest.fixture(scope="module")
def prompted(tmp_path_factory):
    prompts = {"query_prompt": "the first: ", "document_prompt": "river "}
    return make_bench(tmp_path_factory.mktemp("prompted"), query_length=20, **prompts)


def loss_of(student, folder, **changes):
    settings = SETTINGS.changed(**changes)
    objective = build_objective(settings.objectives, settings.transport)
    return DistillationLoss(student, folder / "tokens", folder / "vectors", settings, objective)


@pytest.fixture
def student(bench):
    return load_encoder(bench / "teacher").eval()


@pytest.mark.parametrize("side", [QUERY, DOCUMENT])
@pytest.mark.parametrize("pairs", [[0], [4, 1, 3], [2, 2, 0, 1]])
def test_kept_vectors_are_those_of_the_teacher(bench, student, side, pairs):
    english = loss_of(student, bench).english
    ids_BN, attention_BN, keep_BN = student.frame([english[pair] for pair in pairs], side)
    with torch.no_grad():
        direct_BND = student(ids_BN, attention_BN)
    kept_BND = TeacherVectors(bench / "vectors" / side).padded(np.array(pairs), keep_BN, torch.device("cpu"))
    assert kept_BND.dtype == torch.float32
    assert (kept_BND - direct_BND)[keep_BN].abs().max() < 1e-3  # they lie on disk in half precision
    assert not kept_BND[~keep_BN].any()


def test_the_batch_holds_the_pairs_that_belong_to_the_step(bench, student):
    loss = loss_of(student, bench)
    pairs = EpochBatches(loss.foreign.lengths, 3, SETTINGS.seed)[7]
    batch = loss._batch(pairs, QUERY)
    for row, pair in enumerate(pairs):
        [(_, foreign_MD, _)] = student.encode([loss.foreign[pair]], QUERY)
        assert torch.allclose(batch.student_BMD[row][batch.student_mask_BM[row]], foreign_MD, atol=1e-5)
        [(_, english_ND, _)] = student.encode([loss.english[pair]], QUERY)
        assert torch.allclose(batch.teacher_BND[row][batch.teacher_mask_BN[row]], english_ND, atol=1e-3)


def test_without_special_tokens_words_alone_take_part(bench, student):
    loss = loss_of(student, bench, special_tokens=False)
    pairs = np.arange(4)
    batch = loss._batch(pairs, QUERY)
    assert batch.student_mask_BM.sum(1).tolist() == [len(loss.foreign[pair]) for pair in pairs]
    assert batch.teacher_mask_BN.sum(1).tolist() == [len(loss.english[pair]) for pair in pairs]
    every = loss_of(student, bench)._batch(pairs, QUERY)
    assert (every.student_mask_BM.sum(1) - batch.student_mask_BM.sum(1)).tolist() == [3, 3, 3, 3]


def test_prompts_are_read_and_are_no_words(prompted):
    student, pairs = load_encoder(prompted / "teacher").eval(), np.arange(4)
    loss = loss_of(student, prompted, special_tokens=False)
    batch, framing = loss._batch(pairs, QUERY), len(student.before(QUERY))
    assert batch.student_mask_BM.sum(1).tolist() == [len(loss.foreign[pair]) for pair in pairs]
    for row, pair in enumerate(pairs):
        [(_, english_ND, _)] = student.encode([loss.english[pair]], QUERY)
        words_ND = batch.teacher_BND[row][batch.teacher_mask_BN[row]]
        assert torch.allclose(words_ND, english_ND[framing:-1], atol=1e-3)


def test_rare_words_weigh_more(bench, student):
    loss = loss_of(student, bench, transport=TRANSPORT.changed(marginals="idf"))
    batch = loss._batch(np.array([0, 3]), QUERY)
    assert batch.student_weights_BM.shape == batch.student_mask_BM.shape
    assert batch.teacher_weights_BN.shape == batch.teacher_mask_BN.shape
    tokeniser = student.tokeniser
    english_BN, _, _ = student.frame([loss.english[0]], QUERY)
    weights = dict(zip(english_BN[0].tolist(), batch.teacher_weights_BN[0].tolist(), strict=False))
    assert weights[tokeniser.token_to_id("question")] > weights[tokeniser.token_to_id("the")] > 0
    assert loss_of(student, bench)._batch(np.array([0]), QUERY).student_weights_BM is None


def test_transport_without_settings_is_the_default_problem_and_others_need_no_weights(bench, student):
    assert loss_of(student, bench, transport=None).objective.terms["optimal_transport"].transport == TransportSettings()
    assert loss_of(student, bench, transport=None)._batch(np.array([0]), QUERY).student_weights_BM is not None
    contrastive = loss_of(student, bench, objectives={"contrastive": 1.0}, transport=None)
    assert contrastive._batch(np.array([0]), QUERY).student_weights_BM is None


def test_pairs_that_lose_their_ends_are_told(bench, student, caplog):
    loss_of(student, bench, sides=[QUERY, DOCUMENT])
    of_queries, of_documents = caplog.messages
    assert of_queries.startswith("20 % of the sentence pairs have a side of more than 9 subwords")
    assert "more than 17 subwords" in of_documents and "raise encoder.document_length" in of_documents


def test_both_sides_count_alike(bench, student):
    alone = [loss_of(student, bench, sides=[side])(2)[0].item() for side in (QUERY, DOCUMENT)]
    both = loss_of(student, bench, sides=[QUERY, DOCUMENT])(2)[0]
    assert both.item() == pytest.approx(sum(alone) / 2, abs=1e-6)


def test_a_loss_is_a_function_of_its_position(bench, student):
    one, other = loss_of(student, bench, batch_size=2), loss_of(student, bench, batch_size=2)
    forwards = [one(position)[0].item() for position in range(4)]
    assert [other(position)[0].item() for position in (3, 2, 1, 0)] == forwards[::-1]


@pytest.mark.parametrize("objective", ["optimal_transport", "sentence_mse", "greedy_mse", "contrastive"])
def test_the_student_nears_the_teacher(bench, objective):
    student = load_encoder(save_encoder(bench / f"student_{objective}", seed=3)).eval()
    loss = loss_of(student, bench, objectives={objective: 1.0})
    optimiser = torch.optim.AdamW(student.parameters(), lr=2e-3)
    before = loss_of(student, bench, objectives={objective: 1.0})(0)[0].item()
    for _ in range(15):
        value, _ = loss(0)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    assert loss(0)[0].item() < 0.8 * before


def test_the_texts_need_not_be_in_order_of_length(bench):
    vectors = TeacherVectors(bench / "vectors" / QUERY)
    lengths = (vectors.ends - vectors.starts).tolist()
    assert lengths == [min(len(text), 9) + 3 for text in loss_of(load_encoder(bench / "teacher"), bench).english]
    assert len(set(lengths)) > 2
