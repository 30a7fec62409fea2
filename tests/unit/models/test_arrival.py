"""A model whose weights are still to come is refused for what its loading would refuse, and for nothing else."""

import json
import shutil
import subprocess
import sys

import pytest
from tokenizers import processors

from optical.config.demands import Demands
from optical.errors import ConfigError, OpticalError
from optical.models.arrival import check_arrived
from optical.models.folders import load_encoder
from optical.text.tokeniser import load_tokeniser
from support.foreign_models import ARCHITECTURES, change, save_pylate, save_tokeniser
from support.tiny_models import save_bert, save_xlmr

TEACHER, ENCODER = Demands(is_teacher=True), Demands()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return save_pylate(tmp_path_factory.mktemp("saved") / "model", "bert")


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "model")


def without_weights(folder):
    for path in folder.rglob("*.safetensors"):
        path.unlink()
    return folder


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_can_be_read_passes_as_a_teacher_and_as_an_encoder(tmp_path, architecture):
    folder = without_weights(save_pylate(tmp_path / "model", architecture))
    check_arrived(folder, [TEACHER, ENCODER])


@pytest.mark.parametrize("save", [save_xlmr, lambda folder: save_bert(folder, ["moon", "sun"])])
def test_a_bare_transformer_passes_as_an_encoder_alone(tmp_path, save):
    folder = without_weights(save(tmp_path / "model"))
    check_arrived(folder, [ENCODER])
    with pytest.raises(OpticalError, match="not a late-interaction model"):
        check_arrived(folder, [ENCODER, TEACHER])


def frame_otherwise(folder):
    tokeniser = load_tokeniser(folder)
    tokeniser.post_processor = processors.TemplateProcessing(single="$A [SEP]", special_tokens=[("[SEP]", 1)])
    tokeniser.save(str(folder / "tokenizer.json"))


def add_subwords(folder):
    tokeniser = load_tokeniser(folder)
    tokeniser.add_tokens(["one", "two"])
    tokeniser.save(str(folder / "tokenizer.json"))


SETTINGS = "config_sentence_transformers.json"
DAMAGES = {
    "puts 1 special tokens around a text": frame_otherwise,
    "has subwords up to the number": add_subwords,
    "have no room for a text": lambda folder: change(folder / SETTINGS, prompts={"query": "query " * 9}),
    "no '\\[Q\\] '": lambda folder: save_tokeniser(folder, "wordpiece", more=("[D] ", "x x")),
    "texts of up to": lambda folder: change(folder / SETTINGS, document_length=500),
    "more than one matrix": lambda folder: change(folder / "1_Dense/config.json", bias=True),
    "value of another form": lambda folder: change(folder / SETTINGS, prompts=3),
    "cannot load the tokeniser": lambda folder: (folder / "tokenizer.json").write_text('{"model": 3}'),
    "no tokenizer.json": lambda folder: (folder / "tokenizer.json").unlink(),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_a_model_is_refused_in_the_words_of_its_loading(folder, message):
    DAMAGES[message](folder)
    with pytest.raises(OpticalError, match=message) as loaded:
        load_encoder(folder)
    with pytest.raises(OpticalError) as arrived:
        check_arrived(without_weights(folder), [TEACHER])
    assert str(arrived.value) == str(loaded.value)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"query_marker": "[unused7]"}, r"the tokeniser has no '\[unused7\]' \[encoder\.query_marker\]"),
        ({"document_prompt": "passage: "}, r"splits a text otherwise behind the prompt 'passage: '"),
        ({"query_length": 300}, r"up to 187 tokens, not of 300 \[encoder\.query_length\]"),
    ],
)
def test_what_the_config_says_of_an_encoder_is_tried(tmp_path, given, message):
    folder = without_weights(save_pylate(tmp_path / "model", "roberta"))
    for name in (SETTINGS, "modules.json"):
        (folder / name).unlink()
    check_arrived(folder, [ENCODER])
    with pytest.raises(ConfigError, match=message):
        check_arrived(folder, [Demands(encoder=given)])


def test_nothing_is_asked_of_a_model_that_no_experiment_starts_from(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))
    check_arrived(tmp_path, [])


CHECK = """
import sys
from optical.config.demands import Demands
from optical.models.arrival import check_arrived
check_arrived(sys.argv[1], [Demands(is_teacher=True), Demands()])
print({"torch", "transformers"} & set(sys.modules))
"""


def test_where_models_are_fetched_there_need_be_no_torch(saved):
    done = subprocess.run([sys.executable, "-c", CHECK, saved], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
