"""Training sets with scores of a cross-encoder, in every form."""

import gzip
import json

import pytest

from optical.corpora.training_sets import read_candidates, read_scores
from optical.errors import ConfigError, DataError
from support.corpora import write_lines
from support.prepared import prepare_training_set
from support.scored import QUERIES, SCORES, TRIPLES, as_rows
from support.tiny_models import TEXTS


def examples():
    """Return the triples and their scores as ColBERTv2 has them."""
    given = {row[:2]: row[2] for row in SCORES}
    return [json.dumps([query, *([name, given[query, name]] for name in names)]) for query, *names in TRIPLES]


@pytest.fixture
def block(tmp_path):
    """Write a small training set with scores and return its block of the config."""
    return {
        "reader": "plain",
        "documents": write_lines(tmp_path / "d.tsv", [f"d{k}\t{text}" for k, text in enumerate(TEXTS)]),
        "queries": write_lines(tmp_path / "q.tsv", [f"q{k}\t{text}" for k, text in enumerate(QUERIES)]),
        "triples": write_lines(tmp_path / "t.tsv", ["\t".join(row) for row in TRIPLES]),
        "scores": write_lines(tmp_path / "s.tsv", as_rows(SCORES)),
    }


def test_both_forms_say_the_same(tmp_path):
    rows, lines = write_lines(tmp_path / "s.tsv", as_rows(SCORES)), write_lines(tmp_path / "examples.json", examples())
    assert list(read_scores(rows)) == list(read_scores(lines)) == SCORES
    triples = write_lines(tmp_path / "t.tsv", ["\t".join(row) for row in TRIPLES])
    assert list(read_candidates(triples)) == list(read_candidates(lines)) == [tuple(row) for row in TRIPLES]


def test_numbers_are_ids_and_scores_are_not_needed_for_triples(tmp_path):
    lines = write_lines(tmp_path / "triples.jsonl", ["[7, 12, 13]", "", "[8, [12, 0.5], 14]"])
    assert list(read_candidates(lines)) == [("7", "12", "13"), ("8", "12", "14")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1\td2", "line 2: query q1 and document d2 have no score"),
        ("q1\td2\t", "line 2: query q1 and document d2 have no score"),
        ("q1\td2\thigh", "line 2: query q1 and document d2 have no score"),
        ("q1\td2\tnan", "line 2: query q1 and document d2 have no score"),
        ("q1 d2 0.5", "line 2: query q1 d2 0.5 and document  have no score"),
        ('["q1", ["d1", 0.5], "d2"]', "line 2: query q1 and document d2 have no score"),
        ('["q1", ["d2", null]]', "line 2: query q1 and document d2 have no score"),
        ('["q1", ["d2", Infinity]]', "line 2: query q1 and document d2 have no score"),
        ('["q1", ["d2"]]', "line 2 is not an example"),
        ('["q1", ["d2", 0.5', "line 2 is not JSON"),
        ('["q1", [["d2"], 0.5]]', "line 2 is not an example"),
        ('[null, ["d2", 0.5]]', "line 2 is not an example"),
        ('["q1", []]', "line 2 is not an example"),
        ('["q1", ["d2", 1' + "0" * 400 + "]]", "line 2: query q1 and document d2 have no score"),
        ("q0\td9\t1\nq0\td9\t2", "line 3: query q0 and document d9 have two scores, 1.0 and 2.0"),
        ('{"q1": "d2"}', "line 2 is not an example"),
        ('["q1"]', "line 2 is not an example"),
    ],
)
def test_a_pair_without_a_score_is_named_with_its_file_and_line(block, tmp_path, line, message):
    first = examples()[0] if line[0] in "[{" else as_rows(SCORES)[0]
    path = write_lines(tmp_path / "bad", [first, line])
    with pytest.raises(DataError, match=message) as caught:
        prepare_training_set(block | {"scores": path}, tmp_path / "out")
    assert path in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_scores_of_what_is_not_in_the_training_set_are_left_out(block, tmp_path):
    more = [("q9", "d1", 1.0), ("q1", "d9", 1.0), *SCORES]
    with gzip.open(tmp_path / "s.tsv.gz", "wt") as file:
        file.writelines(f"{line}\n" for line in as_rows(more))
    counts = prepare_training_set(block | {"scores": str(tmp_path / "s.tsv.gz")}, tmp_path / "all")
    assert counts == {"documents": 5, "queries": 5, "triples": 5, "scores": 15}
    assert list(read_scores(tmp_path / "all/scores.tsv")) == SCORES
    assert prepare_training_set(block | {"max_triples": 1}, tmp_path / "one")["scores"] == 3


def test_examples_hold_triples_and_scores(block, tmp_path):
    path = write_lines(tmp_path / "examples.json", examples())
    prepare_training_set(block, tmp_path / "rows")
    prepare_training_set(block | {"triples": path, "scores": path}, tmp_path / "examples")
    for name in ("triples.tsv", "scores.tsv", "queries.tsv", "documents.jsonl"):
        assert (tmp_path / "rows" / name).read_bytes() == (tmp_path / "examples" / name).read_bytes()


def test_a_training_set_without_scores_has_none(block, tmp_path):
    counts = prepare_training_set({name: block[name] for name in block if name != "scores"}, tmp_path / "out")
    assert "scores" not in counts
    assert not (tmp_path / "out/scores.tsv").exists()


def test_scores_that_serve_nobody_are_refused(block, tmp_path):
    strangers = write_lines(tmp_path / "strangers.tsv", ["x\ty\t1.0"])
    with pytest.raises(DataError, match="not one score"):
        prepare_training_set(block | {"scores": strangers}, tmp_path / "out")
    with pytest.raises(ConfigError, match="swapped sides"):
        prepare_training_set(block | {"swap": True}, tmp_path / "out")
