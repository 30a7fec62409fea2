import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from optical.evaluation.significance import (
    bootstrap_interval,
    effect_size,
    holm,
    paired_t_test,
    randomisation_test,
    sd_over_seeds,
)


@pytest.fixture
def dice():
    return np.random.default_rng(7)


def test_t_test_agrees_with_scipy_on_every_column(dice):
    ours_QC, theirs_QC = dice.random((30, 4)), dice.random((30, 4))
    expected_C = stats.ttest_rel(ours_QC, theirs_QC).pvalue
    np.testing.assert_allclose(paired_t_test(ours_QC - theirs_QC), expected_C, rtol=1e-10)


def test_exact_randomisation_test_agrees_with_scipy(dice):
    differences = dice.normal(0.3, 1.0, size=10)
    expected = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert randomisation_test(differences) == pytest.approx(expected.pvalue)


def test_sampled_randomisation_test_is_near_the_exact_one(dice):
    differences = dice.normal(0.4, 1.0, size=12)
    exact = randomisation_test(differences, draws=2**12)
    sampled = randomisation_test(differences, draws=4095, seed=3)
    assert sampled == pytest.approx(exact, abs=0.03)
    assert sampled != exact, "one of the two did not take its own way"


def test_randomisation_test_and_t_test_agree_on_many_queries(dice):
    differences_QC = dice.normal([0.0, 0.1, 0.2], 1.0, size=(200, 3))
    np.testing.assert_allclose(randomisation_test(differences_QC), paired_t_test(differences_QC), atol=0.02)


def test_randomisation_p_is_never_zero_and_is_the_same_twice(dice):
    differences = np.full(100, 0.5)
    first = randomisation_test(differences, draws=999, seed=1)
    assert first == pytest.approx(1 / 1000)
    noise = dice.normal(0.1, 1, size=100)
    assert randomisation_test(noise, draws=500, seed=1) == randomisation_test(noise, draws=500, seed=1)


def test_a_chance_difference_is_rarely_called_significant(dice):
    differences_QC = dice.normal(0.0, 1.0, size=(40, 400))
    for p_C in (paired_t_test(differences_QC), randomisation_test(differences_QC, draws=999)):
        assert 0.02 < np.mean(p_C < 0.05) < 0.09


def test_no_difference_gives_one():
    zeros = np.zeros((20, 2))
    assert paired_t_test(zeros).tolist() == [1, 1]
    assert randomisation_test(zeros).tolist() == [1, 1]


def test_one_query_proves_nothing():
    assert np.isnan(paired_t_test(np.array([0.5])))
    assert randomisation_test(np.array([0.5])) == 1
    assert np.isnan(effect_size(np.array([0.5])))


def test_bootstrap_interval_of_a_normal_sample_is_near_its_formula(dice):
    values_QC = dice.normal([0.0, 5.0], [1.0, 2.0], size=(400, 2))
    low_C, high_C = bootstrap_interval(values_QC)
    error_C = 1.96 * values_QC.std(axis=0) / 20
    np.testing.assert_allclose(low_C, values_QC.mean(axis=0) - error_C, atol=0.02)
    np.testing.assert_allclose(high_C, values_QC.mean(axis=0) + error_C, atol=0.02)


def test_wider_level_gives_wider_interval(dice):
    values = dice.random(50)
    narrow, wide = bootstrap_interval(values, level=0.8), bootstrap_interval(values, level=0.99)
    assert wide[0] < narrow[0] < values.mean() < narrow[1] < wide[1]


def test_effect_size_without_spread_is_not_a_number():
    assert np.isnan(effect_size(np.full(5, 0.3)))


def test_the_spread_over_seeds_is_that_of_their_means():
    scores_SQ = np.array([[0.1, 0.9, 0.2], [0.3, 0.7, 0.8]])
    assert sd_over_seeds(scores_SQ) == pytest.approx(np.std([0.4, 0.6], ddof=1))
    assert np.isnan(sd_over_seeds(scores_SQ[:1]))


def test_seeds_do_not_pass_for_queries(dice):
    """Three equal seeds must not make a difference three times as certain."""
    one_seed = dice.normal(0.2, 1.0, size=(1, 30))
    assert paired_t_test(np.repeat(one_seed, 3, axis=0).mean(axis=0)) == pytest.approx(paired_t_test(one_seed[0]))


def test_holm_on_a_textbook_case():
    np.testing.assert_allclose(holm([0.01, 0.02, 0.03, 0.04]), [0.04, 0.06, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.04, np.nan, 0.01]), [0.04, np.nan, 0.02])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_the_raw_value_and_bonferroni_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert np.all(adjusted >= np.array(p_values))
    assert np.all(adjusted <= np.minimum(1, np.array(p_values) * len(p_values)) + 1e-12)
    assert np.all(np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0)


def test_what_strata_differ_by_is_no_chance():
    generator = np.random.default_rng(3)
    strata_Q = np.repeat(np.arange(4), 250)
    values_Q = np.array([0.2, 0.6, 0.3, 0.7])[strata_Q] + 0.01 * generator.standard_normal(1000)
    error = 0.01 / np.sqrt(1000)
    low, high = bootstrap_interval(values_Q, strata_Q=strata_Q)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.1)
    differences_Q = values_Q - np.array([0.2, 0.6, 0.3, 0.7])[strata_Q] + np.array([-1, 1, -1, 1])[strata_Q]
    shifted_Q = differences_Q + 2 * error - differences_Q.mean()
    assert float(paired_t_test(shifted_Q, strata_Q)) == pytest.approx(0.046, abs=0.01)  # two standard errors
    assert float(paired_t_test(shifted_Q)) > 0.9
    assert float(effect_size(shifted_Q, strata_Q)) == pytest.approx(2 / np.sqrt(1000), rel=0.1)


def test_small_strata_do_not_hide_how_much_queries_differ():
    values_Q = np.random.default_rng(5).standard_normal(60)
    alone_Q = np.arange(60)
    assert bootstrap_interval(values_Q, strata_Q=alone_Q) == bootstrap_interval(values_Q)
    assert paired_t_test(values_Q, alone_Q) == paired_t_test(values_Q)


def test_one_stratum_is_as_none():
    values_QC = np.random.default_rng(4).random((50, 2))
    one_Q = np.zeros(50)
    for function in (paired_t_test, effect_size, bootstrap_interval):
        np.testing.assert_array_equal(function(values_QC, strata_Q=one_Q), function(values_QC))
