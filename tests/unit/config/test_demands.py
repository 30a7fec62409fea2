"""What an experiment asks of a model is compared with the model's files, weights or none."""

import pytest

from optical.config.demands import Demands, check_model
from optical.errors import ConfigError, DataError
from optical.files import write_json

BERT = {"model_type": "bert", "hidden_size": 384, "max_position_embeddings": 128}


@pytest.fixture
def folder(tmp_path):
    write_json(tmp_path / "config.json", BERT)
    write_json(tmp_path / "tokenizer.json", {"model": {"type": "WordPiece"}})
    return tmp_path


def test_a_model_that_can_do_what_is_asked_passes(folder):
    rate = {"where": "student.learning_rate", "key": "student.learning_rate", "value": 2e-3}  # above, but not far
    check_model(folder, Demands(extensible=True, encoder={"query_length": 32, "document_length": 128}, values=[rate]))


def test_lengths_of_a_teacher_are_those_of_its_files(folder):
    write_json(folder / "config_sentence_transformers.json", {"document_length": 129})
    check_model(folder, Demands(encoder={"document_length": 100}))
    with pytest.raises(ConfigError, match="up to 128 tokens, not of 129"):
        check_model(folder, Demands(is_teacher=True, encoder={"document_length": 100}))


def test_a_tokeniser_that_is_not_there_is_for_its_reader_to_refuse(folder):
    (folder / "tokenizer.json").unlink()
    check_model(folder, Demands(extensible=True))


@pytest.mark.parametrize("state", [{}, {"model": None}, {"model": {"type": 3}}, {"model": []}])
def test_a_tokeniser_without_a_kind_is_one_line(folder, state):
    write_json(folder / "tokenizer.json", {"version": "1.0"} | state)
    with pytest.raises((ConfigError, DataError)) as caught:
        check_model(folder, Demands(extensible=True))
    assert "\n" not in str(caught.value)
