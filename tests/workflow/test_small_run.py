"""The whole workflow on a small experiment: it ends in a table and a report, repeats itself, redoes what it must."""

import base64
import html
import os
import re
import shlex
import shutil
import zipfile
from pathlib import Path

import pytest
import yaml

from optical.cli.main import main
from optical.evaluation.merging import records_in
from optical.files import read_json
from optical.runtime.provenance import content_hash
from optical.seals import LIST
from support.browser import chromium
from support.pages import commands_of
from support.workspace import ROOT, SMALL, TABLE, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8")) | yaml.safe_load(
    SMALL.read_text(encoding="utf-8")
)
REPORT = "results/report.html"
LANGUAGES, METHODS = CONFIG["languages"], CONFIG["methods"]
STUDENTS = {"distil_student", "check_students"}
SCORING = {"make_map_table", "publish_map_table"}


def run_in(folder, cores=2):
    """Run the small experiment in a folder with a copy of the code, so that a test may change it."""
    workspace = make_workspace(folder)
    (workspace / "workflow").unlink()
    shutil.copytree(ROOT / "workflow", workspace / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    return workspace, run_snakemake(workspace, "--cores", cores).stdout


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the folder of a finished run and what Snakemake said."""
    return run_in(tmp_path_factory.mktemp("small") / "first")


def planned_in(workspace, *arguments):
    """Return the rules that would run."""
    return set(job_counts(run_snakemake(workspace, "--cores", "2", "--dry-run", *arguments).stdout))


@pytest.fixture
def changed(finished):
    """Return a function that changes a library file of the finished run, for one test."""
    workspace, before = finished[0], {}

    def change(name):
        path = workspace / "workflow/scripts/optical" / name
        before[path] = (path.read_bytes(), path.stat())
        path.write_bytes(before[path][0] + b"\n# a comment\n")

    yield change
    for path, (content, times) in before.items():
        path.write_bytes(content)
        os.utime(path, (times.st_atime, times.st_mtime))


def rows_of(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_vectors_say_which_encoder_made_them(finished):
    results = finished[0] / "results"
    assert read_json(results / "vectors/atlas/meta.json")["encoder"] == content_hash(results / "teacher")


def test_it_ends_in_a_table_of_all_methods_and_languages(finished):
    header, *rows = rows_of(finished[0] / TABLE)
    assert header == ["method", *LANGUAGES, "low", "high", "gap"]
    assert [row[0] for row in rows] == METHODS
    for row in rows:
        values = [float(cell) for cell in row[1:-1]]
        assert all(0 < value < 1 for value in values), row
        assert all(re.fullmatch(r"-?\d\.\d{4}", cell) for cell in row[1:])


def test_the_table_comes_with_its_other_forms_and_its_cells(finished):
    results = finished[0] / "results"
    for name in ("map_table.tsv", "map_table.md", "map_table.tex", "map_cells.tsv"):
        assert (results / name).read_bytes() == (results / "tables/atlas" / name).read_bytes()


def test_human_english_queries_lead_alike_in_every_language(finished):
    rows = {row[0]: row[1:] for row in rows_of(finished[0] / TABLE)}
    assert len(set(rows["english"][: len(LANGUAGES)])) == 1


def test_it_writes_under_results_alone(finished):
    there = {path.name for path in finished[0].iterdir()}
    assert there == {"workflow", "rules", "envs", "config", "results", ".snakemake"}
    hidden = {path for path in (finished[0] / "results").rglob(".*") if not path.name.startswith(".snakemake")}
    assert {path.suffix for path in hidden if path.name != LIST} == {".sum"}, "records, and nothing half written"


def test_every_job_leaves_its_log_and_its_cost(finished):
    results = finished[0] / "results"
    for rule in job_counts(finished[1]):
        for kind in ("logs", "benchmarks"):
            names = [path.relative_to(results / kind).parts[0] for path in (results / kind).rglob("*")]
            assert {rule, f"{rule}.log", f"{rule}.tsv"} & set(names), f"{kind} of {rule}"


def test_models_say_what_made_them(finished):
    results = finished[0] / "results"
    models = [path.parent for path in results.rglob("model.safetensors") if path.parent.name != "1_Dense"]
    distilled = [method for method in METHODS if CONFIG["method_table"][method]["kind"] == "distilled"]
    assert len(models) == 2 + len(LANGUAGES) * len(distilled)  # encoder, teacher, students
    assert all((model / "provenance.json").is_file() and (model / "tokenizer.json").is_file() for model in models)
    assert not (results / "checkpoints").exists() or not list((results / "checkpoints").rglob("*.pt"))


def test_a_second_run_does_nothing(finished):
    assert "Nothing to be done" in run_snakemake(finished[0], "--cores", "2").stdout


def test_a_touched_file_reruns_nothing(finished, changed):
    (finished[0] / "workflow/scripts/optical/losses/transport.py").touch()
    assert planned_in(finished[0]) == set()


def test_a_new_solver_distils_the_students_again_and_leaves_teacher_and_documents(finished, changed):
    changed("losses/transport.py")
    assert planned_in(finished[0]) == STUDENTS | {"search_collection", "evaluate_run"} | SCORING


def test_a_new_setting_of_the_students_leaves_the_teacher(finished):
    plan = planned_in(finished[0], "--config", "student={learning_rate: 2e-3}")
    assert plan == STUDENTS | {"search_collection", "evaluate_run"} | SCORING


def test_a_new_search_searches_again_and_trains_nothing(finished, changed):
    changed("search/maxsim.py")
    assert planned_in(finished[0]) == {"search_collection", "evaluate_run"} | SCORING


def test_another_machine_reruns_nothing(finished):
    arguments = ("--config", "machine={checkpoint_minutes: 1, precision: bf16}")
    assert planned_in(finished[0], *arguments) == set()


def test_a_further_language_trains_its_student_alone(finished):
    # A further language also changes the text that the encoder is trained on, unless the encoder is a given one.
    encoder = finished[0] / "results/encoder"
    given = ("--config", f"encoder={{source: {encoder}}}", "languages=[sw,de,fi]")
    output = run_snakemake(finished[0], "--cores", "2", "--dry-run", *given).stdout
    assert {"clean_bitext", "distil_student"} <= set(job_counts(output))
    assert "pretrain_encoder" not in set(job_counts(output))


def test_its_packed_scores_make_the_same_tables_without_any_model(finished, tmp_path, monkeypatch):
    monkeypatch.chdir(finished[0])
    packed, config = str(tmp_path / "packed.tsv.gz"), ("--config", str(SMALL))
    assert main(["merge", "results", *config, "--to", packed]) == 0
    assert len(list(records_in(packed))) == 2 + len(LANGUAGES), "encoder, teacher, students"
    monkeypatch.chdir(make_workspace(tmp_path / "elsewhere"))
    assert main(["merge", packed, *config, "--to", "merged"]) == 0
    for name in ("map_table.tsv", "map_table.md", "map_table.tex", "map_cells.tsv"):
        assert Path("merged/atlas", name).read_bytes() == (finished[0] / "results/tables/atlas" / name).read_bytes()


def test_an_edit_is_run_through_to_the_table(finished, changed):
    table = (finished[0] / TABLE).read_bytes()
    changed("evaluation/comparison.py")
    output = run_snakemake(finished[0], "--cores", "2").stdout
    assert set(job_counts(output)) == SCORING
    assert (finished[0] / TABLE).read_bytes() == table


def test_a_collection_in_parts_ends_in_the_same_table(finished, tmp_path):
    workspace, parts = tmp_path / "copy", ("--config", "search={parts: 3}")
    shutil.copytree(finished[0], workspace, symlinks=True)
    (workspace / TABLE).unlink()
    counts = job_counts(run_snakemake(workspace, "--cores", "2", *parts).stdout)
    langs = len(LANGUAGES) + 1  # and English
    assert {"encode_part": 3, "search_part": 3 * langs, "merge_runs": langs}.items() <= counts.items()
    assert not counts.keys() & {"distil_student", "encode_collection", "search_collection", "search_lexical"}
    assert (workspace / TABLE).read_bytes() == (finished[0] / TABLE).read_bytes()


@pytest.fixture(scope="module")
def reported(finished, tmp_path_factory):
    """Return a copy of the finished run, with its report and Snakemake's own."""
    workspace = tmp_path_factory.mktemp("small") / "reported"
    shutil.copytree(finished[0], workspace, symlinks=True)
    counts = job_counts(run_snakemake(workspace, "--cores", "2", target=REPORT).stdout)
    assert counts["make_report"] == 1 and "distil_student" not in counts
    [documented] = [line for line in commands_of("snakemake") if line.startswith("--report ")]
    for file in ("results/report.zip", "results/snakemake.html"):
        *arguments, _, target = shlex.split(documented.replace("results/report.zip", file))
        run_snakemake(workspace, *arguments, target=target)
    return workspace


def test_its_report_opens_in_a_browser_with_every_figure_and_without_a_network(reported):
    with chromium() as browser:
        browser.open(reported / REPORT)
        assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []
        assert [entry["message"] for entry in browser.log("browser")] == []
        rows = browser.script("return [...document.querySelector('table').rows].map(row => row.cells[0].innerText)")
        figures = browser.script(
            "return [...document.querySelectorAll('svg.plot')].map(figure => [figure.closest('section')"
            ".querySelector('h2').id, figure.getBoundingClientRect().width, figure.querySelectorAll('path').length])"
        )
    assert rows == ["method", *METHODS]
    assert [name for name, _, _ in figures] == ["dots", "gap", "queries", *["alignments"] * len(LANGUAGES), "curves"]
    assert all(width > 300 and marks > 20 for _, width, marks in figures)


def test_its_report_has_the_figures_of_its_table(reported):
    page = html.unescape((reported / REPORT).read_text(encoding="utf-8"))
    for method, *means in rows_of(reported / TABLE)[1:]:
        row = re.search(rf">{method}</th>(.*?)</tr>", page)[1]
        shown = [re.sub("[⁺⁻]", "", cell).replace("−", "-") for cell in re.findall(r">([^<]+)</td>", row)]
        assert [float(value) for value in shown] == pytest.approx([float(mean) for mean in means], abs=6e-4)


def test_the_commands_of_the_pages_leave_what_they_name(reported):
    names = zipfile.ZipFile(reported / "results/report.zip").namelist()
    assert sum(name.endswith(".svg") for name in names) == 4 + len(LANGUAGES)
    assert any(name.endswith("/report.html") for name in names)
    assert (reported / "results/figures/atlas/map.png").read_bytes().startswith(b"\x89PNG")
    assert "train_teacher" in (reported / "results/cost_table.tsv").read_text(encoding="utf-8")


def test_snakemakes_own_report_holds_the_figures_with_captions(reported):
    with chromium() as browser:
        browser.open(reported / "results/snakemake.html")
        assert [url for url in browser.requests() if not url.startswith(("file:", "data:"))] == []
        found = browser.script("return results")
        landing = browser.script("return document.body.innerText")
    drawn = [f"results/figures/{name}.svg" for name in ("atlas/map", "atlas/gap", "atlas/queries", "curves")]
    drawn += [f"results/figures/alignment/{lang}.svg" for lang in LANGUAGES]
    assert found.keys() == {REPORT, *drawn}
    for path, shown in found.items():
        data = (reported / path).read_bytes()
        assert base64.b64decode(shown["data_uri"].partition("base64,")[2]) == data, path
        caption = re.sub("<.*?>", "", shown["caption"])
        assert len(caption) > 60 and not re.search("[{}]|  ", caption), caption
        assert shown["labels"]
    assert f"queries in {len(LANGUAGES)} languages (sw, de)" in landing


def test_the_same_from_clean_with_another_number_of_cores_gives_the_same_bytes(finished, tmp_path):
    again, _ = run_in(tmp_path / "elsewhere", cores=3)
    for pattern in (
        "atlas/**/*",
        "bitext/**/*.tsv",
        "tokeniser/tokenizer.json",
        "**/model.safetensors",
        "**/*.trec",
        "*.tsv",
    ):
        files = [path for path in sorted((finished[0] / "results").glob(pattern)) if path.is_file()]
        assert files, pattern
        for path in files:
            name = path.relative_to(finished[0])
            assert path.read_bytes() == (again / name).read_bytes(), f"{name} differs"
