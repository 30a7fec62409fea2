"""Encode your own passages into an index for searching; add to it, remove from it, say what it holds.

examples:
  optical index build passages.jsonl --model results/students/sw/optical/1 --to passages.index
  optical index add passages.jsonl --index passages.index --language en --source news
  optical index remove d1 d2 --index passages.index
  optical index info --index passages.index
  optical index build passages.jsonl --model results/students/sw/optical/1 --to large.index --engine lancedb
  optical search --index passages.index --lang sw --where source=news "lugha ya Ufaransa"

The passages are JSON Lines, or CSV with a header, with id, text and optional title, language, source and date; or
id<TAB>text. All may be gzipped.
The teacher of the model reads them, or the model itself if it has learnt to read passages. A passage that you add
replaces the one with the same id. A change that fails or is killed leaves the index as it was.
"""

import argparse
import time

from optical.cli.arguments import (
    WrongArguments,
    add_device_arguments,
    how_to_read,
    not_empty,
    start_device,
    whole_number,
)
from optical.cli.terminal import print_json, printable
from optical.files import read_lines
from optical.program import add_base_argument, add_precision_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical index`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, text: str) -> argparse.ArgumentParser:
        command = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
        command.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return command

    build = action("build", "encode passages and write an index")
    build.add_argument("passages", metavar="FILE", help="the passages")
    build.add_argument("--model", required=True, metavar="FOLDER", help="reads the queries: a student, or a teacher")
    build.add_argument("--teacher", metavar="FOLDER", help="reads the passages (default: the one that the model names)")
    build.add_argument(
        "--to", type=not_empty, required=True, metavar="INDEX", help="the folder; an index that is there is replaced"
    )
    pool_help = "join similar token vectors of a passage, N to one: 2 halves the index (default: 1)"
    build.add_argument("--pool", type=whole_number, default=1, metavar="N", help=pool_help)
    engine_help = "lancedb for more passages than exact search suits (default: exact search)"
    build.add_argument("--engine", default="", metavar="NAME", help=engine_help)
    store_help = "bucket where the engine keeps the passages, such as s3://bucket/folder (default: the folder)"
    build.add_argument("--store", default="", metavar="ADDRESS", help=store_help)
    add = action("add", "encode passages and add them to an index; they replace those with the same ids")
    add.add_argument("passages", metavar="FILE", help="the passages")
    add.add_argument("--index", required=True, metavar="INDEX", help="the folder")
    add.add_argument("--teacher", metavar="FOLDER", help="the model that reads the passages, if it was moved")
    for command in (build, add):
        add_base_argument(command)
        command.add_argument("--language", metavar="CODE", help="language of passages without one; or detect")
        command.add_argument("--source", metavar="NAME", help="source of passages without one")
        command.add_argument("--date", metavar="DATE", help="date of passages without one: 2024, 2024-05 or 2024-05-31")
        add_device_arguments(command, "auto")
        add_precision_argument(command)
    remove = action("remove", "remove passages from an index")
    remove.add_argument("ids", nargs="*", metavar="ID", help="ids of passages")
    remove.add_argument("--ids-from", metavar="FILE", help="a file with an id on each line")
    remove.add_argument("--index", required=True, metavar="INDEX", help="the folder")
    info = action("info", "say what an index holds")
    info.add_argument("--index", required=True, metavar="INDEX", help="the folder")
    info.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: argparse.Namespace) -> None:
    """Build or change an index and say what is in it."""
    {"build": build, "add": add, "remove": remove, "info": info}[arguments.action](arguments)


def build(arguments: argparse.Namespace) -> None:
    """Write an index."""
    from optical.search.retriever import Retriever

    start_device(arguments.device, arguments.threads)
    started = time.monotonic()
    retriever = Retriever.load(arguments.model, arguments.teacher, **how_to_read(arguments))
    index = retriever.index(
        arguments.passages,
        arguments.to,
        **_metadata(arguments),
        pool=arguments.pool,
        engine=arguments.engine,
        store=arguments.store,
    )
    seconds = time.monotonic() - started
    print(f"{arguments.to}: {index.size} passages, read by {retriever.reader}, in {seconds:.1f} s")


def add(arguments: argparse.Namespace) -> None:
    """Add passages to an index."""
    from optical.search.index import open_index
    from optical.search.retriever import Retriever

    start_device(arguments.device, arguments.threads)
    index = open_index(arguments.index)
    reader = arguments.teacher or index.folder_of(index.reader)
    retriever = Retriever.load(reader, reader, **how_to_read(arguments))
    retriever.use(arguments.index)
    change = retriever.add(arguments.passages, **_metadata(arguments))
    print(f"{arguments.index}: {change.added} added, {change.replaced} replaced, {change.index.size} passages now")


def _metadata(arguments: argparse.Namespace) -> dict[str, str]:
    return {field: getattr(arguments, field) or "" for field in ("language", "source", "date")}


def remove(arguments: argparse.Namespace) -> None:
    """Remove passages from an index."""
    from optical.search.index_changes import remove_passages

    listed = read_lines(arguments.ids_from) if arguments.ids_from else ()
    ids = {*arguments.ids, *filter(None, map(str.strip, listed))}
    if not ids:
        raise WrongArguments("no passages to remove", hint="name their ids, or a file of ids by --ids-from")
    change = remove_passages(arguments.index, ids)
    print(f"{arguments.index}: {change.removed} removed, {change.index.size} passages now")


def info(arguments: argparse.Namespace) -> None:
    """Print what an index holds."""
    from optical.search.index import open_index, read_again_if_changed
    from optical.search.index_info import describe

    facts = read_again_if_changed(lambda: open_index(arguments.index), describe)
    if arguments.json:
        print_json(facts)
        return
    for name, value in facts.items():
        cells = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else value
        print(printable(f"{name.replace('_', ' ')}: {cells}"))
