"""Each experiment plans the jobs that it should, no more and no fewer, in commands that can be read; nothing runs.

What the jobs are made of is a matter of the plan: tests/unit/plan.
"""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from optical.program import program, yaml_value
from support.workspace import ROOT, config_layers, job_counts, make_workspace, packaged_encoder, run_snakemake

pytestmark = pytest.mark.workflow

CONFIGS = sorted((ROOT / "config").glob("*.yaml"))  # studies: test_study_runs.py
# What every experiment of seven languages does once, and once a language.
ONCE = """prepare_collection prepare_training_set tokenise_training_set train_teacher encode_collection make_map_table
publish_map_table"""
BY_LANGUAGE = "clean_bitext tokenise_bitext search_lexical evaluate_run check_students"
FROM_SCRATCH = "generate_atlas train_tokeniser tokenise_text pretrain_encoder"


def each(rules, count):
    """Return so many jobs of each rule."""
    return dict.fromkeys(rules.split(), count)


TRANSLATING = each("train_translator translate_queries", 7) | {"score_translations": 1}
SEVEN = each(ONCE, 1) | each(BY_LANGUAGE, 7) | TRANSLATING | {"distil_student": 28, "search_collection": 8}
# FLORES articles in seven languages, AfriQA in Swahili; an encoder from elsewhere
TWO_COLLECTIONS = (
    SEVEN
    | dict.fromkeys(["prepare_collection", "encode_collection", "make_map_table"], 2)
    | each("encode_bitext align_words", 7)
    | each("search_lexical evaluate_run", 8)
    | {"search_collection": 10, "fetch_dataset": 62}
)
AFRICAN = (
    each(ONCE, 1)
    | each(BY_LANGUAGE, 6)
    | each("unpack_model make_dense encode_with_model score_translations", 1)
    | each("encode_bitext align_words train_translator translate_queries fuse_runs", 6)
    | {"distil_student": 8 * 6, "search_collection": 7}
)
EXPECTED = {
    "config": SEVEN | each(FROM_SCRATCH, 1),
    # WikiCLIR serves five languages, mMARCO two
    "full": SEVEN
    | each(FROM_SCRATCH, 1)
    | each("align_words switch_queries", 7)
    | each("prepare_training_set tokenise_training_set", 1 + 5 + 2)
    | {"distil_student": 7 * 7, "retrain_student": 7 + 5 + 2},
    "pieces": SEVEN
    | each(FROM_SCRATCH, 1)
    | each("extend_vocabulary tokenise_extended align_words", 7)
    | {"tokenise_bitext": 0},
    # MKQA in Finnish and Tagalog beside FLORES articles
    "open": TWO_COLLECTIONS
    | each("search_lexical evaluate_run", 9)
    | each("unpack_model make_dense", 1)
    | {"encode_with_model": 2, "distil_student": 8 * 7, "search_collection": 11, "fetch_dataset": 72},
    "afriqa": AFRICAN | {"fetch_dataset": 39},
    "afriqa_questions": AFRICAN | {"fetch_dataset": 35},
    # seven languages of queries, on the passages of each of eight languages and on all of them
    "any_to_any": each(ONCE, 9)
    | each("clean_bitext tokenise_bitext encode_bitext check_students merge_runs", 7)
    | each("unpack_model prepare_training_set tokenise_training_set train_teacher publish_map_table", 1)
    | {"encode_collection": 8, "distil_student": 4 * 7, "encode_with_model": 4 * 7, "fetch_dataset": 70}
    | {"search_collection": 7, "evaluate_run": 7 * 9},
    "subwords": TWO_COLLECTIONS | each("extend_vocabulary tokenise_extended", 7) | {"tokenise_bitext": 0},
    # CLIRMatrix has no Somali and no English queries; three seeds
    "paper": each(ONCE, 1)
    | each("clean_bitext translate_queries tokenise_bitext encode_bitext align_words switch_queries", 6)
    | each("search_lexical search_collection evaluate_run check_students", 6)
    | each("prepare_training_set tokenise_training_set", 1 + 5 + 2)
    | {"score_translations": 1, "distil_student": 6 * 6 * 3, "retrain_student": (6 + 5 + 2) * 3}
    | {"fetch_dataset": 3 * 4 + 3 * 3, "fetch_ir_datasets": 7 + 5 + 2 + 2, "fetch_model": 2},
}

# Experiments whose files and models lie in a folder with a space, and what of it reaches the programs.
WITH_SPACES = [
    (
        "alignment_quality.tsv",
        {
            "pretraining": {"text": "my data/{lang}.txt"},
            "bitext_cleaning": {"exclude": ["my data/test.txt"]},
            "lexicon": "my data/{lang}.tsv",
        },
        {"my data/en.txt", "my data/sw.txt", "my data/test.txt", "my data/sw.tsv"},
    ),
    (
        "map_table.tsv",
        {
            "encoder": {"source": "my data/encoder"},
            "translator": {"source": "my data/translator"},
            "collection_table": {"atlas": {"split": {"unit": "tokens"}}},
        },
        {"my data/encoder", "my data/translator"},
    ),
    ("map_table.tsv", {"teacher": {"source": "my data/teacher"}, "vocabulary": {"pieces": 9}}, {"my data/teacher"}),
]
REFUSED = [
    (
        "map_table.tsv",
        "method_table={optical: {objectives: {optimal_transprot: 1}}}",
        "unknown key 'optimal_transprot' [method_table.optical.objectives]. Hint: did you mean optimal_transport?",
    ),
    (
        "map_table.tsv",
        "teacher={training_set: {documents: nowhere.jsonl}}",
        "neither a data set nor a file: 'nowhere.jsonl'",
    ),
    (  # asked by a rule's input, where nothing is wrong with the config of another table
        "bitext_curve.tsv",
        "bitext_curve={methods: [bm25]}",
        "no distilled method for the curve [bitext_curve.methods]. Hint: name",
    ),
]


def plan(folder, *arguments, config=None, target=None):
    """Plan an experiment in a folder of links; return what Snakemake says."""
    workspace = make_workspace(folder / "workspace")
    values = {} if config is None else yaml.safe_load(Path(config).read_text(encoding="utf-8"))
    return run_snakemake(
        workspace,
        *("--dry-run", "--cores", "2", *arguments),
        config=[] if config is None else config_layers(config),
        target=target or f"{values.get('results', 'results')}/map_table.tsv",
        environment=packaged_encoder(folder),
    ).stdout


def commands_in(shown):
    """Return the shell commands that Snakemake shows."""
    return re.findall("^Shell command: (.*)", shown, re.MULTILINE)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_an_experiment_plans_its_jobs(tmp_path, path):
    counts = job_counts(plan(tmp_path, "--quiet", "rules", config=path))
    expected = EXPECTED.get(path.stem, {})
    off = {name: (counts.get(name, 0), expected.get(name, 0)) for name in counts | expected}
    off = {name: pair for name, pair in off.items() if pair[0] != pair[1]}
    assert not off, f"jobs (planned, expected in {Path(__file__).name}): {off}"


def test_fused_methods_join_the_runs_that_are_made_anyway(tmp_path):
    methods = "methods=[bm25, smt, optical, optical+bm25, optical+smt]"
    shown = plan(tmp_path, "--quiet", "rules", "--config", "languages=[sw, de]", methods)
    counts = job_counts(shown)
    assert (counts["fuse_runs"], counts["search_lexical"], counts["search_collection"]) == (2, 2, 2)
    assert (counts["evaluate_run"], counts["distil_student"]) == (2, 2)


def test_passages_to_search_are_encoded_and_nothing_is_judged(tmp_path):
    workspace = make_workspace(tmp_path)
    (workspace / "passages.jsonl").write_text('{"id": "d1", "text": "the river"}\n')
    own = {"collection_table": {"own": {"reader": "plain", "documents": "passages.jsonl"}}, "collections": ["own"]}
    (workspace / "own.yaml").write_text(yaml.safe_dump(own | {"languages": ["sw"], "methods": ["optical"]}))
    arguments = ("--dry-run", "--cores", "2", "--quiet", "rules")
    counts = job_counts(run_snakemake(workspace, *arguments, config=workspace / "own.yaml", target="all").stdout)
    assert (counts["encode_collection"], counts["distil_student"], counts["prepare_collection"]) == (1, 1, 1)
    assert not counts.keys() & {"search_collection", "evaluate_run", "make_map_table", "search_lexical"}


def test_machine_settings_are_no_reason_to_run_again(tmp_path):
    given = {"a": [], "b": ["machine={precision: bf16, device: cpu, checkpoint_minutes: 3}"]}
    commands, files = {}, {}
    for name, machine in given.items():
        arguments = ("--printshellcmds", "--config", "languages=[sw]", *machine)
        commands[name] = commands_in(plan(tmp_path / name, *arguments))
        files[name] = {path.name for path in (tmp_path / name / "workspace/results/arguments").iterdir()}
    assert any("--device auto --precision fp32" in command for command in commands["a"])
    assert any("--device cpu --precision bf16" in command for command in commands["b"])
    assert files["a"] == files["b"], "what decides a result is in these files alone, and in params"


@pytest.mark.parametrize(("target", "changes", "expected"), WITH_SPACES)
def test_a_path_with_a_space_reaches_the_programs_whole(tmp_path, target, changes, expected):
    workspace = make_workspace(tmp_path)
    for model in ("encoder", "translator", "teacher"):
        (workspace / "my data" / model).mkdir(parents=True)
        (workspace / "my data" / model / "config.json").write_text("{}")
    for file in ("en.txt", "sw.txt", "test.txt", "sw.tsv"):
        (workspace / "my data" / file).touch()
    config = workspace / "mine.yaml"
    config.write_text(yaml.safe_dump({"languages": ["sw"]} | changes))
    arguments = ("--dry-run", "--cores", "2", "--printshellcmds")
    shown = run_snakemake(workspace, *arguments, config=config, target=f"results/{target}").stdout
    texts = {text for command in commands_in(shown) for text in texts_of(workspace, command)}
    assert {text for text in texts if re.match("my|data", text)} == expected


def texts_of(workspace, command):
    """Yield the texts that a command hands to its program: words, and what the files hold that `@` stands before."""
    words = [f"@{workspace / word[1:]}" if word.startswith("@") else word for word in shlex.split(command)]
    _, words = program("any").parse_known_args(words)
    for word in words:
        value = word.partition("=")[2]
        yield from leaves(json.loads(value)) if value.startswith(("{", "[")) else [word]


def leaves(value):
    """Yield the texts of nested lists and maps."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    elif isinstance(value, str):
        yield value


@pytest.mark.parametrize(("target", "change", "message"), REFUSED)
def test_what_would_fail_after_hours_is_refused_in_one_line_before_any_job(tmp_path, target, change, message):
    arguments = ("--dry-run", "--cores", "2", "--config", change)
    workspace = make_workspace(tmp_path / "workspace")
    refused = run_snakemake(workspace, *arguments, config=[], target=f"results/{target}", check=False)
    assert refused.returncode == 1
    [line] = [line for line in refused.stdout.splitlines() if "ConfigError: " in line]
    assert message in line


def test_thirteen_hundred_students_are_planned_and_plotted_by_commands_that_can_be_read(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from planning import write_experiment

    config = Path(write_experiment(tmp_path, 65))
    seeds = list(range(1, 8))
    config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | {"seeds": seeds}), encoding="utf-8")
    arguments = ("--dry-run", "--cores", "2", "--printshellcmds")
    shown = run_snakemake(tmp_path, *arguments, config=config, target="results/figures/curves.svg").stdout
    assert job_counts(shown)["distil_student"] == 65 * 3 * 7 > 1300
    commands = commands_in(shown)
    assert max(map(len, commands)) < 600
    [plotting] = [command for command in commands if "plot_curves.py" in command]
    parser = program("plot_curves")
    for name in ("students", "names"):
        parser.add_argument(f"--{name}", type=yaml_value)
    parser.add_argument("--methods", nargs="+")
    monkeypatch.chdir(tmp_path)
    read = parser.parse_args([word for word in plotting.split() if word.startswith("@")])
    folders = {f"results/students/{job['lang']}/{job['method']}/{job['seed']}" for job in read.students}
    assert {job["folder"] for job in read.students} == folders
    assert (len(folders), len(read.names)) == (65 * 3 * 7, 65)
    assert "optical" in read.methods


@pytest.mark.parametrize("study", ["mtop", "miracl"])
def test_commands_of_a_study_can_be_read_too(tmp_path, study):
    config = ROOT / f"config/studies/{study}.yaml"
    shown = plan(tmp_path, "--printshellcmds", config=config, target=f"results/studies/{study}/table.tsv")
    assert max(map(len, commands_in(shown))) < 600
