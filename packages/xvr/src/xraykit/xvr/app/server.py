"""The app's server: on 127.0.0.1 alone, at the port asked for or not at all."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xraykit.render import BackendUnavailableError, InputError
from xraykit.render.storage import check_result_folder

from .endpoints import Endpoints, web_app
from .guard import HOST
from .session import Session

PATIENCE = 0.5  # seconds between looks at an interrupt
STARTING = 20.0  # seconds


class AppServer:
    """A page that serves a session from a background thread until it is closed. Usable in `with`, which closes it.

    Args:
        session: What it works on; closed with the page.
        folder: Where results are saved; made if it is missing.
        port: TCP port; 0 lets the system choose.
        inputs: Files as the user named them, for the record.

    Raises:
        BackendUnavailableError: starlette or uvicorn is not installed.
        InputError: The port is busy, forbidden or no port number.
        OutputError: The folder cannot be written.
    """

    def __init__(
        self, session: Session, *, folder: str | Path, port: int = 8080, inputs: Mapping[str, Any] | None = None
    ) -> None:
        uvicorn = require_app()
        folder = Path(folder).resolve()
        check_result_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.session, self.token = session, secrets.token_urlsafe(24)
        app = web_app(Endpoints(session, folder=folder, inputs=inputs or {}), token=self.token)
        self._socket = local_socket(port)
        self._port = self._socket.getsockname()[1]
        quiet: dict[str, Any] = {
            "log_config": None,
            "access_log": False,
            "lifespan": "off",
            "ws": "none",
            "server_header": False,
        }
        self._server = uvicorn.Server(uvicorn.Config(app, timeout_graceful_shutdown=2, **quiet))
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
        return f"{self.address}/#{self.token}"

    def wait(self) -> None:
        """Block until the server ends."""
        while self._thread.is_alive():
            self._thread.join(PATIENCE)

    def close(self) -> None:
        """Stop serving and what runs."""
        self._server.should_exit = True
        self._thread.join(STARTING)
        self._socket.close()
        self.session.close()

    def __enter__(self) -> AppServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def require_app() -> Any:
    """The module uvicorn, once starlette is known to be there too.

    Raises:
        BackendUnavailableError: One of them is not installed.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ImportError as error:
        raise BackendUnavailableError(
            "the app needs starlette and uvicorn, which are not installed; run: pip install 'xraykit-xvr[app]'."
        ) from error
    return uvicorn


def local_socket(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1.

    Raises:
        InputError: The port is busy, forbidden or no port number.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be 0 to 65535, got {port}.")
    own = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that is merely cooling down is free
    try:
        own.bind((HOST, port))
        own.listen()
    except OSError as error:
        own.close()
        raise InputError(
            f"--port must be free on {HOST}, got {port}: {error.strerror or error}; choose another with --port."
        ) from error
    return own
