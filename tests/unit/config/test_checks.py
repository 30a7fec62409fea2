"""Faults of a config come as one line that names the key, the value and the remedy."""

import copy
import re

import jsonschema
import pytest
import yaml

from optical.config.checks import check_file, check_names, explain, nearest, objective_names, typed
from optical.errors import ConfigError
from support.workspace import ROOT

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
CONFIG = (ROOT / "config/config.yaml").read_text(encoding="utf-8")


def fault_of(changes):
    """Return how the default experiment with changes is refused."""
    config = yaml.safe_load(CONFIG)
    for path, value in changes.items():
        *blocks, key = path.split("/")
        place = config
        for block in blocks:
            place = place[block]
        place[key] = copy.deepcopy(value)
    config = typed(config, SCHEMA, SCHEMA)
    with pytest.raises(jsonschema.ValidationError) as caught:
        jsonschema.validate(config, SCHEMA)
    return explain(caught.value)


def test_the_default_experiment_has_no_fault():
    jsonschema.validate(yaml.safe_load(CONFIG), SCHEMA)


@pytest.mark.parametrize(
    ("changes", "what", "where", "hint"),
    [
        ({"langauges": ["sw"]}, "unknown key 'langauges'", "config", "did you mean languages?"),
        ({"method_table/a;b": {"kind": "lexical"}}, "'a;b' does not match", "method_table", "letters, digits and ."),
        ({"collection_table/my set": {"reader": "plain"}}, "'my set' does", "collection_table", "a letter or digit"),
        ({"student/step": 5}, "unknown key 'step'", "student", "did you mean steps?"),
        ({"method_table/optical/transport": {"beta": 1}}, "'beta'", "method_table.optical.transport", "iterations"),
        ({"student/learning_rate": "fast"}, "'fast' is not of type 'number'", "student.learning_rate", "highest"),
        ({"languages": []}, "non-empty", "languages", "columns of the table"),
        ({"languages": ["Swahili"]}, "'Swahili' does not match", "languages[0]", ""),
        ({"teacher/steps": 0}, "0 is less than the minimum of 1", "teacher.steps", "optimiser steps"),
        ({"transport/solver": "magic"}, "'magic' is not one of", "transport.solver", "how the plan is found"),
        ({"method_table/mine": {"objectives": {}}}, "'kind' is a required property", "method_table.mine", "README"),
        ({"bitext/zu": [{"file": "a.tsv"}]}, "unknown key 'file'", "bitext.zu[0]", "pairs"),
        (
            {"method_table/mmarco/training_set": {}},
            "'reader' is a required",
            "method_table.mmarco.training_set",
            "README",
        ),
        ({"collection_table/atlas/split": {"strid": 9}}, "'strid'", "collection_table.atlas.split", "mean stride?"),
        ({"results": "/tmp/out"}, "does not match", "results", "folder of everything"),
        ({"machine/precision": "fp16"}, "'fp16' is not one of", "machine.precision", ""),
        ({"machine/device": "gpu"}, "'gpu' does not match", "machine.device", "auto, cpu, cuda"),
        ({"measures": ["AP", "RR", "AP"]}, "'AP'] has non-unique elements", "measures", "notation of ir_measures"),
        ({"bitext_curve/shares": [3, 10, 3.0]}, "non-unique", "bitext_curve.shares", "per cent of the sentence pairs"),
        ({"measures": ["AP", "nDGC@10"]}, "'nDGC@10' does not match", "measures[1]", "such as AP, nDCG@10"),
        ({"method_table/mine": {"kind": "distilled"}}, "'objectives' is a required", "method_table.mine", "README"),
        ({"method_table/optical/objectives": {}}, "non-empty", "method_table.optical.objectives", "weights"),
        (
            {"method_table/optical/objectives": {"contrastive": {"temperature": "hot"}}},
            "'hot' is not of type 'number'",
            "method_table.optical.objectives.contrastive.temperature",
            "setting of the objective",
        ),
        ({"collection_table/atlas/partial_qrels": "no"}, "'no'", "collection_table.atlas.partial_qrels", "leave out"),
        ({"method_table/bm25/lexical": {"k2": 4}}, "unknown key 'k2'", "method_table.bm25.lexical", "known are b"),
        ({"method_table/bm25/lexical": {"b": 2}}, "2 is greater", "method_table.bm25.lexical.b", "length"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_fault_names_key_value_and_remedy(changes, what, where, hint):
    error = fault_of(changes)
    assert isinstance(error, ConfigError)
    assert what in error.what
    assert error.where == where
    assert hint in error.hint
    assert "\n" not in str(error)
    assert len(str(error)) < 400


def test_devices_that_there_are_have_no_fault():
    for device in ("auto", "cpu", "cuda", "cuda:0", "cuda:11"):
        jsonschema.validate(device, SCHEMA["properties"]["machine"]["properties"]["device"])


def test_the_schema_knows_the_measures_of_ir_measures():
    import ir_measures

    pattern = re.compile(SCHEMA["properties"]["measures"]["items"]["pattern"])
    samples = {int: 3, float: 0.5}
    for name, measure in ir_measures.measures.registry.items():
        needed = {key: samples[info.dtype] for key, info in measure.SUPPORTED_PARAMS.items() if info.required}
        at = needed.pop(measure.AT_PARAM, None)
        settings = f"({','.join(f'{key}={value}' for key, value in needed.items())})" if needed else ""
        cutoff = 0.5 if measure.AT_PARAM == "recall" else 10
        with_cutoff = at is not None or measure.AT_PARAM in measure.SUPPORTED_PARAMS
        texts = [f"{name}{settings}@{cutoff}"] if with_cutoff else []
        texts += [f"{name}{settings}"] if at is None else []
        for text in texts:
            ir_measures.parse_measure(text).validate_params()
            assert pattern.search(text), text
        assert bool(pattern.search(name)) == (at is None and not needed), name
    configs = [path.read_text(encoding="utf-8") for path in (ROOT / "config").rglob("*.yaml")]
    used = {text for config in configs for text in yaml.safe_load(config).get("measures", [])}
    used |= {"AP(rel=2)@100", "nDCG(gains={0:0,1:3})@10", "P(cutoff=5)"}
    assert not [text for text in used if not pattern.search(text)]
    wrong = ("nDGC@10", "ndcg@10", "AP@", "AP@x", "P", "R", "AP nDCG", "AP@10,RR", "map", "")
    assert not [text for text in wrong if pattern.search(text)]


def test_the_schema_knows_the_settings_of_lexical_methods():
    from optical.search.lexical import DEFAULTS

    properties = SCHEMA["properties"]["method_table"]["additionalProperties"]["properties"]["lexical"]["properties"]
    assert properties.keys() == DEFAULTS.keys()
    jsonschema.validate(DEFAULTS, {"properties": properties})
    for key, default in DEFAULTS.items():
        shown = str(default).lower()
        assert properties[key]["description"].endswith(f"; {shown} if not given"), key


def test_paths_in_descriptions_stand_in_backticks():
    # a page takes <results> for an HTML tag otherwise, and a path at the beginning for a word to be capitalised
    text = (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    described = re.findall(r"description: (.*)", text)
    bare = [re.sub(r"`[^`]*`|<TAB>", "", line) for line in described]
    assert not [line for line in bare if re.search(r"<\w+>|^\W*<?results>?/", line)]


def test_names_of_objectives_are_those_of_the_table():
    from optical.losses.objectives import OBJECTIVES

    assert objective_names() == list(OBJECTIVES)


def test_text_becomes_what_the_schema_wants_and_nothing_else_changes():
    default = yaml.safe_load(CONFIG)
    assert typed(default, SCHEMA, SCHEMA) == default
    given = {
        "seeds": ["1", "2"],
        "languages": ["no", "sw"],
        "student": {"learning_rate": "5e-5", "steps": "9", "special_tokens": "false", "sides": ["query"]},
        "method_table": {
            "mine": {"kind": "distilled", "objectives": {"contrastive": "0.5"}, "student": {"steps": "3"}},
            "other": {"objectives": {"sentence_mse": {"weight": "0.5", "token_weights": "false"}}},
        },
        "lexicon": "null",
        "teacher": {"training_set": {"reader": "plain", "swap": "false", "negatives": "2", "query_words": "null"}},
        "bitext_cleaning": {"train_pairs": "null", "exclude": ["1.txt"]},
        "collection_table": {"mine": {"reader": "afriqa", "documents": "1", "titles": "false", "max_queries": "7"}},
        "search": {"top_k": "many", "pruned": {"bits": "2"}},
    }
    found = typed(given, SCHEMA, SCHEMA)
    assert found["seeds"] == [1, 2]
    assert found["languages"] == ["no", "sw"]
    assert found["student"] == {"learning_rate": 5e-5, "steps": 9, "special_tokens": False, "sides": ["query"]}
    assert found["method_table"]["mine"]["objectives"] == {"contrastive": 0.5}
    assert found["method_table"]["mine"]["student"] == {"steps": 3}
    assert found["bitext_cleaning"] == {"train_pairs": None, "exclude": ["1.txt"]}
    assert found["method_table"]["other"]["objectives"] == {"sentence_mse": {"weight": 0.5, "token_weights": False}}
    assert found["lexicon"] is None
    assert found["teacher"]["training_set"] == {"reader": "plain", "swap": False, "negatives": 2, "query_words": None}
    mine = {"reader": "afriqa", "documents": "1", "titles": False, "max_queries": 7}
    assert found["collection_table"] == {"mine": mine}
    assert found["search"] == {"top_k": "many", "pruned": {"bits": 2}}


def test_names_that_lead_nowhere_are_refused():
    check_names(["sw", "so"], "languages", {"sw", "so", "tl"}, "add a row")
    with pytest.raises(ConfigError) as caught:
        check_names(["sw", "xx"], "languages", {"sw", "so"}, "add a row")
    assert str(caught.value) == "unknown 'xx' [languages]. Hint: add a row; known are so, sw"
    assert nearest("optcal", ["mse", "optical"]) == "did you mean optical?"


def test_a_file_is_there_or_made_by_a_rule(tmp_path):
    (tmp_path / "mine.tsv").touch()
    made = ["results/atlas/text/sw.txt"]
    for path in (str(tmp_path / "mine.tsv"), str(tmp_path), "results/data/any", made[0]):
        assert check_file(path, made) == path
    with pytest.raises(ConfigError, match="no such file"):
        check_file(str(tmp_path / "other.tsv"), made)
    with pytest.raises(ConfigError, match=r"the bundled collection has no text/zu\.txt"):
        check_file("results/atlas/text/zu.txt", made)
