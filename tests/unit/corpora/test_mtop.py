"""MTOP: utterances of the same wording or intent, as collection, triples and bitext."""

import json

import pytest

from optical.bitext.readers import read_bitext
from optical.config.bitext import BitextSource
from optical.corpora.mtop import mtop_pairs
from optical.errors import DataError
from support.corpora import rows_of
from support.prepared import prepare_collection, prepare_training_set


@pytest.fixture
def mtop(tmp_path):
    """Write three utterances of two intents; two of them read the same in English."""
    rows = [("1", "CALL", "ring Ann", "ruf Ann an"), ("2", "ALARM", "wake me", "weck mich")]
    rows += [("3", "CALL", "ring Ann", "Ann anrufen")]
    utterances = [
        {
            "id": key,
            "mr": {"slot_intent": {"en": f"[IN:{intent} ]", "de": f"[IN:{intent} ]"}},
            "question": {"en": en, "de": de},
        }
        for key, intent, en, de in rows
    ]
    (tmp_path / "mtop.json").write_text(json.dumps(utterances))
    return {"reader": "mtop", "utterances": str(tmp_path / "mtop.json")}


@pytest.mark.parametrize(
    ("settings", "relevant"),
    [
        ({}, {("1", "1"), ("1", "3"), ("2", "2"), ("3", "1"), ("3", "3")}),
        ({"document_language": "de"}, {("1", "1"), ("2", "2"), ("3", "3")}),
        (
            {"document_language": "de", "relevance": "intent"},
            {("1", "1"), ("1", "3"), ("2", "2"), ("3", "1"), ("3", "3")},
        ),
    ],
)
def test_mtop_relevance(mtop, tmp_path, settings, relevant):
    prepare_collection(mtop | settings, ["de"], tmp_path / "out")
    qrels = [line.split() for line in (tmp_path / "out/qrels.txt").open()]
    assert {(query, document) for query, _, document, _ in qrels} == relevant


def test_mtop_pairs_and_missing_languages(mtop, tmp_path):
    assert next(mtop_pairs(mtop["utterances"], "en", {"de", "deu"})) == ("ring Ann", "ruf Ann an")
    with pytest.raises(DataError, match="utterance 1 is not there in fi"):
        prepare_collection(mtop, ["fi"], tmp_path / "out")


def test_mtop_serves_as_bitext_between_any_two_of_its_languages(mtop):
    pairs = read_bitext(BitextSource(mtop=mtop["utterances"], english_side="de"), {"en", "eng"})
    assert [tuple(pair[:2]) for pair in pairs][1] == ("weck mich", "wake me")
    with pytest.raises(DataError, match="no utterances in fi"):
        list(read_bitext(BitextSource(mtop=mtop["utterances"]), {"fi"}))


def test_mtop_triples_join_an_intent_and_part_two(mtop, tmp_path):
    block = {"reader": "mtop", "utterances": mtop["utterances"], "language": "de", "triples_each": 2}
    prepare_training_set(block, tmp_path / "all")
    assert sorted(rows_of(tmp_path / "all/triples.tsv")) == [["1", "3", "2"]] * 2 + [["3", "1", "2"]] * 2
    held_out = tmp_path / "test.json"
    held_out.write_text(json.dumps([{"id": "9", "question": {"de": "Weck mich!"}}]))
    with pytest.raises(DataError):  # without the utterance of the other intent there is nothing to tell apart
        prepare_training_set(block | {"held_out": [str(held_out)]}, tmp_path / "few")
