"""Shares of the sentence pairs are nested and fair, and so is the pair that is drawn."""

from argparse import Namespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import align_sentences
import sample_bitext
from optical.errors import ConfigError, DataError
from optical.files import read_rows, write_rows

PAIRS = [(f"sentence {number}", f"sentensi {number}") for number in range(200)]


def sample(folder, share, pairs=PAIRS):
    write_rows(folder / "train.tsv", pairs)
    sample_bitext.main(Namespace(bitext=folder / "train.tsv", share=share, out=folder / f"{share}.tsv"))
    return [tuple(row) for row in read_rows(folder / f"{share}.tsv", 2)]


def test_a_smaller_share_is_part_of_a_larger_one_in_the_old_order(tmp_path):
    three, thirty, all_of_them = (sample(tmp_path, share) for share in (3, 30, 100))
    assert (len(three), len(thirty)) == (6, 60)
    assert set(three) < set(thirty)
    assert all_of_them == PAIRS
    assert thirty == [pair for pair in PAIRS if pair in set(thirty)]


def test_the_order_of_the_bitext_decides_nothing(tmp_path):
    assert set(sample(tmp_path, 10)) == set(sample(tmp_path, 10, PAIRS[::-1]))


def test_a_share_is_no_stretch_of_the_file(tmp_path):
    places = [PAIRS.index(pair) for pair in sample(tmp_path, 10)]
    assert min(places) < 60
    assert max(places) > 140


@given(st.integers(1, 10_000), st.floats(0.001, 100))
def test_a_share_has_at_least_one_pair_and_no_more_than_there_are(pairs, share):
    assert 1 <= sample_bitext.size(pairs, share) <= pairs


@pytest.mark.parametrize("share", [0, -1, 101])
def test_an_impossible_share_is_refused(tmp_path, share):
    with pytest.raises(ConfigError, match="share"):
        sample(tmp_path, share)


def test_no_pairs_are_named(tmp_path):
    with pytest.raises(DataError, match="no sentence pairs"):
        sample(tmp_path, 10, [])


def test_the_pair_that_is_drawn_is_the_first_of_fair_length():
    short, fair, later = ("a b", "c d"), ("a b c d e", "f g h i j k"), ("v w x y z", "v w x y z")
    assert align_sentences.pick_pair([short, fair, later], "") == (2, *fair)
    assert align_sentences.pick_pair([short], "") == (1, *short)
    with pytest.raises(DataError, match="no held-out"):
        align_sentences.pick_pair([], "dev.tsv")
