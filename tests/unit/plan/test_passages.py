"""Passages in several languages: a collection for each language beside the whole."""

import pytest

from optical.errors import ConfigError
from support.experiments import experiment


def test_a_collection_in_several_languages_is_also_one_for_each():
    tried = experiment(file="any_to_any.yaml")
    names = tried.collections_by_language("flores")
    assert [*names] == ["en", "sw", "so", "tl", "mr", "fi", "de", "fr"]
    assert tried.config.collections == [*names.values(), "flores"]
    assert tried.passage_languages("flores-mr") == ["mr"]
    assert {name: tried.asks_english(name) for name in ("flores", "flores-en", "afriqa")} == {
        "flores": True,
        "flores-en": True,
        "afriqa": False,
    }
    assert experiment(file="open.yaml").config.collections == ["flores", "mkqa"]


def test_a_name_that_the_table_has_already_is_refused():
    table = experiment(file="any_to_any.yaml").given["collection_table"]
    with pytest.raises(ConfigError, match=r"the passages of flores in sw \[collection_table.flores-sw\]"):
        experiment({"collection_table": {"flores-sw": table["flores"]}}, file="any_to_any.yaml")


def test_passages_to_search_alone_are_encoded_language_by_language():
    own = {"reader": "plain", "documents": "results/{lang}.jsonl", "passage_languages": ["en", "sw"]}
    tried = experiment(collection_table={"own": own}, collections=["own"])
    assert tried.searchable_collections() == ["own-en", "own-sw"]
