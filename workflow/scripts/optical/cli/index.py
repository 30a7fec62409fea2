"""Make passages of your own searchable: encode them once, into a folder that `optical search --index` reads.

examples:
  optical index build passages.jsonl --model results/students/sw/optical/1 --to passages.index
  optical search --index passages.index --lang sw "lugha ya Ufaransa"

The passages are JSON Lines with id, text and optional title, or id<TAB>text, gzipped or not. The teacher that the model
names reads them, or the model itself where it has learnt to read passages.
"""

import argparse
import os
import time

from optical.cli.arguments import device, start_device, whole_number
from optical.program import add_base_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical index`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    text = "encode passages and write an index"
    build = actions.add_parser("build", help=text, description=text, allow_abbrev=False)
    build.add_argument("passages", metavar="FILE", help="the passages")
    build.add_argument("--model", required=True, metavar="FOLDER", help="reads the queries: a student, or a teacher")
    add_base_argument(build)
    build.add_argument("--teacher", metavar="FOLDER", help="reads the passages (default: the one that the model names)")
    build.add_argument("--to", required=True, metavar="INDEX", help="the folder; an index that is there is replaced")
    build.add_argument("--device", default="cpu", type=device, help="cpu, cuda or cuda:N (default: cpu)")
    build.add_argument("--threads", type=whole_number, default=os.cpu_count() or 1, help="CPU threads (default: all)")
    build.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> None:
    """Build the index and say what is in it."""
    from optical.search.retriever import Retriever

    start_device(arguments.device, arguments.threads)
    started = time.monotonic()
    retriever = Retriever.load(arguments.model, arguments.teacher, arguments.device, arguments.base)
    index = retriever.index(arguments.passages, arguments.to)
    seconds = time.monotonic() - started
    print(f"{arguments.to}: {index.size} passages, read by {retriever.reader}, in {seconds:.1f} s")
