"""Samples of sentence pairs: nested, in the old order, the same in any order; and the languages in equal parts."""

from hypothesis import given
from hypothesis import strategies as st

from optical.bitext.samples import mixed, sample

PAIRS = st.lists(st.tuples(st.text("abc", max_size=3), st.text("xyz", max_size=3)), min_size=1, unique=True)


@given(PAIRS, st.integers(1, 20), st.integers(1, 20))
def test_a_smaller_sample_is_part_of_a_larger_one_in_the_old_order(pairs, one, other):
    small, large = (sample(pairs, count) for count in sorted([one, other]))
    assert set(small) <= set(large)
    assert small == [pair for pair in pairs if pair in set(small)]
    assert len(small) == min(one, other, len(pairs))


@given(PAIRS, st.randoms(use_true_random=False), st.integers(1, 20))
def test_the_order_of_the_pairs_decides_nothing(pairs, random, count):
    shuffled = random.sample(pairs, len(pairs))
    assert set(sample(pairs, count)) == set(sample(shuffled, count))


@given(st.dictionaries(st.text("ab", min_size=1, max_size=3), PAIRS, min_size=1, max_size=5))
def test_every_language_has_as_many_pairs_as_the_median_and_repeats_them_evenly(pairs_of):
    count = sorted(map(len, pairs_of.values()))[(len(pairs_of) - 1) // 2]
    pairs = mixed(pairs_of)
    assert len(pairs) == count * len(pairs_of)
    for place, of_language in enumerate(pairs_of.values()):
        own = pairs[place * count : (place + 1) * count]
        times = [own.count(pair) for pair in set(own)]
        assert set(own) <= set(of_language)
        assert max(times) - min(times) <= 1
        assert len(times) == min(count, len(of_language)), "no pair comes again before all have come"
