"""Who may talk to a page's server: its own page, here or through one known proxy, with the token of its address."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from .outer import OuterAddress

OWN_NAMES = ("127.0.0.1", "localhost", "::1")
TOKEN_HEADER = b"x-token"
HEADERS = (
    (b"content-security-policy", b"default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)


class Guard:
    """Refuses what does not come from the own page, before any of the app sees it.

    - Host must name this machine, or the proxy that was stated: a foreign name that resolves to 127.0.0.1 (DNS
      rebinding) is refused.
    - Origin, where a browser sends one, must be the own page.
    - Everything under /api/ needs the token, in a header that pages from elsewhere cannot send unasked.
    - Only HTTP; bodies are bounded.

    Args:
        app: The app behind.
        token: The secret.
        largest_body: Most bytes of a request's body.
        outer: Where a proxy shows the page, if one does.
    """

    def __init__(self, app: ASGIApp, *, token: str, largest_body: int, outer: OuterAddress | None = None) -> None:
        self._app, self._token, self._largest_body, self._outer = app, token.encode(), largest_body, outer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 or 413."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        status = self._fault(scope)
        if status:
            if status != 413:  # an answer before the body is read may be lost with the connection
                await _drain(receive)
            headers = [(b"content-type", b"text/plain"), *HEADERS]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b"refused"})
            return

        async def send_with_headers(message: dict) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            await send(message)

        await self._app(scope, receive, send_with_headers)  # type: ignore[arg-type]

    def _fault(self, scope: Scope) -> int:
        """The status that refuses a request, or 0."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if b"transfer-encoding" in headers or not length.isdigit() or int(length) > self._largest_body:
            return 413
        origin = headers.get(b"origin")
        host = headers.get(b"host", b"").decode("latin-1")
        if not is_own_page(None if origin is None else origin.decode("latin-1"), host=host, outer=self._outer):
            return 403
        if scope["path"].startswith("/api/") and not secrets.compare_digest(
            headers.get(TOKEN_HEADER, b""), self._token
        ):
            return 403
        return 0


def is_own_page(origin: str | None, *, host: str, outer: OuterAddress | None = None) -> bool:
    """Whether a request was sent by the server's own page, or by a program of this machine.

    Browsers let every page connect to 127.0.0.1; they name the page in the header Origin, and what it called the
    server in Host.

    Args:
        origin: The header Origin; None where there is none, as from programs.
        host: The header Host, which must name this machine or the proxy; some proxies rewrite it, and none the origin.
        outer: Where a proxy shows the page, if one does.
    """
    if _hostname(host) in OWN_NAMES:
        return origin in (None, f"http://{host}", outer and outer.origin)
    return outer is not None and host.lower() == outer.host and origin in (None, outer.origin)


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


async def _drain(receive: Receive) -> None:
    """Read and forget what is left of a request's body, which is known to be small."""
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
