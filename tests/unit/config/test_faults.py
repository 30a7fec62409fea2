"""A fault of a config comes as one line that names the key, the value and what would be right."""

import copy
from pathlib import Path

import pytest
import yaml

from optical.config.base import Settings
from optical.config.experiment import Config
from optical.errors import ConfigError

ROOT = Path(__file__).parents[3]
CONFIG = (ROOT / "config/config.yaml").read_text(encoding="utf-8")
PARTIAL = "collection_table.atlas.partial_qrels"
PLAIN = {"reader": "plain", "documents": "d.jsonl", "queries": "q.tsv", "qrels": "qrels.txt"}


def fault_of(changes):
    """Return how the default experiment with changes is refused."""
    config = yaml.safe_load(CONFIG)
    for path, value in changes.items():
        *blocks, key = path.split("/")
        place = config
        for block in blocks:
            place = place.setdefault(block, {})
        place[key] = copy.deepcopy(value)
    with pytest.raises(ConfigError) as caught:
        Config.read(config)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "what", "where", "hint"),
    [
        # names of keys
        ({"langauges": ["sw"]}, "unknown key 'langauges'", "config", "did you mean languages?"),
        ({"student/step": 5}, "unknown key 'step'", "student", "did you mean steps?"),
        ({"student/seed": 5}, "unknown key 'seed'", "student", "known are"),
        ({"method_table/optical/transport": {"beta": 1}}, "'beta'", "method_table.optical.transport", "iterations"),
        ({"method_table/bm25/lexical": {"k2": 4}}, "unknown key 'k2'", "method_table.bm25.lexical", "known are b"),
        ({"bitext/zu": [{"file": "a.tsv"}]}, "unknown key 'file'", "bitext.zu[0]", "pairs"),
        ({"bitext/zu": [{"pair": "a.tsv"}]}, "unknown key 'pair'", "bitext.zu[0]", "did you mean pairs?"),
        ({"collection_table/atlas/split": {"strid": 9}}, "'strid'", "collection_table.atlas.split", "mean stride?"),
        ({"collection_table/atlas/document": "a"}, "'document'", "collection_table.atlas", "mean documents?"),
        (
            {"method_table/optical/objectives": {"contrastiv": 1}},
            "unknown key 'contrastiv'",
            "method_table.optical.objectives",
            "did you mean contrastive?",
        ),
        # names that the user gives
        ({"method_table/a;b": {"kind": "lexical"}}, "'a;b' does not have", "method_table", "letters, digits and ."),
        ({"method_table/teacher": {"kind": "lexical"}}, "'teacher' does not have", "method_table", "are folders"),
        ({"method_table/shared": {"kind": "lexical"}}, "'shared' does not have", "method_table", "are folders"),
        ({"collection_table/my set": PLAIN}, "'my set' does not", "collection_table", "letters, digits and . _ + -"),
        ({"atlas/text": {"zu": 9}}, "'zu' is not one of en, sw, so", "atlas.text", "lines of pre-training text"),
        ({"language_table/zulu": {}}, "'zulu' does not have", "language_table", "two or three small letters"),
        ({"bitext/Zulu": []}, "'Zulu' does not have", "bitext", "a language's code"),
        ({"bitext": {False: []}}, "false is not text", "bitext", 'such as "no"'),
        ({"student": {1: 2}}, "unknown key 1", "student", "known are accumulation"),
        # what is missing
        ({"method_table/mine": {}}, "'kind' is missing", "method_table.mine", "one of english, teacher"),
        ({"method_table/mine": {"kind": "distilled"}}, "'objectives' is missing", "method_table.mine", "learns some"),
        ({"method_table/optical/objectives": {}}, "no objective", "method_table.optical.objectives", "with its weight"),
        ({"method_table/mmarco/training_set": {}}, "'reader' is", "method_table.mmarco.training_set", "are afriqa, ir"),
        ({"collection_table/x": {"reader": "plain"}}, "'documents' is missing", "collection_table.x", "JSON lines"),
        ({"collection_table/x": PLAIN | {"qrels": None}}, "'qrels' is missing", "collection_table.x", "give queries"),
        ({"collection_table/x": {"reader": "ir_datasets"}}, "neither 'id' nor", "collection_table.x", "give id, or"),
        (
            {"teacher/training_set": {"reader": "plain", "documents": "a", "queries": "b"}},
            "'triples' is missing",
            "teacher.training_set",
            "or qrels",
        ),
        ({"bitext/zu": [{"name": "x"}]}, "no file of sentence pairs", "bitext.zu[0]", "give {pairs: FILE}"),
        ({"bitext/zu": [{"english": "x"}]}, "no file of sentence pairs", "bitext.zu[0]", "foreign: FILE"),
        # words to choose from
        ({"collection_table/x": {"reader": ["plain"]}}, "unknown reader", "collection_table.x", "mean plain?"),
        ({"collection_table/x": {"reader": "plan"}}, "unknown reader 'plan'", "collection_table.x", "mean plain?"),
        ({"transport/solver": "magic"}, "'magic' is not one of sinkhorn,", "transport.solver", "how the plan is found"),
        ({"machine/precision": "fp16"}, "'fp16' is not one of fp32, bf16, auto", "machine.precision", "matrix"),
        ({"search/pruned": {"bits": 3}}, "3 is not one of 1, 2, 4, 8", "search.pruned.bits", "bits that the index"),
        ({"student/sides": ["both"]}, "'both' is not one of query, document", "student.sides[0]", "distilled"),
        (
            {"method_table/x": {"kind": "mse"}},
            "'mse' is not one of english",
            "method_table.x.kind",
            "a student trained",
        ),
        # types and bounds
        ({"student/learning_rate": "fast"}, "'fast' is not a number above 0", "student.learning_rate", "maximum"),
        ({"student/learning_rate": float("nan")}, "nan is not a number", "student.learning_rate", "maximum"),
        ({"student/weight_decay": float("inf")}, "inf is not a number", "student.weight_decay", "AdamW"),
        ({"student/steps": True}, "true is not a whole number from 1", "student.steps", "optimiser steps"),
        ({"student/steps": 1.5}, "1.5 is not a whole number from 1", "student.steps", "optimiser steps"),
        ({"student/steps": 10**30}, "a number of 31 digits", "student.steps", "at most 18"),
        ({"teacher/steps": 0}, "0 is not a whole number from 1", "teacher.steps", "optimiser steps"),
        ({"teacher/dropout": 1}, "1 is not a number from 0 below 1 or null", "teacher.dropout", "encoder's own"),
        (
            {"method_table/bm25/lexical": {"b": 2}},
            "2 is not a number from 0 to 1",
            "method_table.bm25.lexical.b",
            "length",
        ),
        (
            {"collection_table/atlas/partial_qrels": "no"},
            "'no' is not true or",
            PARTIAL,
            "drop",
        ),
        ({"collection_table/atlas/partial_qrels": 1}, "1 is not true or", PARTIAL, "drop"),
        (
            {"method_table/optical/objectives": {"contrastive": {"temperature": "hot"}}},
            "'hot' is not a number above 0",
            "method_table.optical.objectives.contrastive.temperature",
            "divides the scores",
        ),
        (
            {"method_table/optical/objectives": {"contrastive": "much"}},
            "'much' is not a number or map",
            "method_table.optical.objectives.contrastive",
            "highest among",
        ),
        ({"student": [1]}, "[1] is not a map", "student", "training of a student"),
        ({"teacher": None}, "null is not a map", "teacher", "late-interaction model"),
        ({"bitext/sw": "a.tsv"}, "'a.tsv' is not a list of maps", "bitext.sw", "sentence pairs"),
        # a list in place of text
        ({"results": ["results"]}, "['results'] is not text", "results", "folder for all output"),
        ({"reference": ["mse"]}, "['mse'] is not text", "reference", "tested against"),
        ({"encoder/source": ["a", "b"]}, "['a', 'b'] is not text", "encoder.source", "Hugging Face"),
        ({"bitext/sw": [{"pairs": ["a"]}]}, "['a'] is not text or null", "bitext.sw[0].pairs", "english<TAB>foreign"),
        (
            {"collection_table/x": PLAIN | {"documents": ["a"]}},
            "['a'] is not text",
            "collection_table.x.documents",
            "JSON",
        ),
        (
            {"collection_table/x": PLAIN | {"queries": {"sw": 3}}},
            "3 is not text",
            "collection_table.x.queries.sw",
            "one file per",
        ),
        ({"pretraining/text": [["a"]]}, "['a'] is not text", "pretraining.text[0]", "one text per line"),
        ({"language_table/sw": {"ebible": ["a"]}}, "['a'] is not text", "language_table.sw.ebible", "other columns"),
        # forms
        ({"languages": []}, "the list is empty", "languages", "columns of the table"),
        ({"languages": ["Swahili"]}, "'Swahili' does not have the right form", "languages[0]", "such as sw"),
        ({"languages": ["sw", False]}, "false is not text", "languages[1]", 'such as "no"'),
        ({"results": "/tmp/out"}, "does not have the right form", "results", "folder for all output"),
        ({"results": "results/models/x"}, "does not have the right form", "results", "except the shared ones"),
        ({"results": "results/x/teacher"}, "does not have the right form", "results", "except the shared ones"),
        ({"machine/device": "gpu"}, "'gpu' does not have", "machine.device", "auto, cpu, cuda"),
        ({"measures": ["AP", "nDGC@10"]}, "'nDGC@10' does not have", "measures[1]", "such as AP, nDCG@10"),
        ({"measures": ["AP", "RR", "AP"]}, "'AP' is in the list twice", "measures", "notation of ir_measures"),
        ({"bitext_curve/shares": [3, 10, 3.0]}, "3.0 is in the list twice", "bitext_curve.shares", "per cent"),
        ({"seeds": ["1", 1]}, "1 is in the list twice", "seeds", "one student per"),
        ({"encoder/revision": "main"}, "'main' does not have", "encoder.revision", "40 hexadecimal digits"),
        ({"encoder/revision": {"sw": "main"}}, "'main' does not have", "encoder.revision.sw", "40 hexadecimal digits"),
        (
            {"language_table/zh": {"script": "Hanz"}},
            "unknown script 'Hanz'",
            "language_table.zh.script",
            "such as Latn",
        ),
        (
            {"language_table/zh": {"resource": "poor"}},
            "'poor' is not one of low, high",
            "language_table.zh.resource",
            "which mean",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_fault_names_key_value_and_remedy(changes, what, where, hint):
    error = fault_of(changes)
    assert what in error.what
    assert error.where == where
    assert hint.lower() in error.hint.lower()
    assert "\n" not in str(error)
    assert len(error.what) < 200


def test_a_long_value_is_cut():
    assert fault_of({"teacher/source": ["a" * 500]}).what.startswith("['aaa")
    assert len(fault_of({"teacher/source": ["a" * 500]}).what) < 80


def test_a_misspelt_key_is_named_before_the_one_that_it_leaves_missing():
    error = fault_of({"method_table/mine": {"knid": "lexical"}})
    assert (error.what, error.hint) == ("unknown key 'knid'", "did you mean kind?")


def test_the_block_of_a_program_is_named_as_its_caller_says():
    from optical.config.training import DistillationSettings

    with pytest.raises(ConfigError) as caught:
        DistillationSettings.read({"objectives": {"contrastive": 1}, "steps": 0}, "settings")
    assert caught.value.where == "settings.steps"


def test_a_block_without_source_is_explained_too():
    block = type("Mine", (Settings,), {"__annotations__": {"size": int}, "__module__": "nowhere"})
    with pytest.raises(ConfigError) as caught:
        block.read({"size": "big"}, "mine")
    assert str(caught.value) == "'big' is not a whole number [mine.size]. Hint: see config/README.md"
