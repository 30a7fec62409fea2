"""No study learns from a text that it is tested on: what its plan hands to the programs that train, and its tests."""

import re
from pathlib import Path

import pytest

from optical.bitext.filters import matching_key
from optical.config.tables import read_languages
from optical.files import read_jsonl, read_lines, read_rows, read_texts
from support.mirror import needs_mirror
from support.studies import STUDIES, by_name, run_study, settings_of
from support.workspace import ROOT, make_workspace

# Variants that read the same texts, and shares of the sentence pairs, which are samples of all.
ALIKE = {"only": ["mlm"], "repeats": [1]}
CUTS = {
    "multi30k": {"study": {"shares": False}},
    "mtop": {"study": {"shares": False}},
    "pretraining": {"study": ALIKE},
    "pretraining_open": {"study": ALIKE},
}

# The programs that read what is learned from, and the options that name it.
LEARNING = ("train_tokeniser", "tokenise_text", "tokenise_bitext", "tokenise_training_set", "retrain_student")
OPTIONS = ("texts", "bitext", "training-set", "queries")

# Sets that share texts, so that a model that learns from one spoils the tests on all. The data lack SIB-200, the third
# set; FLORES has its sentences and replaces it. Only devtest is here; Belebele's passages have some of FLORES dev.
BELEBELE = ["belebele.eng_Latn.jsonl", "belebele.deu_Latn.jsonl"]
FLORES = "flores.devtest.{}.txt"

# The bundled documents tell facts in sentences that the bundled text has, too, as encyclopedias and news do: queries
# and whole documents are kept from training, and not each sentence of a document.
BUNDLED = ["atlas"]

ORDINAL = r"(?<!\s\d\.)(?<!\s\d\d\.)(?<!\s\d \.)(?<!\s\d\d \.)"  # den 5. Mai
SENTENCE_END = re.compile(rf"(?<=[.!?।]){ORDINAL}\s+")
FEW_WORDS = 5  # fewer stand in many texts: "A man plays guitar."

pytestmark = [pytest.mark.workflow, needs_mirror]


def learned_files(plan, workspace):
    """Return the files and folders that a plan, with its shell commands, hands to the programs that train."""
    commands = re.findall(rf"/(?:{'|'.join(LEARNING)})\.py (.+)", plan)
    in_full = [re.sub(r"@(\S+)", lambda file: " ".join(read_lines(workspace / file[1])), line) for line in commands]
    found = [re.findall(rf"--(?:{'|'.join(OPTIONS)})((?: (?!--)\S+)+)", command) for command in in_full]
    files = {path for options in found for option in options for path in option.split() if "/tokens/" not in path}
    held_out = {path.replace("train.tsv", "dev.tsv") for path in files if path.endswith("/train.tsv")}
    return sorted(files | held_out)


def collections_in(plan):
    """Return the prepared collections whose documents a plan has encoded."""
    return sorted(set(re.findall(r"--documents (\S+)/documents\.jsonl", plan)))


def evaluation_files(langs):
    """Return Belebele's files, and those of FLORES in these languages."""
    rows = read_languages(ROOT / "config/languages.tsv")
    codes = [rows[lang]["flores"] for lang in langs if rows[lang]["flores"]]
    return [f"results/data/{name}" for name in [*BELEBELE, *map(FLORES.format, codes)]]


def queries_in(folder):
    """Return the queries of a prepared collection or training set, in all its languages."""
    files = [*folder.glob("queries.tsv"), *folder.glob("queries/*.tsv")]
    return [row[1] for path in files for row in read_rows(path, 2)]


def texts_in(path):
    """Return the texts of a prepared folder, of Belebele (its passages and questions), or of a file of lines."""
    if path.is_dir():
        return [*queries_in(path), *(row["text"] for row in read_jsonl(path / "documents.jsonl"))]
    if path.suffix == ".jsonl":
        rows = list(read_jsonl(path))
        return [row["text"] for row in rows] + [item["question"] for row in rows for item in row["items"]]
    return list(read_texts(path))


def keys_of(texts):
    """Return texts, and the sentences of those that have several, without case, punctuation and spacing."""
    whole = {matching_key(text) for text in texts} - {""}
    parts = (SENTENCE_END.split(text) for text in texts)
    sentences = {matching_key(sentence) for found in parts if len(found) > 1 for sentence in found}
    return whole, {key for key in sentences if len(key.split()) >= FEW_WORDS}


def shared_texts(learned, tested):
    """Return the keys of texts that are, on either side, a whole text, and on the other a text or a sentence of one."""
    (whole, sentences), (tested_whole, tested_sentences) = learned, tested
    return whole & tested_whole | whole & tested_sentences | sentences & tested_whole


@pytest.mark.parametrize("study", STUDIES, ids=by_name)
def test_a_study_learns_from_no_text_that_it_is_tested_on(tmp_path, study):
    settings, changes = settings_of(study), CUTS.get(study.stem, {})
    workspace = make_workspace(tmp_path / "workspace")
    figure = f"{settings['results']}/figure.svg"
    plan = run_study(workspace, study, changes, figure, arguments=("--dry-run", "--printshellcmds"))
    learned, tested = learned_files(plan, workspace), collections_in(plan)
    assert {Path(path).parent.name for path in learned if path.endswith("/train.tsv")} == set(settings["languages"])
    assert any("/training_sets/" in path for path in learned)
    assert {Path(path).name for path in tested} == set(settings["collections"])
    others = evaluation_files(["en", *settings["languages"]])
    tables = settings_of(ROOT / "config/config.yaml")["collection_table"] | settings.get("collection_table", {})
    tuned = [f"{path}-dev" for path in tested if f"{Path(path).name}-dev" in tables]
    run_study(workspace, study, changes, *learned, *tested, *others, *tuned)

    learned_keys = keys_of({text for path in learned for text in texts_in(workspace / path)})
    assert len(learned_keys[0]) > 5000
    for path in [*tested, *others]:
        keys = keys_of(texts_in(workspace / path))
        assert len(keys[0]) > 900
        bundled = Path(path).name in BUNDLED
        assert not (learned_keys[0] & keys[0] if bundled else shared_texts(learned_keys, keys)), path
    for path in tested:
        assert not shared_texts(learned_keys, keys_of(queries_in(workspace / path))), path
    for path in tuned:  # the documents may be those of the test
        keys, asked = (keys_of(queries_in(workspace / name)) for name in (path, path.removesuffix("-dev")))
        assert len(keys[0]) > 500
        assert not {key for key in shared_texts(keys, asked) if len(key.split()) >= FEW_WORDS}, path
