"""A page's server: on 127.0.0.1 alone, at the port asked for or not at all, until it is closed."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ..extras import require
from .outer import outer_address
from .port import HOST, local_socket
from .requests import Request, guarded_app

PATIENCE = 0.5  # seconds between looks at an interrupt
STARTING = 20.0  # seconds
QUIET: dict[str, Any] = {
    "log_config": None,
    "access_log": False,
    "lifespan": "off",
    "ws": "none",
    "server_header": False,
}


class PageServer:
    """A page that answers from a background thread until it is closed. Usable in `with`, which closes it.

    Only this machine reaches it, and only a page or program that knows the token in `url`; see `Guard`.

    Args:
        page: Folder with page.html and what it needs; see `guarded_app`.
        requests: Functions from a request's JSON object to a plain value or an `Answer`, by name; the page asks
            /api/NAME. They run in threads: what they share needs a lock.
        port: TCP port; 0 lets the system choose.
        largest_body: Most bytes of a request's body.
        outer: Address at which a proxy (JupyterHub, Codespaces) shows the page, see `outer_address`; None is no proxy.

    Raises:
        BackendUnavailableError: starlette or uvicorn is not installed.
        InputError: The port is busy, forbidden or no port number, or the outer address is none.

    Example:
        with PageServer(Path("page"), {"greet": lambda body: f"hello {body['name']}"}, port=0) as server:
            print(server.url); server.wait()
    """

    def __init__(
        self,
        page: Path,
        requests: Mapping[str, Request],
        *,
        port: int = 8080,
        largest_body: int = 1 << 20,
        outer: str | None = None,
    ) -> None:
        uvicorn = require_web()
        outer_address(outer, port=port)
        self.token = secrets.token_urlsafe(24)
        self._socket = local_socket(port)
        self._port = self._socket.getsockname()[1]
        self._outer = outer_address(outer, port=self._port)
        app = guarded_app(page, requests, token=self.token, largest_body=largest_body, outer=self._outer)
        self._server = uvicorn.Server(uvicorn.Config(app, timeout_graceful_shutdown=2, **QUIET))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        end = time.monotonic() + STARTING
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self._port}"

    @property
    def url(self) -> str:
        """Where the page is; the part after # is the token, which browsers keep to themselves."""
        place = f"{self.address}/" if self._outer is None else self._outer.url
        return f"{place}#{self.token}"

    def wait(self) -> None:
        """Block until the server ends."""
        while self._thread.is_alive():
            self._thread.join(PATIENCE)

    def close(self) -> None:
        """Stop serving; what requests started is theirs to stop."""
        self._server.should_exit = True
        self._thread.join(STARTING)
        self._socket.close()

    def __enter__(self) -> PageServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def require_web(*, extra: str = "web", distribution: str = "xraykit-render") -> ModuleType:
    """The module uvicorn, once starlette is known to be there too.

    Args:
        extra: What brings them to the user.
        distribution: Whose extra that is.

    Raises:
        BackendUnavailableError: One of them is not installed.
    """
    require("starlette", extra=extra, distribution=distribution)
    return require("uvicorn", extra=extra, distribution=distribution)
