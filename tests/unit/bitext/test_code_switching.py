"""Swapped words are the dictionary's, stand where the English ones stood, and come out the same every time."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.bitext.code_switching import prune, switch_queries, switch_words
from optical.config.methods import Switch
from optical.text.words import WORD
from support.programs import Run, server

DICTIONARY = {"moon": {"mwezi": 0.7, "mwandamo": 0.3}, "river": {"mto": 1.0}, "the": {"ya": 0.05}}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["moon", "River", "the", "Nile", "école", "नदी", "42"]), max_size=12), st.integers())
def test_only_known_words_are_swapped_in_place(chosen, seed):
    text = ", ".join(chosen) + "!"
    dictionary = prune(DICTIONARY, 0.1)
    switched, swapped, words = switch_words(text, dictionary, 1.0, random.Random(seed))
    assert WORD.sub("_", switched) == WORD.sub("_", text), "what is between the words stays"
    assert words == len(WORD.findall(text))
    pairs = list(zip(WORD.findall(text), WORD.findall(switched), strict=True))
    assert swapped == sum(english.lower() in dictionary for english, _ in pairs)
    for english, foreign in pairs:
        assert foreign in dictionary.get(english.lower(), {english: 1.0})


def test_probability_decides_how_many_and_the_translation_table_which():
    text = " ".join(["moon"] * 4000)
    switched, swapped, words = switch_words(text, DICTIONARY, 0.25, random.Random(3))
    assert words == 4000 and swapped / words == pytest.approx(0.25, abs=0.03)
    assert switched.count("mwezi") / swapped == pytest.approx(0.7, abs=0.05)
    assert switch_words(text, DICTIONARY, 0.0, random.Random(3)) == (text, 0, 4000)


def test_the_seed_decides_and_unlikely_translations_are_left_out():
    queries = [(f"q{number}", "the moon over the river") for number in range(40)]
    once, again, other = (list(switch_queries(queries, DICTIONARY, Switch(seed=seed))) for seed in (1, 1, 2))
    assert once == again != other
    assert [row[0] for row in once] == [query_id for query_id, _ in queries]
    assert not any("ya" in row[1].split() for row in once)
    eager = switch_queries(queries, DICTIONARY, Switch(probability=1.0, minimum_probability=0.0))
    assert next(eager)[1].split()[0] == "ya"


def test_the_program_refuses_a_dictionary_of_other_words(tmp_path):
    (tmp_path / "queries.tsv").write_text("q1\twhere is the moon\nq2\tthe river\n")
    (tmp_path / "dictionary.tsv").write_text("moon\tmwezi\t0.9\nriver\tmto\t0.8\n")
    (tmp_path / "other.tsv").write_text("sun\tjua\t0.9\n")
    common = {"queries": tmp_path / "queries.tsv", "settings": "{probability: 1.0}"}
    runs = [
        Run(
            server(),
            "switch_queries",
            tmp_path / f"{name}.out",
            **common,
            dictionary=tmp_path / name,
            out=tmp_path / out,
        )
        for name, out in (("dictionary.tsv", "switched.tsv"), ("other.tsv", "none.tsv"))
    ]
    assert [run.wait() for run in runs] == [0, 1]
    assert (tmp_path / "switched.tsv").read_text() == "q1\twhere is the mwezi\nq2\tthe mto\n"
    assert "knows no word of the queries" in runs[1].output.read_text()
    assert not (tmp_path / "none.tsv").exists()
