"""Choose sentence pairs by a checksum of their text: nothing depends on their order, and nothing is drawn at random."""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from statistics import median_low

Row = Sequence[str]  # of a file of sentence pairs: English, foreign


def rank(pair: Row) -> bytes:
    """Return a number that follows from the text of a pair alone and is as good as random."""
    return hashlib.sha256("\t".join(pair).encode()).digest()


def sample(pairs: Sequence[Row], count: int) -> list[Row]:
    """Return `count` pairs in their old order; every smaller sample is part of the larger ones."""
    chosen = sorted(sorted(range(len(pairs)), key=lambda place: rank(pairs[place]))[:count])
    return [pairs[place] for place in chosen]


def mixed(pairs_of: Mapping[str, Sequence[Row]]) -> list[Row]:
    """Return the pairs of several languages, as many of each as the median language has.

    Languages with more lose some. The pairs of languages with fewer are repeated, so that a batch has as much of them.

    >>> pairs_of = {"so": [("one", "kow")], "sw": [("one", "moja"), ("two", "mbili")], "fi": [("one", "yksi")] * 3}
    >>> [foreign for _, foreign in mixed(pairs_of)]
    ['kow', 'kow', 'moja', 'mbili', 'yksi', 'yksi']
    """
    count = median_low(map(len, pairs_of.values()))
    return [pair for pairs in pairs_of.values() for pair in islice(cycle(sample(pairs, count)), count)]
