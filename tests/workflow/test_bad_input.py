"""Bad input ends in one line of what, where and a hint, a non-zero status, and nothing under its final name."""

import gzip
import json
import os
import re
import subprocess
import sys

import pytest

from support.experiments import COMMIT
from support.local_server import serving
from support.stand_ins import write_clef, write_opus
from support.tiny_models import save_xlmr
from support.workspace import QUIET, ROOT, make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

LINE = re.compile(r"\d\d:\d\d:\d\d (Config|Data|Resource)Error: (?P<what>.+) \[(?P<where>.+)\]\. Hint: (?P<hint>.+)")
NO_MIRROR = {"OPTICAL_MIRROR": ""}
HEADER = ["name", "version", "url", "sha256", "bytes", "licence", "format", "note"]


def refused(folder, program, environment=None, **arguments):
    """Run a program that must fail, in a folder; return the match of its one line."""
    words = []
    for option, value in arguments.items():
        words += [f"--{option.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value)]
    before = sorted(path for path in folder.rglob("*"))
    result = subprocess.run(
        [sys.executable, ROOT / f"workflow/scripts/{program}.py", *words, "--log", "log.txt"],
        cwd=folder,
        env=os.environ | QUIET | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    match = LINE.fullmatch(result.stderr.strip())
    assert match, result.stderr
    left = {path.name for path in folder.rglob("*") if path not in before and path.is_file()}
    assert left == {"log.txt"}
    assert result.stderr.split(" ", 1)[1] in (folder / "log.txt").read_text(encoding="utf-8")
    return match


def says(match, what, where, hint):
    assert what in match["what"]
    assert where in match["where"]
    assert hint in match["hint"]


# --- data


def clean(folder, source, lang="sw"):
    return refused(
        folder,
        "clean_bitext",
        lang=lang,
        sources=[{"name": "mine"} | source],
        languages=str(ROOT / "config/languages.tsv"),
        **{"out_train": "out/train.tsv", "out_dev": "out/dev.tsv", "report": "out/report.json"},
    )


def test_sides_of_different_length(tmp_path):
    (tmp_path / "en.txt").write_text("one\ntwo\nthree\n")
    (tmp_path / "sw.txt").write_text("moja\nmbili\n")
    match = clean(tmp_path, {"english": "en.txt", "foreign": "sw.txt"})
    says(match, "3 and 2 lines", "en.txt and sw.txt", "line k of one file must translate line k of the other")


def test_bitext_that_is_not_utf_8(tmp_path):
    (tmp_path / "pairs.tsv").write_bytes("good morning\tbuenos días, señor\n".encode("latin-1") * 9)
    says(clean(tmp_path, {"pairs": "pairs.tsv"}), "not UTF-8", "pairs.tsv", "iconv")


def test_bitext_without_tabs(tmp_path):
    (tmp_path / "pairs.tsv").write_text("good morning,habari\n")
    says(clean(tmp_path, {"pairs": "pairs.tsv"}), "1 tab-separated columns, 2 are needed", "pairs.tsv", "tabs")


def test_a_cut_off_archive(tmp_path):
    (tmp_path / "pairs.tsv.gz").write_bytes(gzip.compress(b"good morning\thabari\n" * 5000)[:-20])
    says(clean(tmp_path, {"pairs": "pairs.tsv.gz"}), "damaged gzip", "pairs.tsv.gz", "again")


def test_an_unknown_language(tmp_path):
    (tmp_path / "pairs.tsv").write_text("good morning\thabari\n")
    match = clean(tmp_path, {"pairs": "pairs.tsv"}, lang="xx")
    says(match, "unknown 'xx'", "language_table", "add it; known are")


PLAIN = {"reader": "plain", "documents": "documents.jsonl", "queries": "queries.tsv"}
BLOCKS = {
    "align_words": ({"aligner": "giza"}, "'giza' is not one of ibm2", "word_alignment.aligner", "eflomal-align"),
    "prepare_collection": (PLAIN, "'qrels' is missing", "collection_table.mine", "give queries and qrels, or neither"),
    "prepare_training_set": (PLAIN, "'triples' is missing", "--settings", "or qrels"),
    "switch_queries": ({"seeds": 1}, "unknown key 'seeds'", "switch", "did you mean seed?"),
    "generate_atlas": ({"text": {"xx": 5}}, "'xx' is not one of en, sw", "atlas.text", "lines of pre-training text"),
}
OPTIONS = {
    "align_words": {"bitext": "pairs.tsv"},
    "prepare_collection": {"collection": "mine", "languages": "sw"},
    "switch_queries": {"queries": "queries.tsv", "dictionary": "dictionary.tsv"},
}


@pytest.mark.parametrize("program", BLOCKS)
def test_a_faulty_block(tmp_path, program):
    block, *message = BLOCKS[program]
    says(refused(tmp_path, program, settings=block, out="out", **OPTIONS.get(program, {})), *message)


def test_a_faulty_source(tmp_path):
    says(clean(tmp_path, {"pears": "pairs.tsv"}), "unknown key 'pears'", "bitext.sw[0]", "did you mean pairs?")


def test_a_wrong_checksum(tmp_path):
    (tmp_path / "file.txt").write_text("not what it was\n")
    row = ["mine.txt", "1", "file.txt", "0" * 64, "-", "CC0", "text", ""]
    (tmp_path / "datasets.tsv").write_text("\t".join(HEADER) + "\n" + "\t".join(row) + "\n")
    match = refused(tmp_path, "fetch_dataset", name="mine.txt", datasets="datasets.tsv", out="data/mine.txt")
    says(match, "wrong checksum of mine.txt: expected 0000", "file.txt", "datasets.tsv")


COLLECTION = {
    "documents.jsonl": '{"id": "d1", "text": "the moon"}\n{"id": "d2", "text": "the sun"}\n',
    "queries.tsv": "q1\tmwezi\nq2\tjua\n",
    "qrels.txt": "q1 0 d1 1\nq2 0 d2 1\n",
}
COLLECTION_FAULTS = [
    ("qrels.txt", b"", "the file holds no judgements", "qrels.txt", "query 0 document grade"),
    ("qrels.txt", b"q1 0 d1 0\n", "no judgement says that a document is relevant", "qrels.txt", "a grade above 0"),
    ("qrels.txt", b"q1 0 d1 --1\n", "line 1 is not a TREC judgement", "qrels.txt", "four columns"),
    ("qrels.txt", b"q1 d1 1\n", "line 1 is not a TREC judgement", "qrels.txt", "four columns"),
    ("qrels.txt", b"q1 0 d9 1\n", "document d9, which does not exist", "qrels.txt", "partial_qrels"),
    ("documents.jsonl", b'{"id": "d1"}\n', "line 1 lacks id or text", "documents.jsonl", '"text"'),
    ("documents.jsonl", b'{"id": "d1", "text": "x", "title": 5}\n', "line 1: the title", "documents.jsonl", "quotes"),
    ("documents.jsonl", b'[{"id": "d1", "text": "x"}]\n', "a JSON array", "documents.jsonl", "one a line"),
    ("documents.jsonl", b"", "the file holds no documents", "documents.jsonl", "one a line"),
    ("documents.jsonl", "d1\tdéjà vu\n".encode("latin-1"), "not UTF-8", "documents.jsonl", "iconv"),
    ("queries.tsv", b"q1 mwezi\n", "1 tab-separated columns", "queries.tsv", "tabs"),
    ("queries.tsv", b"q1\tmwezi\nq1\tjua\n", "duplicate sw query id q1", "queries.tsv, line 2", "every id once"),
]


@pytest.mark.parametrize(("name", "content", "what", "where", "hint"), COLLECTION_FAULTS)
def test_a_faulty_collection(tmp_path, name, content, what, where, hint):
    for file, text in COLLECTION.items():
        (tmp_path / file).write_text(text)
    (tmp_path / name).write_bytes(content)
    settings = {
        "reader": "plain",
        "documents": "documents.jsonl",
        "queries": {"sw": "queries.tsv"},
        "qrels": "qrels.txt",
    }
    match = refused(tmp_path, "prepare_collection", collection="mine", languages="sw", settings=settings, out="out")
    says(match, what, where, hint)


def test_a_truncated_sgml_file(tmp_path):
    write_clef(tmp_path, langs=("de",))
    path = tmp_path / "lat94/la010194"
    path.write_text(path.read_text(encoding="utf-8")[:-60], encoding="utf-8")
    settings = {"reader": "clef", "documents": ["lat94"], "topics": {"de": "topics.de.txt"}, "qrels": "qrels.2000.txt"}
    match = refused(tmp_path, "prepare_collection", collection="clef", languages="de", settings=settings, out="out")
    says(match, "truncated: ends inside document LA010119-0001", "la010194", "unpack the file again")


def test_triples_that_name_a_missing_document(tmp_path):
    (tmp_path / "documents.tsv").write_text("d1\tthe moon\nd2\tthe sun\n")
    (tmp_path / "queries.tsv").write_text("q1\tmoon\n")
    (tmp_path / "triples.tsv").write_text("q1\td1\td2\nq1\td1\td9\n")
    settings = {"reader": "plain"} | {part: f"{part}.tsv" for part in ("documents", "queries", "triples")}
    match = refused(tmp_path, "prepare_training_set", settings=settings, out="out")
    says(match, "triple 2 names document d9, which does not exist", "triples.tsv", "belong together")


def test_a_zip_of_opus_without_the_pair(tmp_path):
    write_opus(tmp_path, langs=("de",))
    match = clean(tmp_path, {"moses": "OPUS-TED2020/v1/moses/de-en.txt.zip"})
    says(match, "no pair en-sw", "de-en.txt.zip", "zip file of another language pair")


@pytest.mark.parametrize(("name", "what"), [("gone.txt", "HTTP 404"), ("empty.zip", "wrong checksum")])
def test_a_download_that_is_not_there_or_not_what_it_should_be(tmp_path, name, what):
    (tmp_path / "served").mkdir()
    (tmp_path / "served/empty.zip").write_bytes(b"")
    with serving(tmp_path / "served") as server:
        row = [name, "1", f"{server.address}/{name}", "0" * 64, "-", "CC0", "text", ""]
        (tmp_path / "datasets.tsv").write_text("\t".join(HEADER) + "\n" + "\t".join(row) + "\n")
        match = refused(tmp_path, "fetch_dataset", NO_MIRROR, name=name, datasets="datasets.tsv", out=f"data/{name}")
    says(match, what, name, "datasets.tsv")


def test_a_model_that_the_hub_does_not_have_at_that_commit(tmp_path):
    with serving(tmp_path) as server:
        environment = NO_MIRROR | {"HF_ENDPOINT": server.address}
        arguments = {"id": "someone/encoder", "revision": "0" * 40, "out": "model"}
        match = refused(tmp_path, "fetch_model", environment=environment, **arguments)
    says(match, "no such model", "someone/encoder", "HF_TOKEN")


def test_a_model_that_cannot_do_what_is_asked_is_refused_when_it_arrives(tmp_path):
    workspace, source = make_workspace(tmp_path / "workspace"), "someone/encoder"
    save_xlmr(tmp_path / "served" / source / COMMIT)
    asked = [f"encoder={{source: {source}, revision: '{COMMIT}'}}", "vocabulary={pieces: 500}"]
    with serving(tmp_path / "served") as server:
        environment = NO_MIRROR | {"HF_ENDPOINT": server.address}
        started = run_snakemake(
            workspace,
            *("--cores", "1", "--config", *asked),
            target="results/teacher",
            environment=environment,
            check=False,
        )
    assert started.returncode == 1
    assert "cannot be extended [vocabulary.pieces]. Hint: 0 keeps" in started.stdout
    assert "Traceback" not in started.stdout and "training the English teacher" not in started.stdout
    assert not any("safetensors" in path for path in server.asked), "the weights were not waited for"


def test_an_encoder_folder_without_an_encoder(tmp_path):
    (tmp_path / "encoder").mkdir()
    settings = {"steps": 1, "in_batch_negatives": True, "negatives": 0, "encoder": {}}
    match = refused(tmp_path, "train_teacher", encoder="encoder", training_set="set", settings=settings, out="out")
    says(match, "no tokenizer.json", "encoder", "AutoTokenizer.save_pretrained")


# --- the config: told before any job


# One of each kind: tests/unit/config and tests/unit/plan have them all.
CONFIG_FAULTS = [
    (["student={step: 3}"], "unknown key 'step'", "student", "did you mean steps?"),
    (["languages=[sw,xx]"], "unknown 'xx'", "languages", "language_table"),
    (["bitext={sw: [{pairs: data/mine.tsv}]}"], "no such file", "data/mine.tsv", "project's folder"),
    (["measures=['nDGC@10']"], "'nDGC@10' does not have the right form", "measures[0]", "nDCG@10"),
]


def test_a_key_that_comes_twice_in_a_config_is_refused_before_any_job(tmp_path):
    workspace, config = make_workspace(tmp_path / "workspace"), tmp_path / "mine.yaml"
    config.write_text("student: {steps: 7}\nstudent: {batch_size: 8}\n")
    result = run_snakemake(workspace, "--cores", "2", config=config, check=False)
    assert result.returncode == 1 and "Traceback" not in result.stdout
    assert "the key 'student' comes twice in a block, in line 2 again" in result.stdout
    assert not (workspace / "results").exists()


@pytest.mark.parametrize(
    ("changes", "what", "where", "hint"), CONFIG_FAULTS, ids=[case[0][0] for case in CONFIG_FAULTS]
)
def test_a_faulty_config_is_refused_before_any_job(tmp_path, changes, what, where, hint):
    workspace = make_workspace(tmp_path / "workspace")
    result = run_snakemake(workspace, "--cores", "2", "--config", *changes, config=[], check=False)
    assert result.returncode == 1
    lines = [line for line in result.stdout.splitlines() if "Error: " in line]
    assert len(lines) == 1, result.stdout
    assert "Traceback" not in result.stdout
    what_said, _, hint_said = lines[0].partition(". Hint: ")
    assert what in what_said
    assert f"[{where}" in what_said or not where
    assert hint in hint_said
    assert not (workspace / "results").exists()
