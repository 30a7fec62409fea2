"""One student for all languages: mixed sentence pairs, one training, and queries of each language read by it."""

import json
import os

import pytest

from optical.cli.main import main
from optical.evaluation.merging import records_in
from optical.files import read_json, read_rows, read_table
from support.workspace import job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

BLOCK = {"kind": "distilled", "objectives": {"token_contrast": 1.0}, "multilingual": True}
CHANGES = ("methods=[zero-shot, all]", "reference=all", f"method_table={json.dumps({'all': BLOCK})}")
STUDENT = "results/students/mul/all/1"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workspace = make_workspace(tmp_path_factory.mktemp("multilingual"))
    return workspace, run_snakemake(workspace, "--cores", "2", "--config", *CHANGES).stdout


def test_one_student_is_trained_and_both_languages_have_scores_and_a_check(finished):
    workspace, said = finished
    assert "KeyError" not in said, "no rule for one language is tried on the pairs of all"
    counts = job_counts(said)
    assert (counts["mix_bitext"], counts["distil_student"], counts["check_students"]) == (1, 1, 2)
    row = {row["method"]: row for row in read_table(workspace / "results/map_table.tsv")}["all"]
    assert row["sw"] and row["de"]
    assert (workspace / STUDENT / "config.json").is_file()
    assert not (workspace / "results/students/sw").exists()


def test_it_learns_from_as_many_pairs_of_each_language_and_says_where_they_come_from(finished):
    results = finished[0] / "results/bitext"
    pairs_of = {lang: [tuple(row) for row in read_rows(results / lang / "train.tsv", 2)] for lang in ("sw", "de")}
    mixed = [tuple(row) for row in read_rows(results / "mul/train.tsv", 2)]
    count = min(map(len, pairs_of.values()))
    assert [sum(pair in pairs for pair in mixed) for pairs in pairs_of.values()] == [count, count]
    report = read_json(results / "mul/report.json")
    assert report["train"] == len(mixed)
    assert report["sources"] == [
        source for lang in ("sw", "de") for source in read_json(results / lang / "report.json")["sources"]
    ]


def test_a_search_finds_it_by_the_language_of_the_query(finished, monkeypatch, capsys):
    monkeypatch.chdir(finished[0])
    shown = []
    for asked in (["--lang", "sw"], ["--lang", "de"], ["--model", STUDENT]):
        assert main(["search", "--collection", "atlas", *asked, "--top", "1", "Ethiopia"]) == 0
        shown.append(capsys.readouterr().out.splitlines()[:-1])  # the last line has the time
    assert shown[0] and shown[0] == shown[1] == shown[2]
    assert main(["search", "--collection", "atlas", "--lang", "sw", "--method", "mse", "Ethiopia"]) == 1
    assert "of sw there are (method, seed): all 1" in capsys.readouterr().err


def test_lists_of_students_have_it_for_each_language(finished, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(finished[0])
    assert main(["languages", "--json"]) == 0
    rows = {row["code"]: row["students"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert (rows["sw"], rows["de"], rows["en"]) == (["all"], ["all"], [])
    merged = tmp_path / "merged.tsv.gz"
    assert main(["merge", "results", "--to", str(merged)]) == 0
    records = {record["model"]: record for record in records_in(merged)}
    assert "weights" in records[STUDENT.removeprefix("results/")]
    assert {"students/sw/all/1", "students/de/all/1"} <= records.keys(), "what the check on held-out pairs said"


def test_its_export_names_the_sentence_pairs_of_all_languages(finished, monkeypatch, tmp_path):
    monkeypatch.chdir(finished[0])
    assert main(["export", "--model", STUDENT, "--teacher", "results/teacher", "--to", str(tmp_path / "exported")]) == 0
    card = (tmp_path / "exported/README.md").read_text(encoding="utf-8")
    assert card.count("| atlas |") == 2, "one row for each language"
    assert "- mul\n" in card


def test_more_pairs_of_one_language_train_it_again(finished):
    workspace, _ = finished
    bitext = workspace / "results/bitext/sw/train.tsv"
    before, times = bitext.read_bytes(), bitext.stat()
    bitext.write_bytes(before + b"one more\tmoja zaidi\n")
    counts = job_counts(run_snakemake(workspace, "--cores", "2", "--dry-run", "--config", *CHANGES).stdout)
    bitext.write_bytes(before)
    os.utime(bitext, (times.st_atime, times.st_mtime))
    assert counts["mix_bitext"] == counts["distil_student"] == 1
