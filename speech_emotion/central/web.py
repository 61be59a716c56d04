"""The page and its news: one page, server-sent events, nothing that can be changed from it."""

import asyncio
import hmac
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from speech_emotion.central.service import Service
from speech_emotion.colours import COLOURS, OTHER
from speech_emotion.errors import UserError

_PAGE = Path(__file__).resolve().parent / "page"
_TYPES = {"index.html": "text/html", "style.css": "text/css", "page.js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
VIEWERS_MOST = 50
BEHIND_MOST = 200
"""Pieces of news that a viewer may be behind before it is told to begin anew."""
ALIVE_SECONDS = 15


def colours_js() -> str:
    """The emotions' colours, for the page's script."""
    table = {label: colour.page for label, colour in COLOURS.items()}
    return f"const COLOURS = {json.dumps(table)};\nconst OTHER = {json.dumps(OTHER.page)};\n"


def application(service: Service, *, hosts: list[str], password: str | None) -> Any:
    """The web application. hosts: by which the page may be asked for, so that no other can have a browser
    ask in its name. password: where given, who asks must know it (any user name).

    UserError where starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, Response, StreamingResponse
        from starlette.routing import Route
    except ImportError:
        raise UserError("starlette: not installed; pip install 'speech-emotion[network]'") from None

    contents = {name: (_PAGE / name).read_bytes() for name in _TYPES}
    contents["page.js"] = colours_js().encode() + contents["page.js"]

    def allowed(request: Request) -> bool:
        if password is None:
            return True
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        try:
            given = b64decode(word).partition(b":")[2] if scheme.lower() == "basic" else b""
        except ValueError:
            given = b""
        return hmac.compare_digest(given, password.encode())

    def guarded(endpoint):
        async def handler(request: Request) -> Response:
            if not allowed(request):
                ask = {"WWW-Authenticate": 'Basic realm="speech emotion"'}
                return PlainTextResponse("password?", status_code=401, headers=_HEADERS | ask)
            return await endpoint(request)

        return handler

    async def page(request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        if name not in contents:
            return PlainTextResponse("not here", status_code=404, headers=_HEADERS)
        return Response(contents[name], media_type=_TYPES[name], headers=_HEADERS)

    async def events(request: Request) -> Response:
        if len(service.viewers) >= VIEWERS_MOST:
            return PlainTextResponse("too many look on", status_code=503, headers=_HEADERS)
        return StreamingResponse(news(service), media_type="text/event-stream", headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", guarded(page)),
            Route("/events", guarded(events)),
            Route("/{name}", guarded(page)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )


async def news(service: Service) -> AsyncIterator[str]:
    """Server-sent events: all there is, then what changes. Ends where the viewer cannot follow; browsers then
    asks again by itself."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(BEHIND_MOST)
    service.viewers.add(queue)
    try:
        yield f"retry: 1000\nevent: state\ndata: {json.dumps(service.state())}\n\n"
        while queue in service.viewers or not queue.empty():
            try:
                piece = await asyncio.wait_for(queue.get(), ALIVE_SECONDS)
            except TimeoutError:
                yield ": alive\n\n"
                continue
            yield f"event: news\ndata: {json.dumps(piece)}\n\n"
    finally:
        service.viewers.discard(queue)
