"""The slice of MIRACL that TyDi QA's passages allow."""

import json

import pytest

from optical.errors import ConfigError
from support.corpora import write_lines
from support.prepared import prepare_collection


def test_miracl_slice_keeps_topics_that_are_tydi_questions(tmp_path):
    paragraphs = [
        {"context": "Ziwa ni kubwa.", "qas": [{"question": "Je, ziwa ni kubwa?"}]},
        {"context": "Ziwa lina samaki.", "qas": [{"question": "je ziwa ni kubwa"}, {"question": "Samaki wapi?"}]},
    ]
    (tmp_path / "tydi.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    block = {
        "reader": "miracl_swahili",
        "topics": write_lines(tmp_path / "topics.tsv", ["6\tJe,ziwa ni kubwa?", "8\tMlima upi?", "9\tSamaki wapi?"]),
        "passages": str(tmp_path / "tydi.json"),
    }
    counts = prepare_collection(block, ["sw"], tmp_path / "out")
    assert counts == {"documents": 2, "split": None, "queries": {"sw": 2}, "relevant": 3}
    with pytest.raises(ConfigError, match="has one language"):
        prepare_collection(block, ["sw", "so"], tmp_path / "out")
