import itertools
import os
import random
import shutil
import stat
import subprocess
import sys

import pytest

from optical.bitext.word_alignment import (
    align,
    align_ibm2,
    count_tables,
    grow_diag_final_and,
    read_bitext_words,
    read_lexical_table,
    write_lexical_table,
)
from optical.config.bitext import WordAlignment
from optical.errors import DataError, ResourceError
from support.workspace import ROOT

EFLOMAL = WordAlignment(aligner="eflomal")
SCRIPT = ROOT / "workflow/scripts/align_words.py"
ENGLISH = ["king", "queen", "house", "water", "tree", "red", "green", "old", "new", "big", "small"]
ENGLISH += ["road", "river", "bird", "stone"]
FOREIGN = {word: "f" + word[::-1] for word in ENGLISH}


def made_up_bitext(sentences=200, seed=3):
    """Sentences whose foreign side has the adjacent pairs of words swapped and a particle that translates nothing."""
    maker = random.Random(seed)
    pairs, gold = [], []
    for _ in range(sentences):
        english = maker.sample(ENGLISH, 6)
        order = [1, 0, 3, 2, 5, 4]
        foreign = [FOREIGN[english[i]] for i in order] + ["ya"]
        pairs.append((english, foreign))
        gold.append({(i, j) for j, i in enumerate(order)})
    return pairs, gold


@pytest.fixture(scope="module")
def bitext():
    return made_up_bitext()


def test_every_word_finds_its_translation(bitext):
    pairs, gold = bitext
    table, backward_table = count_tables(pairs, align(pairs, WordAlignment()))
    for english, foreign in FOREIGN.items():
        assert max(table[foreign], key=table[foreign].get) == english
        assert max(backward_table[english], key=backward_table[english].get) == foreign
        assert table[foreign][english] > 0.9


def test_links_are_the_true_ones_in_spite_of_the_other_order(bitext):
    pairs, gold = bitext
    for symmetrise, most in (("intersect", 0.02), ("grow-diag-final-and", 0.2)):
        found = align(pairs, WordAlignment(symmetrise=symmetrise))
        missed = sum(len(true - links) for true, links in zip(gold, found, strict=True))
        wrong = sum(len(links - true) for true, links in zip(gold, found, strict=True))
        assert missed <= 0.02 * 6 * len(pairs), symmetrise
        assert wrong <= most * 6 * len(pairs), symmetrise


def test_few_pairs_suffice_for_a_frequent_word():
    pairs, _ = made_up_bitext(sentences=15)
    table, _ = count_tables(pairs, align(pairs, WordAlignment()))
    right = sum(max(table[foreign], key=table[foreign].get) == english for english, foreign in FOREIGN.items())
    assert right >= 12


def test_pairs_with_an_empty_side_have_no_links_and_change_no_others(bitext):
    pairs, _ = bitext
    few = pairs[:40]
    mixed = [pair for each in few for pair in (each, (ENGLISH, []))]
    links = align(mixed, WordAlignment())
    assert links[::2] == align(few, WordAlignment())
    assert not any(links[1::2])
    assert align([([], ["a"])], WordAlignment()) == [set()]


def test_order_of_words_helps_where_words_always_occur_together():
    pairs = [(["new", "york"], ["nova", "eborac"])] * 20
    table, _ = count_tables(pairs, align(pairs, WordAlignment()))
    assert table == {"nova": {"new": 1.0}, "eborac": {"york": 1.0}}


def test_the_same_bitext_gives_the_same_links(bitext):
    pairs, _ = bitext
    assert align(pairs, WordAlignment()) == align(list(pairs), WordAlignment())


def test_directions_differ_in_who_may_stay_without_a_link():
    pairs = [(["king"], ["mfalme", "wa"])] * 5 + [(["king", "house"], ["mfalme", "nyumba"])] * 5
    by_foreign, by_english = align_ibm2(pairs, 8)
    assert all(len({j for _, j in links}) == len(links) for links in by_foreign), "one link a foreign word at most"
    assert all(len({i for i, _ in links}) == len(links) for links in by_english), "one link an English word at most"


def test_probabilities_are_counts_of_links_and_sum_to_one(bitext):
    pairs = [(["house", "home"], ["nyumba"]), (["house"], ["nyumba"]), (["king"], ["mfalme"])]
    table, backward_table = count_tables(pairs, [{(0, 0), (1, 0)}, {(0, 0)}, {(0, 0)}])
    assert table["nyumba"] == pytest.approx({"house": 2 / 3, "home": 1 / 3})
    assert backward_table["home"] == {"nyumba": 1.0}
    found = count_tables(bitext[0], align(bitext[0], WordAlignment()))
    assert all(sum(row.values()) == pytest.approx(1) for rows in found for row in rows.values())


def test_symmetrised_links_lie_between_intersection_and_union():
    cells = list(itertools.product(range(3), range(3)))
    maker = random.Random(5)
    for _ in range(200):
        forward, backward = ({cell for cell in cells if maker.random() < 0.4} for _ in range(2))
        links = grow_diag_final_and(forward, backward)
        assert forward & backward <= links <= forward | backward


def test_growing_adds_neighbours_and_the_final_step_only_words_without_a_link():
    assert grow_diag_final_and({(0, 0), (0, 1)}, {(0, 0)}) == {(0, 0), (0, 1)}, "a neighbour whose word has no link"
    assert grow_diag_final_and({(0, 0), (3, 3)}, {(0, 0), (3, 0)}) == {(0, 0), (3, 3)}, "both words must be free"


def test_table_survives_writing_and_reading(tmp_path):
    table = {"nyumba": {"house": 0.75, "home": 0.25}, "पाणी": {"water": 1.0}}
    assert write_lexical_table(tmp_path / "table.tsv", table) == 3
    assert (tmp_path / "table.tsv").read_text().splitlines()[0] == "nyumba\thouse\t0.750000"
    assert read_lexical_table(tmp_path / "table.tsv") == table


def test_bad_tables_and_empty_bitext_are_refused(tmp_path):
    (tmp_path / "table.tsv").write_text("nyumba\thouse\tlikely\n")
    with pytest.raises(DataError, match="is not a probability"):
        read_lexical_table(tmp_path / "table.tsv")
    (tmp_path / "bitext.tsv").write_text("...\t!!!\n")
    with pytest.raises(DataError, match="no sentence pair"):
        read_bitext_words(tmp_path / "bitext.tsv")


def test_more_than_memory_holds_is_aligned_in_parts(monkeypatch):
    english, foreign = ["the", "moon", "sun"], ["mwezi", "jua"]
    pairs = [(english, foreign), (english[1:2], foreign[:1]), (english[1:], foreign), (["a"] * 3, ["b"] * 3)] * 2
    monkeypatch.setattr("optical.bitext.word_alignment.MOST_CELLS", 24)
    in_parts = align(pairs, WordAlignment())
    assert len(in_parts) == len(pairs)
    monkeypatch.undo()
    assert in_parts == [*align(pairs[:4], WordAlignment()), *align(pairs[4:], WordAlignment())]


def test_eflomal_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ResourceError, match="pip install eflomal"):
        align([(["a"], ["b"])], EFLOMAL)


def put_on_path(monkeypatch, folder, body):
    """Put a command of the name and the arguments of eflomal's on the path."""
    command = folder / "eflomal-align"
    command.write_text(f"#!{sys.executable}\nimport sys\nnamed = dict(zip(sys.argv[1:], sys.argv[2:]))\n{body}\n")
    command.chmod(command.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_eflomal_gets_both_sides_and_its_links_are_read(monkeypatch, tmp_path):
    """The stand-in links word k to word k forwards, and only the first words backwards."""
    body = (
        "english, foreign = (open(named[option], encoding='utf-8').read().splitlines() for option in ('-s', '-t'))\n"
        "pairs = [range(min(len(e.split()), len(f.split()))) for e, f in zip(english, foreign)]\n"
        "open(named['-f'], 'w').writelines(' '.join(f'{k}-{k}' for k in pair) + '\\n' for pair in pairs)\n"
        "open(named['-r'], 'w').writelines('0-0\\n' for pair in pairs)"
    )
    put_on_path(monkeypatch, tmp_path, body)
    pairs = [(["red", "house"], ["लाल", "घर"]), (["king"], ["राजा"])]
    assert align(pairs, EFLOMAL.changed(symmetrise="union")) == [{(0, 0), (1, 1)}, {(0, 0)}]
    assert align(pairs, EFLOMAL.changed(symmetrise="intersect")) == [{(0, 0)}, {(0, 0)}]
    numbers = [([1, 2], [3, 4]), ([5], [6])]  # subwords, as the translator aligns them
    assert align(numbers, EFLOMAL.changed(symmetrise="intersect")) == [{(0, 0)}, {(0, 0)}]


def test_eflomal_that_fails_is_one_error_with_its_words(monkeypatch, tmp_path):
    put_on_path(monkeypatch, tmp_path, "sys.exit('out of memory')")
    with pytest.raises(ResourceError, match="status 1: out of memory"):
        align([(["a"], ["b"])], EFLOMAL)


@pytest.mark.skipif(shutil.which("eflomal-align") is None, reason="the command eflomal-align is not on the PATH")
def test_real_eflomal_finds_the_translations(bitext):
    pairs, _ = bitext
    table, _ = count_tables(pairs, align(pairs, EFLOMAL))
    right = sum(max(table[foreign], key=table[foreign].get) == english for english, foreign in FOREIGN.items())
    assert right >= 14


def test_program_writes_both_tables(tmp_path):
    pairs, _ = made_up_bitext(sentences=60)
    (tmp_path / "bitext.tsv").write_text("".join(f"{' '.join(pair[0])}\t{' '.join(pair[1])}\n" for pair in pairs))
    arguments = ["--bitext", "bitext.tsv", "--out", "table.tsv", "--out-backward", "backward.tsv"]
    done = subprocess.run(
        [sys.executable, SCRIPT, *arguments, "--settings", "{iterations: 5}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    table = read_lexical_table(tmp_path / "table.tsv")
    backward_table = read_lexical_table(tmp_path / "backward.tsv")
    assert max(table["fgnik"], key=table["fgnik"].get) == "king"
    assert max(backward_table["king"], key=backward_table["king"].get) == "fgnik"
