"""Editors accept the configs that the workflow accepts, and mark misspelt keys and wrong values."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from optical.config.describe import BOUNDS
from optical.config.schema import json_schema, schema_lines

ROOT = Path(__file__).parents[3]
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
CONFIGS = sorted({*(ROOT / "config").rglob("*.yaml"), *(ROOT / "tests/config").glob("*.yaml")})


def test_the_file_is_made_from_the_classes():
    text = (ROOT / "workflow/schemas/config.schema.json").read_text(encoding="utf-8")
    assert text == "\n".join(schema_lines()) + "\n", "run `make docs`"
    assert json.loads(text) == SCHEMA


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_this_repository_is_accepted(path):
    assert not [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]


@pytest.mark.parametrize(
    "config",
    [
        {"langauges": ["sw"]},
        {"languages": []},
        {"languages": ["sw", "sw"]},
        {"student": {"step": 5}},
        {"student": {"steps": 0}},
        {"student": {"seed": 1}},
        {"teacher": {"dropout": 1}},
        {"teacher": {"learning_rate": 0}},
        {"machine": {"device": "gpu"}},
        {"collection_table": {"x": {"reader": "plain", "document": "a"}}},
        {"collection_table": {"x": {"reader": "plan"}}},
        {"collection_table": {"my set": {"reader": "plain"}}},
        {"method_table": {"teacher": {"kind": "teacher"}}},
        {"method_table": {"x": {"kind": "other"}}},
        {"method_table": {"x": {"transport": {"beta": 1}}}},
        {"method_table": {"x": {"objectives": {"contrastive": {"temperature": 0}}}}},
        {"language_table": {"zh": {"script": "Chinese"}}},
        {"bitext": {"sw": [{"pairs": ["a"]}]}},
        {"study": {"variants": {"x": {"student": {"step": 5}}}}},
        {"atlas": {"text": {"zu": 5}}},
    ],
    ids=json.dumps,
)
def test_a_wrong_config_is_refused(config):
    assert not VALIDATOR.is_valid(config)


def test_a_file_may_change_single_keys_of_another():
    for config in (
        {"method_table": {"optical": {"student": {"steps": 5}}}},
        {"method_table": {"optical": {"objectives": {"contrastive": 0.5, "sentence_mse": {"weight": 1}}}}},
        {"collection_table": {"atlas": {"split": {"length": 9}}}},
        {"teacher": {"training_set": {"max_triples": None, "query_words": None}}},
        {"language_table": {"sw": {"opus": "sw"}}},
    ):
        assert VALIDATOR.is_valid(config), config


def test_what_a_method_changes_has_no_defaults():
    """What an editor filled in there would override the experiment's own values."""
    method = SCHEMA["properties"]["method_table"]["additionalProperties"]["properties"]
    for name in ("student", "transport"):
        assert method[name]["properties"].keys() == SCHEMA["properties"][name]["properties"].keys()
        assert not [key for key in parts_of(method[name]["properties"]) if "default" in key]
    assert "default" in method["lexical"]["properties"]["b"]


def parts_of(schema):
    """Yield a schema and all within it."""
    if isinstance(schema, list):
        for part in schema:
            yield from parts_of(part)
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts_of(part)


def test_every_key_has_its_meaning():
    for block in parts_of(SCHEMA):
        for name, key in block.get("properties", {}).items():
            assert key.get("description") or name == "reader", name


def test_bounds_are_those_of_json_schema():
    """Pydantic writes other words where a validator stands between a type and its bound."""
    words_of = {word for part in parts_of(SCHEMA) for word in part}
    assert {"minItems", "uniqueItems", "pattern", *BOUNDS} <= words_of
    assert not words_of & {"ge", "gt", "le", "lt"}
