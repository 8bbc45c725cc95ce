"""A viser server that stays on this machine: loopback only, the port asked for, no sharing, no foreign pages."""

from __future__ import annotations

import contextlib
import io
import os
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import BackendUnavailableError, InputError

if TYPE_CHECKING:
    from viser import ViserServer

HOST = "127.0.0.1"
OWN_NAMES = (HOST, "localhost", "::1")
REFUSED = 1008  # websocket close code: policy violation


def local_server(port: int, *, label: str) -> ViserServer:
    """A running server on 127.0.0.1.

    viser itself would take the next free port if this one is busy, would let any page open in the browser listen to
    it, and can publish itself through a tunnel at the request of a client. A patient's CT is no matter for that.

    Args:
        port: TCP port; 0 lets the system choose.
        label: Shown at the head of the control panel.

    Raises:
        BackendUnavailableError: viser is not installed.
        InputError: The port is busy, forbidden or no port number.
    """
    viser = require_viser()
    check_port(port)

    class LocalServer(viser.ViserServer):
        def request_share_url(self, verbose: bool = True) -> None:
            """Refuse: the page shows a patient."""

    with contextlib.redirect_stdout(io.StringIO()):  # viser prints a banner of its own
        server = LocalServer(host=HOST, port=port, label=label, verbose=False)
    if server.get_host() != HOST or port not in (0, server.get_port()):
        got = f"{server.get_host()}:{server.get_port()}"
        stop(server)
        raise InputError(f"the viewer must run on {HOST}:{port}, got {got}; choose another port.")
    _refuse_foreign_pages(server)
    return server


def stop(server: ViserServer) -> None:
    """Close the server and its connections, quietly."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


def require_viser() -> Any:
    """The module viser.

    Raises:
        BackendUnavailableError: It is not installed.
    """
    try:
        import viser
    except ImportError as error:
        raise BackendUnavailableError(
            "the viewer needs viser, which is not installed; run: pip install 'xraykit-render[view]'."
        ) from error
    return viser


def check_port(port: int) -> None:
    """Raise InputError unless a server can listen at this port of 127.0.0.1."""
    if not 0 <= port <= 65535:
        raise InputError(f"--port must be 0 to 65535, got {port}.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that is merely cooling down is free
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise InputError(
                f"--port must be free on {HOST}, got {port}: {error.strerror or error}; choose another with --port."
            ) from error


def is_own_page(origin: str | None) -> bool:
    """Whether a browser's Origin header names a page of this machine; other programs send none."""
    return origin is None or urlsplit(origin).hostname in OWN_NAMES


def _refuse_foreign_pages(server: ViserServer) -> None:
    """Close connections that a page from elsewhere opens, before they are sent anything.

    Browsers let every page connect to 127.0.0.1 and only name the page in the Origin header.
    """
    sockets = server._websock_server

    @sockets.on_client_connect
    async def check(client: Any) -> None:
        connection = sockets._live_connections[client.client_id]
        origin = None if connection.request is None else connection.request.headers.get("Origin")
        if not is_own_page(origin):
            await connection.close(REFUSED, "this page may not watch the viewer")

    sockets.disconnect_all_clients()  # whoever came before the check; a page of ours connects again
