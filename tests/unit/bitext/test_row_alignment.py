"""Rows whose sides do not belong together are found by measurement, in an invented language with known faults."""

import random

import numpy as np
import pytest

from optical.bitext.row_alignment import MINIMUM_ROWS, Run, anchors, check_alignment, length_correlation, viterbi

ROWS = 600


def invented_bitext(rows: int = ROWS, seed: int = 0) -> tuple[list[str], list[str]]:
    """English of random words, and its "translation": every word another one, some names and numbers kept."""
    chance = random.Random(seed)
    syllables = ["ba", "ke", "mi", "to", "ru", "san", "lo", "pre", "dun", "gi"]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(800)]
    lexicon = {word: "".join(chance.choices(["wa", "ye", "hu", "zo", "qi"], k=chance.randint(1, 4))) for word in words}
    names = [f"N{''.join(chance.choices(syllables, k=3))}" for _ in range(150)]
    english, foreign = [], []
    for _ in range(rows):
        sentence = chance.choices(words, k=chance.randint(3, 25))
        kept = chance.choices(names, k=chance.randint(0, 2)) + [str(chance.randint(2, 2030))] * chance.randint(0, 1)
        english.append(" ".join(sentence + kept))
        foreign.append(" ".join([lexicon[word] for word in sentence if chance.random() < 0.9] + kept))
    return english, foreign


def dropped_rows(runs: list[Run]) -> set[int]:
    return {row for run in runs for row in range(run.start, run.stop)}


@pytest.mark.parametrize("seed", range(3))
def test_clean_bitext_has_no_faulty_run(seed):
    found = check_alignment(*invented_bitext(seed=seed))
    assert found.checked
    assert found.runs == []
    assert found.separation > 0.5


@pytest.mark.parametrize("shift", [-3, -2, -1, 1, 2, 3])
def test_a_shifted_block_is_found_with_its_shift(shift):
    english, foreign = invented_bitext()
    block = foreign[200:400]
    foreign[200:400] = block[-shift:] + block[:-shift]  # row k now holds the translation of row k - shift
    found = check_alignment(english, foreign)
    assert max(found.runs, key=lambda run: run.stop - run.start).shift == shift
    dropped, faulty = dropped_rows(found.runs), set(range(200, 400))
    assert len(dropped & faulty) >= 0.97 * len(faulty)
    assert len(dropped - faulty) <= 4


@pytest.mark.parametrize("length", [12, 40, 150])
def test_a_scrambled_block_is_found(length):
    english, foreign = invented_bitext(seed=length)
    block = foreign[300 : 300 + length]
    foreign[300 : 300 + length] = block[length // 2 :] + block[: length // 2]
    dropped = dropped_rows(check_alignment(english, foreign).runs)
    faulty = set(range(300, 300 + length))
    assert len(dropped & faulty) >= 0.9 * length
    assert len(dropped - faulty) <= 4


def alike(seed):
    """A bitext with 20 rows that begin with one English word, which the other language has once, and elsewhere."""
    english, foreign = invented_bitext(rows=1500, seed=seed)
    ratio = sum(map(len, foreign)) / sum(map(len, english))
    sizes = [10 + 5 * (row % 4) for row in range(20)]
    english[300:300] = ["thought " + "ba " * size for size in sizes]
    foreign[300:300] = ["wahuza " + "ye " * round(size * ratio) for size in sizes]
    foreign[10] += " thoughtful"
    return english, foreign


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_begin_alike_are_aligned_where_their_lengths_say_so(seed):
    assert check_alignment(*alike(seed)).runs == []


@pytest.mark.parametrize("seed", range(3))
def test_rows_that_begin_alike_are_found_where_their_lengths_say_nothing(seed):
    english, foreign = alike(seed)
    foreign[300:320] = [foreign[300]] * 20
    assert dropped_rows(check_alignment(english, foreign).runs) >= set(range(302, 318))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kept", [range(0), range(0, 600, 7), range(0, 600, 5)])
def test_rows_without_one_side_count_neither_way(kept):
    english, foreign = invented_bitext()
    foreign = [text if row in kept else "" for row, text in enumerate(foreign)]
    found = check_alignment(english, foreign)
    assert (found.runs, found.checked) == ([], len(kept) >= MINIMUM_ROWS)


def test_more_faulty_than_good_rows_do_not_fool_the_estimate():
    english, foreign = invented_bitext()
    foreign[200:] = foreign[199:-1]
    dropped = dropped_rows(check_alignment(english, foreign).runs)
    assert len(dropped & set(range(200, ROWS))) >= 390
    assert len(dropped - set(range(200, ROWS))) <= 4


def test_a_file_that_is_shifted_as_a_whole():
    english, foreign = invented_bitext()
    found = check_alignment(english[:-1], foreign[1:])
    assert [run.shift for run in found.runs] == [-1]
    assert len(dropped_rows(found.runs)) == ROWS - 1


@pytest.mark.parametrize("rows", [120, ROWS])
def test_sides_that_have_nothing_to_do_with_each_other_are_refused_whole(rows):
    english, foreign = invented_bitext(rows)
    random.Random(1).shuffle(foreign)
    found = check_alignment(english, foreign)
    assert [(run.start, run.stop, run.shift) for run in found.runs] == [(0, rows, None)]


def test_too_few_rows_are_not_judged():
    english, foreign = invented_bitext(MINIMUM_ROWS - 1)
    assert check_alignment(english, foreign[::-1]) == check_alignment(english, foreign)
    assert not check_alignment(english, foreign).checked


def test_empty_sides_and_sentences_of_one_length_do_no_harm():
    english, foreign = invented_bitext()
    foreign[50:80] = [""] * 30
    assert check_alignment(english, foreign).runs == []
    check_alignment(["same words here"] * ROWS, ["auch hier gleich"] * ROWS)


def test_pieces_are_checked_apart_and_rows_keep_their_numbers(monkeypatch):
    english, foreign = invented_bitext(1200)
    foreign[700:900] = foreign[699:899]
    whole = check_alignment(english, foreign)
    monkeypatch.setattr("optical.bitext.row_alignment.PIECE_ROWS", 400)
    pieces = check_alignment(english, foreign)
    assert abs(len(dropped_rows(whole.runs) ^ dropped_rows(pieces.runs))) <= 6


def test_viterbi_finds_the_best_of_all_paths():
    generator = np.random.default_rng(0)
    evidence_NS, rate = generator.normal(size=(6, 3)) * 3, 0.1
    stay, change = np.log1p(-rate), np.log(rate / 2)

    def score(path):
        steps = [(0, path[0]), *zip(path, path[1:], strict=False)]
        return sum(stay if a == b else change for a, b in steps) + sum(evidence_NS[k, s] for k, s in enumerate(path))

    best = max(np.ndindex(*[3] * 6), key=score)
    assert tuple(viterbi(evidence_NS, rate)) == best


def test_anchors_and_length_correlation():
    assert anchors("İstanbul'da 1.500 kişi") & anchors("1500 people") == set()
    assert "prés" not in anchors("présidents") and "pres" in anchors("présidents")
    english, foreign = ["a" * n for n in (3, 9, 27, 81)], ["b" * n for n in (3, 9, 27, 81)]
    assert length_correlation(english, foreign, Run(0, 4, None, 0.0), 0) == 1.0
    assert length_correlation(english, ["x"] * 4, Run(0, 4, None, 0.0), 0) is None
