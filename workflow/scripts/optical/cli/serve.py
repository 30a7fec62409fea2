"""Search an index in a browser: a local page, and a JSON API for programs.

examples:
  optical serve --index passages.index
  optical serve --index passages.index --port 8080 --lang sw en

The page shows passages with the words that match, and how the tokens of the query align with the best sentence. It
listens on this machine only, unless --host says otherwise: anyone who reaches it can read all passages. Ctrl-C ends it.
"""

import argparse
import os
import signal
import socket

from optical.cli.arguments import language_code, start_device, whole_number
from optical.errors import ResourceError
from optical.program import add_base_argument
from optical.runtime.signals import answered


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical serve`."""
    parser.add_argument("--index", required=True, metavar="FOLDER", help="an index that optical index build has made")
    parser.add_argument(
        "--lang",
        nargs="+",
        type=language_code,
        metavar="CODE",
        help="languages of queries (default: all that have a student beside the model of the index, and en)",
    )
    add_base_argument(parser)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8765, help="0 for any free one")
    parser.add_argument("--threads", type=whole_number, default=os.cpu_count() or 1, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Load the models, say where the page is, and serve it until a signal ends it."""
    try:
        import uvicorn
    except ImportError as error:
        hint = 'pip install -e ".[serve]"'
        raise ResourceError(f"{error.name} is missing", where="optical serve", hint=hint) from error
    from optical.search.index import open_index
    from optical.search.retriever import Retriever
    from optical.web.app import application
    from optical.web.searcher import Searcher

    start_device("cpu", arguments.threads)
    listener = listen(arguments.host, arguments.port)
    index = open_index(arguments.index)
    models = {lang: index.query_model(lang) for lang in arguments.lang} if arguments.lang else index.query_models()
    base = arguments.base
    searcher = Searcher({lang: Retriever.open(arguments.index, model=each, base=base) for lang, each in models.items()})
    app = application(searcher, {lang: name_of(lang) for lang in models}, arguments.host)
    host, port = listener.getsockname()[:2]
    place = f"[{host}]" if ":" in host else host
    print(f"http://{place}:{port}  {index.size} passages; languages: {', '.join(models)}; Ctrl-C ends it", flush=True)
    # uvicorn finishes what it has begun, then raises the signal again: a SIGTERM has been answered by then
    with listener, answered(lambda *_: None, signal.SIGTERM):
        uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)).run(sockets=[listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; refuse an address that is in use or not of this machine."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=256)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ResourceError(reason, where=f"{host}:{port}", hint="choose another by --host and --port") from error


def name_of(lang: str) -> str:
    """Return the English name of a language."""
    from babel import Locale

    return Locale("en").languages.get(lang, lang or "the model's language")
