"""Every key has a meaning and a type in words."""

import re

import pytest

from optical.config.base import Settings
from optical.config.describe import kinds_of_field, meanings, words
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
    assert block.__doc__
    for name, text in meanings(block).items():
        if name != "reader":  # its one word is the block's heading
            assert len(text) > 4, name
            assert "\n" not in text
        assert "any value" not in words(kinds_of_field(block.model_fields[name]))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_paths_in_meanings_stand_in_backticks(block):
    # a page takes <results> for an HTML tag otherwise, and a path at the beginning for a word to be capitalised
    for name, text in meanings(block).items():
        bare = re.sub(r"`[^`]*`|<TAB>", "", text)
        assert not re.search(r"<\w+>|^\W*<?results>?/", bare), name


def test_a_key_keeps_its_meaning_where_a_block_changes_its_default():
    assert meanings(TeacherSettings)["steps"] == "optimiser steps"
    assert TeacherSettings().steps != 1000


def test_the_meaning_of_a_block_is_its_first_docstring():
    assert meanings(Config)["search"] == "Exhaustive MaxSim search"
    assert meanings(Config)["atlas"].startswith("Sizes of the bundled collection")
