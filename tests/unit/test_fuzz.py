"""Every reader reads a random or bit-flipped input, or refuses it in one line. `make fuzz` tries many more."""

import pytest

from support.fuzz import TARGETS, faults_of


@pytest.mark.parametrize("name", TARGETS)
def test_random_and_flipped_inputs_are_read_or_refused_in_one_line(name):
    faults, refused = faults_of(name, random_inputs=60, flipped_inputs=20)
    assert faults == []
    assert 5 < refused <= 80
