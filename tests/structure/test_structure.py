"""What every rule, program and file of the project must have: the conventions that CONTRIBUTING.md states."""

import ast
import re
import subprocess
import tomllib

import pytest
import yaml

from optical.errors import OpticalError
from optical.plan.methods import KINDS
from support.workspace import ROOT, derived_rules, rule_texts

RULES = rule_texts()
RULE_FILES = sorted((ROOT / "rules").glob("*.smk"))
PROGRAMS = sorted((ROOT / "workflow/scripts").glob("*.py"))
NO_RULE = {"describe_config"}  # programs that people run
LONGEST = 400


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def tracked_files():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git repository")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_it_does_where_and_at_what_cost(name):
    text = RULES[name]
    for directive in ("log", "benchmark", "conda", "message", "shell"):
        assert re.search(rf"^    {directive}:\n", text, re.MULTILINE), directive
    _assert_place_of_log_and_benchmark(name, text)
    environment = re.search(r'conda:\n        "\.\./envs/(\w+)\.yaml"', text)
    assert (ROOT / "envs" / f"{environment[1]}.yaml").is_file()


@pytest.mark.parametrize("name", [name for name, text in RULES.items() if "code(" in text or "script=" in text])
def test_a_rule_runs_the_program_of_its_name_and_lists_the_code_that_it_uses(name):
    text = RULES[name]
    if name.startswith("fetch_"):  # newer code fetches nothing again
        assert f'script=ancient("workflow/scripts/{name}.py")' in text
        assert "code(" not in text
        assert '"exec python {input.script} ' in text
        assert "--log {log}" in text
    else:
        assert f'**code("{name}"' in text
        assert re.search(r"shell:\n(?: +#.*\n)? +(f\"(nice )?{)?(RUN|RUN_MODEL|TRAIN)\b", text)
        assert "arguments=arguments(" in text
    assert (ROOT / f"workflow/scripts/{name}.py").is_file()


def test_the_message_of_a_training_names_the_log_that_shows_its_progress():
    trainings = {name for name, text in RULES.items() if re.search(r"shell:\n +TRAIN\b", text)}
    assert len(trainings) == 5 and not trainings & {base for base, _ in derived_rules().values()}
    for name in trainings:
        assert re.search(r'message:\n +".*; progress: \{log\}"', RULES[name]), name


@pytest.mark.parametrize("name", derived_rules())
def test_a_rule_made_from_another_keeps_log_and_benchmark_of_its_own_and_the_code(name):
    base, text = derived_rules()[name]
    _assert_place_of_log_and_benchmark(name, text)
    if "    input:\n" in text:
        assert f'**code("{base}")' in text


def _assert_place_of_log_and_benchmark(name, text):
    for kind in ("log", "benchmark"):
        folder = r'("(\{results\}|results)|f"\{experiment\.results\})'
        assert re.search(rf"{kind}:\n        {folder}/{kind}s/{name}[/.]", text), kind


@pytest.mark.parametrize("command", ["RUN", "TRAIN"])
def test_the_command_of_the_rules_runs_the_program_with_its_arguments_and_a_log(command):
    shared = (ROOT / "rules/common.smk").read_text(encoding="utf-8")
    assert re.search(rf"^{command} = [^=]*{{input.script}} {{params.arguments:q}} --log {{log}}", shared, re.MULTILINE)


def test_every_program_has_a_rule():
    assert {path.stem for path in PROGRAMS} - set(RULES) <= NO_RULE


def test_what_rules_share_is_in_one_short_file():
    for path in [*RULE_FILES, ROOT / "workflow/Snakefile"]:
        helpers = re.findall(r"^def (\w+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert not helpers or path.name == "common.smk", path.name
    assert len(lines_of(ROOT / "rules/common.smk")) < 150
    assert sum(len(lines_of(path)) for path in RULE_FILES) < 2000


def test_no_rule_knows_a_kind_of_method_but_those_of_its_own_searches():
    # whatever else depends on kinds is asked of the plan, which answers from plan.methods.KINDS
    own = {"search_collection": "translated", "search_pruned": "translated"}
    own |= {"search_lexical": "translated-lexical", "retrain_student": "retrained"}
    both = {"distil_student": {"distilled", "dense-distilled"}}
    for name, text in (RULES | {name: text for name, (_, text) in derived_rules().items()}).items():
        named = {kind for kind in KINDS if re.search(rf'"{kind}"', text)} - {"teacher"}
        assert named <= both.get(name, {own.get(name)}), name


def test_the_snakefile_fits_on_a_page():
    assert len(lines_of(ROOT / "workflow/Snakefile")) <= 50


def test_no_source_file_is_long():
    sources = [path for path in tracked_files() if path.suffix in (".py", ".smk") or path.name == "Snakefile"]
    assert len(sources) > 50
    assert not [path.name for path in sources if len(lines_of(path)) > LONGEST]


def test_every_error_says_what_to_do():
    names = {error.__name__ for error in OpticalError.__subclasses__()}
    silent = []
    for path in sorted((ROOT / "workflow/scripts").rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        calls = [node for node in nodes if isinstance(node, ast.Call) and getattr(node.func, "id", "") in names]
        for call in calls:  # what, where, hint
            if len(call.args) < 3 and "hint" not in {word.arg for word in call.keywords}:
                silent.append(f"{path.relative_to(ROOT)}:{call.lineno}")
    # a search's checks of arrays concern callers in Python alone
    assert [place for place in silent if not place.startswith("workflow/scripts/optical/search/")] == []


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_is_short_explains_itself_and_takes_named_arguments(path):
    text = path.read_text(encoding="utf-8")
    described = ast.get_docstring(ast.parse(text))
    assert described
    assert f"workflow/scripts/{path.name}" in described, "an example command"
    assert re.findall(r"add_argument\(\s*\"(?!--)", text) == []
    assert "run_program(main, parser)" in text
    assert len(text.splitlines()) <= 100


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_every_program_shows_an_example_that_can_be_copied(path):
    text = path.read_text(encoding="utf-8")
    page = ast.get_docstring(ast.parse(text))
    assert "program(__doc__" in text
    lines = page.splitlines()
    first = next(place for place, line in enumerate(lines) if f"python workflow/scripts/{path.name} --" in line)
    last = next(place for place in range(first, len(lines)) if not lines[place].endswith("\\"))
    example = " ".join(line.removesuffix("\\") for line in lines[first : last + 1])
    options = {word for word in example.split() if word.startswith("--")}
    library = (ROOT / "workflow/scripts/optical/program.py").read_text(encoding="utf-8")
    assert all(f'"{option}"' in text + library for option in options)
    assert "%" not in page.replace("%%", ""), "argparse formats the description"


def test_ci_and_the_guide_run_the_same_command():
    command = 'python -m venv .venv && . .venv/bin/activate && pip install -e ".[test]" && make check'
    for name in (".ci/run", "CONTRIBUTING.md"):
        assert command in (ROOT / name).read_text(encoding="utf-8"), name
    assert (ROOT / ".ci/run").stat().st_mode & 0o111


def test_pinned_versions_agree():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    wanted = {pin for repo in hooks["repos"] for hook in repo["hooks"] for pin in hook["additional_dependencies"]}
    assert wanted
    for pin in wanted:
        assert f'"{pin}"' in project, pin


def test_environments_take_the_release_that_the_project_pins():
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    pins = {name.lower(): version for name, _, version in (package.partition("==") for package in needed) if version}
    found = set()
    for path in sorted((ROOT / "envs").glob("*.yaml")):
        for name, version in re.findall(r"^ +- ([\w.-]+?)==?([\w.]+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            if name.lower() in pins and (path.stem, name) != ("pruned", "torch"):  # fast-plaid wants another
                found.add(name.lower())
                assert version == pins[name.lower()], f"{path.name}: {name}"
    assert found >= {"babel", "pot", "torch"}


def test_nothing_names_a_place_of_one_machine():
    # spelt apart, so that this file does not name them either
    places = re.compile("/" + r"(home|root|Users|work)/[\w.-]+")
    kinds = {".py", ".smk", ".md", ".yaml", ".tsv", ".toml", ".cff"}
    found = []
    for path in tracked_files():
        if path.suffix in kinds:
            found += [f"{path.name}: {match[0]}" for match in places.finditer(path.read_text(encoding="utf-8"))]
    assert not found


def test_a_command_leaves_no_shell_that_ends_before_its_program():
    common = (ROOT / "rules/common.smk").read_text(encoding="utf-8")
    assert re.search(r'^RUN = "exec python ', common, re.MULTILINE)
    assert re.search(r'^TRAIN = \(\n    "exec \{resources\.launcher\} ', common, re.MULTILINE)
