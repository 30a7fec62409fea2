"""Each benchmark runs, at a size that says nothing about speed, and ends in all of its claims."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import torch

from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.peers import benchmark_peers, with_peer
from support.tiny_models import save_encoder
from support.workspace import ROOT

pytestmark = pytest.mark.workflow

PROGRAMS = re.findall(r"^BENCHMARKS = (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
PEERED = ("distillation", "encoding", "search")  # run beside other programs, too
# What they share, what the full experiment will cost, and tables without a claim.
NO_BENCHMARKS = {"measuring", "made_up", "paper_budget", "plans", "engines", "engine_adapters", "where_time_goes"}
# What they compare with.
NO_BENCHMARKS |= {"peers", "our_distillation", "peer_distillation"}
NO_BENCHMARKS |= {"worker_optical", "worker_pylate", "worker_sentence_transformers"}

TRANSPORT = "transport, 128 problems of 32 x 32, 50 iterations"
MANY = "transport, 8192 problems of 32 x 32, 50 iterations"
PAIRS = "distillation, pairs a second"
SHARE = "operations as a share of the"
LARGE = "distillation, multilingual BERT's size"
E5 = "distillation, multilingual-e5-small's size"
PEER_NAMES = ("sentence-transformers 6", "PyLate")
TRAINERS = [
    (f"times {peer}'s trainer{helped}", bar)
    for peer in PEER_NAMES
    for helped, bar in (("", ">= 2"), (", helped", ">= 1.3"))
]
ENCODINGS = [
    (f"in {ours}, times {peer} in {theirs}", ">= 2.5" if ours != theirs else ">= 1.2")
    for peer in PEER_NAMES
    for ours, theirs in (("bf16", "fp32"), ("bf16", "bf16"), ("fp32", "fp32"))
]
GROWTH = "memory of search over a collection ten times larger, growth"
OF_SQUARE = "share of the rate of a square product"
IN_USE = "subwords in use, multilingual-e5-small's size"
CLAIMS = {
    "transport": [
        (f"{TRANSPORT}, times a loop of ot.sinkhorn on tensors, CPU", ">= 50"),
        (f"{TRANSPORT}, times a loop of ot.sinkhorn on NumPy arrays, CPU", ">= 50"),
        (f"{TRANSPORT}, times POT's batched solver, CPU", ">= 2"),
        (f"{TRANSPORT}, fused loss and gradient, times POT's batched plan, GPU", ">= 10"),
        (f"{TRANSPORT}, fused loss and gradient, times the plan by plain torch, GPU", ">= 2"),
        (f"{TRANSPORT}, fused, times of reading the vectors once, GPU", "<= 3"),
        (f"{MANY}, fused loss and gradient, times POT's batched plan, GPU", ">= 10"),
        (f"{MANY}, fused loss and gradient, times the plan by plain torch, GPU", ">= 2"),
        (f"{MANY}, fused, times of reading the vectors once, GPU", "<= 3"),
    ],
    "distillation": [
        (f"{PAIRS}, times the same loop with MSE, CPU", ">= 0.95"),
        (f"{PAIRS}, times a plain loop, CPU", ">= 3"),
        *((f"{PAIRS}, {times}, CPU", bar) for times, bar in TRAINERS),
        (f"{LARGE}, share of transport in a step, CPU", "<= 0.03"),
        (f"distillation, MiniLM's size, {SHARE} bf16 matrix rate, CPU", ">= 0.3"),
        (f"distillation, MiniLM's size, {SHARE} fp32 matrix rate, CPU", ">= 0.3"),
        (f"{PAIRS}, times the same loop with MSE, GPU", ">= 0.95"),
        (f"{PAIRS}, times a plain loop, GPU", ">= 3"),
        *((f"{PAIRS}, {times}, GPU", bar) for times, bar in TRAINERS),
        (f"{LARGE}, share of transport in a step, GPU", "<= 0.03"),
        (f"{LARGE}, {SHARE} bf16 matrix rate, GPU", ">= 0.4"),
        *((f"{E5}, {times}, GPU", bar) for times, bar in TRAINERS),
    ],
    "encoding": [
        *((f"document encoding {times}, CPU", bar) for times, bar in ENCODINGS),
        *((f"document encoding {times}, GPU", ">= 1.3") for times, _ in ENCODINGS),
        *((f"document encoding, multilingual-e5-small's size, {times}, GPU", ">= 1.3") for times, _ in ENCODINGS),
    ],
    "search": [
        (f"search in fp32, {OF_SQUARE}, CPU", ">= 0.8"),
        ("search in fp32, times PyLate's colbert_scores, CPU", ">= 8"),
        (f"search in bf16 with exact re-scoring, {OF_SQUARE}, CPU", ">= 0.45"),
        ("search in bf16 with exact re-scoring, times PyLate's colbert_scores, CPU", ">= 8"),
        ("search in int8 with exact re-scoring, times search in bf16, CPU", ">= 2"),
        ("search in int8 with exact re-scoring, times PyLate's colbert_scores, CPU", ">= 4"),
        (f"{GROWTH}, whole process, CPU", "<= 1.2"),
        (f"{GROWTH}, without what the process had before, CPU", "<= 1.2"),
        (f"search in fp32, {OF_SQUARE}, GPU", ">= 0.8"),
        ("search in fp32, times PyLate's colbert_scores, GPU", ">= 8"),
        (f"search in bf16 with exact re-scoring, {OF_SQUARE}, GPU", ">= 0.45"),
        ("search in bf16 with exact re-scoring, times PyLate's colbert_scores, GPU", ">= 8"),
    ],
    "large_vocabulary": [
        (f"{IN_USE}, {figure}, {device}", bar)
        for device in ("CPU", "GPU")
        for figure, bar in (
            ("a step's time as a share of dense", "<= 0.6"),
            ("a checkpoint's size as a share of dense", "<= 0.35"),
            ("a student on disk as a share of the whole model", "<= 0.25"),
        )
    ],
    "default_run": [
        ("default run, share of the wall time that is not on the longest path", "<= 0.1"),
        ("default run, share of the wall time beyond what its jobs took", "<= 0.1"),
    ],
    "command_line": [
        ("optical search, from the loaded model to the answer", "<= 2 s"),
        ("optical --help, to its first line", "<= 0.5 s"),
    ],
    "planning": [("planning 3 languages x 6 methods x 3 seeds", "<= 10 s")],
    "serving": [
        ("optical serve, one client, median answer", "<= 1 s"),
        ("optical serve, one client after the load, median answer", "<= 1 s"),
        ("optical serve, many clients, share of requests answered", ">= 1"),
        ("optical serve, many clients, memory at the end beside that at the start", "<= 1.1"),
        ("optical serve, from SIGTERM to its end, exit code 0", "<= 5 s"),
    ],
}


def test_make_bench_runs_every_benchmark():
    assert set(PROGRAMS) == {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - NO_BENCHMARKS
    assert set(PROGRAMS) == set(CLAIMS)


def reason_for_no_figure(claim, peers):
    """Return why a claim cannot be measured here, with the peers installed or not, or nothing."""
    from optical.runtime.precision import fastest, processor_int8

    if claim.endswith("GPU"):
        return "" if torch.cuda.is_available() else "no GPU"
    if "int8" in claim and not processor_int8():
        return "no int8"
    if "bf16" in claim and fastest("cpu") != "bf16":
        return "no bf16"
    return "" if peers or not re.search("trainer|encoding", claim) else "no peer"


@pytest.mark.parametrize(("name", "peers"), [*((name, False) for name in PROGRAMS), *((name, True) for name in PEERED)])
def test_it_runs_and_ends_in_all_its_claims(name, peers, tmp_path):
    for peer in benchmark_peers.PEERS if peers else ():
        (tmp_path / peer).symlink_to(with_peer(peer).parents[1])
    command = [sys.executable, f"benchmarks/{name}.py", "--tiny"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PEERS": str(tmp_path)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    lines = [line.split("\t") for line in done.stdout.splitlines()[-len(CLAIMS[name]) :]]
    assert [(line[0].removesuffix(", tiny"), line[2]) for line in lines] == CLAIMS[name]
    for claim, measured, _, result in lines:
        reason = reason_for_no_figure(claim.removesuffix(", tiny"), peers)
        if reason:
            assert (measured, result) == ("", reason)
        else:
            assert float(measured.split()[0]) > 0 and result in ("met", "short")


def test_a_worker_of_this_project_answers_like_a_peer(tmp_path):
    encoder = load_encoder(save_encoder(tmp_path / "model"))
    texts, file = ["the river", "a house by the sea"], tmp_path / "vectors.pt"
    options = {"texts": texts, "precision": "fp32", "device": "cpu"}
    with benchmark_peers.Worker("optical") as worker:
        assert worker("encode", folder=tmp_path / "model", to=file, batch_size=8, **options) > 0
        with pytest.raises(RuntimeError, match=r"worker_optical\.py ended in 'encode'"):
            worker("encode", folder=tmp_path / "nothing", **options)
    expected = encoder.encode(list(tokenise(encoder.tokeniser, texts)), "document")
    for index, vectors_LD, _ in expected:
        torch.testing.assert_close(torch.load(file)[index], vectors_LD)


def test_an_environment_that_cannot_be_built_leaves_a_line_and_nothing_else(tmp_path):
    environment = os.environ | {"PEERS": str(tmp_path / "peers"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    command = [sys.executable, "benchmarks/peers.py", "sentence_transformers"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and done.stderr.startswith("peers.py: no environment of sentence-transformers 6: ")
    assert done.stderr.count("\n") == 1 and not list((tmp_path / "peers").iterdir())


def make_bench(folder, programs):
    """Run `make bench` with small programs of the test's own, where no peer can be installed."""
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks/peers.py").write_text("raise SystemExit('no network')", encoding="utf-8")
    shutil.copy(ROOT / "Makefile", folder)
    for name, text in programs.items():
        (folder / f"benchmarks/{name}.py").write_text(text, encoding="utf-8")
    command = ["make", "bench", f"BENCHMARKS={' '.join(programs)}"]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": path})


def test_the_table_of_plans_says_that_ours_converge():
    command = [sys.executable, "benchmarks/plans.py", "--tiny"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    header, *rows = [line.split("\t") for line in done.stdout.splitlines()]
    ours = [dict(zip(header, row, strict=True)) for row in rows if "over-relaxed" in row]
    assert len(ours) == 2 and all(float(row["largest"]) <= 0.5 and float(row["above 1 %"]) == 0 for row in ours)


def test_the_table_of_engines_has_their_recall_beside_exact_search():
    command = [sys.executable, "benchmarks/engines.py", "--tiny"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    header, *rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
    assert [row[1] for row in rows] == ["exact", "lancedb", "qdrant-edge"]
    for row in rows:
        figures = dict(zip(header, row, strict=True))
        assert float(figures["recall"]) > 0.9 and float(figures["after"]) > 0.9
        assert 0 < float(figures["p50 ms"]) <= float(figures["p95 ms"])


def test_the_profile_names_where_the_whole_time_goes():
    command = [sys.executable, "benchmarks/where_time_goes.py", "--tiny", "--device", "cpu"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    tables = re.findall(r"^(\w+), .*\n.*\n\n.*kind of operation\n((?: .*\n)+)", done.stdout, re.MULTILINE)
    assert {name for name, _ in tables} == {"distillation", "encoding", "search"}
    for name, rows in tables:
        shares = {kind: float(share) for share, _, kind in (row.split(maxsplit=2) for row in rows.splitlines())}
        assert sum(shares.values()) == pytest.approx(1, abs=0.01)
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        product = "product of documents and queries" if name == "search" else "linear layers"
        assert product in shares and "outside of operations" in shares


def test_make_bench_gathers_every_kind_of_line(tmp_path):
    kinds = ("met", "short", "no GPU", "no peer", "no bf16")
    lines = [f"claim {kind}\t{'' if 'no' in kind else 1}\t>= 2\t{kind}" for kind in kinds]
    done = make_bench(
        tmp_path, {"one": f"print('a table')\nprint('''{chr(10).join(lines)}''')", "two": "print('x\\t1\\t>= 1\\tmet')"}
    )
    assert done.returncode == 0, done.stderr
    gathered = (tmp_path / "results/bench.tsv").read_text(encoding="utf-8").splitlines()
    assert gathered == ["claim\tmeasured\tbar\tresult", *lines, "x\t1\t>= 1\tmet"]


def test_make_bench_fails_with_a_program_that_fails(tmp_path):
    failing = "print('x\\t1\\t>= 1\\tmet', flush=True)\nassert False, 'not the same'"
    done = make_bench(tmp_path, {"failing": failing, "other": "print('y\\t1\\t>= 1\\tmet')"})
    assert done.returncode != 0 and "not the same" in done.stderr
    assert not (tmp_path / "results/bench.tsv").exists()


def gpu_parts():
    """Return the parts of benchmarks/gpu.sh: of each its name, its seconds and the arguments of Python."""
    text = (ROOT / "benchmarks/gpu.sh").read_text(encoding="utf-8")
    lines = text.partition('parts="\n')[2].partition('\n"')[0].splitlines()
    return [(name, int(most), arguments) for name, most, *arguments in map(str.split, lines)]


def test_the_gpu_script_names_every_part_of_every_program_with_a_claim_on_gpus():
    named = [arguments for _, _, arguments in gpu_parts()]
    assert named[0][:2] == ["-m", "pytest"] and (ROOT / named[0][-1]).is_dir()
    for program in {name for name, claims in CLAIMS.items() if any(claim.endswith("GPU") for claim, _ in claims)}:
        path = f"benchmarks/{program}.py"
        if [path] not in named:
            parts = {arguments[2] for arguments in named if arguments[0] == path}
            done = subprocess.run([sys.executable, path, "--help"], cwd=ROOT, capture_output=True, text=True)
            choices = re.findall(r"--part {([^}]*)}", done.stdout)[0].split(",")
            assert parts == set(choices), program


def run_gpu_script(folder, *arguments, **variables):
    """Run benchmarks/gpu.sh with an interpreter that runs no program; return the process and the lines of its table.

    The interpreter says that there is a GPU. The transport fails, the search outlasts its time, others meet a claim.
    """
    (folder / "benchmarks").mkdir()
    shutil.copy(ROOT / "benchmarks/gpu.sh", folder / "benchmarks")
    python = folder / "python"
    python.write_text(
        """#!/bin/sh
        case "$*" in
          *torch.cuda.is_available*) exit ${NO_GPU:-0} ;;
          *transport.py*) echo failed; exit 3 ;;
          *search.py*) exec sleep 60 ;;
          *.py*) printf 'a table\\n%s\\t1\\t>= 1\\tmet\\n' "$*" ;;
        esac""",
        encoding="utf-8",
    )
    python.chmod(0o755)
    environment = os.environ | {"PYTHON": str(python), "OUT": str(folder / "out")} | variables
    done = subprocess.run([folder / "benchmarks/gpu.sh", *arguments], capture_output=True, text=True, env=environment)
    table = folder / "out/gpu.tsv"
    lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()] if table.exists() else []
    return done, lines


def test_the_gpu_script_goes_on_where_a_part_fails_or_takes_too_long(tmp_path):
    done, (header, *lines) = run_gpu_script(tmp_path, "transport", "search", "encoding", "share", LIMIT="12")
    assert done.returncode == 1, done.stderr
    assert header == ["claim", "measured", "bar", "result"]
    assert {line[0]: line[3] for line in lines if line[0].startswith("part")} == {
        "part transport": "failed, status 3",
        "part share": "ran",
        "part search": "stopped at its limit",
        "part encoding": "no time left",
    }
    assert ["benchmarks/distillation.py --part share --device cuda", "1", ">= 1", "met"] in lines
    assert "failed\n" in (tmp_path / "out/gpu.log").read_text(encoding="utf-8")


def test_the_gpu_script_ends_well_if_all_parts_ran(tmp_path):
    done, lines = run_gpu_script(tmp_path, "--tiny", "encoding", NO_GPU="1")
    assert done.returncode == 0, done.stderr
    assert [line[0] for line in lines[1:]] == [
        "benchmarks/encoding.py --part minilm --device cpu --tiny",
        "part encoding",
    ]


@pytest.mark.parametrize(("arguments", "reason"), [([], "no GPU"), (["--tiny", "nothing"], "no part 'nothing'")])
def test_the_gpu_script_refuses_what_it_cannot_do_in_one_line(tmp_path, arguments, reason):
    done, lines = run_gpu_script(tmp_path, *arguments, NO_GPU="1")
    assert done.returncode == 2 and not lines
    assert reason in done.stderr and done.stderr.count("\n") == 1
