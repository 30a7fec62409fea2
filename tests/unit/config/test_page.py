"""The config's schema, its defaults in config/config.yaml and the page that explains it say the same."""

import dataclasses

import pytest
import yaml

from optical.bitext.clean import DEFAULTS as CLEANING
from optical.config.page import Key, keys, page_with_tables, tables
from optical.corpora.readers import READERS, TRAINING_READERS
from optical.errors import DataError
from support.workspace import ROOT

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8"))
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "config/README.md").read_text(encoding="utf-8")


def value_at(config, path):
    """Return what a config holds at a dotted path, or None."""
    for name in path.split("."):
        config = config.get(name) if isinstance(config, dict) else None
    return config


def schema_at(path):
    """Return the part of the schema that describes a dotted path, with the default that its block gives it."""
    part = SCHEMA
    for name in path.split("."):
        given = part.get("default") or {}
        part = part["properties"][name]
        if "$ref" in part:
            part = SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")] | part
        if name in given:
            part = part | {"default": given[name]}
    return part


def plain_keys():
    """Return the paths of keys whose names the schema fixes: none below the names that a user gives."""
    return [key.path for key in keys(SCHEMA) if "<name>" not in key.path and "[]" not in key.path]


def test_the_page_is_made_from_the_schema():
    assert page_with_tables(PAGE, SCHEMA) == PAGE, "config/README.md is out of date: run `make docs`"


def test_a_default_is_the_value_of_the_default_experiment():
    for path in plain_keys():
        part, value = schema_at(path), value_at(CONFIG, path)
        if path.startswith("teacher.training_set.") and value is None:
            continue  # what it is without a value its reader says
        if "default" not in part:
            assert value is not None, f"{path} has neither a default in the schema nor a value in config/config.yaml"
        elif value is not None:
            assert value == part["default"], f"{path}: change the schema's default, then `make docs`"


def test_every_key_is_explained():
    assert not [key.path for key in keys(SCHEMA) if len(key.description) < 4 or not key.kind]


@pytest.mark.parametrize("block", ["student", "transport"])
def test_a_block_that_methods_change_has_all_its_values_in_the_default_experiment(block):
    # The schema fills in nothing here: what it filled in below method_table would override the experiment's own values.
    named = SCHEMA["$defs"][block]["properties"]
    assert set(CONFIG[block]) == set(named) == set(SCHEMA["properties"][block]["default"])
    assert not any("default" in part for part in named.values())


def test_the_sizes_of_the_bundled_collection_are_those_of_its_generator():
    from optical.atlas.generate import DEFAULTS as SIZES

    assert {key: part["default"] for key, part in SCHEMA["properties"]["atlas"]["properties"].items()} == SIZES | {
        "seed": CONFIG["atlas"]["seed"]
    }


def test_unknown_keys_are_refused_wherever_names_are_fixed():
    assert SCHEMA["additionalProperties"] is False
    # where users give names; of a training set's keys its reader decides: see optical.corpora.readers.own_keys
    free = {"language_table", "collection_table", "bitext", "method_table", "$defs.training_set"}
    blocks = {name: part for name, part in SCHEMA["properties"].items() if part.get("properties")}
    blocks |= {f"$defs.{name}": part for name, part in SCHEMA["$defs"].items() if part.get("properties")}
    for name, part in blocks.items():
        assert name in free or part.get("additionalProperties") is False, name


def test_the_schema_knows_what_the_library_takes():
    from optical.losses.transport import TransportSettings
    from optical.models.encoder import EncoderSettings
    from optical.training.loop import TrainingSettings

    def names(settings):
        return {field.name for field in dataclasses.fields(settings)}

    training = names(TrainingSettings)
    properties = SCHEMA["properties"]
    assert training <= set(properties["pretraining"]["properties"])
    assert training <= set(properties["teacher"]["properties"])
    assert training - {"seed"} <= set(SCHEMA["$defs"]["student"]["properties"])
    assert names(EncoderSettings) <= set(properties["encoder"]["properties"])
    assert set(SCHEMA["$defs"]["transport"]["properties"]) <= names(TransportSettings)
    assert set(properties["bitext_cleaning"]["properties"]) - {"exclude"} == set(CLEANING)


def test_the_schema_has_the_type_of_every_key_of_a_reader_that_is_no_text():
    texts = {"id", "documents_id", "queries_id", "qrels_id", "triples_id", "query_field", "documents", "triples"}
    texts |= {"fields", "encoding", "part", "form", "relevance", "document_language", "language"}
    collection = SCHEMA["properties"]["collection_table"]["additionalProperties"]
    for readers, part in ((READERS, collection), (TRAINING_READERS, SCHEMA["$defs"]["training_set"])):
        assert {key for reader in readers.values() for key in reader.others} <= part["properties"].keys() | texts


def test_the_page_names_every_reader_and_its_keys():
    text = PAGE.split("## Readers")[1].split("## Every key")[0]
    collections, training_sets = text.split("`teacher.training_set` takes these")
    for part, readers in ((collections, READERS), (training_sets, TRAINING_READERS)):
        rows = {line.split("`")[1]: line for line in part.splitlines() if line.startswith("| `")}
        rows = {name: row for name, row in rows.items() if not name.startswith(("collection", "teacher"))}
        for name, reader in readers.items():
            assert all(f"`{key}`" in rows[name] for key in reader.files), name
            assert all(f"`{key}" in text for key in {*reader.others} - {"reader", "documents_by"}), name


def test_keys_are_found_in_references_maps_and_lists():
    schema = {
        "properties": {
            "plain": {"type": "integer", "minimum": 1, "description": "a number", "default": 3},
            "block": {"$ref": "#/$defs/block", "default": {"rate": 1.0e-4}},
            "table": {"type": "object", "description": "a table", "additionalProperties": {"type": "array"}},
        },
        "$defs": {
            "block": {
                "type": "object",
                "description": "a block.",
                "properties": {"rate": {"type": "number", "exclusiveMinimum": 0, "description": "a|rate"}},
            }
        },
    }
    assert keys(schema)[:2] == [
        Key("plain", "whole number from 1", "`3`", "a number"),
        Key("block.rate", "number above 0", "`1.0e-4`", "a|rate"),
    ]
    text = tables(schema)
    assert "### `block`\n\nA block.\n" in text
    assert "a\\|rate" in text


def test_a_page_without_markers_is_refused():
    with pytest.raises(DataError, match="no place"):
        page_with_tables("# The config", SCHEMA)
