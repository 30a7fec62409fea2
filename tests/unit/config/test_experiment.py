"""The default experiment and the configs of this repository are what the classes say."""

import re
from pathlib import Path

import pytest
import yaml

from optical.config.experiment import MEASURE, Config, Machine
from optical.errors import ConfigError

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
    changes = yaml.safe_load(path.read_text(encoding="utf-8"))
    config = Config.read(laid_over(DEFAULT, changes))
    for variant in config.study.variants.values():
        Config.read(laid_over(laid_over(DEFAULT, changes), variant))


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
    for folder in ("/results", "results/", "results/data", "results/arguments/x", "result", "results/a b"):
        with pytest.raises(ConfigError):
            Config.read({"results": folder})


def test_measures_are_those_of_ir_measures():
    import ir_measures

    pattern = re.compile(MEASURE)
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
    for text in ("AP(rel=2)@100", "nDCG(gains={0:0,1:3})@10", "P(cutoff=5)"):
        assert pattern.search(text), text
    wrong = ("nDGC@10", "ndcg@10", "AP@", "AP@x", "P", "R", "AP nDCG", "AP@10,RR", "map", "")
    assert not [text for text in wrong if pattern.search(text)]


def test_a_size_of_the_bundled_collection_changes_one_language():
    atlas = Config.read({"atlas": {"bitext": {"sw": 7}}}).atlas
    assert atlas.bitext == Config().atlas.bitext | {"sw": 7}


def test_a_language_may_have_further_columns():
    row = Config.read({"language_table": {"ny": {"name": "Chichewa", "script": "Latn", "opus": "ny"}}}).language_table
    assert row["ny"].model_dump(exclude_none=True) == {"name": "Chichewa", "script": "Latn", "opus": "ny"}
