"""Every key has a meaning and a type in words."""

import re

import pytest

from optical.config.base import Settings
from optical.config.collections import COLLECTION_KINDS, Collection
from optical.config.describe import described, options, words
from optical.config.experiment import Config
from optical.config.training import PretrainingSettings, TeacherSettings, TranslatorTraining

PROGRAMS = (PretrainingSettings, TeacherSettings, TranslatorTraining)  # loads the modules of all blocks


def blocks_below(block=Settings):
    """Return every block that the config's modules define."""
    direct = [kind for kind in block.__subclasses__() if kind.__module__.startswith("optical.config.")]
    return list(dict.fromkeys(kind for one in direct for kind in [one, *blocks_below(one)]))


BLOCKS = blocks_below()


def test_all_blocks_are_found():
    assert Config in BLOCKS
    assert len(BLOCKS) > 40


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_every_key_is_explained(block):
    assert described(block)["description"]
    for name, key in described(block)["properties"].items():
        if name != "reader":  # its one word is the block's heading
            assert len(key["description"]) > 4, name
            assert "\n" not in key["description"]
        assert "any value" not in words(key)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_paths_in_meanings_stand_in_backticks(block):
    # a page takes <results> for an HTML tag otherwise, and a path at the beginning for a word to be capitalised
    for name, key in described(block)["properties"].items():
        bare = re.sub(r"`[^`]*`|<TAB>", "", key.get("description", ""))
        assert not re.search(r"<\w+>|^\W*<?results>?/", bare), name


def test_a_key_keeps_its_meaning_where_a_block_changes_its_default():
    assert described(PretrainingSettings)["properties"]["steps"]["description"] == "optimiser steps"
    assert PretrainingSettings().steps != 1000


def test_the_meaning_of_a_block_is_its_first_docstring():
    assert described(Config)["properties"]["search"]["description"] == "Exhaustive MaxSim search"
    assert described(Config)["properties"]["atlas"]["description"].startswith("Sizes of the bundled collection")


def test_a_type_in_words_has_its_bounds():
    keys = described(Config)["properties"]["transport"]["properties"]
    assert words(keys["tolerance"]) == "number from 0"
    assert words(keys["marginals"], quote="`") == "one of `uniform`, `idf`"
    assert words(described(Config)["properties"]["seeds"]) == "list of whole numbers from 0"


def test_a_block_whose_reader_is_open_has_all_kinds():
    assert len(options(described(Collection))) == len(COLLECTION_KINDS)
