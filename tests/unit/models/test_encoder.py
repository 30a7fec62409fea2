"""The encoder frames texts as ColBERT does, gives the same vectors whatever it is batched with, and survives saving."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from optical.errors import ConfigError, DataError
from optical.files import read_json, write_json
from optical.models.encoder import DOCUMENT, QUERY, Encoder, EncoderSettings, settings_from_config
from optical.models.export import write_stanford
from optical.models.folders import load_encoder, load_transformer, saved_settings
from optical.runtime.precision import autocast
from optical.text.tokeniser import tokenise
from support.tiny_models import TEXTS, save_encoder

VARIANTS = {
    "plain": {},
    "bert": {"tokeniser": "bert"},
    "expanded": {"query_expansion": True},
    "attending": {"query_expansion": True, "attend_to_expansion": True},
    "unprojected": {"dimension": 0},
    "punctuated": {"skip_punctuation": False},
}


KINDS = [QUERY, DOCUMENT]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a saved encoder for each variant."""
    base = tmp_path_factory.mktemp("encoders")
    return {name: save_encoder(base / name, **options) for name, options in VARIANTS.items()}


@pytest.fixture(params=VARIANTS)
def encoder(request, folders):
    return load_encoder(folders[request.param]).eval()


@pytest.fixture
def plain(folders):
    return load_encoder(folders["plain"]).eval()


def ids_of(encoder, texts=TEXTS):
    return list(tokenise(encoder.tokeniser, texts))


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_is_framed_by_its_marker_and_padded(encoder, kind):
    pieces = [[7, 8, 9], [], list(range(7, 60))]
    ids_BL, attention_BL, keep_BL = (tensor.numpy() for tensor in encoder.frame(pieces, kind))
    longest = encoder.length(kind)
    expanded = kind == QUERY and encoder.settings.query_expansion
    assert ids_BL.shape == attention_BL.shape == keep_BL.shape == (3, longest)
    for row, piece in enumerate(pieces):
        piece = piece[: longest - 3]
        framed = [encoder.cls_id, encoder.marker_ids[kind], *piece, encoder.sep_id]
        assert ids_BL[row, : len(framed)].tolist() == framed
        assert set(ids_BL[row, len(framed) :]) <= {encoder.mask_id if expanded else encoder.pad_id}
        attended = longest if expanded and encoder.settings.attend_to_expansion else len(framed)
        assert attention_BL[row].tolist() == [1] * attended + [0] * (longest - attended)
        assert keep_BL[row, len(framed) :].all() if expanded else not keep_BL[row, len(framed) :].any()


def test_documents_keep_no_vector_of_punctuation_and_queries_do(folders):
    text = "where is the river? the river is in the north!"
    for variant, skipped in (("plain", 2), ("punctuated", 0)):
        encoder = load_encoder(folders[variant])
        [ids] = ids_of(encoder, [text])
        for kind, expected in ((DOCUMENT, skipped), (QUERY, 0)):
            ids_BL, attention_BL, keep_BL = encoder.frame([ids[: encoder.length(kind) - 3]], kind)
            assert int(attention_BL.sum() - keep_BL.sum()) == expected
            if expected:
                dropped = ids_BL[attention_BL.bool() & ~keep_BL].tolist()
                assert {encoder.tokeniser.id_to_token(token) for token in dropped} == {"?", "!"}


def test_content_is_what_the_text_itself_brought(encoder):
    texts = ids_of(encoder)
    ids_BL, attention_BL, _ = encoder.frame(texts, QUERY)
    content_BL = encoder.content_mask(ids_BL, attention_BL)
    for row, ids in enumerate(texts):
        assert ids_BL[row][content_BL[row]].tolist() == ids[: encoder.settings.query_length - 3]


def test_vectors_are_of_unit_length(encoder):
    for _, vectors_LD, ids_L in encoder.encode(ids_of(encoder), DOCUMENT):
        assert vectors_LD.shape == (len(ids_L), encoder.dimension)
        assert torch.allclose(vectors_LD.norm(dim=1), torch.ones(len(vectors_LD)), atol=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(len(TEXTS))), batch_tokens=st.integers(1, 200), kind=st.sampled_from([QUERY, DOCUMENT])
)
def test_a_text_has_the_same_vectors_alone_and_in_any_batch(folders, order, batch_tokens, kind):
    encoder = load_encoder(folders["plain"]).eval()
    texts = ids_of(encoder)
    alone = {index: next(encoder.encode([ids], kind))[1] for index, ids in enumerate(texts)}
    seen = []
    for place, vectors_LD, _ in encoder.encode([texts[index] for index in order], kind, batch_tokens=batch_tokens):
        seen.append(place)
        assert torch.allclose(vectors_LD, alone[order[place]], atol=1e-5)
    assert sorted(seen) == list(range(len(texts)))


def test_a_batch_is_no_larger_than_asked_for(plain, monkeypatch):
    shapes, forward = [], Encoder.forward

    def counting(encoder, ids_BL, attention_BL):
        shapes.append(tuple(ids_BL.shape))
        return forward(encoder, ids_BL, attention_BL)

    monkeypatch.setattr(Encoder, "forward", counting)
    texts = [[7] * length for length in (1, 2, 3, 9, 9, 17)]
    assert len(list(plain.encode(texts, DOCUMENT, batch_tokens=30))) == 6
    assert shapes == [(1, 20), (2, 12), (3, 6)]


def test_a_saved_encoder_gives_the_same_vectors_bit_for_bit(encoder, tmp_path):
    encoder.save(tmp_path)
    again = load_encoder(tmp_path).eval()
    assert again.settings == encoder.settings
    assert again.marker_ids == encoder.marker_ids
    assert again.skipped_ids.tolist() == encoder.skipped_ids.tolist()
    for kind in KINDS:
        for (_, before_LD, ids), (_, after_LD, same_ids) in zip(
            encoder.encode(ids_of(encoder), kind), again.encode(ids_of(again), kind), strict=True
        ):
            assert torch.equal(before_LD, after_LD)
            assert torch.equal(ids, same_ids)


@pytest.mark.parametrize("pickled", [False, True])
def test_a_checkpoint_of_stanford_colbert_gives_the_same_vectors(encoder, tmp_path, pickled):
    folder = as_stanford(encoder, tmp_path)
    if pickled:
        torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    again = load_encoder(folder).eval()
    dimension = {"dimension": again.dimension}  # that layout always has a projection
    assert dataclasses.asdict(again.settings) == dataclasses.asdict(encoder.settings) | dimension
    assert again.skipped_ids.tolist() == encoder.skipped_ids.tolist()
    for kind in KINDS:
        pairs = zip(encoder.encode(ids_of(encoder), kind), again.encode(ids_of(again), kind), strict=True)
        for (_, before_LD, ids_L), (_, after_LD, same_ids_L) in pairs:
            assert torch.equal(ids_L, same_ids_L)
            torch.testing.assert_close(before_LD, after_LD, atol=1e-6, rtol=0)


def as_stanford(encoder, folder):
    write_stanford(encoder, encoder, folder)
    return folder / "query"


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
    assert load_encoder(tmp_path / "pylate").settings == dataclasses.replace(bert.settings, query_expansion=True)


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
    with pytest.raises(DataError, match="cannot load linear.weight") as caught:
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


def test_the_marker_moves_the_vectors(plain):
    ids = ids_of(plain)[:1]
    query_LD, document_LD = (next(plain.encode(ids, kind))[1] for kind in KINDS)
    shared = min(len(query_LD), len(document_LD)) - 1
    assert not torch.allclose(query_LD[:shared], document_LD[:shared], atol=1e-2)


def test_a_bare_transformer_gets_the_settings_of_the_config(folders, tmp_path):
    trained = load_encoder(folders["plain"])
    trained.save_transformer(tmp_path)
    assert not (tmp_path / "1_Dense").exists()
    wanted = EncoderSettings(dimension=8, query_length=10, document_length=14, query_marker="[D]")
    encoder = load_encoder(tmp_path, wanted)
    assert encoder.dimension == 8
    assert encoder.frame([[7] * 50], QUERY)[0].shape == (1, 10)
    assert encoder.marker_ids[QUERY] == encoder.marker_ids[DOCUMENT]
    with pytest.raises(DataError, match="no late-interaction model"):
        load_encoder(tmp_path)


def test_half_precision_is_near(plain):
    ids = ids_of(plain)
    full, half = (
        {index: vectors_LD for index, vectors_LD, _ in plain.encode(ids, DOCUMENT, precision=precision)}
        for precision in ("fp32", "bf16")
    )
    for index, vectors_LD in full.items():
        cosine_L = (vectors_LD * half[index]).sum(dim=1)
        assert half[index].dtype == torch.float32
        assert cosine_L.min() > 0.99
        assert not torch.equal(vectors_LD, half[index])


def test_unknown_names_are_refused_with_those_there_are(plain, tmp_path):
    with pytest.raises(ConfigError, match="unused0") as caught:
        Encoder(
            plain.transformer, save_encoder(tmp_path / "a"), dataclasses.replace(plain.settings, query_marker="[X]")
        )
    assert caught.value.where == "encoder.query_marker"
    with pytest.raises(ConfigError, match="fp16"):
        autocast(torch.device("cpu"), "fp16")


@pytest.mark.parametrize("key", ["query_length", "document_length"])
def test_texts_longer_than_the_positions_are_refused(plain, tmp_path, key):
    settings = dataclasses.replace(plain.settings, **{key: 65})
    with pytest.raises(ConfigError, match=rf"has positions for 64 tokens, not for 65 \[encoder.{key}\]"):
        Encoder(plain.transformer, save_encoder(tmp_path / "a"), settings)


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


def test_the_config_block_sets_what_moves_the_scores():
    values = {"source": "train", "architecture": {}, "dimension": 4, "query_expansion": True}
    assert settings_from_config(values) == EncoderSettings(dimension=4, query_expansion=True)


def test_the_folder_is_what_other_libraries_read(folders):
    saved = read_json(folders["unprojected"] / "1_Dense" / "config.json")
    assert saved["in_features"] == saved["out_features"] == 32
    modules = read_json(folders["plain"] / "modules.json")
    assert [module["path"] for module in modules] == ["", "1_Dense"]
    skipped = read_json(folders["plain"] / "config_sentence_transformers.json")["skiplist_words"]
    assert "?" in skipped
    assert "[UNK]" not in skipped


def test_no_text_at_all_gives_nothing(plain):
    assert list(plain.encode([], QUERY)) == []
    [(_, vectors_LD, ids_L)] = plain.encode([[]], QUERY)
    assert len(vectors_LD) == len(ids_L) == 3
    assert np.isfinite(vectors_LD.numpy()).all()
