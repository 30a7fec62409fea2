"""Power, and the queries that a difference needs."""

import numpy as np
import pytest

from optical.evaluation.power import exact_interval, power, queries_needed


@pytest.mark.parametrize("right", [0, 1, 50, 99, 100])
def test_the_exact_interval_leaves_a_fortieth_on_each_side(right):
    low, high = exact_interval(right, 100)
    draws = np.random.default_rng(1).binomial
    if right < 100:
        assert (draws(100, high, 20_000) <= right).mean() == pytest.approx(0.025, abs=0.005)
    if right > 0:
        assert (draws(100, low, 20_000) >= right).mean() == pytest.approx(0.025, abs=0.005)


def test_power_grows_with_the_queries_and_is_the_level_without_a_difference():
    differences = np.random.default_rng(2).normal(0.1, 1.0, 400)
    few, many = power(differences, 100), power(differences, 3000)
    assert few < 0.6 < many
    balanced = np.concatenate([differences - differences.mean(), differences.mean() - differences]) + 1e-6
    assert power(balanced, 200) < 0.08


def test_no_difference_needs_no_queries():
    assert queries_needed(np.zeros(20)) is None
    assert queries_needed(np.array([1.0, -1.0] * 20)) is None
