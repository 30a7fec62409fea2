"""`snakemake fetch_all` names everything that comes from elsewhere, and models of the hub only at a commit."""

import os
import re
import subprocess

import pytest
import yaml

from support.workspace import QUIET, make_workspace, snakemake_command

pytestmark = pytest.mark.workflow

COMMIT = "3f076fdb1ab68d5b2880cb87a0886f315b8146f8"
CONFIG = {
    "results": "results/elsewhere",
    "languages": ["sw", "de"],
    "methods": ["english", "zero-shot", "nmt", "wikiclir"],
    "reference": "zero-shot",
    "collections": ["matrix", "flores"],
    "encoder": {"source": "google-bert/bert-base-multilingual-cased", "revision": COMMIT},
    "translator": {"source": "Helsinki-NLP/opus-mt-{opus}-en", "revision": {"sw": COMMIT, "de": COMMIT[::-1]}},
    "teacher": {"training_set": {"reader": "ir_datasets", "id": "msmarco-passage/train/triples-small"}},
    "bitext": {"*": [{"name": "ntrex", "english": "ntrex.eng.txt", "foreign": "ntrex.{ntrex}.txt"}]},
    "collection_table": {
        "matrix": {"reader": "ir_datasets", "id": "clirmatrix/en/bi139-base/{lang}/test1"},
        "flores": {
            "reader": "flores_articles",
            "sentences": "flores.devtest.{flores}.txt",
            "metadata": "flores.devtest.metadata.tsv",
        },
    },
    "method_table": {
        "wikiclir": {"training_set": {"reader": "ir_datasets", "id": "wikiclir/{lang}", "triples": "qrels"}},
    },
}
EXPECTED = {
    "the model": {
        f"google-bert/bert-base-multilingual-cased@{COMMIT}",
        f"Helsinki-NLP/opus-mt-sw-en@{COMMIT}",
        f"Helsinki-NLP/opus-mt-de-en@{COMMIT[::-1]}",
    },
    "of ir_datasets": {
        "clirmatrix--en",
        "clirmatrix--en--bi139-base--sw--test1",
        "clirmatrix--en--bi139-base--de--test1",
        "msmarco-passage--train--triples-small",
        "wikiclir--sw",
        "wikiclir--de",
    },
    "": {
        *(f"flores.devtest.{name}" for name in ("eng_Latn.txt", "swh_Latn.txt", "deu_Latn.txt", "metadata.tsv")),
        *(f"ntrex.{name}.txt" for name in ("eng", "swa", "deu")),
    },
}


def dry_run(folder, config, check=True):
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    workspace = make_workspace(folder / "workspace")
    command = [*snakemake_command("--dry-run", "--cores", 1, config=folder / "config.yaml")[:-1], "fetch_all"]
    done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, env=os.environ | QUIET)
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout + done.stderr


def fetched(output):
    found = {kind: set() for kind in EXPECTED}
    for line in re.findall(r"Job \d+: fetching (.+)", output):
        before, name, after = re.fullmatch(r"(the model)? ?(\S+) ?(of ir_datasets)?", line).groups()
        found[before or after or ""].add(name)
    return found


def test_everything_that_an_experiment_downloads_is_named(tmp_path):
    output = dry_run(tmp_path, CONFIG)
    assert fetched(output) == EXPECTED
    assert "atlas" not in "".join(re.findall(r"^rule .*", output, re.MULTILINE))


def test_what_the_variants_of_a_study_download_is_named_too(tmp_path):
    other = {"encoder": {"source": "FacebookAI/xlm-roberta-base", "revision": COMMIT}}
    news = {"bitext": {"sw": [{"name": "tico19", "tmx": "tico19.en-{tico}.tmx.zip"}]}}
    output = dry_run(tmp_path, CONFIG | {"study": {"axis": "encoder", "variants": {"other": other, "news": news}}})
    found = fetched(output)
    assert found["the model"] == EXPECTED["the model"] | {f"FacebookAI/xlm-roberta-base@{COMMIT}"}
    assert found[""] == EXPECTED[""] | {"tico19.en-sw.tmx.zip"}


@pytest.mark.parametrize("revision", [None, "main"])
def test_a_hub_id_without_a_commit_is_refused_in_one_line(tmp_path, revision):
    encoder = {"source": CONFIG["encoder"]["source"]} | ({"revision": revision} if revision else {})
    output = dry_run(tmp_path, CONFIG | {"encoder": encoder}, check=False)
    [line] = [line for line in output.splitlines() if line.startswith("ConfigError")]
    assert "encoder.source" in line or "encoder.revision" in line
    assert "commit" in line


def test_an_id_of_ir_datasets_that_a_variant_alone_names_is_refused(tmp_path):
    other = {"collection_table": {"matrix": {"id": "clirmatrix/en/bi139-base/{lang}/test2"}}}
    output = dry_run(tmp_path, CONFIG | {"study": {"axis": "matrix", "variants": {"other": other}}}, check=False)
    assert "only a variant of the study names clirmatrix/en/bi139-base/" in output
    assert "[collection_table]. Hint: name it in a block of the study, too" in output


def test_bitext_that_only_pretraining_reads_is_fetched(tmp_path):
    trained = {"encoder": {"source": "train"}, "pretraining": {"text": "bitext"}, "methods": ["english", "zero-shot"]}
    output = dry_run(tmp_path, {key: value for key, value in CONFIG.items() if key != "translator"} | trained)
    assert fetched(output)[""] == EXPECTED[""]
