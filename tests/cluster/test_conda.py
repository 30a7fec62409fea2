"""Each conda environment holds what its rules import, and nothing that it should not; a run uses nothing else.

Where no conda channel can be reached, `conda_stand_in` builds the environments as virtual environments from the same
yaml. `OPTICAL_TEST_ENVIRONMENTS` names a folder to keep them in between runs of the tests.
"""

import hashlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cluster import conda_stand_in
from support.workspace import (
    ROOT,
    TABLE,
    driver_imports,
    job_counts,
    make_workspace,
    programs_of,
    rules,
    run_snakemake,
    third_party_imports,
)

pytestmark = pytest.mark.workflow

ENVIRONMENTS = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))
LARGE = {"pruned"}  # five gigabytes, as its torch carries CUDA: test_pruned.py takes a Python that has it
BUILT = [name for name in ENVIRONMENTS if name not in LARGE]
FORBIDDEN = {
    "data": ["torch", "transformers", "ot", "snakemake"],
    "train": ["ir_datasets", "ir_measures", "sacrebleu", "matplotlib", "snakemake"],
    "translate": ["ot", "ir_datasets", "ir_measures", "bm25s", "snakemake"],
    "evaluate": ["torch", "transformers", "ot", "ir_datasets", "snakemake"],
    "report": ["torch", "transformers", "ot", "ir_datasets", "snakemake"],
    "driver": ["torch", "transformers", "ot"],
}
# modules that are imported from a package of another name
PACKAGE_OF = {
    "yaml": "pyyaml",
    "ot": "pot",
    "Stemmer": "pystemmer",
    "pynvml": "nvidia-ml-py",
    "fast_plaid": "fast-plaid",
    "annotated_types": "annotated-types",
    "pydantic_core": "pydantic",
}
OPTIONAL = {"nvidia-ml-py"}  # with the clusters' plugins; without it, no GPU's power is read
# modules that some function imports which no program of the environment calls, or that come with another package
NEEDLESS = {
    "data": {"torch"},  # tells the processor of what a model's provenance is written
    "evaluate": {"tokenizers", "torch"},  # the first cuts documents by tokens, which are in passages by then
    "train": {"triton"},  # comes with torch's CUDA build; without it, plans are computed another way
}
# packages that something needs although no program imports them by name
COMPANIONS = {
    "evaluate": {"pytrec_eval-terrier"},  # ir_measures loads it
    "translate": {"sentencepiece"},  # transformers loads it for other people's translators
    "report": {"fontpkg-noto-sans-devanagari"},  # a font
    "driver": {
        "numpy",
        "pandas",  # with numpy, the Slurm plugin's reports
        "pygments",  # Snakemake's report
        "pyyaml",  # Snakemake reads configs with it
        # what the profiles name as `executor` and `default-storage-provider`
        "snakemake-executor-plugin-cluster-generic",
        "snakemake-executor-plugin-kubernetes",
        "snakemake-executor-plugin-slurm",
        "snakemake-storage-plugin-fs",
    },
}


def imports_of(environment):
    """Return the modules that must be importable in an environment."""
    if environment == "driver":
        return driver_imports()
    programs = (f"workflow/scripts/{program}.py" for program in programs_of(environment))
    return third_party_imports(*programs) - NEEDLESS.get(environment, set())


@pytest.fixture(scope="module")
def conda(tmp_path_factory):
    """Return (variables with the stand-in on PATH, conda prefix, environment name -> folder), all of them built."""
    kept = os.environ.get("OPTICAL_TEST_ENVIRONMENTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("conda")
    programs = conda_stand_in.install(folder / "base")
    variables = {"PATH": f"{programs}:{os.environ['PATH']}"}
    workspace = make_workspace(tmp_path_factory.mktemp("create"))
    prefix = folder / "prefix"
    run_snakemake(
        workspace, "--sdm", "conda", "--conda-prefix", prefix, "--conda-create-envs-only", environment=variables
    )
    built = {}
    for name in BUILT:
        source = ROOT / f"envs/{name}.yaml"
        copies = [copy for copy in prefix.glob("*.yaml") if copy.read_bytes() == source.read_bytes()]
        own = folder / f"{name}-{hashlib.sha256(source.read_bytes()).hexdigest()[:8]}"
        built[name] = copies[0].with_suffix("") if copies else own
        if not built[name].exists():  # no rule of the small run is in it
            conda_stand_in.create(source, built[name])
    return variables, prefix, built


def test_every_rule_names_an_environment_that_exists():
    assert {name for name, (_, environment) in rules().items() if environment not in ENVIRONMENTS} == set()


def test_rules_are_read_as_snakemake_reads_them(tmp_path):
    done = run_snakemake(make_workspace(tmp_path), "--list-rules")
    assert set(done.stdout.split()) - {"all"} >= set(rules())
    assert len(rules()) > 10


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_everything_is_pinned(name):
    python, requirements = conda_stand_in.read_environment(ROOT / f"envs/{name}.yaml")
    assert re.fullmatch(r"3\.\d+\.\d+", python)
    assert all(re.fullmatch(r"[\w-]+==[\w.]+", requirement) for requirement in requirements)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_nothing_is_there_that_no_program_imports(name):
    if name != "driver" and not programs_of(name):
        pytest.skip(f"no rule runs in {name} yet")
    _, requirements = conda_stand_in.read_environment(ROOT / f"envs/{name}.yaml")
    packages = {PACKAGE_OF.get(module, module).lower() for module in imports_of(name)}
    listed = {requirement.split("==")[0] for requirement in requirements} - COMPANIONS.get(name, set())
    assert {package for package in listed if package.lower() not in packages} == set()


@pytest.mark.parametrize("name", BUILT)
def test_an_environment_holds_what_its_programs_import(conda, name):
    modules = sorted(imports_of(name))
    assert modules or not programs_of(name)
    command = [conda[2][name] / "bin/python", "-I", "-c", f"import {', '.join(modules)}" if modules else ""]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_plain_installation_holds_what_the_programs_import():
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    installed = {re.match(r"[\w.-]+", requirement)[0].lower() for requirement in needed}
    for name in ("data", "train", "translate", "evaluate", "driver"):
        packages = {PACKAGE_OF.get(module, module).lower().replace("_", "-") for module in imports_of(name)}
        assert packages - {name.replace("_", "-") for name in installed} - OPTIONAL == set(), name


@pytest.mark.parametrize("name", BUILT)
def test_an_environment_lacks_what_it_should_not_hold(conda, name):
    find = "import sys, importlib.util as i; print(*[name for name in sys.argv[1:] if i.find_spec(name)])"
    command = [conda[2][name] / "bin/python", "-I", "-c", find, *FORBIDDEN[name]]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == []


def test_the_driver_has_the_plugins_that_the_profiles_name():
    named = set()
    for path in (ROOT / "workflow/profiles").glob("*/config.yaml"):
        profile = yaml.safe_load(path.read_text(encoding="utf-8"))
        for key, kind in (("executor", "executor"), ("default-storage-provider", "storage")):
            named |= {f"snakemake-{kind}-plugin-{profile[key]}"} if key in profile else set()
    _, requirements = conda_stand_in.read_environment(ROOT / "envs/driver.yaml")
    assert len(named) > 3
    assert named <= {requirement.split("==")[0] for requirement in requirements}


def test_the_same_pins_everywhere_but_of_the_torch_that_fast_plaid_wants():
    versions = {}
    for name in ENVIRONMENTS:
        for requirement in conda_stand_in.read_environment(ROOT / f"envs/{name}.yaml")[1]:
            package, _, version = requirement.partition("==")
            versions.setdefault(package.lower(), set()).add(version)
    assert len(versions.pop("torch")) == 2
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_a_run_takes_every_rule_into_its_own_environment(conda, tmp_path):
    variables, prefix, built = conda
    workspace = make_workspace(tmp_path)
    arguments = ("--cores", 2, "--sdm", "conda", "--conda-prefix", prefix, "--show-failed-logs")
    one_language = ("--config", "languages=[sw]")  # a second one would run the same rules again
    done = run_snakemake(workspace, *arguments, *one_language, environment=variables)
    both = run_snakemake(workspace, "--forceall", "--dry-run")
    assert job_counts(done.stdout).keys() == job_counts(both.stdout).keys()
    used = {Path(folder).name for folder in re.findall(r"Activating conda environment: (\S+)", done.stdout)}
    assert used == {built[name].name for name in ("data", "train", "evaluate")}
    assert (workspace / TABLE).read_text().startswith("method\t")


def test_what_was_made_without_conda_stands_with_it(tmp_path):
    programs = conda_stand_in.install(tmp_path / "base")
    workspace, made = make_workspace(tmp_path / "run"), "results/atlas/qrels.txt"
    run_snakemake(workspace, "--cores", 1, target=made)
    variables = {"PATH": f"{programs}:{os.environ['PATH']}"}
    for profile in ("default", "slurm"):
        again = ("--dry-run", "--sdm", "conda", "--workflow-profile", f"workflow/profiles/{profile}")
        assert "Nothing to be done" in run_snakemake(workspace, *again, target=made, environment=variables).stdout


def test_one_container_can_hold_all_environments_of_a_run(tmp_path):
    programs = conda_stand_in.install(tmp_path / "base")
    workspace = make_workspace(tmp_path / "run")
    command = [sys.executable, "-m", "snakemake", "--containerize", "apptainer"]
    variables = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    definition = subprocess.run(
        command, cwd=workspace, env=variables, capture_output=True, text=True, check=True
    ).stdout
    assert definition.startswith("Bootstrap: docker")
    for name in ("data", "train", "evaluate"):
        assert f"source: envs/{name}.yaml" in definition


@pytest.mark.parametrize(
    ("dependency", "problem"),
    [
        ("numpy", "not pinned"),
        ("numpy>=2", "not pinned"),
        ("numpy=2.*", "not pinned"),
        ("nunpy=2.4.6", "no PyPI name"),
    ],
)
def test_the_stand_in_refuses_what_is_not_pinned_or_known(tmp_path, dependency, problem):
    file = tmp_path / "a.yaml"
    file.write_text(yaml.safe_dump({"channels": conda_stand_in.CHANNELS, "dependencies": ["python=3.11", dependency]}))
    with pytest.raises(conda_stand_in.Refused, match=problem):
        conda_stand_in.read_environment(file)


def test_the_stand_in_leaves_no_half_environment(tmp_path):
    file = tmp_path / "a.yaml"
    package = {"pip": ["optical-no-such-package==0.0.1"]}
    file.write_text(yaml.safe_dump({"channels": conda_stand_in.CHANNELS, "dependencies": ["python=3.11", package]}))
    with pytest.raises(conda_stand_in.Refused, match="could not install"):
        conda_stand_in.create(file, tmp_path / "environment")
    assert not (tmp_path / "environment").exists()
