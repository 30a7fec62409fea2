"""What kinds of method there are, and that the rows of the table fit together."""

from typing import get_args

import pytest

from optical.config.methods import Method
from optical.plan.methods import KINDS, kinds, kinds_searching


def test_the_config_knows_the_kinds_of_the_table():
    assert set(get_args(Method.model_fields["kind"].annotation)) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_vectors_have_a_reader_and_words_have_none(name):
    kind = KINDS[name]
    assert (kind.reader is None) == (kind.search != "maxsim")
    assert kind.search == "lexical" or not kind.lexical_table


def test_kinds_are_chosen_by_their_traits():
    assert kinds(search="lexical") == ["lexical", "structured", "translated-lexical"]
    assert kinds(queries="translated", search="maxsim") == ["translated"]
    assert kinds() == list(KINDS)
    assert "teacher" not in kinds(learns_from_bitext=True)


def test_human_english_is_searched_with_english_queries_alone():
    assert kinds_searching("maxsim", "en") == kinds(search="maxsim")
    assert set(kinds_searching("maxsim", "sw")) == set(kinds(search="maxsim")) - {"english"}
    assert kinds_searching("lexical", "sw") == kinds(search="lexical")
