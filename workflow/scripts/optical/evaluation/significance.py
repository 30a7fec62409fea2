"""Is one method better than another, or was it chance? Paired tests over queries, corrected over languages.

The unit of sampling is the query: the same queries are answered by both methods, so every test works on differences
per query. Several seeds are averaged per query first: two seeds of one query are not two independent queries, and
counting them twice would make chance look like a finding.

If languages have different queries, the number of queries of each language is fixed in a mean over languages.
`strata_Q` numbers these groups of queries. Only variation within a group counts as chance. Groups of few queries
are one.

Shapes: Q queries, C columns (methods, measures), S seeds, N random draws. Every function takes Q or QC arrays and works
on all columns with the same draws, so a whole table costs one matrix product per block of draws.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import stdtr

DRAWS_PER_BLOCK = 1000
SMALL = 5  # queries; a group of fewer is joined to other such ones
TIE = 1e-12  # sums of the same numbers in another order may differ by this much


def sd_over_seeds(scores_SQ: np.ndarray) -> float:
    """Return the standard deviation, over seeds, of the mean over queries; NaN where there is one seed only.

    >>> round(sd_over_seeds(np.array([[0.4, 0.6], [0.6, 0.8]])), 4)
    0.1414
    """
    means_S = np.asarray(scores_SQ).mean(axis=1)
    return float(means_S.std(ddof=1)) if len(means_S) > 1 else float("nan")


def paired_t_test(differences_QC: np.ndarray, strata_Q: np.ndarray | None = None) -> np.ndarray:
    """Return the two-sided p-value of Student's paired t-test of each column.

    No difference anywhere gives 1; fewer than two queries give NaN. The same constant difference for every query gives
    0, as the formula of the test says.

    >>> differences = np.array([1.0, 2.0, 3.0])  # t = 2 / (1 / sqrt(3)) with 2 degrees of freedom
    >>> round(float(paired_t_test(differences)), 5)
    0.07418
    """
    differences_QC = np.asarray(differences_QC, dtype=float)
    queries = len(differences_QC)
    mean_C = differences_QC.mean(axis=0)
    if queries < 2:
        return np.full_like(mean_C, np.nan)
    parts = _strata(queries, strata_Q)
    squares_C = sum(len(part) * differences_QC[part].var(axis=0, ddof=min(1, len(part) - 1)) for part in parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        t_C = np.abs(mean_C) / (np.sqrt(squares_C) / queries)
    return np.where(np.abs(mean_C) < TIE, 1.0, 2 * stdtr(max(queries - len(parts), 1), -t_C))


def _strata(queries: int, strata_Q: np.ndarray | None) -> list[np.ndarray]:
    """Return the indices of the queries of each stratum; all of them where nothing tells them apart.

    Small strata are one: so few queries would hide how much they differ, and a single one all of it.
    """
    strata_Q = np.zeros(queries, dtype=int) if strata_Q is None else np.asarray(strata_Q)
    _, number_Q, size_S = np.unique(strata_Q, return_inverse=True, return_counts=True)
    number_Q = np.where(size_S[number_Q] < SMALL, -1, number_Q)
    return [np.flatnonzero(number_Q == number) for number in np.unique(number_Q)]


def randomisation_test(differences_QC: np.ndarray, draws: int = 10_000, seed: int = 0) -> np.ndarray:
    """Return the two-sided p-value of the paired randomisation test of each column.

    If the methods were alike, each query's difference could as well have had the other sign: p is the share of sign
    patterns whose mean is at least as far from zero as the observed one (Fisher; for retrieval: Smucker et al. 2007).
    All patterns are tried where they are no more than `draws`; else `draws` random ones, with the observed one counted
    among them, so p is never 0 and never below 1 / (draws + 1).

    >>> float(randomisation_test(np.array([1.0, 2.0, 3.0])))  # 2 of 8 patterns: all plus, all minus
    0.25
    """
    return share_as_far(differences_QC, signed_sums(differences_QC, draws, seed))


def signed_sums(values_QC: np.ndarray, draws: int = 10_000, seed: int = 0) -> np.ndarray:
    """Return the sum of each column under each sign pattern, (N, C): all patterns, or `draws` random ones of more.

    The sums of a difference of two columns are differences of their sums, so one call serves all pairs of methods.
    """
    queries = len(values_QC)
    exact = queries < 60 and 2**queries <= draws
    patterns = _all_signs(queries) if exact else _random_signs(queries, draws, seed)
    return np.concatenate([signs_NQ @ np.asarray(values_QC, dtype=float) for signs_NQ in patterns])


def share_as_far(differences_QC: np.ndarray, sums_NC: np.ndarray) -> np.ndarray:
    """Return the p-value of `randomisation_test` from the `signed_sums` of the differences."""
    queries, patterns = len(differences_QC), len(sums_NC)
    observed_C = np.abs(np.sum(differences_QC, axis=0, dtype=float)) - TIE * queries
    count_C = (np.abs(sums_NC) >= observed_C).sum(axis=0)
    return count_C / patterns if patterns == 2**queries else (count_C + 1) / (patterns + 1)


def _all_signs(queries: int) -> Iterator[np.ndarray]:
    patterns_N = np.arange(2**queries)
    yield 1.0 - 2.0 * ((patterns_N[:, None] >> np.arange(queries)) & 1)


def _random_signs(queries: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(seed)
    for start in range(0, draws, DRAWS_PER_BLOCK):
        size = (min(DRAWS_PER_BLOCK, draws - start), queries)
        yield 1.0 - 2.0 * random.integers(0, 2, size=size, dtype=np.int8)


def bootstrap_interval(
    values_QC: np.ndarray,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
    strata_Q: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bootstrap percentile interval (low, high) of the mean over queries of each column.

    Given the differences of two methods it is the interval of their difference, with queries drawn in pairs. Each
    stratum is resampled on its own.

    >>> low, high = bootstrap_interval(np.array([0.0, 1.0] * 50))
    >>> bool(0.39 < low < 0.41 and 0.59 < high < 0.61)  # the mean 0.5 ± 1.96 standard errors of 0.05
    True
    """
    return percentile_interval(bootstrap_means(values_QC, draws, seed, strata_Q), level)


def bootstrap_means(
    values_QC: np.ndarray, draws: int = 10_000, seed: int = 0, strata_Q: np.ndarray | None = None
) -> np.ndarray:
    """Return the mean of each column over each draw of queries, (N, C).

    The means of a difference of two columns are differences of their means, so one call serves all pairs of methods.
    """
    values_QC = np.asarray(values_QC, dtype=float)
    queries = len(values_QC)
    parts = _strata(queries, strata_Q)
    random = np.random.default_rng(seed)
    means = []
    for start in range(0, draws, DRAWS_PER_BLOCK):
        block = min(DRAWS_PER_BLOCK, draws - start)
        means.append(sum(_drawn_sums(values_QC[part], block, random) for part in parts) / queries)
    return np.concatenate(means)


def percentile_interval(means_NC: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval (low, high) of each column that holds the share `level` of the draws."""
    low_C, high_C = np.quantile(means_NC, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low_C, high_C


def _drawn_sums(values_QC: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    queries = len(values_QC)
    drawn_NQ = random.integers(0, queries, size=(draws, queries)) + queries * np.arange(draws)[:, None]
    counts_NQ = np.bincount(drawn_NQ.ravel(), minlength=draws * queries).reshape(draws, queries)
    return counts_NQ.astype(float) @ values_QC


def effect_size(differences_QC: np.ndarray, strata_Q: np.ndarray | None = None) -> np.ndarray:
    """Return Cohen's d of paired differences: their mean in units of their standard deviation; NaN where that is 0.

    >>> float(effect_size(np.array([1.0, 2.0, 3.0])))
    2.0
    """
    differences_QC = np.asarray(differences_QC, dtype=float)
    mean_C = differences_QC.mean(axis=0)
    if len(differences_QC) < 2:
        return np.full_like(mean_C, np.nan)
    parts = _strata(len(differences_QC), strata_Q)
    squares_C = sum(len(part) * differences_QC[part].var(axis=0) for part in parts)
    sd_C = np.sqrt(squares_C / max(len(differences_QC) - len(parts), 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sd_C > TIE, mean_C / sd_C, np.nan)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjust p-values for having tested several languages (Holm 1979): compare the results with the usual 0.05.

    NaN (nothing tested) stays NaN and does not count as a test.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p_values, dtype=float)
    adjusted = np.full_like(raw, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * factors), 1.0)
    return adjusted
