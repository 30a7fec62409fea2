"""docs/your-language.md: its config is planned, its data and figures are as it says, and its commands run."""

import json
import re
import shlex
import shutil

import pytest

from optical.cli.main import main
from optical.files import read_table, write_jsonl
from support.mirror import MIRROR, needs_mirror
from support.toy_results import DOCUMENTS, make_results, student_of
from support.workspace import ROOT, job_counts, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

PAGE = (ROOT / "docs/your-language.md").read_text(encoding="utf-8")
CONFIG = re.search(r"`config/zu.yaml`:\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)[1]
COMMANDS = re.findall(r"^\$ optical (.*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A project's folder with the page's config."""
    workspace = make_workspace(tmp_path_factory.mktemp("zulu") / "project")
    (workspace / "config").unlink()
    shutil.copytree(ROOT / "config", workspace / "config")
    (workspace / "config/zu.yaml").write_text(CONFIG, encoding="utf-8")
    return workspace


def test_the_config_is_planned_by_the_command(workspace):
    [line] = re.findall(r"^    snakemake (.*)$", PAGE, re.MULTILINE)
    *_, file, _, target = shlex.split(line)
    said = run_snakemake(workspace, "--dry-run", config=[workspace / file], target=target)
    planned = job_counts(said.stdout)
    once = ("clean_bitext", "unpack_model", "train_teacher", "distil_student", "make_map_table")
    assert {rule: planned[rule] for rule in once} == dict.fromkeys(once, 1)


@needs_mirror
def test_pairs_passages_and_searches_by_words_are_as_the_page_says(workspace):
    run_snakemake(
        workspace,
        *("--cores", "2", "--config", "methods=[bm25,smt]", "reference=bm25"),
        config=[workspace / "config/zu.yaml"],
        target="results/zu/map_table.tsv",
        environment={"OPTICAL_MIRROR": str(MIRROR)},
    )
    results = workspace / "results/zu"
    report = json.loads((results / "bitext/zu/report.json").read_text(encoding="utf-8"))
    kept, read = report["train"] + report["dev"], sum(source["read"] for source in report["sources"])
    assert f"{kept:,} of {read:,} are kept" in PAGE
    questions, passages = (
        len((results / "collections/afriqa" / name).read_text(encoding="utf-8").splitlines())
        for name in ("queries/zu.tsv", "documents.jsonl")
    )
    assert f"{questions:,} questions and {passages:,} passages" in PAGE
    for row in read_table(results / "map_cells.tsv"):
        if (row["lang"], row["measure"]) == ("zu", "AP"):
            mean, low, high = (f"{float(row[name]):.3f}".lstrip("0") for name in ("mean", "mean_low", "mean_high"))
            assert f"| `{row['method']}` | {mean} | {low} to {high} |" in PAGE


def test_the_commands_run_one_after_the_other(workspace, tmp_path, monkeypatch, capsys):
    results = make_results(tmp_path / "results/zu", "afriqa")
    shutil.copytree(student_of(results).parent, results / "students/zu/token-contrast")
    write_jsonl(tmp_path / "passages.jsonl", DOCUMENTS)
    for name in ("config", "workflow", "rules", "envs"):
        (tmp_path / name).symlink_to(workspace / name)
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        assert main(shlex.split(command)) == 0, command
        output, error = capsys.readouterr()
        assert output and not error, command
