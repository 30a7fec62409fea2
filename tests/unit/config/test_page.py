"""The tables of config/README.md are those of the classes, one for each block and reader."""

from pathlib import Path
from typing import get_args

import pytest

from optical.config.collections import COLLECTION_KINDS
from optical.config.describe import described
from optical.config.experiment import Config
from optical.config.objectives import Objectives
from optical.config.page import Key, keys, page_with_tables, tables
from optical.config.readers import reader_of
from optical.config.training_sets import TRAINING_SET_KINDS
from optical.errors import DataError

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "config/README.md").read_text(encoding="utf-8")
ROWS = {key.path: key for name, part in described(Config)["properties"].items() for key in keys(part, name)}


def section(title):
    """Return the rows of a section of the page: name of the key -> its line."""
    text = tables().split(f"# {title}\n")[1].split("\n#")[0]
    return {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}


def test_the_page_is_made_from_the_classes():
    assert page_with_tables(PAGE) == PAGE, "config/README.md is out of date: run `make docs`"


def test_every_key_of_the_config_has_a_row():
    text = tables()
    for name in Config.model_fields:
        assert f"`{name}`" in text or f"`{name}." in text, name
    for row in ROWS.values():
        assert f"| `{row.path}` |" in text


def test_a_row_says_type_default_and_meaning():
    assert ROWS["search.pruned.bits"] == Key(
        "search.pruned.bits",
        "one of `1`, `2`, `4`, `8`",
        "`4`",
        "bits that the index keeps of each component of a token vector",
    )
    assert ROWS["student.weight_decay"][1:3] == ("number from 0", "`0.01`")
    assert ROWS["seeds"][1:3] == ("list of whole numbers from 0", "`[1]`")
    assert ROWS["method_table.<name>.kind"].default == "required"
    assert ROWS["language_table.<lang>.script"].default == "`null`"
    assert ROWS["bitext.<lang>[].limit"].kind == "whole number from 1 or null"
    assert ROWS["collection_table.<name>.split"][1:3] == ("map or null", "`null`")
    assert ROWS["collection_table.<name>.split.unit"].default == "`words`"


def test_a_default_may_be_the_encoder_s():
    assert ROWS["encoder.query_marker"][1:3] == ("text", "from the encoder")
    assert ROWS["student.learning_rate"].kind == "number above 0"
    assert ROWS["student.learning_rate"].default.endswith(": `0.003`, `0.0003`, `0.0001`")
    assert ROWS["teacher.dropout"].default.endswith(": `null`, `0.0`, `null`")
    assert ROWS["student.dropout"].default == "`0.0`"


@pytest.mark.parametrize("kind", COLLECTION_KINDS, ids=reader_of)
def test_a_collection_s_keys_stand_under_its_reader(kind):
    common = {"reader", "languages", "passage_languages", "split"}
    assert section(f"Collection: `{reader_of(kind)}`").keys() == kind.model_fields.keys() - common
    for key in common:
        assert f"collection_table.<name>.{key}" in ROWS


@pytest.mark.parametrize("kind", TRAINING_SET_KINDS, ids=reader_of)
def test_a_training_set_s_keys_stand_under_its_reader(kind):
    common = {"reader", "max_triples"}
    for key in common:
        assert f"teacher.training_set.{key}" in ROWS
    assert section(f"Training set: `{reader_of(kind)}`").keys() == kind.model_fields.keys() - common


@pytest.mark.parametrize("name", Objectives.model_fields)
def test_every_objective_has_a_row_and_its_settings(name):
    path = f"method_table.<name>.objectives.{name}"
    assert ROWS[path].kind == "number or map or null"
    settings, _ = get_args(Objectives.model_fields[name].annotation)
    assert {f"{path}.{key}" for key in settings.model_fields} == {row for row in ROWS if row.startswith(f"{path}.")}


def test_signs_of_tables_and_of_html_are_escaped():
    assert "english`<TAB>`foreign" in tables()
    assert "<TAB>" not in tables().replace("`<TAB>`", "")


def test_a_page_without_markers_is_refused():
    with pytest.raises(DataError, match="no place"):
        page_with_tables("# The config")
