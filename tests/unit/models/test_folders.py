"""Encoders load from every layout, and what cannot be read is refused in one line."""

import json
import shutil
import string
import weakref
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import processors

from optical.config.encoder import EncoderSettings
from optical.errors import ConfigError, DataError
from optical.files import read_json, write_json
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.export import write_stanford
from optical.models.folders import keeping, load_encoder, load_transformer
from optical.models.saved_settings import saved_settings
from optical.text.tokeniser import load_tokeniser, tokenise, vocabulary_size
from optical.translation.translate import Translator
from support.tiny_models import TEXTS, save_bert, save_encoder

KINDS = [QUERY, DOCUMENT]


def ids_of(encoder, texts=TEXTS):
    return list(tokenise(encoder.tokeniser, texts))


@pytest.mark.parametrize("pickled", [False, True])
def test_a_checkpoint_of_stanford_colbert_gives_the_same_vectors(encoder, tmp_path, pickled):
    folder = as_stanford(encoder, tmp_path)
    if pickled:
        torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    again = load_encoder(folder).eval()
    dimension = {"dimension": again.dimension}  # that layout always has a projection
    assert again.settings == encoder.settings.changed(**dimension)
    assert again.skipped_ids.tolist() == encoder.skipped_ids.tolist()
    for kind in KINDS:
        pairs = zip(encoder.encode(ids_of(encoder), kind), again.encode(ids_of(again), kind), strict=True)
        for (_, before_LD, ids_L), (_, after_LD, same_ids_L) in pairs:
            assert torch.equal(ids_L, same_ids_L)
            torch.testing.assert_close(before_LD, after_LD, atol=1e-6, rtol=0)


def as_stanford(encoder, folder):
    (folder / "stanford").mkdir()
    write_stanford(encoder, folder / "stanford")
    return folder / "stanford"


def test_what_a_checkpoint_leaves_out_is_what_its_code_takes(folders, tmp_path):
    bert = load_encoder(folders["bert"])
    folder = as_stanford(bert, tmp_path)
    write_json(folder / "artifact.metadata", {"config": {"dim": 16, "nbits": 1}})
    (folder / "tokenizer_config.json").unlink()
    assert saved_settings(folder) == EncoderSettings(
        query_length=32,
        document_length=220,
        dimension=16,
        query_marker="[unused0]",
        document_marker="[unused1]",
        query_expansion=True,
    )
    saved = read_json(folders["bert"] / "config_sentence_transformers.json")
    shutil.copytree(folders["bert"], tmp_path / "pylate")
    needed = ("query_prefix", "document_prefix", "query_length", "document_length")
    write_json(tmp_path / "pylate/config_sentence_transformers.json", {key: saved[key] for key in needed})
    punctuation = {"skip_words": list(string.punctuation)}
    assert load_encoder(tmp_path / "pylate").settings == bert.settings.changed(query_expansion=True, **punctuation)


def test_the_projection_of_a_pylate_folder_may_be_pickled(folders, plain, tmp_path):
    folder = shutil.copytree(folders["plain"], tmp_path / "encoder")
    torch.save(load_file(folder / "1_Dense/model.safetensors"), folder / "1_Dense/pytorch_model.bin")
    (folder / "1_Dense/model.safetensors").unlink()
    assert torch.equal(load_encoder(folder).projection.weight, plain.projection.weight)


class RunsACommand:
    """Pickled, it runs a command as it is loaded."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return Path.touch, (self.proof,)


@pytest.mark.parametrize("content", [{"other": torch.ones(1)}, b"cut", RunsACommand, None])
def test_a_projection_that_cannot_be_read_is_one_line(folders, tmp_path, content):
    folder = shutil.copytree(folders["plain"], tmp_path / "encoder")
    (folder / "1_Dense/model.safetensors").unlink()
    pickled, proof = folder / "1_Dense/pytorch_model.bin", tmp_path / "proof"
    if isinstance(content, bytes):
        pickled.write_bytes(content)
    elif content:
        torch.save({"linear.weight": content(proof)} if content is RunsACommand else content, pickled)
    with pytest.raises(DataError, match="cannot load linear.weight|file of weights is not whole") as caught:
        load_encoder(folder)
    assert "1_Dense" in str(caught.value) and "\n" not in str(caught.value)
    assert not proof.exists()


@pytest.mark.parametrize(
    "layer", [{"bias": True}, {"use_residual": True}, {"activation_function": "torch.nn.modules.activation.Tanh"}]
)
def test_a_projection_of_another_kind_is_refused_and_not_half_read(folders, tmp_path, layer):
    folder = shutil.copytree(folders["plain"], tmp_path / "encoder")
    path = folder / "1_Dense/config.json"
    write_json(path, read_json(path) | layer)
    with pytest.raises(DataError, match="more than one matrix"):
        load_encoder(folder)


def test_a_second_projection_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders["plain"], tmp_path / "encoder")
    shutil.copytree(folder / "1_Dense", folder / "2_Dense")
    with pytest.raises(DataError, match="more than one matrix"):
        load_encoder(folder)


def test_a_projection_of_another_size_than_the_settings_is_named(plain, tmp_path):
    folder = as_stanford(plain, tmp_path)
    write_json(folder / "artifact.metadata", read_json(folder / "artifact.metadata") | {"dim": 8})
    with pytest.raises(DataError, match="the projection is 16 x 32, not 8 x 32 as the folder says"):
        load_encoder(folder)


def test_a_bare_transformer_gets_the_settings_of_the_config(folders, tmp_path):
    trained = load_encoder(folders["plain"])
    trained.save_transformer(tmp_path)
    assert not (tmp_path / "1_Dense").exists()
    wanted = EncoderSettings(dimension=8, query_length=10, document_length=14, query_marker="[D]")
    encoder = load_encoder(tmp_path, wanted)
    assert encoder.dimension == 8
    assert encoder.frame([[7] * 50], QUERY)[0].shape == (1, 10)
    assert encoder.marker_ids[QUERY] == encoder.marker_ids[DOCUMENT]
    with pytest.raises(DataError, match="not a late-interaction model"):
        load_encoder(tmp_path)


def test_a_trained_projection_is_kept_where_its_size_is_asked_for(folders, caplog):
    caplog.set_level("INFO")
    trained = load_encoder(folders["plain"])
    same = load_encoder(folders["plain"], trained.settings.changed(query_length=10))
    assert torch.equal(same.projection.weight, trained.projection.weight) and not caplog.records
    other = load_encoder(folders["plain"], trained.settings.changed(dimension=5))
    assert other.projection.weight.shape[0] == 5
    assert "the projection to 5 dimensions starts from random weights" in caplog.text


def test_what_is_no_encoder_is_refused_in_one_line(folders, tmp_path):
    with pytest.raises(DataError, match=r"config\.json"):
        load_transformer(tmp_path)
    write_json(tmp_path / "config.json", {"model_type": "no-such-model"})
    with pytest.raises(DataError, match="cannot load") as caught:
        load_transformer(tmp_path)
    assert "\n" not in str(caught.value)
    broken = tmp_path / "broken"
    save_encoder(broken)
    (broken / "model.safetensors").unlink()
    with pytest.raises(DataError, match="cannot load"):
        load_transformer(broken)


def test_weights_that_are_missing_are_not_made_up(folders, tmp_path):
    shutil.copytree(folders["plain"], tmp_path / "encoder")
    weights = load_file(tmp_path / "encoder/model.safetensors")
    del weights["embeddings.word_embeddings.weight"]
    save_file(weights, tmp_path / "encoder/model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match="the weights lack 1, embeddings.word_embeddings.weight first"):
        load_transformer(tmp_path / "encoder")


CODE = """
from pathlib import Path
from transformers import BertConfig, BertModel
Path({marker!r}).touch()
class Config(BertConfig):
    model_type = "strange"
class Model(BertModel):
    config_class = Config
"""


@pytest.mark.parametrize("load", [load_transformer, Translator])
def test_code_that_a_folder_brings_is_never_run(folders, tmp_path, monkeypatch, load):
    folder = tmp_path / "model"
    shutil.copytree(folders["plain"], folder)
    (folder / ".checksums.json").unlink(missing_ok=True)
    (folder / "code.py").write_text(CODE.format(marker=str(tmp_path / "ran")))
    names = {"AutoConfig": "code.Config", "AutoModel": "code.Model", "AutoModelForSeq2SeqLM": "code.Model"}
    write_json(folder / "config.json", read_json(folder / "config.json") | {"model_type": "strange", "auto_map": names})
    monkeypatch.setattr("builtins.input", lambda *_: "yes")
    with pytest.raises(DataError, match="cannot load the") as caught:
        load(folder)
    assert "\n" not in str(caught.value) and not (tmp_path / "ran").exists()


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize("text", [POINTER, "{", "", '{"model": 3}', "no JSON"])
@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "tokenizer_config.json"])
def test_a_damaged_file_of_a_model_is_one_line(tmp_path, name, text):
    folder = save_encoder(tmp_path / "encoder")
    (folder / name).write_text(text)
    (folder / ".checksums.json").unlink(missing_ok=True)
    if (name, text) == ("tokenizer_config.json", '{"model": 3}'):  # which says nothing, and is no damage
        load_encoder(folder)
        return
    with pytest.raises(DataError) as caught:
        load_encoder(folder)
    assert "\n" not in str(caught.value) and str(folder) in str(caught.value)


def test_a_vocabulary_larger_than_the_table_is_refused(tmp_path):
    folder = save_encoder(tmp_path / "encoder")
    tokeniser = load_tokeniser(folder)
    tokeniser.add_tokens(["one", "two"])
    tokeniser.save(str(folder / "tokenizer.json"))
    rows = tokeniser.get_vocab_size() - 2
    what = rf"subwords up to the number {rows + 1}, the model has {rows} rows"
    with pytest.raises(ConfigError, match=what):
        load_encoder(folder)


def test_a_vocabulary_with_a_hole_is_read_and_gets_no_markers(tmp_path):
    folder = save_bert(tmp_path / "bert", ["moon", "sun"])
    state = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = state["model"]["vocab"]
    del vocabulary["s"]
    write_json(folder / "tokenizer.json", state)
    size = vocabulary_size(load_tokeniser(folder))
    assert size == len(vocabulary) + 1
    given = {"dimension": 0, "query_length": 12, "document_length": 12}
    encoder = load_encoder(folder, EncoderSettings(query_marker="[unused1]", document_marker="[unused2]", **given))
    ((_, vectors_LD, ids_L),) = encoder.encode(ids_of(encoder, ["sun"]), QUERY)
    assert size - 1 in ids_L and vectors_LD.isfinite().all()
    with pytest.raises(ConfigError, match="have a hole, so that no marker can be added"):
        load_encoder(folder, EncoderSettings(**given))


def test_a_tokeniser_that_frames_texts_otherwise_is_refused(tmp_path):
    folder = save_bert(tmp_path / "bert", ["moon", "sun"])
    tokeniser = load_tokeniser(folder)
    tokeniser.post_processor = processors.TemplateProcessing(single="$A [SEP]", special_tokens=[("[SEP]", 5)])
    tokeniser.save(str(folder / "tokenizer.json"))
    with pytest.raises(ConfigError, match="puts 1 special tokens around a text, not one before and one behind it"):
        load_encoder(folder, EncoderSettings(query_length=12, document_length=12))


def test_the_models_used_last_are_kept_and_one_is_let_go_before_another_is_loaded():
    loaded, most_alive = [], []

    class Model:
        pass

    def load(folder):
        most_alive.append(sum(model() is not None for _, model in loaded))
        model = Model()
        loaded.append((folder, weakref.ref(model)))
        return model

    kept = keeping(2, load)
    for folder in ("teacher", "one", "teacher", "two", "teacher", "one"):
        kept(folder)
    assert [folder for folder, _ in loaded] == ["teacher", "one", "two", "one"]
    assert most_alive == [0, 1, 1, 1]
