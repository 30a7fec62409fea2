"""The teacher's vectors: a student that computes them itself is the student that was given them, to the bit."""

import pytest

pytestmark = pytest.mark.workflow


def test_computed_on_the_way_or_given_makes_no_difference(bench, monkeypatch):
    monkeypatch.delitem(bench.inputs["distil_student"], "vectors")
    assert bench.attempt("distil_student").finish() == bench.reference["distil_student"]
