import subprocess
import sys

import pytest
import yaml

from optical.config.experiment import Config
from optical.errors import DataError
from optical.evaluation.comparison import CELL_COLUMNS, Cell, cell_rows
from optical.evaluation.expected import EXPECTED_COLUMNS, compare, our_figure, read_expected
from optical.files import read_rows, write_rows
from support.workspace import ROOT

MEANS = {
    ("clef", "optical", "sw", "AP"): 0.24,
    ("clef", "nmt", "sw", "AP"): 0.20,
    ("clef", "optical", "so", "AP"): 0.11,
    ("clef", "nmt", "so", "AP"): 0.10,
}


def row(**changes):
    values = dict.fromkeys(EXPECTED_COLUMNS, "") | {"collection": "clef", "method": "optical", "lang": "sw"}
    return values | {"measure": "AP", "value": "0.25", "tolerance": "0.02", "source": "somewhere"} | changes


@pytest.mark.parametrize(
    ("changes", "figure"),
    [
        ({}, 0.24),
        ({"lang": "sw+so"}, 0.175),
        ({"method": "optical/nmt"}, 0.2),
        ({"method": "optical/nmt", "lang": "sw+so"}, 0.15),
        ({"lang": "sw+tl"}, None),
        ({"method": "optical/bm25"}, None),
        ({"collection": "other"}, None),
        ({"measure": "AP@100"}, None),
    ],
)
def test_our_figure_of_cells_means_and_gains(changes, figure):
    assert our_figure(row(**changes), MEANS) == (None if figure is None else pytest.approx(figure))


@pytest.mark.parametrize(
    ("value", "lang", "status", "ours"),
    [("0.25", "sw", "OK", "0.2400"), ("0.22", "sw", "OK", "0.2400"), ("0.27", "sw", "DIFFERS", "0.2400")]
    + [("0.219", "sw", "DIFFERS", "0.2400"), ("0.25", "tl", "NOT RUN", "")],
)
def test_status_follows_the_tolerance_on_both_sides(value, lang, status, ours):
    [compared] = compare([row(value=value, lang=lang)], MEANS)
    assert compared[-3:] == [ours, status, "somewhere"]


def test_a_gain_over_nothing_is_not_ok():
    means = {("clef", "optical", "sw", "AP"): 0.2, ("clef", "nmt", "sw", "AP"): 0.0}
    assert compare([row(method="optical/nmt")], means)[0][-2] == "DIFFERS"


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"value": "high"}, "line 2"), ({"tolerance": ""}, "line 2"), ({"source": ""}, "no source")],
)
def test_rows_without_figure_tolerance_or_source_are_refused(tmp_path, changes, message):
    write_rows(tmp_path / "expected.tsv", [EXPECTED_COLUMNS, row(**changes).values()])
    with pytest.raises(DataError, match=message):
        read_expected(tmp_path / "expected.tsv")


def test_another_table_is_refused(tmp_path):
    write_rows(tmp_path / "expected.tsv", [["method", "value"]])
    with pytest.raises(DataError, match="not a table with the columns config"):
        read_expected(tmp_path / "expected.tsv")


def test_the_projects_table_holds_the_headline_and_names_every_cell_once():
    rows = read_expected(ROOT / "config/expected.tsv")
    [headline] = [found for found in rows if found["method"] == "optical/nmt"]
    assert float(headline["value"]) == 0.137
    keys = [tuple(found[column] for column in EXPECTED_COLUMNS[:5]) for found in rows]
    assert len(set(keys)) == len(keys)
    assert all(float(found["tolerance"]) > 0 for found in rows)


@pytest.mark.parametrize("name", ["default", "full", "pieces", "subwords", "paper"])
def test_each_expected_figure_is_one_that_its_config_can_give(name):
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    own = {} if name == "default" else yaml.safe_load((ROOT / f"config/{name}.yaml").read_text(encoding="utf-8"))
    config = Config().model_dump() | default | own
    rows = [found for found in read_expected(ROOT / "config/expected.tsv") if found["config"] == name]
    assert rows
    for found in rows:
        collection = config["collection_table"][found["collection"]]
        assert set(found["method"].split("/")) <= set(config["methods"]), found
        assert set(found["lang"].split("+")) <= set(collection.get("languages", config["languages"])), found
        assert found["measure"] in config["measures"], found


def test_program_writes_a_row_for_each_figure_of_the_config(tmp_path):
    cells = [Cell(*key, status="OK", mean=mean) for key, mean in MEANS.items()] + [Cell("clef", "nmt", "tl", "AP")]
    write_rows(tmp_path / "map_cells.tsv", [CELL_COLUMNS, *cell_rows(cells)])
    expected = [
        row(config="paper", method="optical/nmt", lang="sw+so", value="0.137"),
        row(config="paper", method="nmt", lang="tl"),
        row(config="open"),
    ]
    write_rows(tmp_path / "expected.tsv", [EXPECTED_COLUMNS, *(found.values() for found in expected)])
    arguments = ["--expected", "expected.tsv", "--config", "paper", "--cells", "map_cells.tsv", "--out", "compared.tsv"]
    done = subprocess.run(
        [sys.executable, ROOT / "workflow/scripts/compare_expected.py", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    header, *compared = read_rows(tmp_path / "compared.tsv", 10)
    assert [dict(zip(header, found, strict=True))["status"] for found in compared] == ["OK", "NOT RUN"]
    assert dict(zip(header, compared[0], strict=True))["ours"] == "0.1500"
