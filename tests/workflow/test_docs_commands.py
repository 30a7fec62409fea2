"""The commands of the pages, and of the configs' comments, are tried.

Every `snakemake` command is planned here. Those that take minutes also run at a small size, in the tests that
`RUN_SMALL` names. Those that need a cluster, a GPU, a network or an hour are only planned; `ONLY_PLANNED` lists them.
`make` is a dry run. Programs exist and have the options.
"""

import re
import shlex
import subprocess
import sys
import textwrap

import pytest
import yaml

from support.pages import PAGES, commands_in, commands_of
from support.workspace import ROOT, make_workspace, packaged_encoder, run_command

pytestmark = pytest.mark.workflow

# What no dry run does: make environments or containers, report on what was run, take a lock away.
OTHER_DEEDS = {"--conda-create-envs-only", "--containerize", "--report", "--unlock"}
DRY = {"-n", "--dry-run"}
# Commands that take minutes, by their last target, and the test that runs them at a small size and checks the outcome.
RUN_SMALL = {
    "results/map_table.tsv": "test_small_run",
    "results/figures/atlas/map.png": "test_small_run",
    "results/report.html": "test_small_run",
    "results/bitext_curve.tsv": "test_extended",
    "results/pieces/map_table.tsv": "test_extended",
    "results/pruned_table.tsv": "test_damage",
    "results/mine/tuning.tsv": "test_tuning",
    "results/zulu/map_table.tsv": "test_new_language",
    "results/mine/map_table.tsv": "test_docs_add_a_method",
}
# Commands that are only planned, by a part of them: what they need, and tests that run such configs at a small size.
ONLY_PLANNED = {
    "--workflow-profile": "a cluster: test_slurm",
    "--resources gpu=8": "GPUs",
    "--sdm conda": "conda, and a network: test_conda",
    "--containerize": "containers",
    "config/open.yaml": "hours, and a network",
    "config/subwords.yaml": "an hour, and a network",
    "config/full.yaml": "ten minutes; the rehearsal runs these methods: test_rehearsal",
    "config/studies/": "an hour: test_study_runs",
    "config/zu.yaml": "half an hour, and a network: test_docs_your_language, test_docs_own_passages",
    "--unlock": "an interrupted run: test_resume",
}
# Configs that the reader writes, and that the tests of their pages plan or run.
RUN_ELSEWHERE = {"config/zulu.yaml", "config/mine.yaml", "config/zu.yaml"}
# Configs that the reader writes, and that are planned with here: where a page tells them.
TOLD = {
    "config/first.yaml": "docs/reproduce-the-paper.md",
    "config/nllb.yaml": "config/README.md",
    "config/xlmr.yaml": "docs/studies/mtop.md",
    "mine.yaml": "docs/tuning.md",
}


def told_config(name):
    """Return the config that a page tells the reader to write."""
    block = re.search(rf"`{name}`:\n\n *```yaml\n(.*?)\n *```\n", PAGES[TOLD[name]], re.DOTALL)
    return textwrap.dedent(block[1])


def dry_runs():
    """Return the arguments of each `snakemake` of the pages; settings alone are laid over the page's first command."""
    found = {}
    for page, text in PAGES.items():
        commands = [words[1:] for words in commands_in(text) if words[:1] == ["snakemake"]]
        commands = [[word for word in words if word not in DRY] for words in commands]
        overlays = [words for words in commands_in(text) if words[:1] == ["--config"]]
        for words in [*commands, *([*words, *commands[0]] for words in overlays)]:
            if not (OTHER_DEEDS | RUN_ELSEWHERE) & set(words) and not planned_by_test_study_runs(words):
                found.setdefault(shlex.join(words), page)
    return found


def planned_by_test_study_runs(words):
    """Return whether this is the command that makes the figure of a study, or the table for it, and nothing more."""
    study = re.fullmatch(
        r"--cores 2 --configfile config/studies/(\w+)\.yaml -- results/studies/(\w+)/(table\.tsv|figure\.svg)",
        " ".join(words),
    )
    return bool(study) and study[1] == study[2]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with the workflow and what the pages ask the reader to bring: a config, text to pre-train on."""
    workspace = make_workspace(tmp_path_factory.mktemp("reader") / "project")
    (workspace / "config").unlink()
    (workspace / "config").mkdir()
    for path in (ROOT / "config").iterdir():
        (workspace / "config" / path.name).symlink_to(path)
    for name in TOLD:
        (workspace / name).write_text(told_config(name), encoding="utf-8")
    (workspace / "results/mine").mkdir(parents=True)
    (workspace / "results/mine/tuning.yaml").write_text("student: {learning_rate: 1.0e-3}\n", encoding="utf-8")
    (workspace / "data").mkdir()
    for lang in ["en", *yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["languages"]]:
        (workspace / f"data/wikipedia.{lang}.txt").touch()
    return workspace


@pytest.fixture(scope="module")
def variables(tmp_path_factory):
    """Return the environment variables of a reader who installed what the pages say."""
    return packaged_encoder(tmp_path_factory.mktemp("installed"))


def test_a_command_may_go_on_in_further_lines():
    page = (
        "Text:\n\n    snakemake --cores 2 \\\n        'a={b: 1,\n        c: 2}' -- d  # e\n\nand `make x`, it's so.\n"
    )
    assert commands_in(page) == [["snakemake", "--cores", "2", "a={b: 1, c: 2}", "--", "d"], ["make", "x"]]


def test_every_kind_of_page_has_commands():
    pages = {*dry_runs().values(), *commands_of("make").values()}
    assert {"README.md", "CONTRIBUTING.md", "docs/cluster.md", "docs/studies/multi30k.md", "config/paper.yaml"} <= pages
    assert len(dry_runs()) > 12


def test_a_profile_is_given_as_that_of_the_workflow():
    wrong = [page for line, page in dry_runs().items() if "--profile" in shlex.split(line)]
    assert wrong == [], "--profile reads workflow/profiles/default as well: docs/cluster.md"


@pytest.mark.parametrize("line", dry_runs(), ids=dry_runs().values())
def test_the_command_is_planned(workspace, variables, line):
    line = line.replace("--sdm conda", "")  # conda is asked for even in a dry run
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", *shlex.split(line)]
    done = run_command(command, workspace, variables)
    assert re.search(r"^total +\d+$", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("line", [line for line in commands_of("snakemake") if not DRY & set(shlex.split(line))])
def test_the_command_runs_at_a_small_size_or_is_among_those_that_are_only_planned(line):
    assert any(part in line for part in ONLY_PLANNED) or shlex.split(line)[-1] in RUN_SMALL


def test_the_tests_that_run_commands_are_there_and_no_command_is_listed_that_no_page_has():
    named = re.findall(r"test_\w+", " ".join([*RUN_SMALL.values(), *ONLY_PLANNED.values()]))
    assert set(named) <= {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    lines = commands_of("snakemake")
    assert {target for target in RUN_SMALL if not any(line.endswith(target) for line in lines)} == set()
    assert {part for part in ONLY_PLANNED if not any(part in line for line in lines)} == set()


@pytest.mark.parametrize("line", commands_of("make"))
def test_make_knows_the_target(line):
    subprocess.run(["make", "--dry-run", *shlex.split(line)], cwd=ROOT, capture_output=True, check=True)


@pytest.mark.parametrize("line", [line for line in commands_of("python") if ".py" in line.split()[0]])
def test_the_program_is_there_and_takes_these_options(line):
    program, *arguments = shlex.split(line)
    assert (ROOT / program).is_file()
    beside = "".join(file.read_text(encoding="utf-8") for file in (ROOT / program).parent.glob("*.py"))
    assert all(f'"{word}"' in beside for word in arguments if word.startswith("--"))
