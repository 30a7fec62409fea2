"""The default experiment and the configs of this repository are what the classes say."""

from pathlib import Path

import pytest
import yaml

from optical.config.experiment import Config, Machine
from optical.errors import ConfigError
from support.workspace import config_layers

ROOT = Path(__file__).parents[3]
DEFAULT = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
OTHERS = sorted({*(ROOT / "config").rglob("*.yaml"), *(ROOT / "tests/config").glob("*.yaml")})
SHOWN = {"languages", "methods", "collections"}  # of which the default experiment consists, for its readers


def laid_over(below, above):
    """Return a config with another laid over it, blocks within blocks."""
    both = dict(below)
    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(both.get(key), dict)
        both[key] = laid_over(both[key], value) if nested else value
    return both


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.stem)
def test_a_config_of_this_repository_has_no_fault(path):
    given = DEFAULT
    for layer in config_layers(path):
        given = laid_over(given, yaml.safe_load(layer.read_text(encoding="utf-8")))
    for variant in Config.read(given).study.variants.values():
        Config.read(laid_over(given, variant))


def test_the_default_config_has_no_value_that_a_class_has():
    for key in SHOWN:
        assert DEFAULT[key] == Config.model_fields[key].default, key
    unset = Config.read({})
    config = Config.read(DEFAULT)
    for name, block in DEFAULT.items():
        if name not in SHOWN | {"method_table", "collection_table", "bitext"}:
            assert isinstance(block, dict), f"{name}: the class has this default"
            for key in block:
                assert getattr(getattr(config, name), key) != getattr(getattr(unset, name), key), f"{name}.{key}"


def test_devices_have_no_fault():
    for device in ("auto", "cpu", "cuda", "cuda:0", "cuda:11"):
        assert Machine.read({"device": device}).device == device


def test_results_have_a_folder_that_experiments_do_not_share():
    for folder in ("results", "results/mine", "results/studies/a.b", "results/database", "results/x/data"):
        Config.read({"results": folder})
    for folder in (
        "/results",
        "results/",
        "results/data",
        "results/arguments/x",
        "result",
        "results/a b",
        "results/..",
        "results/x/../../y",
        "results/.",
    ):
        with pytest.raises(ConfigError):
            Config.read({"results": folder})


def test_measures_that_cannot_be_computed_are_refused_before_any_job():
    for name in ("AP", "AP(rel=2)@100", "nDCG@10", "RR@10", "IPrec@0.25", "P(rel=2, judged_only=True)@5"):
        assert Config.read({"measures": [name]}).measures == [name]
    wrong = ["nDGC@10", "ndcg@10", "AP@", "AP@x", "P", "R", "AP nDCG", "AP@10,RR", "map", ""]
    uncomputable = "ERR@20 RBP(p=0.8) alpha_nDCG@10 NRBP Accuracy AP@0 nDCG@0 nDCG@1.5 AP(rel=0) NumQ IPrec@1.5"
    uncomputable += " IPrec@0.123 nDCG(dcg='exp-log2') BPM@10 INST(max_rel=3) StRecall@5"
    for name in wrong + uncomputable.split():
        with pytest.raises(ConfigError, match="does not have the right form"):
            Config.read({"measures": [name]})


def test_a_size_of_the_bundled_collection_changes_one_language():
    atlas = Config.read({"atlas": {"bitext": {"sw": 7}}}).atlas
    assert atlas.bitext == Config().atlas.bitext | {"sw": 7}


def test_a_language_may_have_further_columns():
    row = Config.read({"language_table": {"ny": {"name": "Chichewa", "script": "Latn", "opus": "ny"}}}).language_table
    assert row["ny"].model_dump(exclude_none=True) == {"name": "Chichewa", "script": "Latn", "opus": "ny"}
