"""A stand-in for the program `conda`, for tests where no conda channel can be reached.

It answers the calls that Snakemake makes and builds each environment as a Python virtual environment from the same
yaml. So a test shows that an environment holds what its rules import; channels and conda's solver it does not test.

`install(BASE)` writes BASE/bin/conda and BASE/bin/activate; with BASE/bin first on PATH, `snakemake --sdm conda` works.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

CLAIMED_VERSION = "25.1.0"  # Snakemake wants 24.7.1 or newer
CHANNELS = ["conda-forge", "nodefaults"]
# conda's names of what the environments take from conda-forge -> PyPI's; a name that is not here is refused, so that
# a spelling mistake installs no lookalike
PYPI_NAMES = {
    "annotated-types": "annotated-types",
    "babel": "babel",
    "fonttools": "fonttools",
    "matplotlib-base": "matplotlib",
    "numpy": "numpy",
    "pandas": "pandas",
    "pydantic": "pydantic",
    "pyyaml": "PyYAML",
    "regex": "regex",
    "requests": "requests",
    "scipy": "scipy",
    "tqdm": "tqdm",
    "urllib3": "urllib3",
}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]

ACTIVATE = """# sourced as `source activate PREFIX`
[ -d "$1/conda-meta" ] || { echo "activate: no environment at $1" >&2; return 1; }
export CONDA_PREFIX=$1 PATH=$1/bin:$PATH
unset PYTHONHOME VIRTUAL_ENV
"""


class Refused(Exception):
    """The yaml asks for something that the project does not allow or the stand-in cannot do."""


def read_environment(path):
    """Return (Python version, requirements for pip) of an environment file; everything must be pinned.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp(), "a.yaml")
    >>> _ = file.write_text('''{channels: [conda-forge, nodefaults], dependencies: [
    ...   python=3.11.14, pip=25.2, pyyaml=6.0.3, {pip: [torch==2.13.0]}]}''')
    >>> read_environment(file)
    ('3.11.14', ['PyYAML==6.0.3', 'torch==2.13.0'])
    """
    environment = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if environment["channels"] != CHANNELS:
        raise Refused(f"{path}: the channels must be {CHANNELS}")
    python, requirements = None, []
    for dependency in environment["dependencies"]:
        if isinstance(dependency, dict):
            requirements += [_exact(spec, "==", path) for spec in dependency["pip"]]
            continue
        name, version = _exact(dependency, "=", path).split("=")
        if name == "python":
            python = version
        elif name in PYPI_NAMES:
            requirements.append(f"{PYPI_NAMES[name]}=={version}")
        elif name != "pip":  # pip is the driver's own: `pip --python`
            raise Refused(f"{path}: no PyPI name is known for {name!r}: add it to PYPI_NAMES")
    if python is None:
        raise Refused(f"{path}: no python")
    return python, requirements


def _exact(spec, sign, path):
    name, found, version = spec.partition(sign)
    if not (name and found and version) or set(name + version) & set("=<>~!*,| "):
        raise Refused(f"{path}: {spec!r} is not pinned as name{sign}version")
    return spec


def create(environment_file, prefix):
    """Build the environment of a file at `prefix`, all of it or nothing."""
    python, requirements = read_environment(environment_file)
    minor, own = ".".join(python.split(".")[:2]), "{}.{}".format(*sys.version_info)
    interpreter = sys.executable if minor == own else shutil.which(f"python{minor}")  # whatever its third number is
    if interpreter is None:
        raise Refused(f"{environment_file}: there is no Python {minor} on this machine")
    subprocess.run([interpreter, "-m", "venv", "--without-pip", prefix], check=True)
    try:
        if requirements:
            subprocess.run(
                [*PIP, "--python", f"{prefix}/bin/python", "install", "--quiet", "--no-compile", *requirements],
                check=True,
            )
    except subprocess.CalledProcessError as error:
        shutil.rmtree(prefix, ignore_errors=True)
        raise Refused(f"{environment_file}: pip could not install {' '.join(requirements)}") from error
    meta = Path(prefix, "conda-meta")
    meta.mkdir()
    meta.joinpath("history").write_text("\n".join([python, *requirements]) + "\n", encoding="utf-8")


def install(base):
    """Write the programs `conda` and `activate` under BASE/bin, and return that folder."""
    base = Path(base).resolve()
    programs = base / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    (base / "conda-meta").mkdir(exist_ok=True)
    conda = programs / "conda"
    start = f'CONDA_STAND_IN_BASE={base} exec {sys.executable} -I {Path(__file__).resolve()} "$@"'
    conda.write_text(f"#!/bin/sh\n{start}\n", encoding="utf-8")
    conda.chmod(0o755)
    (programs / "activate").write_text(ACTIVATE, encoding="utf-8")
    return programs


def answer(base, arguments):
    """Do what one call of conda asks for and return what it prints."""
    options = dict(zip(arguments, arguments[1:], strict=False))
    if arguments == ["--version"]:
        return f"conda {CLAIMED_VERSION}"
    if arguments[:1] == ["info"]:
        return json.dumps({"conda_prefix": str(base), "platform": "linux-64", "conda_version": CLAIMED_VERSION})
    if arguments[:2] == ["config", "--get"]:
        return json.dumps({"get": {"channel_priority": "strict"}})
    if arguments[:1] == ["clean"]:
        return ""
    if arguments[:2] == ["env", "create"]:
        create(options["--file"], options["--prefix"])
        return ""
    raise Refused(f"not supported: conda {' '.join(arguments)}")


if __name__ == "__main__":
    try:
        print(answer(Path(os.environ.get("CONDA_STAND_IN_BASE", "")), sys.argv[1:]))
    except Refused as problem:
        sys.exit(f"conda stand-in: {problem}")
