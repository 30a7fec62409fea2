"""Markers and lengths that an encoder's own files decide: BERT's, XLM-R's, a late-interaction model's."""

import numpy as np
import pytest
import torch

from optical.config.encoder import EncoderSettings
from optical.errors import ConfigError
from optical.files import write_json
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.models.own_settings import own_settings
from support.tiny_models import save_bert, save_encoder, save_xlmr

GIVEN = {"dimension": 8}


def markers(settings):
    return settings.query_marker, settings.document_marker


def lengths(settings):
    return settings.query_length, settings.document_length


def test_multilingual_bert_has_spare_tokens(tmp_path):
    settings = own_settings(save_bert(tmp_path, ["moon", "sun"]), GIVEN)
    assert markers(settings) == ("[unused1]", "[unused2]")
    assert lengths(settings) == (96, 180)
    assert load_encoder(tmp_path, settings).marker_ids == {QUERY: 1, DOCUMENT: 2}


def test_english_bert_s_spare_tokens_begin_at_0(tmp_path):
    save_encoder(tmp_path, tokeniser="bert")
    (tmp_path / "config_sentence_transformers.json").unlink()
    assert markers(own_settings(tmp_path, GIVEN)) == ("[unused0]", "[unused1]")


def test_xlmr_gets_new_markers_and_reads_no_more_than_its_tokeniser_says(tmp_path):
    settings = own_settings(save_xlmr(tmp_path / "bare"), GIVEN)
    assert markers(settings) == ("[Q]", "[D]")
    assert lengths(settings) == (60, 60)
    torch.manual_seed(1)
    encoder = load_encoder(tmp_path / "bare", settings)
    rows = len(encoder.transformer.get_input_embeddings().weight)
    assert sorted(encoder.marker_ids.values()) == [rows - 2, rows - 1]
    text = encoder.tokeniser.encode("moon " * 40, add_special_tokens=False).ids
    ((_, before_LD, ids_L),) = encoder.encode([text], QUERY)
    assert ids_L[:2].tolist() == [0, encoder.marker_ids[QUERY]] and len(ids_L) == 60
    encoder.save(tmp_path / "saved")
    ((_, after_LD, _),) = load_encoder(tmp_path / "saved").encode([text], QUERY)
    assert np.allclose(before_LD, after_LD, atol=1e-6)


def test_a_length_of_sentence_transformers_counts(tmp_path):
    save_bert(tmp_path, ["moon"])
    write_json(tmp_path / "sentence_bert_config.json", {"max_seq_length": 128, "do_lower_case": False})
    assert lengths(own_settings(tmp_path, GIVEN)) == (96, 128)


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        ({"prompts": {"query": "query: ", "passage": "passage: "}}, ("query: ", "passage: ")),
        ({"prompts": {"query": "ask: ", "corpus": "read: ", "passage": "see: "}}, ("ask: ", "see: ")),
        ({"prompts": {"query": "query: ", "document": ""}}, ("query: ", "")),
        ({"prompts": {"usual": "text: "}, "default_prompt_name": "usual"}, ("text: ", "text: ")),
        ({"prompts": None, "default_prompt_name": None}, ("", "")),
        ({}, ("", "")),
    ],
)
def test_prompts_are_those_that_the_encoder_s_files_name(tmp_path, saved, expected):
    path = save_bert(tmp_path, ["moon"]) / "config_sentence_transformers.json"
    write_json(path, saved)
    settings = own_settings(tmp_path, GIVEN)
    assert (settings.query_prompt, settings.document_prompt) == expected
    settings = own_settings(tmp_path, GIVEN | {"query_prompt": "", "document_prompt": "d: "})
    assert (settings.query_prompt, settings.document_prompt) == ("", "d: ")


def test_prompts_of_other_names_are_told(tmp_path, caplog):
    path = save_bert(tmp_path, ["moon"]) / "config_sentence_transformers.json"
    write_json(path, {"prompts": {"search_query": "search_query: "}})
    own_settings(tmp_path, GIVEN)
    assert "prompts ['search_query: '] are not put before texts; encoder.query_prompt" in caplog.text


def test_a_late_interaction_model_keeps_its_markers_and_lengths(tmp_path):
    save_encoder(tmp_path, tokeniser="bert", query_marker="[unused1]", document_marker="[unused0]", query_length=11)
    settings = own_settings(tmp_path, GIVEN)
    assert markers(settings) == ("[unused1]", "[unused0]")
    assert lengths(settings) == (11, 20)
    assert settings.dimension == 8


def test_what_is_given_stays(tmp_path):
    save_bert(tmp_path, ["moon"])
    given = GIVEN | {"query_length": 17, "query_marker": "[unused2]", "document_marker": None}
    assert own_settings(tmp_path, given) == EncoderSettings(
        dimension=8, query_length=17, document_length=180, query_marker="[unused2]", document_marker="[unused2]"
    )


def test_a_given_marker_that_the_vocabulary_lacks_is_refused(tmp_path):
    settings = own_settings(save_bert(tmp_path, ["moon"]), GIVEN | {"query_marker": "[unused7]"})
    with pytest.raises(ConfigError, match=r"the tokeniser has no '\[unused7\]' \[encoder\.query_marker\]"):
        load_encoder(tmp_path, settings)
