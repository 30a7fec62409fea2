"""Collections and training sets as strangers publish them: read as they should be or refused in one line."""

import json

import pytest

from optical.config.tables import Dataset
from optical.corpora.clef import read_sgml, read_topics
from optical.errors import ConfigError, DataError, OpticalError, ResourceError
from optical.fetch.download import fetch
from support.cases import CASES, needs_cases
from support.prepared import prepare_collection, prepare_training_set

pytestmark = needs_cases

LATIN = "iso-8859-1"
FIELDS = ("title", "description")
SECOND = {"id": "GH950102-000000", "text": "Goats crossed the road."}


def collection(**files):
    """Return a block of the plain reader: the given files, and the valid ones for the rest."""
    named = {"documents": "docs.jsonl", "queries": "q.sw.tsv", "qrels": "qrels.txt"} | files
    paths = {key: str(CASES / "collection" / name) for key, name in named.items()}
    return {"reader": "plain"} | paths | {"queries": {"sw": paths["queries"]}}


def training(**files):
    named = {"documents": "docs.tsv", "queries": "q.tsv"} | files
    return {"reader": "plain"} | {key: str(CASES / "training" / name) for key, name in named.items()}


def test_the_whole_collection_is_read_and_a_document_without_text_is_skipped(tmp_path, caplog):
    assert prepare_collection(collection(), ["sw"], tmp_path / "out")["documents"] == 3
    counts = prepare_collection(collection(documents="emptydoc.jsonl"), ["sw"], tmp_path / "empty")
    assert counts["documents"] == 3
    assert "1 of 4 documents are skipped: they have no text, as d4" in caplog.text


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"documents": "bigint.jsonl"}, "line 1 holds a number of too many digits"),
        ({"qrels": "qrels.float"}, "the grade 0.5 is not a whole number"),
        ({"qrels": "qrels.huge"}, "the grade 9{20} is not a whole number"),
        ({"queries": "q.tab.tsv"}, "line 1 has 3 columns, not two"),
    ],
)
def test_a_faulty_collection_is_refused(tmp_path, files, what):
    with pytest.raises(DataError, match=what):
        prepare_collection(collection(**files), ["sw"], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("key", ["documents", "qrels", "triples"])
def test_a_list_where_one_file_is_read_is_refused_before_any_job(tmp_path, key):
    with pytest.raises(ConfigError, match="is not text"):
        if key == "triples":
            prepare_training_set(training() | {key: [str(CASES / "training/triposneg.tsv")]}, tmp_path / "out")
        prepare_collection(collection() | {key: [collection()[key]]}, ["sw"], tmp_path / "out")


@pytest.mark.parametrize("name", ["afriqa-second-row-lacks-a-key.jsonl", "docs.jsonl", "qrels.txt"])
def test_a_wrong_file_of_a_known_data_set_is_refused(tmp_path, name):
    file = str(CASES / "collection" / name)
    both = {"sw": file, "en": file}
    blocks = [
        {"reader": "afriqa", "questions": {"sw": file}},
        {"reader": "belebele", "questions": both},
        {"reader": "choices", "questions": both},
        {"reader": "choices", "questions": both, "form": "belebele"},
        {"reader": "mtop", "utterances": file},
        {"reader": "miracl_swahili", "topics": {"sw": str(CASES / "collection/q.sw.tsv")}, "passages": file},
    ]
    for block in blocks:
        with pytest.raises(OpticalError) as caught:
            prepare_collection(block, ["sw"], tmp_path / "out")
        assert "\n" not in str(caught.value) and name in str(caught.value)


def test_negatives_do_not_depend_on_the_order_of_judgements(tmp_path):
    prepare_training_set(training(qrels="qrels.mixed") | {"negatives": 1}, tmp_path / "out")
    assert (tmp_path / "out/triples.tsv").read_text() == "1\t12\t10\n2\t11\t13\n"


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"qrels": "qrels.contra"}, "query 1, document 12 is judged twice, 1 and 0"),
        ({"triples": "triposneg.tsv"}, "triple 1 of query 1 has document 12 as relevant and as not"),
        ({"qrels": "qrels.mixed", "scores": "scdup.tsv"}, "query 1 and document 12 have two scores, 9.5 and 3.5"),
        ({"qrels": "qrels.mixed", "queries": "qempty.tsv"}, "query 1 has no text"),
        ({"triples": "cbsurr.json"}, "line 1 holds half of a character"),
    ],
)
def test_a_faulty_training_set_is_refused(tmp_path, files, what):
    with pytest.raises(DataError, match=what):
        prepare_training_set(training(**files), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ok", "It rained in Fresno."),
        ("attr", "It rained in Fresno."),
        ("utf8bom", "It rained in Málaga."),
        ("entity", "It rained-hard <b> • ’quoted’ Café 5 < 6 and 7 > 2 in Fresno."),
    ],
)
def test_documents_of_clef(name, text):
    first = {"id": "LA010194-0001", "text": text, "title": "Rain & wind"}
    assert list(read_sgml(CASES / "clef" / name / "a.sgml", LATIN)) == [first, SECOND]


def test_topics_of_clef():
    assert read_topics(CASES / "clef/top.utf8bom", FIELDS, LATIN) == [("C001", "Mvua é Tafuta.")]
    with pytest.raises(DataError, match="its encoding 'x-foo' is unknown"):
        read_topics(CASES / "clef/top.xmlbad", FIELDS, LATIN)
    with pytest.raises(DataError, match="its encoding 'latin9000' is unknown"):
        list(read_sgml(CASES / "clef/ok/a.sgml", "latin9000"))


@pytest.mark.parametrize("line", ["[" * 100_000, '{"id": "d", "text": ' + "[" * 100_000])
def test_json_of_absurd_depth(tmp_path, line):
    (tmp_path / "deep.jsonl").write_text(json.dumps({"id": "d", "text": "x"}) + f"\n{line}\n")
    with pytest.raises(DataError, match="line 2 is nested too deeply"):
        prepare_collection(collection() | {"documents": str(tmp_path / "deep.jsonl")}, ["sw"], tmp_path / "out")


def test_an_address_that_is_none(tmp_path):
    dataset = Dataset("a", "1", "http://[::1", "-", "-", "CC0", "text", "")
    with pytest.raises(ResourceError, match=r"not an address.*\[http://\[::1\]"):
        fetch(dataset, tmp_path / "a", lock=tmp_path / "lock")
