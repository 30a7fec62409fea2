"""Models that PyLate and sentence-transformers saved: the vectors that these libraries give, or one line."""

import contextlib
import json
import shutil
from functools import partial

import pytest
import torch

from optical.config.demands import Demands, check_model
from optical.errors import ConfigError, DataError, OpticalError
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.models.own_settings import own_settings
from optical.text.tokeniser import tokenise
from support.foreign_models import ARCHITECTURES, TEXTS, change, save_pylate, save_tokeniser

CLOSE = 1e-3


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a folder of an architecture, saved once; for changes make a copy."""
    base, folders = tmp_path_factory.mktemp("foreign"), {}

    def folder(architecture):
        if architecture not in folders:
            folders[architecture] = save_pylate(base / architecture, architecture)
        return folders[architecture]

    return folder


@pytest.fixture
def copy(saved, tmp_path):
    """Return a copy of a folder, with changes of its settings."""

    def changed(architecture="bert", **settings):
        folder = shutil.copytree(saved(architecture), tmp_path / "model")
        change(folder / "config_sentence_transformers.json", **settings)
        return folder

    return changed


def vectors_of(folder, kind):
    encoder = load_encoder(folder)
    encoded = encoder.encode(list(tokenise(encoder.tokeniser, TEXTS)), kind)
    return [vectors_LD for _, vectors_LD, _ in sorted(encoded, key=lambda item: item[0])]


def agrees_with_sentence_transformers(folder):
    from sentence_transformers import MultiVectorEncoder

    theirs = MultiVectorEncoder(str(folder), device="cpu")
    for kind, vectors in ((QUERY, theirs.encode_query([*TEXTS])), (DOCUMENT, theirs.encode_document([*TEXTS]))):
        for own_LD, other_LD in zip(vectors_of(folder, kind), vectors, strict=True):
            assert own_LD.shape == other_LD.shape
            torch.testing.assert_close(own_LD, other_LD, atol=CLOSE, rtol=0)
    return theirs


@pytest.mark.parametrize("expansion", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_gives_the_vectors_of_sentence_transformers(copy, architecture, expansion):
    agrees_with_sentence_transformers(copy(architecture, do_query_expansion=expansion))


@pytest.mark.parametrize(
    "settings",
    [
        {"skiplist_words": ["the", ",", "is"]},
        {"skiplist_words": []},
        {"skiplist_words": ...},
        {"prompts": {"query": "query: ", "document": "passage: "}},
        {"query_prefix": "", "document_prefix": ""},
        {"query_length": None, "do_query_expansion": ...},
        {"attend_to_expansion_tokens": True, "do_query_expansion": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta"])
def test_every_setting_of_pylate_counts(copy, architecture, settings):
    agrees_with_sentence_transformers(copy(architecture, **settings))


@pytest.mark.parametrize(
    ("architecture", "name"),
    [
        *((architecture, "sentence_bert_config.json") for architecture in ("bert", "modernbert", "xlm-roberta")),
        ("bert", "tokenizer_config.json"),
    ],
)
def test_texts_are_lower_cased_where_a_file_says_so(copy, architecture, name):
    folder = copy(architecture)
    plain = torch.cat(vectors_of(folder, QUERY))
    bert = {"tokenizer_class": "BertTokenizer"} if name == "tokenizer_config.json" else {}
    change(folder / name, do_lower_case=True, **bert)
    agrees_with_sentence_transformers(folder)
    assert not torch.equal(torch.cat(vectors_of(folder, QUERY)), plain)


@pytest.mark.parametrize("settings", [{}, {"do_query_expansion": True}, {"prompts": {"query": "query: "}}], ids=str)
@pytest.mark.parametrize("architecture", ["bert", "mmbert"])
def test_what_sentence_transformers_6_saves_is_read(copy, tmp_path, architecture, settings):
    theirs = agrees_with_sentence_transformers(copy(architecture, **settings))
    theirs.save_pretrained(str(tmp_path / "again"))
    agrees_with_sentence_transformers(tmp_path / "again")


def test_what_this_project_saves_of_a_foreign_model_is_the_same(copy, tmp_path):
    folder = copy("roberta", skiplist_words=["o", "☃"], query_prefix="")
    load_encoder(folder).save(tmp_path / "again")
    for kind in (QUERY, DOCUMENT):
        for before_LD, after_LD in zip(vectors_of(folder, kind), vectors_of(tmp_path / "again", kind), strict=True):
            assert torch.equal(before_LD, after_LD)


SWITCHED = {"processing_kwargs": {"text": {"padding": "max_length"}}}


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("sentence_bert_config.json", {"query_expansion": {"strategy": "min", "length": 8}}, "its query_expansion is"),
        ("sentence_bert_config.json", SWITCHED, "its processing_kwargs is"),
        ("2_MultiVectorMask/config.json", {"skiplist_tasks": ["query", "document"]}, "its skiplist_tasks is"),
        ("2_MultiVectorMask/config.json", {"keep_only_token_ids": [3]}, "its keep_only_token_ids is"),
        ("1_Dense/config.json", {"bias": True}, "its projection is more than one matrix"),
        ("1_Dense/config.json", {"out_features": None}, "the projection has no out_features"),
    ],
)
def test_what_sentence_transformers_does_otherwise_is_named(copy, tmp_path, file, changes, message):
    from sentence_transformers import MultiVectorEncoder

    MultiVectorEncoder(str(copy()), device="cpu").save_pretrained(str(tmp_path / "again"))
    change(tmp_path / "again" / file, **changes)
    with pytest.raises(DataError, match=message):
        load_encoder(tmp_path / "again")


def test_a_prompt_that_changes_how_a_text_is_split_is_refused(copy):
    with pytest.raises(ConfigError, match=r"splits a text otherwise behind the prompt 'query: ' .*query_prompt"):
        load_encoder(copy("roberta", prompts={"query": "query: "}))


def test_a_prompt_needs_room(copy):
    with pytest.raises(ConfigError, match=r"12 tokens have no room for a text beside its prompt .*query_length"):
        load_encoder(copy(prompts={"query": "query " * 9}))


def test_a_marker_that_pylate_would_make_up_is_refused(copy):
    folder = copy(query_prefix=None)
    save_tokeniser(folder, "wordpiece", more=("[D] ", "x x"))
    with pytest.raises(ConfigError, match=r"the tokeniser has no '\[Q\] ' \[encoder.query_marker"):
        load_encoder(folder)


@pytest.mark.parametrize("odd", [3, {"a": [1]}], ids=str)
@pytest.mark.parametrize("saved_by", ["pylate", "sentence-transformers"])
def test_a_value_of_another_form_is_one_line_in_every_file(copy, tmp_path, saved_by, odd):
    from sentence_transformers import MultiVectorEncoder

    folder = copy(prompts={"query": "query: "})
    if saved_by != "pylate":
        MultiVectorEncoder(str(folder), device="cpu").save_pretrained(str(tmp_path / "again"))
        folder = tmp_path / "again"
    for file in sorted(folder.rglob("*.json")):
        text = file.read_text()
        values = json.loads(text)
        keys = [] if file.name == "tokenizer.json" else list(values) if isinstance(values, dict) else range(len(values))
        for changed in [odd, *(replaced(values, key, odd) for key in keys)]:
            file.write_text(json.dumps(changed))
            for read in (
                load_encoder,
                partial(own_settings, given={"dimension": 8}),
                partial(check_model, demands=Demands()),
            ):
                with contextlib.suppress(OpticalError):
                    read(folder)
        file.write_text(text)
    load_encoder(folder)


def replaced(values, key, value):
    """Return a copy of a dict or list with another value."""
    changed = values.copy()
    changed[key] = value
    return changed
