"""The encoder frames texts as ColBERT does, gives the same vectors whatever it is batched with, and survives saving."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from optical.errors import ConfigError
from optical.files import read_json
from optical.models.encoder import DOCUMENT, QUERY, Encoder
from optical.models.folders import load_encoder
from optical.models.own_settings import own_settings
from optical.runtime.precision import autocast
from optical.text.tokeniser import tokenise
from support.tiny_models import TEXTS, save_bert, save_encoder

KINDS = [QUERY, DOCUMENT]


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
    content_BL = encoder.content_mask(ids_BL, attention_BL, QUERY)
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


def test_texts_are_read_with_a_gradient_as_they_are_encoded(encoder):
    for kind in KINDS:
        vectors_BLD, keep_BL = encoder.read(TEXTS, kind)
        assert vectors_BLD.requires_grad and keep_BL.dtype == torch.bool
        texts, ids = (
            sorted(encoder.encode(given, kind), key=lambda item: item[0]) for given in (TEXTS, ids_of(encoder))
        )
        for (place, expected_LD, _), (same, of_ids_LD, _) in zip(texts, ids, strict=True):
            assert place == same and torch.equal(expected_LD, of_ids_LD)
            assert torch.allclose(vectors_BLD[place][keep_BL[place]], expected_LD, atol=1e-5)
        assert len(encoder.read(TEXTS[0], kind)[0]) == len(list(encoder.encode(TEXTS[0], kind))) == 1
    for read in (encoder.read, lambda *given: list(encoder.encode(*given))):
        with pytest.raises(ConfigError, match="unknown kind of text 'passage' .*query or document"):
            read(TEXTS, "passage")


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


def test_other_programs_put_the_same_tokens_around_a_text(tmp_path):
    words = ["the", "moon"]
    folder = save_bert(tmp_path / "bert", words)  # whose tokeniser puts nothing there
    assert not Tokenizer.from_file(str(folder / "tokenizer.json")).encode("").ids
    encoder = load_encoder(folder, own_settings(folder, {"dimension": 8}))
    encoder.save(tmp_path / "saved")
    saved = Tokenizer.from_file(str(tmp_path / "saved/tokenizer.json"))
    ids_BL, *_ = encoder.frame(encoder.pieces("the moon"), QUERY)
    assert saved.encode("the moon").ids == [id for id in ids_BL[0].tolist() if id not in encoder.marker_ids.values()]


def test_the_marker_moves_the_vectors(plain):
    ids = ids_of(plain)[:1]
    query_LD, document_LD = (next(plain.encode(ids, kind))[1] for kind in KINDS)
    shared = min(len(query_LD), len(document_LD)) - 1
    assert not torch.allclose(query_LD[:shared], document_LD[:shared], atol=1e-2)


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


def test_half_precision_casts_the_weights_and_shares_the_tokeniser(encoder, monkeypatch):
    ids, whole = ids_of(encoder), copy.deepcopy(encoder).eval().to(torch.bfloat16)
    weights = {name: weight.clone() for name, weight in encoder.state_dict().items()}

    class Tokeniser:
        def __deepcopy__(self, _):
            raise AssertionError("that of a large vocabulary takes as much memory as its weights")

    monkeypatch.setattr(encoder, "tokeniser", Tokeniser())
    for kind in KINDS:
        for index, vectors_LD, _ in encoder.encode(ids, kind, precision="bf16", batch_tokens=1):
            ids_BL, attention_BL, keep_BL = encoder.frame([ids[index]], kind)
            with torch.inference_mode():
                assert torch.equal(vectors_LD, whole(ids_BL, attention_BL)[keep_BL])
    assert all(torch.equal(weight, weights[name]) for name, weight in encoder.state_dict().items())


def test_half_precision_leaves_buffers_such_as_rotary_frequencies_in_full(plain):
    plain.register_buffer("frequencies", torch.tensor([1 / 3]), persistent=False)
    half = plain._cast(torch.bfloat16)
    assert half.frequencies is plain.frequencies and half.projection.weight.dtype == torch.bfloat16


def test_unknown_names_are_refused_with_those_there_are(plain, tmp_path):
    with pytest.raises(ConfigError, match="unused0") as caught:
        Encoder(plain.transformer, save_encoder(tmp_path / "a"), plain.settings.changed(query_marker="[X]"))
    assert caught.value.where == "encoder.query_marker"
    with pytest.raises(ConfigError, match="fp16"):
        autocast(torch.device("cpu"), "fp16")


@pytest.mark.parametrize("key", ["query_length", "document_length"])
def test_texts_longer_than_the_positions_are_refused(plain, tmp_path, key):
    settings = plain.settings.changed(**{key: 65})
    with pytest.raises(ConfigError, match=rf"reads texts of up to 64 tokens, not of 65 \[encoder.{key}\]"):
        Encoder(plain.transformer, save_encoder(tmp_path / "a"), settings)


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
