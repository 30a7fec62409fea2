"""What runs on a compute node touches no network: every program that could, with sockets refused and with none.

The programs that `REHEARSED` names are watched by test_rehearsal.
"""

import json
import shutil
import subprocess
import sys

import pytest

from optical.evaluation.scores import Score, write_scores
from optical.files import read_jsonl, read_rows, write_jsonl, write_lines, write_rows
from support.programs import REFUSED, REHEARSED, ROOT, Run
from support.trainings import ENCODER, FOREIGN, PROGRAMS, TRANSPORT, WORDS
from support.workspace import gpu_rules, rules, third_party_imports

pytestmark = pytest.mark.workflow

SEARCHING = {"encode_bitext", "encode_collection", "search_collection", "translate_queries", "check_students"}
PRUNED = {"index_collection", "search_pruned"}
COVERED = {*PROGRAMS, *SEARCHING, *PRUNED, "measure_alignment"}
RANKING = {"merge_runs", "fuse_runs", "describe_queries", "make_one_index_table"}
ON_CPUS = {"train_tokeniser", "tokenise_text", "extend_vocabulary", "align_sentences", "make_dense", *RANKING}
FETCHING = {"fetch_dataset", "fetch_ir_datasets", "fetch_model", "unpack_model"}
# Packages whose data are their own or that have none; Babel's are in the package.
HARMLESS = {
    "annotated_types",
    "babel",
    "fontTools",
    "matplotlib",
    "numpy",
    "pydantic",
    "pydantic_core",
    "regex",
    "scipy",
    "tqdm",
    "yaml",
}


def no_network():
    """Return whether this user may run a program without any network."""
    return subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def searched(bench):
    """Encode a collection and search it, and return the run file."""
    folder = bench.folder
    teacher = bench.inputs["distil_student"]["teacher"]
    vectors, run = folder / "collection_vectors", folder / "runs/zero-shot.trec"
    bench.prepare("encode_collection", encoder=teacher, documents=folder / "set/documents.jsonl", out=vectors)
    job = {"encoder": str(teacher), "queries": str(folder / "set/queries.tsv"), "out": str(run), "tag": "zero-shot"}
    bench.prepare("search_collection", shards=vectors, jobs=json.dumps([job]), top_k=10)
    stand_in = {"PYTHONPATH": str(ROOT / "tests/packages")}  # for fast-plaid, which wants a torch of its own
    bench.prepare("index_collection", shards=vectors, out=folder / "index", environment=stand_in)
    job["out"] = str(folder / "runs/pruned.trec")
    bench.prepare("search_pruned", index=folder / "index", jobs=json.dumps([job]), top_k=10, environment=stand_in)
    assert (folder / "runs/pruned.trec").read_text().count("\n") == run.read_text().count("\n")
    handle_runs(bench, run, folder / "runs/pruned.trec")
    translator = bench.models["train_translator"]
    bench.prepare("translate_queries", model=translator, queries=folder / "set/queries.tsv", out=folder / "english.tsv")
    names = "".join(f"{word}\t{other}\n" for word, other in zip(WORDS, FOREIGN, strict=True))
    (folder / "lexicon.tsv").write_text(names, encoding="utf-8")
    alignment = {"method": "teacher", "seed": 1, "foreign": str(teacher), "english": str(teacher), "kind": "document"}
    data = {
        "bitext": folder / "bitext.tsv",
        "lexicon": folder / "lexicon.tsv",
        "tokens": folder / "pairs",
        "lang": "sw",
    }
    extending = {
        "bitext": folder / "bitext.tsv",
        "settings": json.dumps({"pieces": 30, "alignment": {"aligner": "ibm2"}}),
    }
    bench.prepare("make_dense", encoder=bench.inputs["train_teacher"]["encoder"], out=folder / "dense")
    bench.prepare("extend_vocabulary", teacher=teacher, out=folder / "extended", **extending)
    aligning = {"student": bench.models["distil_student"], "teacher": teacher, "tokens": folder / "pairs"}
    bench.prepare("align_sentences", lang="sw", bitext=folder / "bitext.tsv", out=folder / "pair.json", **aligning)
    job = {"method": "optical", "seed": 1, "folder": str(bench.models["distil_student"]), "start": str(teacher)}
    held_out = {"bitext": folder / "bitext.tsv", "jobs": json.dumps([job]), "lang": "sw"}
    bench.prepare("check_students", teacher=teacher, out=folder / "held_out.tsv", **held_out)
    settings = json.dumps({"transport": TRANSPORT, "encoder": ENCODER})
    out = folder / "alignment.tsv"
    bench.prepare("measure_alignment", jobs=json.dumps([alignment]), settings=settings, out=out, **data)
    return run


def handle_runs(bench, run, other):
    """Merge, fuse and describe two runs, and count the languages of what one finds."""
    folder = bench.folder
    job = {"runs": [str(run)], "out": str(folder / "merged.trec"), "tag": "zero-shot"}
    bench.prepare("merge_runs", jobs=json.dumps([job]), top_k=10)
    job = {"runs": [str(run), str(other)], "out": str(folder / "fused.trec"), "tag": "both", "constant": 60}
    bench.prepare("fuse_runs", jobs=json.dumps([job]))
    for lang in ("en", "sw"):
        write_rows(folder / f"described/queries/{lang}.tsv", read_rows(folder / "set/queries.tsv", 2))
    shutil.copy(folder / "set/documents.jsonl", folder / "described")
    query, _, document, *_ = run.read_text().split()
    write_lines(folder / "described/qrels.txt", [f"{query} 0 {document} 1"])
    write_scores(folder / "scores.tsv", [Score("mine", "zero-shot", "sw", "1", query, "AP", 1.0)])
    named = {"collection": "mine", "lang": "sw", "measure": "AP", "scores": folder / "scores.tsv"}
    job = json.dumps([{"run": str(run), "method": "zero-shot"}])
    bench.prepare("describe_queries", prepared=folder / "described", jobs=job, out=folder / "described.json", **named)
    documents = (row | {"language": "en"} for row in read_jsonl(folder / "set/documents.jsonl"))
    write_jsonl(folder / "described/documents.jsonl", documents)
    asked = {"run": str(run), "method": "zero-shot", "lang": "sw", "seed": 1}
    named = {"langs": "sw", "passage_languages": "en", "methods": "zero-shot", "references": "zero-shot"}
    named |= {"jobs": json.dumps([asked | {"queries": str(folder / "set/queries.tsv")}]), "out": folder / "one.tsv"}
    named |= {"prepared": folder / "described", "collection": "mine", "markdown": folder / "one.md"}
    bench.prepare("make_one_index_table", **named)


def test_the_programs_run_and_none_reaches_for_a_network(bench, searched):
    assert searched.read_text().count("\n") > 100
    outputs = [*bench.folder.glob("*.out"), *bench.folder.glob("attempt*/*.out")]
    assert {path.stem for path in bench.folder.glob("*.out")} >= (COVERED | ON_CPUS) - set(PROGRAMS)
    assert [path.name for path in outputs if REFUSED in path.read_text()] == []


def test_every_gpu_rule_is_covered():
    assert {rules()[name][0] for name in gpu_rules()} == COVERED


def test_every_program_that_could_reach_for_a_network_is_covered_or_fetches():
    programs = {program for program, _ in rules().values() if program}
    able = {name for name in programs if third_party_imports(f"workflow/scripts/{name}.py") - HARMLESS}
    assert able > FETCHING
    assert able <= COVERED | ON_CPUS | REHEARSED | FETCHING


def test_a_program_that_needs_a_network_is_caught(bench):
    # an empty mirror, since the one of the environment would serve the file without a network
    arguments = {"name": "afriqa.gold.bem.dev.json", "datasets": ROOT / "config/datasets.tsv"}
    arguments |= {"environment": {"OPTICAL_MIRROR": ""}, "out": bench.folder / "fetched"}
    run = Run(bench.context, "fetch_dataset", bench.folder / "fetching.txt", **arguments)
    assert run.wait() == 1
    assert REFUSED in run.output.read_text()


@pytest.mark.skipif(not no_network(), reason="this user may not make a network namespace")
def test_a_training_runs_where_there_is_no_network_at_all(bench):
    attempt = bench.attempt("distil_student", steps=3)
    words = [f"--settings={json.dumps(attempt.settings)}", f"--out={attempt.model}", f"--log={attempt.log}"]
    words += [f"--{name}={value}" for name, value in bench.inputs["distil_student"].items()]
    program = ROOT / "workflow/scripts/distil_student.py"
    done = subprocess.run(["unshare", "-rn", sys.executable, program, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
