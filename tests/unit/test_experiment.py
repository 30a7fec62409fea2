"""Faults of a config come as one line that names the key, the value and the remedy."""

import copy

import jsonschema
import pytest
import yaml

from optical.errors import ConfigError
from optical.experiment import check_file, check_names, explain, nearest, typed
from workspace import ROOT

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


def test_text_becomes_what_the_schema_wants_and_nothing_else_changes():
    default = yaml.safe_load(CONFIG)
    assert typed(default, SCHEMA, SCHEMA) == default
    given = {
        "seeds": ["1", "2"],
        "languages": ["no", "sw"],
        "student": {"learning_rate": "5e-5", "steps": "9", "special_tokens": "false", "sides": ["query"]},
        "method_table": {
            "mine": {"kind": "distilled", "objectives": {"contrastive": "0.5"}, "student": {"steps": "3"}}
        },
        "bitext_cleaning": {"train_pairs": "null", "exclude": ["1.txt"]},
        "collection_table": {"mine": {"reader": "plain", "documents": "1"}},
        "search": {"top_k": "many"},
    }
    found = typed(given, SCHEMA, SCHEMA)
    assert found["seeds"] == [1, 2]
    assert found["languages"] == ["no", "sw"]
    assert found["student"] == {"learning_rate": 5e-5, "steps": 9, "special_tokens": False, "sides": ["query"]}
    assert found["method_table"]["mine"]["objectives"] == {"contrastive": 0.5}
    assert found["method_table"]["mine"]["student"] == {"steps": 3}
    assert found["bitext_cleaning"] == {"train_pairs": None, "exclude": ["1.txt"]}
    assert found["collection_table"] == given["collection_table"]
    assert found["search"] == {"top_k": "many"}


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
