"""Each experiment plans the jobs that it should, no more and no fewer; nothing runs."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from support.workspace import ROOT, job_counts, make_workspace, packaged_encoder, run_snakemake

pytestmark = pytest.mark.workflow

CONFIGS = sorted((ROOT / "config").glob("*.yaml"))  # studies: test_study_runs.py
# What every experiment of seven languages does once, and once a language.
ONCE = """prepare_collection prepare_training_set tokenise_training_set train_teacher encode_collection compare_methods
make_map_table publish_map_table"""
BY_LANGUAGE = "clean_bitext tokenise_bitext search_lexical evaluate_run"
FROM_SCRATCH = "generate_atlas train_tokeniser tokenise_text pretrain_encoder"


def each(rules, count):
    """Return so many jobs of each rule."""
    return dict.fromkeys(rules.split(), count)


TRANSLATING = each("train_translator translate_queries", 7) | {"score_translations": 1}
SEVEN = each(ONCE, 1) | each(BY_LANGUAGE, 7) | TRANSLATING | {"distil_student": 28, "search_collection": 8}
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
    # two collections: FLORES articles in seven languages, AfriQA in Swahili
    "open": SEVEN
    | dict.fromkeys(["prepare_collection", "encode_collection", "compare_methods", "make_map_table"], 2)
    | each("extend_vocabulary tokenise_extended encode_bitext align_words", 7)
    | each("search_lexical evaluate_run", 8)
    | {"tokenise_bitext": 0, "search_collection": 10, "fetch_dataset": 62},
    # CLIRMatrix has no Somali and no English queries; three seeds
    "paper": each(ONCE, 1)
    | each("clean_bitext translate_queries", 7)
    | each("tokenise_bitext encode_bitext align_words switch_queries", 6)
    | each("search_lexical search_collection evaluate_run", 6)
    | each("prepare_training_set tokenise_training_set", 1 + 5 + 2)
    | {"score_translations": 1, "distil_student": 6 * 6 * 3, "retrain_student": (6 + 5 + 2) * 3}
    | {"fetch_dataset": 4 * 6, "fetch_ir_datasets": 7 + 5 + 2 + 2, "fetch_model": 2},
}


# Experiments whose files and models lie in a folder with a space, and what of it stands in the programs' arguments.
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


def plan(folder, *arguments, config=None):
    """Plan an experiment in a folder of links; return what Snakemake says."""
    workspace = make_workspace(folder / "workspace")
    values = {} if config is None else yaml.safe_load(Path(config).read_text(encoding="utf-8"))
    return run_snakemake(
        workspace,
        *("--dry-run", "--cores", "2", *arguments),
        config=[] if config is None else config,
        target=f"{values.get('results', 'results')}/map_table.tsv",
        environment=packaged_encoder(folder),
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_an_experiment_plans_its_jobs(tmp_path, path):
    counts = job_counts(plan(tmp_path, "--quiet", "rules", config=path).stdout)
    expected = EXPECTED.get(path.stem, {})
    off = {name: (counts.get(name, 0), expected.get(name, 0)) for name in counts | expected}
    off = {name: pair for name, pair in off.items() if pair[0] != pair[1]}
    assert not off, f"jobs (planned, expected in {Path(__file__).name}): {off}"


def test_documents_are_encoded_once_whatever_the_languages_and_methods(tmp_path):
    arguments = ("--quiet", "rules", "--config", "languages=[sw]", "methods=[zero-shot,optical]", "seeds=[1,2,3]")
    counts = job_counts(plan(tmp_path, *arguments).stdout)
    assert (counts["encode_collection"], counts["distil_student"], counts["search_collection"]) == (1, 3, 1)
    assert "search_lexical" not in counts


def test_a_method_changes_single_settings_and_keeps_the_others(tmp_path):
    changed = (
        "method_table={sharp: {kind: distilled, objectives: {optimal_transport: 1.0}, "
        "transport: {solver: ipot}, student: {steps: 7}}}"
    )
    common = ("transport={regularisation: 0.07}", "student={batch_size: 9, sides: [document]}")
    arguments = ("languages=[sw]", "methods=[sharp]", "reference=sharp", changed, *common)
    output = plan(tmp_path, "--printshellcmds", "--config", *arguments).stdout
    [settings] = re.findall(r"distil_student\.py.*--settings '([^']*)'", output)
    settings = yaml.safe_load(settings)
    assert (settings["transport"]["solver"], settings["transport"]["regularisation"]) == ("ipot", 0.07)
    assert (settings["steps"], settings["batch_size"], settings["sides"]) == (7, 9, ["document"])


def test_only_students_that_know_of_transport_depend_on_its_settings(tmp_path):
    methods = ["mse", "mse-idf", "contrastive", "optical", "optical-uniform"]
    arguments = ("--config", "languages=[sw]", f"methods=[{','.join(methods)}]")
    output = plan(tmp_path, "--printshellcmds", *arguments).stdout
    settings = re.findall(r"distil_student\.py.*--settings '([^']*)' --name sw/(\S+)/1 ", output)
    of = {method: yaml.safe_load(text).get("transport") for text, method in settings}
    assert of.keys() == set(methods)
    assert (of["mse"], of["contrastive"]) == (None, None)
    marginals = [of[name]["marginals"] for name in ("mse-idf", "optical", "optical-uniform")]
    assert marginals == ["idf", "idf", "uniform"]


def test_machine_settings_are_no_reason_to_run_again(tmp_path):
    commands = [
        plan(tmp_path / name, "--printshellcmds", "--config", "languages=[sw]", *machine).stdout
        for name, machine in (("a", []), ("b", ["machine={precision: bf16, device: cpu}"]))
    ]
    assert "--precision fp32" in commands[0]
    assert "--precision bf16" in commands[1]
    params = [sorted(re.findall(r"--settings '[^']*'", text)) for text in commands]
    assert params[0] == params[1]


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
    commands = re.findall("^Shell command: (.*)", shown, re.MULTILINE)
    words = {word for command in commands for word in shlex.split(command)}
    assert {word for word in words if re.match("my|data", word)} == expected


def test_two_experiments_keep_their_checkpoints_apart(tmp_path):
    shown = plan(tmp_path, "--printshellcmds", config=ROOT / "config/full.yaml").stdout
    assert "--checkpoints results/checkpoints/results/full/students/sw/optical/1 " in shown
    assert "--checkpoints results/checkpoints/results/full/teacher " in shown


def test_a_method_may_teach_another_side_than_the_others(tmp_path):
    sides = "method_table={optical: {student: {sides: [query, document]}}}"
    shown = plan(tmp_path, "--printshellcmds", "--config", sides, config=ROOT / "config/open.yaml").stdout
    assert "--sides query document " in shown


def test_qrels_of_ones_own_take_the_place_of_the_default_triples(tmp_path):
    names = {"documents": "d.jsonl", "queries": "q.tsv", "qrels": "qrels.txt"}
    files = {key: str(tmp_path / name) for key, name in names.items()}
    for path in files.values():
        Path(path).touch()
    config = tmp_path / "mine.yaml"
    config.write_text(yaml.safe_dump({"teacher": {"training_set": {"reader": "plain", **files}}}))
    shown = plan(tmp_path, "--printshellcmds", config=config).stdout
    [settings] = re.findall(r"prepare_training_set.py .*--settings '(.*?)'", shown)
    assert files["qrels"] in settings
    assert "triples" not in settings


def test_queries_of_the_collections_are_kept_out_of_the_sentence_pairs(tmp_path):
    shown = plan(tmp_path, "--printshellcmds").stdout
    assert len(re.findall("--exclude +results/collections/atlas ", shown)) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("method_table={optical: {objectives: {optimal_transprot: 1}}}", "did you mean optimal_transport?"),
        ("teacher={training_set: {documents: nowhere.jsonl}}", "neither a data set nor a file: 'nowhere.jsonl'"),
    ],
)
def test_what_would_fail_after_hours_is_refused_before_any_job(tmp_path, change, message):
    arguments = ("--dry-run", "--cores", "2", "--config", change)
    refused = run_snakemake(make_workspace(tmp_path / "workspace"), *arguments, config=[], check=False)
    [line] = [line for line in refused.stdout.splitlines() if line.startswith("ConfigError")]
    assert message in line


def test_a_bitext_curve_without_methods_is_refused_where_it_is_asked_for(tmp_path):
    workspace = make_workspace(tmp_path)
    arguments = ("--dry-run", "--cores", "2", "--config", "bitext_curve={methods: [bm25]}")
    run_snakemake(workspace, *arguments, config=[])
    for target in ("bitext_curve.tsv", "figures/bitext_curve.svg"):
        refused = run_snakemake(workspace, *arguments, config=[], target=f"results/{target}", check=False)
        assert refused.returncode == 1
        assert "ConfigError: no method to draw the curve of [bitext_curve.methods]. Hint: name" in refused.stdout


def test_no_english_queries_are_searched_where_the_reader_brings_none(tmp_path):
    changes = ("methods=[english,zero-shot]", "reference=zero-shot")
    shown = plan(tmp_path, "--printshellcmds", "--config", *changes, config=ROOT / "config/studies/miracl.yaml").stdout
    assert "miracl/queries/sw.tsv" in shown
    assert "miracl/queries/en.tsv" not in shown
