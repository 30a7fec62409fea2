"""Every command of `optical`: what it prints and what it writes. How it refuses bad input: test_main_errors.py."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.cli import doctor, main, terminal
from optical.cli.align import Alignment, picture
from optical.config.project import project_folder
from optical.models.folders import load_encoder
from support.tiny_models import TEXTS
from support.toy_results import student_of

HEAVY = {"torch", "transformers", "pandas", "numpy", "yaml", "matplotlib"}


# --- help


def test_help_imports_nothing_heavy_and_is_quick():
    code = (
        "import sys, resource\nfrom optical.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), used.ru_utime + used.ru_stime)"
    )
    library = {"PYTHONPATH": str(Path(main.__file__).parents[2])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | library)
    heavy, _, seconds = done.stdout.splitlines()[-1].rpartition(" ")
    assert heavy == "[]"
    assert float(seconds) < 0.5


@pytest.mark.parametrize("command", ["", *main.COMMANDS])
def test_every_command_has_help_with_an_example(optical, command):
    code, output, _ = optical(*command.split(), "--help")
    assert code == 0
    assert f"\n  optical {command}" in output


# --- align


def test_align_gives_a_plan_whose_rows_and_columns_weigh_the_same(optical, results):
    code, output, _ = optical(
        "align", "--model", student_of(results), "--teacher", results / "teacher", "mto uko wapi", "the river", "--json"
    )
    assert code == 0
    found = json.loads(output)
    plan = np.array(found["plan"])
    assert plan.shape == (len(found["foreign"]), len(found["english"])) == np.shape(found["cost"])
    np.testing.assert_allclose(plan.sum(axis=1), 1 / len(plan), atol=1e-3)
    assert found["transport_cost"] == pytest.approx((plan * np.array(found["cost"])).sum())


def test_align_transports_as_the_model_was_trained_unless_told_otherwise(optical, results):
    arguments = ["align", "--model", student_of(results), "mto uko", "the river", "--json"]
    trained = json.loads(optical(*arguments)[1])["transport"]
    assert trained == {"solver": "ipot", "regularisation": 0.2}
    told = json.loads(optical(*arguments, "--solver", "exact", "--regularisation", "0.5")[1])["transport"]
    assert told == {"solver": "exact", "regularisation": 0.5}


def test_align_aligns_a_sentence_with_itself_on_the_diagonal(optical, results):
    arguments = ["align", "--model", results / "teacher", TEXTS[0], TEXTS[0], "--solver", "exact", "--json"]
    plan = np.array(json.loads(optical(*arguments)[1])["plan"])
    np.testing.assert_allclose(plan, np.eye(len(plan)) / len(plan), atol=1e-6)


def test_align_draws_a_picture_of_marathi(optical, results, tmp_path):
    code, output, _ = optical(
        "align", "--model", student_of(results), "चंद्र आणि सूर्य", "the moon", "--png", tmp_path / "plan.png"
    )
    assert code == 0
    assert "चंद्र" in output and "░" in output
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


@given(
    foreign=st.lists(st.sampled_from(["swali", "##la", "चंद्र", "月", "é"]), min_size=1, max_size=6),
    english=st.lists(st.sampled_from(["the", "question", "##s", "moon"]), min_size=1, max_size=20),
    columns=st.integers(40, 120),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_a_picture_fits_the_terminal_and_shows_every_token(foreign, english, columns, seed):
    plan = np.random.default_rng(seed).random((len(foreign), len(english))).tolist()
    lines = picture(Alignment(foreign, english, plan, plan), columns).splitlines()
    assert max(terminal.width(line) for line in lines) <= columns
    heads = " ".join(line for line in lines if not any(sign in line for sign in "░▒▓█.")).split()
    assert heads == english


def test_a_combining_mark_takes_no_column():
    assert [terminal.width(text) for text in ("सूर्य", "e\u0301", "月", "\u200d")] == [3, 1, 2, 0]


# --- export: the formats are tested beside the programs that read them


def test_the_model_card_says_languages_licences_scores_and_limits(optical, results, tmp_path):
    scores = tmp_path / "scores.tsv"
    rows = ["collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue"]
    rows += [f"atlas\toptical\tsw\t1\t{query}\tAP\t{value}" for query, value in (("q1", 0.5), ("q2", 1.0))]
    rows += ["atlas\toptical\tsw\t2\tq1\tAP\t0.0", "atlas\tmse\tsw\t1\tq1\tAP\t0.0"]
    scores.write_text("\n".join(rows) + "\n", encoding="utf-8")
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments, "--scores", scores)[0] == 0
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    for part in ("- sw\n- en", "| tico19 | 9 | CC0 |", "CC BY 4.0", "| atlas | AP | 0.7500 | 2 |", "12 tokens", "ipot"):
        assert part in card
    assert (tmp_path / "out/query/provenance.json").is_file()
    assert not (tmp_path / "out/document/provenance.json").exists()


@pytest.mark.parametrize(
    ("other", "what"),
    [("mse\tsw\t1", "method: mse, optical"), ("optical\tsw\t2", "seed: 1, 2"), ("optical\tso\t1", "lang: so, sw")],
)
def test_scores_of_several_models_are_not_averaged(optical, results, tmp_path, other, what):
    shutil.copytree(student_of(results), tmp_path / "model")
    scores = tmp_path / "scores.tsv"
    scores.write_text("collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue\natlas\toptical\tsw\t1\tq1\tAP\t0.5\n")
    arguments = ["export", "--teacher", results / "teacher", "--scores", scores, "--model", tmp_path / "model", "--to"]
    assert optical(*arguments, tmp_path / "alone")[0] == 0
    with scores.open("a") as file:
        file.write(f"atlas\t{other}\tq1\tAP\t1.0\n")
    code, _, error = optical(*arguments, tmp_path / "together")
    assert code == 1 and f"more than one {what} [{scores}]. Hint: " in error
    assert not (tmp_path / "together").exists()


def test_what_is_exported_can_be_loaded_again(optical, results, tmp_path):
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments)[0] == 0
    for name, source in (("query", student_of(results)), ("document", results / "teacher")):
        ours, theirs = load_encoder(source), load_encoder(tmp_path / "out" / name)
        assert ours.settings == theirs.settings
        assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


# --- languages and doctor


def test_languages_lists_the_config_and_the_whole_table(optical):
    code, output, _ = optical("languages")
    assert code == 0 and output.split("\n")[0].split() == [
        "code",
        "name",
        "script",
        "resource",
        "bitext",
        "collections",
        "students",
    ]
    assert "Swahili" in output and "Zulu" not in output
    every = [json.loads(line) for line in optical("languages", "--all", "--json")[1].splitlines()]
    by_code = {row["code"]: row for row in every}
    assert by_code["zu"]["name"] == "Zulu" and by_code["zu"]["bitext"] == []
    assert by_code["sw"]["collections"] == ["atlas"] and by_code["sw"]["bitext"] == ["atlas"]


def test_languages_reads_a_config_laid_over_the_default(optical):
    rows = optical("languages", "--config", project_folder() / "config/open.yaml", "--json")[1].splitlines()
    by_code = {row["code"]: row for row in map(json.loads, rows)}
    assert by_code["sw"]["collections"] == ["flores", "afriqa"]
    assert by_code["fi"]["collections"] == ["flores"]


def test_languages_knows_where_there_are_english_queries(optical, tmp_path, monkeypatch):
    block = {"reader": "plain", "documents": "d.tsv", "queries": "queries.{lang}.tsv", "qrels": "qrels.txt"}
    by_language = block | {"queries": {"sw": "queries.sw.tsv"}}
    catalogue = {"reader": "ir_datasets", "id": "clirmatrix/en/bi139-base/{lang}/dev"}
    tables = {"mine": block, "named": by_language, "catalogue": catalogue}
    (tmp_path / "mine.yaml").write_text(json.dumps({"collections": ["atlas", *tables], "collection_table": tables}))
    (tmp_path / "config").symlink_to(project_folder() / "config")
    monkeypatch.chdir(tmp_path)

    def english():
        return json.loads(optical("languages", "--config", "mine.yaml", "--json")[1].splitlines()[0])["collections"]

    assert english() == ["atlas"]
    (tmp_path / "queries.en.tsv").touch()
    assert english() == ["atlas", "mine"]


def test_doctor_says_one_line_each_and_succeeds_here(optical):
    code, output, _ = optical("doctor")
    subjects = [line.split()[1] for line in output.splitlines()]
    assert {
        "python",
        "packages",
        "torch",
        "cuda",
        "bf16",
        "memory",
        "disk",
        "snakemake",
        "slurm",
        "conda",
        "network",
    } <= set(subjects)
    assert code == int("BAD" in output)


def test_doctor_fails_where_something_needed_is_missing(optical, monkeypatch):
    monkeypatch.setattr(doctor, "installed", lambda package: None if package == "bm25s" else "999")
    code, output, _ = optical("doctor")
    assert code == 1
    assert "bm25s is missing" in output and "pip install" in output
    assert "torch is 999, not ==2.13.0" in output


def test_doctor_knows_a_mirror(optical, monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "CHECKS", (doctor.network,))
    monkeypatch.setenv("OPTICAL_MIRROR", str(tmp_path))
    assert optical("doctor")[0] == 0
    monkeypatch.setenv("OPTICAL_MIRROR", str(tmp_path / "gone"))
    code, output, _ = optical("doctor", "--json")
    assert code == 1 and json.loads(output)["state"] == "BAD"


def test_a_container_has_the_memory_of_its_limit(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("1000\n")
    assert doctor.memory_bytes((str(limit),)) == 1000
    limit.write_text("max\n")
    assert doctor.memory_bytes((str(limit), str(tmp_path / "none"))) > 1000
