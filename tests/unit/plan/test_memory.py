"""What a training is reckoned to take, from the encoder, the texts and the precision."""

import numpy as np
import pytest

from optical.files import write_json
from optical.plan.memory import HELD_BYTES, LARGE, MARGIN, STARTED_MB, Texts, distilling_mb, longest_batch, ranking_mb

STUDENT = {"sides": ["query"], "batch_size": 32}
MINILM = {"num_hidden_layers": 6, "hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}


def token_file(folder, lengths, subwords=500):
    folder.mkdir(parents=True)
    np.save(folder / "offsets.npy", np.cumsum([0, *lengths]))
    write_json(folder / "meta.json", {"texts": len(lengths), "tokens": sum(lengths), "subwords": subwords})
    return folder


@pytest.fixture
def model(tmp_path):
    def make(rows=30_000, **more):
        write_json(tmp_path / "model/config.json", MINILM | {"vocab_size": rows} | more)
        lengths = {"query_length": 64, "document_length": 128}
        write_json(tmp_path / "model/config_sentence_transformers.json", lengths)
        return str(tmp_path / "model")

    return make


def test_the_longest_batch_is_of_the_longest_texts_cut_off(tmp_path):
    folder = token_file(tmp_path / "tokens", [5, 50, 7, 9, 100, 6])
    assert longest_batch(Texts(folder, 2, 512)) == (50 + 100 + 2 * 3, 103)
    assert longest_batch(Texts(folder, 2, 64)) == (53 + 64, 64)
    assert longest_batch(Texts(folder, 9, 512))[1] == 103
    assert longest_batch(Texts(tmp_path / "nowhere", 2, 64)) == (128, 64)


def test_a_training_takes_more_with_longer_batches_in_fp32_and_with_both_sides(tmp_path, model):
    start, tokens = model(), tmp_path / "tokens"
    token_file(tokens / "foreign", [20] * 100)
    token_file(tmp_path / "long/foreign", [60] * 100)
    least = distilling_mb(STUDENT, start, str(tokens), "", "bf16")
    in_fp32, in_either = (distilling_mb(STUDENT, start, str(tokens), "", precision) for precision in ("fp32", "auto"))
    assert least < in_fp32 == in_either
    assert least < distilling_mb(STUDENT, start, str(tmp_path / "long"), "", "bf16")
    assert least < distilling_mb(STUDENT | {"batch_size": 64}, start, str(tokens), "", "bf16")
    assert least < distilling_mb(STUDENT | {"sides": ["query", "document"]}, start, str(tokens), "", "bf16")
    assert least < distilling_mb(STUDENT | {"average": 0.2}, start, str(tokens), "", "bf16")


def test_of_a_large_vocabulary_the_subwords_in_use_are_trained(tmp_path, model):
    token_file(tmp_path / "few/foreign", [20] * 100, subwords=1000)
    token_file(tmp_path / "many/foreign", [20] * 100, subwords=11_000)
    start = model(rows=LARGE + 1)
    few, many = (distilling_mb(STUDENT, start, str(tmp_path / name), "", "fp32") for name in ("few", "many"))
    assert many - few == pytest.approx(MARGIN * 10_000 * 384 * HELD_BYTES / 1e6)
    whole = distilling_mb(STUDENT, model(rows=LARGE), str(tmp_path / "few"), "", "fp32")
    assert whole > few + 100


def test_a_teacher_reads_documents_with_a_gradient_and_a_student_beside_one_does_not(tmp_path, model):
    for name in ("queries", "documents"):
        token_file(tmp_path / "set" / name, [10] * 100 if name == "queries" else [100] * 100)
    training_set, start = str(tmp_path / "set"), model()
    settings = {"batch_size": 32, "negatives": 1}
    teacher = ranking_mb(settings, start, training_set, "fp32")
    student = ranking_mb(settings | {"sides": ["query"]}, start, training_set, "fp32")
    assert STARTED_MB + 16 * 22 < student < teacher
    assert teacher < ranking_mb(settings | {"negatives": 3}, start, training_set, "fp32")
    np.save(tmp_path / "set/triples.npy", np.zeros((5, 2), np.int32))
    without_negatives = ranking_mb(settings, start, training_set, "fp32")
    assert without_negatives < teacher
    assert without_negatives == ranking_mb(settings | {"negatives": 0}, start, training_set, "fp32")


def test_an_encoder_that_is_not_there_or_of_another_kind_is_not_reckoned(tmp_path, model):
    assert distilling_mb(STUDENT, str(tmp_path / "nowhere"), str(tmp_path), "", "fp32") is None
    start = model(num_hidden_layers=None)
    assert distilling_mb(STUDENT, start, str(tmp_path), "", "fp32") is None
