"""The web application: one page, and what it asks for as JSON.

| address | answer |
| --- | --- |
| `/` | the page |
| `/api/languages` | the languages of queries, and the number of passages |
| `/api/search?lang=sw&q=...&top=10&where=language=en` | passages with the words that match, and their metadata |
| `/api/align?lang=sw&q=...&id=...` | the alignment of the query with the best sentence of a passage |

A request at fault is answered with status 400, a fault of the server, such as a damaged index, with 500.

The page builds its text as text, never as markup, and its policy allows no script but its own. On the loopback,
requests for another host's name are refused, so that no page of the web can read along.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from optical.errors import ConfigError, OpticalError
from optical.web.searcher import Searcher

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FILES = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def application(searcher: Searcher, names: dict[str, str], host: str) -> Starlette:
    """Return the application.

    Args:
        searcher: finds and aligns.
        names: of the languages, by code.
        host: that it listens on.
    """

    def languages(request: Request) -> Response:
        rows = [{"code": code, "name": name} for code, name in names.items()]
        return JSONResponse({"languages": rows, "passages": searcher.size()})

    def search(request: Request) -> Response:
        asked = request.query_params
        lang, query, top = asked.get("lang", ""), asked.get("q", ""), _number(asked.get("top", "10"))
        hits = searcher.search(lang, query, top, asked.getlist("where"))
        found = [hit._asdict() | {"matches": [match._asdict() for match in hit.matches]} for hit in hits]
        return JSONResponse({"passages": found})

    def align(request: Request) -> Response:
        asked = request.query_params
        return JSONResponse(searcher.align(asked.get("lang", ""), asked.get("q", ""), asked.get("id", "")))

    routes = [
        Route("/", _file("page.html")),
        *(Route(f"/{name}", _file(name)) for name in ("page.js", "page.css")),
        Route("/api/languages", languages),
        Route("/api/search", search),
        Route("/api/align", align),
    ]
    hosts = [*LOOPBACK, "[::1]"] if host in LOOPBACK else ["*"]
    middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=hosts)]
    handlers = {ConfigError: _answer(400), OpticalError: _answer(500)}
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers)


def _file(name: str) -> Callable[[Request], Response]:
    return lambda request: FileResponse(FILES / name, headers=HEADERS)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _answer(status: int) -> Callable[[Request, Any], Response]:
    return lambda request, error: JSONResponse({"error": str(error)}, status_code=status)
