"""A model that cannot be read is refused by its files alone, and texts are no longer than its positions."""

import json
import shutil

import pytest
import torch

from optical.config.model_folders import READ_PADDING, check_lengths, check_weights, longest_text, model_config
from optical.errors import ConfigError, DataError
from optical.runtime.offline import keep_offline
from support.foreign_models import ARCHITECTURES, save_pylate, save_transformer, write

SMALL = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
POSITIONS = {"max_position_embeddings": 16, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
TOKENS = {"cls_token_id": 0, "sep_token_id": 2, "embedding_size": 32}
# Types beside those of ARCHITECTURES, and what their configs need here.
OTHERS = {
    "deberta": {},
    "ernie": {},
    "esm": {},
    "eurobert": {},
    "flaubert": {"emb_dim": 32, "n_heads": 4, "n_layers": 1},
    "ibert": {},
    "longformer": {"attention_window": [4]},
    "luke": {},
    "megatron-bert": {},
    "nomic_bert": {},
    "roberta-prelayernorm": {},
    "roformer": {},
    "squeezebert": {},
    "xlm-roberta-xl": {},
}
LONG = 40


@pytest.fixture(scope="module")
def pylate(tmp_path_factory):
    return save_pylate(tmp_path_factory.mktemp("pylate") / "model", "bert")


@pytest.fixture
def folder(pylate, tmp_path):
    return shutil.copytree(pylate, tmp_path / "model")


@pytest.mark.parametrize("kind", sorted({*ARCHITECTURES, *OTHERS} - {"mmbert"}))
def test_a_model_reads_a_text_as_long_as_its_config_allows_and_no_longer(kind):
    keep_offline()  # read when transformers is imported: without it, the tests after this one show bars
    from transformers import AutoConfig, AutoModel

    more = OTHERS[kind] if kind in OTHERS else ARCHITECTURES[kind][1]
    config = AutoConfig.for_model(kind, **{**SMALL, **POSITIONS, **TOKENS, **more})
    model, longest = AutoModel.from_config(config).eval(), longest_text(config.to_dict())

    def read(length):
        ids_1L = torch.full((1, length), 5)
        with torch.no_grad():
            return model(input_ids=ids_1L, attention_mask=torch.ones_like(ids_1L))

    read(longest or LONG)
    assert longest in (None, 16, 14)
    if longest:
        with pytest.raises((IndexError, RuntimeError)):
            read(longest + 1)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "t5", "is_encoder_decoder": True}, "t5 has a decoder beside its encoder"),
        ({"model_type": "t5", "is_encoder_decoder": False}, "t5 has a decoder beside its encoder"),
        ({"model_type": "bart"}, "bart has a decoder beside its encoder"),
        ({"model_type": "m2m_100", "is_encoder_decoder": True}, "m2m_100 has a decoder"),
        ({"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}, "qwen3 reads from left to right"),
        ({"model_type": "bert", "is_decoder": True}, "bert reads from left to right"),
        ({"model_type": "xmod", "default_language": None}, "names no default_language"),
        *(({"model_type": kind}, f"{kind} mixes padding into texts") for kind in READ_PADDING),
    ],
    ids=str,
)
def test_what_is_no_encoder_is_named_for_what_it_is(tmp_path, config, reason):
    write(tmp_path / "config.json", config)
    with pytest.raises(DataError, match=reason) as caught:
        model_config(tmp_path)
    assert caught.value.hint.startswith("take an encoder")


@pytest.mark.parametrize("architecture", ["mpnet", "xmod", "data2vec-text", "big_bird"])
def test_a_length_above_the_positions_is_refused(tmp_path, architecture):
    folder = save_transformer(tmp_path, architecture)
    config = json.loads((folder / "config.json").read_text())
    longest = longest_text(config)
    check_lengths(config, {"query_length": longest, "document_length": None})
    with pytest.raises(ConfigError, match=rf"up to {longest} tokens, not of {longest + 1} \[encoder\.query_length\]"):
        check_lengths(config, {"query_length": longest + 1, "document_length": None})


def test_a_big_bird_is_no_longer_than_full_attention():
    config = {"model_type": "big_bird", "max_position_embeddings": 4096, "attention_type": "block_sparse"}
    assert longest_text(config | {"block_size": 64, "num_random_blocks": 3}) == 704
    assert longest_text(config | {"attention_type": "original_full"}) == 4096


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("name", ["model.safetensors", "1_Dense/model.safetensors", "config.json"])
def test_a_pointer_of_git_lfs_is_named(folder, name):
    (folder / name).write_bytes(POINTER)
    with pytest.raises(DataError, match=rf"a pointer of Git LFS, not the file itself \[.*{name}\].*git lfs pull"):
        model_config(folder)
        check_weights(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "1_Dense/model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_weights_that_are_not_whole_are_named(folder, name, kept):
    path = folder / name
    if name.endswith(".bin"):
        torch.save({"weight": torch.ones(4)}, path)
        (folder / "model.safetensors").unlink()
    check_weights(folder)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match="the file of weights is not whole"):
        check_weights(folder)


def test_a_part_of_the_weights_that_is_missing_is_named(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    weight_map = {"one": "model-00001-of-00002.safetensors", "two": "model-00002-of-00002.safetensors"}
    write(folder / "model.safetensors.index.json", {"weight_map": weight_map})
    with pytest.raises(DataError, match="a file of weights is missing .*00002-of-00002"):
        check_weights(folder)


@pytest.mark.parametrize("text", ["[]", "{", "null"])
def test_a_config_that_is_no_object_is_one_line(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(DataError) as caught:
        model_config(folder)
    assert "config.json" in str(caught.value) and "\n" not in str(caught.value)


def test_weights_whose_header_is_no_json_are_one_line(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[8:10] = b"\xff\xff"
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(DataError, match="model.safetensors"):
        check_weights(folder)
