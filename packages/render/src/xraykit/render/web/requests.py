"""A page's files and the requests it may make, as one guarded app: functions from a JSON object to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError, XraykitError
from ..storage.json_object import parse_json
from .guard import Guard
from .outer import OuterAddress

if TYPE_CHECKING:
    from starlette.requests import Request as HTTPRequest
    from starlette.responses import Response
    from starlette.types import ASGIApp

SHARED = Path(__file__).parent / "page"  # api.js, for every page
MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

RequestBody = dict[str, Any]
"""A request's JSON object."""
Request = Callable[[RequestBody], Any]
"""Answers by a plain value, which travels as JSON, or by an `Answer`; an XraykitError becomes its sentence."""


class Answer(NamedTuple):
    """Bytes in place of JSON, such as a picture; none at all is HTTP 204."""

    content: bytes
    media_type: str = ""
    headers: Mapping[str, str] = {}


def guarded_app(
    page: Path,
    requests: Mapping[str, Request],
    *,
    token: str,
    largest_body: int,
    outer: OuterAddress | None = None,
) -> ASGIApp:
    """The page's files at /, its requests at /api/NAME, guarded.

    Args:
        page: Folder with page.html, served at /, and what it needs (.html, .js, .css, .svg), read now. The core's
            api.js joins them: `ask` and `tell` make requests with the token, `followJob` watches a job.
        requests: By name; each runs in a thread of its own.
        token: What requests must bring.
        largest_body: Most bytes of a request's body.
        outer: Where a proxy shows the page, if one does; the page's own addresses are relative.
    """
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response
    from starlette.routing import Route

    def api(name: str, request: Request) -> Route:
        async def endpoint(received: HTTPRequest) -> Response:
            return await run_in_threadpool(answered, request, await received.body())

        return Route(f"/api/{name}", endpoint, methods=["POST"])

    def static(path: str, file: Path) -> Route:
        content = file.read_bytes()

        async def endpoint(received: HTTPRequest) -> Response:
            return Response(content, media_type=MEDIA_TYPES[file.suffix])

        return Route(path, endpoint)

    files = {file.name: file for folder in (SHARED, page) for file in sorted(folder.iterdir())}
    routes = [static("/", page / "page.html")]
    routes += [static(f"/{name}", file) for name, file in files.items() if file.suffix in MEDIA_TYPES]
    routes += [api(name, request) for name, request in requests.items()]
    return Guard(Starlette(routes=routes), token=token, largest_body=largest_body, outer=outer)


def answered(request: Request, raw: bytes) -> Response:
    """What a request says to a body: JSON, an `Answer`'s bytes, or {"error": sentence} with HTTP 400."""
    from starlette.responses import JSONResponse, Response

    try:
        result = request(_object(raw))
    except XraykitError as error:
        return JSONResponse({"error": str(error)}, status_code=400)
    if isinstance(result, Answer):
        status = 200 if result.content else 204
        return Response(result.content, status, dict(result.headers), result.media_type or None)
    return JSONResponse(result)


def _object(raw: bytes) -> RequestBody:
    body = parse_json(raw or b"{}", place="a request")
    if not isinstance(body, dict):
        raise InputError(f"a request must be a JSON object, got {type(body).__name__}.")
    if b"\\u" in raw:
        try:
            json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise InputError("a request must hold whole characters, got half of a surrogate pair.") from error
    return body
