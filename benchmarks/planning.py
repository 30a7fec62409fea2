"""How long Snakemake plans: `snakemake -n` for 10, 30 and 100 languages x 6 methods x 3 seeds. Prints a table.

    python benchmarks/planning.py            # --languages 10 30 100
    python benchmarks/planning.py --tiny     # 3 languages, for CI

Seconds of the processor are what to compare; those of the clock also count what else the machine does. The floor is
what Snakemake takes to start and to plan a single language. The last line is tab-separated: claim, measured, bar,
result.
"""

import argparse
import itertools
import json
import re
import resource
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import ROOT, Claim, machine

# What a process takes is asked of itself: what its parent saw of it would count the parent's memory, too.
SNAKEMAKE = """
import atexit, re, runpy, sys
status = "/proc/self/status"
atexit.register(lambda: print("peak", re.search(r"VmHWM:\\s+(\\d+)", open(status).read())[1], file=sys.stderr))
runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
"""
METHODS = ("english", "bm25", "zero-shot", "mse", "contrastive", "optical")
SEEDS = (1, 2, 3)


def main(counts: list[int], where: str) -> None:
    print(machine())
    print("languages\tjobs\tseconds\tcpu_seconds\tpeak_mb")
    rows = []
    for count in [1, *counts]:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(plan(Path(folder), count))
        print("\t".join(map(str, rows[-1])), flush=True)
    (_, few, _, floor, _), (count, many, seconds, used, _) = rows[0], rows[-1]
    print(
        f"\nfloor: one language, {floor} s of the processor; {1000 * (used - floor) / (many - few):.1f} ms a job more\n"
    )
    claim = Claim(f"planning {count} languages x {len(METHODS)} methods x {len(SEEDS)} seeds", 10, " s", most=True)
    print(claim.line(seconds, where))


def plan(folder: Path, count: int) -> tuple[int, int, float, float, int]:
    """Return (languages, jobs, seconds, seconds of the processor, peak megabytes) of one dry run."""
    command = [sys.executable, "-c", SNAKEMAKE, "--dry-run", "--configfile", write_experiment(folder, count)]
    started, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, "--", "results/map_table.tsv"], cwd=folder, capture_output=True, text=True)
    seconds, now = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    jobs = int(re.findall(r"^total +(\d+)$", done.stdout, flags=re.MULTILINE)[0])
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    peak_kb = int(re.findall(r"^peak +(\d+)$", done.stderr, flags=re.MULTILINE)[0])
    return count, jobs, round(seconds, 1), round(cpu, 1), peak_kb // 1024


def write_experiment(folder: Path, count: int) -> str:
    """Write an experiment in made-up languages of one's own files into a folder that links the workflow."""
    for name in ("workflow", "rules", "envs", "config"):
        (folder / name).symlink_to(ROOT / name)
    codes = itertools.product("qx", string.ascii_lowercase, string.ascii_lowercase)
    languages = ["".join(letters) for letters in itertools.islice(codes, count)]
    for lang in ["en", *languages]:
        for name in ("queries", "bitext", "text"):
            file = folder / f"data/{name}/{lang}.tsv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    for name in ("documents.jsonl", "qrels.txt", "queries.tsv", "triples.tsv"):
        (folder / "data" / name).touch()
    own = {"reader": "plain", "documents": "data/documents.jsonl"}
    experiment = {
        "languages": languages,
        "language_table": {lang: {"name": lang, "resource": "low", "script": "Latn"} for lang in languages},
        "methods": METHODS,
        "seeds": SEEDS,
        "collections": ["own"],
        "collection_table": {"own": own | {"queries": "data/queries/{lang}.tsv", "qrels": "data/qrels.txt"}},
        "bitext": {"*": [{"name": "own", "pairs": "data/bitext/{lang}.tsv"}]},
        "pretraining": {"text": "data/text/{lang}.tsv"},
        "teacher": {"training_set": own | {"queries": "data/queries.tsv", "triples": "data/triples.tsv"}},
    }
    path = folder / "experiment.yaml"
    path.write_text(json.dumps(experiment), encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--languages", type=int, nargs="+", default=[10, 30, 100])
    parser.add_argument("--tiny", action="store_true", help="three languages: only to see that it runs")
    arguments = parser.parse_args()
    main(*(([3], ", tiny") if arguments.tiny else (arguments.languages, "")))
