"""What a training is reckoned to take, from the encoder, the texts and the precision."""

from types import SimpleNamespace

import numpy as np
import pytest

from optical.config.experiment import Search
from optical.files import write_json
from optical.plan.memory import (
    BATCH_SCORES,
    CAST_BYTES,
    DRIVERS_MB,
    HELD_BYTES,
    HIT_BYTES,
    LARGE,
    LOOKED_UP_BYTES,
    MARGIN,
    SCORE_BYTES,
    STARTED_MB,
    STORED_BYTES,
    TEXT_BYTES,
    TEXTS_AT_ONCE,
    Texts,
    distilling_mb,
    encoding_mb,
    longest_batch,
    ranking_mb,
    reading_mb,
    searching_mb,
    translating_mb,
)

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


def test_a_training_of_a_tiny_encoder_asks_for_what_python_and_snakemake_take(tmp_path, model):
    token_file(tmp_path / "foreign", [20] * 100)
    start = model(rows=2000, num_hidden_layers=1, hidden_size=32, num_attention_heads=2, intermediate_size=64)
    assert 940 < distilling_mb(STUDENT, start, str(tmp_path), "", "bf16") < 1.5 * 940  # measured: docs/benchmarks.md


def test_an_encoder_that_is_not_there_or_of_another_kind_is_not_reckoned(tmp_path, model):
    assert distilling_mb(STUDENT, str(tmp_path / "nowhere"), str(tmp_path), "", "fp32") is None
    start = model(num_hidden_layers=None)
    assert distilling_mb(STUDENT, start, str(tmp_path), "", "fp32") is None


def test_a_teacher_that_adds_markers_holds_its_subword_table_once_more(tmp_path, model):
    for name in ("queries", "documents"):
        token_file(tmp_path / "set" / name, [10] * 100)
    start, settings = model(rows=LARGE + 1), {"batch_size": 32, "negatives": 1, "encoder": {"query_length": 64}}
    settings["encoder"]["document_length"] = 128
    with_markers = ranking_mb(settings, start, str(tmp_path / "set"), "bf16")
    (tmp_path / "model/config_sentence_transformers.json").unlink()
    bare = ranking_mb(settings, start, str(tmp_path / "set"), "bf16")
    assert bare - with_markers == pytest.approx(MARGIN * 4 * (LARGE + 1) * 384 / 1e6)


def test_a_program_that_reads_holds_one_model_of_many_unless_it_says_otherwise(tmp_path, model):
    start = model()
    write_json(tmp_path / "larger/config.json", MINILM | {"vocab_size": 90_000})
    one, larger = (reading_mb([folder], "fp32") for folder in (start, str(tmp_path / "larger")))
    assert STARTED_MB + DRIVERS_MB < one < larger
    assert reading_mb([start] * 9, "fp32") == one
    assert reading_mb([start, str(tmp_path / "larger"), start], "fp32") == larger
    two, three = (reading_mb([start], "fp32", at_once=count) for count in (2, 3))
    assert three - two == pytest.approx(two - one) and two > one
    table, body = 30_000 * 384, 6 * (4 * 384**2 + 2 * 384 * 1536)
    cast = CAST_BYTES * body + (STORED_BYTES + CAST_BYTES - LOOKED_UP_BYTES) * table
    for precision in ("bf16", "auto"):
        assert reading_mb([start], precision) - one == pytest.approx(MARGIN * cast / 1e6)
    assert reading_mb([start, str(tmp_path / "nowhere")], "fp32") is None
    assert reading_mb([], "fp32") is None


def test_encoding_holds_the_texts_that_are_sorted_together(tmp_path, model):
    start, collection = model(), tmp_path / "collection"
    assert encoding_mb(start, str(collection), "fp32") is None
    write_json(collection / "collection.json", {"documents": 50_000, "queries": {"sw": 10}})
    (collection / "documents.jsonl").write_bytes(bytes(2_000_000))
    assert encoding_mb(start, str(collection), "fp32") - reading_mb([start], "fp32") == pytest.approx(2 * TEXT_BYTES)
    write_json(collection / "collection.json", {"documents": 200_000, "queries": {"sw": 10}})
    assert encoding_mb(start, str(collection), "fp32") - reading_mb([start], "fp32") == pytest.approx(TEXT_BYTES)


def test_a_search_takes_what_its_collection_needs_and_at_most_its_limit(tmp_path, model):
    write_json(tmp_path / "collection/collection.json", {"documents": 400, "queries": {"sw": 1000, "so": 100_000}})
    files = {"encoders": [model()] * 2, "shards": [str(tmp_path / "part")], "collection": str(tmp_path / "collection")}
    read = reading_mb(files["encoders"], "fp32")

    def taken(lang):
        return searching_mb(SimpleNamespace(**files), lang, Search(top_k=10, memory_mb=1000), "fp32")

    assert taken("sw") is None
    write_json(tmp_path / "part/meta.json", {"documents": 400})
    hits = 1000 * 10 * HIT_BYTES / 1e6
    assert read + hits < taken("sw") < read + hits + 200
    assert taken("so") - read == pytest.approx(1000 + 100 * hits)
    assert read < taken("tl") < taken("sw")  # a language that the collection is prepared for before the job


def test_a_translation_takes_more_with_each_beam_and_with_a_large_vocabulary(tmp_path):
    assert translating_mb(str(tmp_path), 4) is None
    write_json(tmp_path / "config.json", {"d_model": 256, "vocab_size": 250_000})
    one, two, four = (translating_mb(str(tmp_path), beams) for beams in (1, 2, 4))
    assert one > STARTED_MB + DRIVERS_MB
    assert two - one == pytest.approx(MARGIN * BATCH_SCORES * SCORE_BYTES / 1e6)
    assert four - two == pytest.approx(2 * (two - one))
    write_json(tmp_path / "config.json", {"d_model": 256, "vocab_size": 250_000, "subwords_written": 8_000})
    difference = BATCH_SCORES - TEXTS_AT_ONCE * 8_000
    assert four - translating_mb(str(tmp_path), 4) == pytest.approx(MARGIN * 4 * difference * SCORE_BYTES / 1e6)
    write_json(tmp_path / "config.json", {"d_model": 256, "vocab_size": 250_000})
    (tmp_path / "model.safetensors").write_bytes(bytes(4_000_000))
    assert translating_mb(str(tmp_path), 4) - four == pytest.approx(MARGIN * 6)
    write_json(tmp_path / "config.json", {"d_model": 256})
    assert translating_mb(str(tmp_path), 4) is None
