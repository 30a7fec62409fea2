"""A prompt stands before every text of its side, is no part of what a text says, and is written for other libraries."""

import pytest
import torch

from optical.errors import ConfigError
from optical.files import read_json
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.export import FORMATS, export
from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.tiny_models import TEXTS, save_encoder

PROMPTS = {"query_prompt": "the first question: ", "document_prompt": "where is "}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("prompted"), **PROMPTS, query_length=14)


@pytest.fixture
def encoder(folder):
    return load_encoder(folder).eval()


def ids_of(encoder, texts):
    return list(tokenise(encoder.tokeniser, texts))


@pytest.mark.parametrize("kind", [QUERY, DOCUMENT])
def test_a_prompt_stands_between_the_marker_and_the_text(encoder, kind):
    prompt = PROMPTS[f"{kind}_prompt"]
    text, own = ids_of(encoder, [prompt + TEXTS[1], TEXTS[1]])
    ids_BL, attention_BL, _ = encoder.frame([own], kind)
    read = [encoder.cls_id, encoder.marker_ids[kind], *text][: encoder.length(kind) - 1]
    assert ids_BL[0].tolist() == [*read, encoder.sep_id]
    content_BL = encoder.content_mask(ids_BL, attention_BL, kind)
    assert ids_BL[content_BL].tolist() == own[: encoder.room(kind)]


def test_a_prompt_changes_vectors_and_a_saved_encoder_keeps_it(encoder, folder, tmp_path):
    plain = load_encoder(folder)
    plain.prompt_ids = {QUERY: [], DOCUMENT: []}
    encoder.save(tmp_path)
    again = load_encoder(tmp_path).eval()
    assert again.settings == encoder.settings
    for kind in (QUERY, DOCUMENT):
        first, second, third = (next(model.encode(ids_of(model, TEXTS), kind))[1] for model in (encoder, again, plain))
        assert torch.equal(first, second)
        assert first.shape != third.shape or not torch.allclose(first, third, atol=1e-2)


def test_a_large_vocabulary_keeps_the_rows_of_prompts(encoder):
    asked = ids_of(encoder, [prompt.strip() for prompt in PROMPTS.values()])
    assert {token for ids in asked for token in ids} <= set(encoder.added_ids)


def test_an_export_gives_each_side_its_prompt(encoder, tmp_path):
    from sentence_transformers import MultiVectorEncoder

    export(encoder, encoder, tmp_path / "out", "pylate", "card", {})
    for side in (QUERY, DOCUMENT):
        saved = read_json(tmp_path / "out" / side / "config_sentence_transformers.json")
        assert saved["prompts"][saved["default_prompt_name"]] == PROMPTS[f"{side}_prompt"]
        again = load_encoder(tmp_path / "out" / side)
        assert again.settings == encoder.settings
        theirs = MultiVectorEncoder(str(tmp_path / "out" / side), device="cpu")
        vectors = (theirs.encode_query if side == QUERY else theirs.encode_document)([*TEXTS])
        own = sorted(again.encode(ids_of(again, TEXTS), side), key=lambda item: item[0])
        for (_, own_LD, _), other_LD in zip(own, vectors, strict=True):
            torch.testing.assert_close(own_LD, other_LD, atol=1e-4, rtol=0)


def test_stanford_s_code_has_no_prompts(encoder, tmp_path):
    with pytest.raises(ConfigError, match="the Stanford code has no prompts.*use --format pylate"):
        FORMATS["stanford"](encoder, tmp_path)
