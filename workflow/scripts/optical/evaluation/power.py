"""Power of a test: how many queries a difference needs, and the exact interval of an accuracy.

Shapes: Q queries, N simulated tests.
"""

import numpy as np
from scipy.special import betaincinv, ndtri

from optical.evaluation.significance import paired_t_test

LEVEL, WANTED = 0.05, 0.8  # of the test, and the power that it is to have
MOST_QUERIES = 200_000
ROUNDS, TESTS_A_ROUND = 10, 50  # few tests at a time bound the memory
LADDER = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # times the queries at hand


def exact_interval(right: int, questions: int) -> tuple[float, float]:
    """Return the exact 95 % interval of an accuracy (Clopper and Pearson 1934).

    >>> [round(float(bound), 4) for bound in exact_interval(5, 10)]
    [0.1871, 0.8129]
    """
    tail = LEVEL / 2
    low = betaincinv(right, questions - right + 1, tail) if right else 0.0
    high = betaincinv(right + 1, questions - right, 1 - tail) if right < questions else 1.0
    return float(low), float(high)


def power(differences_Q: np.ndarray, queries: int) -> float:
    """Return how often a paired t-test on `queries` queries drawn from these finds their mean difference.

    Only the queries are resampled: the result leaves out how much another training seed would change the difference.

    >>> power(np.array([0.0, 1.0, 1.0, 1.0] * 50), 50)
    1.0
    """
    differences_Q = np.asarray(differences_Q, dtype=float)
    random = np.random.default_rng(0)
    significant = 0
    for _ in range(ROUNDS):
        drawn_QN = differences_Q[random.integers(0, len(differences_Q), size=(queries, TESTS_A_ROUND))]
        right_sign_N = np.sign(drawn_QN.mean(axis=0)) == np.sign(differences_Q.mean())
        significant += int(((paired_t_test(drawn_QN) < LEVEL) & right_sign_N).sum())
    return significant / (ROUNDS * TESTS_A_ROUND)


def queries_needed(differences_Q: np.ndarray) -> int | None:
    """Return the queries with which a difference like this is found with power `WANTED`; None beyond `MOST_QUERIES`.

    It tries the multiples in `LADDER` of the given number of queries, from half of what normally distributed
    differences would need. A mean of 0 gives None.

    >>> queries_needed(np.array([0.0, 1.0, 1.0, 1.0] * 5))
    20
    """
    if len(differences_Q) < 2 or not np.mean(differences_Q):
        return None
    quantiles = ndtri(1 - LEVEL / 2) + ndtri(WANTED)
    expected = (quantiles * np.std(differences_Q) / np.mean(differences_Q)) ** 2
    sizes = [len(differences_Q) * times for times in LADDER if len(differences_Q) * times <= MOST_QUERIES]
    sizes = [size for size in sizes if size > expected / 2]  # to simulate what must fail takes the most time
    return next((size for size in sizes if power(differences_Q, size) >= WANTED), None)
