"""What distance explains of a matrix is found where it was put, and no p is smaller than the languages allow."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import spearmanr

from optical.errors import DataError
from optical.evaluation.language_distances import descent, distance_rows, explained

SCRIPTS = {"en": "Latn", "de": "Latn", "fr": "Latn", "es": "Latn", "hi": "Deva", "th": "Thai"}
CELLS = [(one, other) for one in ("en", "de", "fr", "es", "hi") for other in ("de", "fr", "es", "hi", "th")]
CELLS = [(one, other) for one, other in CELLS if one != other]


def table(value):
    """Return a study's table whose cells are `value(source, target)`, and the contrary with fewer pairs."""
    common = {"collection": "c", "method": "optical", "measure": "AP"}
    rows = [
        common | {"source": one, "lang": other, "share": share, "mean": str(value(one, other) * sign)}
        for one, other in CELLS
        for share, sign in (("100", 1), ("12", -1))
    ]
    return [*rows, common | {"source": "en", "lang": "gap", "share": "100", "mean": "0.9"}]


def found(value):
    return {row["distance"]: row for row in distance_rows(table(value), "source", SCRIPTS)}


def test_the_distance_that_made_the_cells_explains_them_whatever_the_level_of_their_source():
    level = dict(zip(("en", "de", "fr", "es", "hi"), (5, 1, 4, 2, 3), strict=True))
    rows = found(lambda one, other: level[one] - 0.1 * descent(one, other))
    assert rows["descent"]["rho"] == pytest.approx(-1)
    assert rows["descent"]["cells"] == 21
    assert rows["descent, one script"]["rho"] == pytest.approx(-1)
    assert rows["descent, one script"]["cells"] == 9
    assert abs(rows["script"]["rho"]) < 0.95


def test_p_is_at_least_the_share_of_exchanges_that_change_no_distance():
    rows = found(lambda one, other: -descent(one, other))
    # English with German, French with Spanish, and the two branches with each other: 8 of 720
    assert rows["descent"]["p"] == rows["descent"]["least_p"] == pytest.approx(8 / 720)
    # four languages of one script, and the other two: 24 times 2 of 720; three ways to make pairs of four languages
    assert rows["script"]["least_p"] == pytest.approx(48 / 720)
    assert rows["descent, one script"]["p"] == rows["descent, one script"]["least_p"] == pytest.approx(1 / 3)


def test_of_cells_by_chance_p_is_as_often_small_as_it_says():
    langs = sorted(SCRIPTS)
    ways = [dict(zip(langs, order, strict=True)) for order in permutations(langs)]
    random = np.random.default_rng(1)
    p = [explained(dict(zip(CELLS, random.random(21), strict=True)), descent, ways)[1] for _ in range(60)]
    assert 0.3 < np.mean(np.array(p) <= 0.5) < 0.7
    assert min(p) > 0.01


def test_with_one_source_it_is_spearmans_correlation():
    values = {("en", other): value for other, value in zip(("de", "fr", "hi", "th"), (0.3, 0.4, 0.1, 0.2), strict=True)}
    rho, _, _ = explained(values, descent, [{lang: lang for lang in SCRIPTS}])
    assert rho == pytest.approx(spearmanr([1, 2, 2, 3], list(values.values())).statistic)


def test_nothing_is_said_of_cells_that_do_not_differ():
    assert all(np.isnan(value) for value in list(found(lambda one, other: 0.5)["script"].values())[5:])


def test_a_language_of_unknown_descent_is_named():
    row = {"collection": "c", "method": "m", "measure": "AP", "source": "en", "lang": "sw", "share": "100", "mean": "0"}
    with pytest.raises(DataError, match="'sw'"):
        distance_rows([row], "source", {"en": "Latn", "sw": "Latn"})
