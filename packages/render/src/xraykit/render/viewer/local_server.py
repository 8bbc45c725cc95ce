"""A viser server that stays on this machine: loopback only, the port asked for, no sharing, no foreign pages."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..extras import require
from ..web.guard import is_own_page
from ..web.port import HOST, check_port

if TYPE_CHECKING:
    from viser import ViserServer

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
    viser = require("viser", extra="view", what="the viewer")
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


def _refuse_foreign_pages(server: ViserServer) -> None:
    """Close connections that a page from elsewhere opens, before they are sent anything.

    viser has no token and answers whoever connects; what its own page may know, no other page may.
    """
    sockets = server._websock_server

    @sockets.on_client_connect
    async def check(client: Any) -> None:
        connection = sockets._live_connections[client.client_id]
        headers = {} if connection.request is None else connection.request.headers
        if not is_own_page(headers.get("Origin"), host=headers.get("Host", "")):
            await connection.close(REFUSED, "this page may not watch the viewer")

    sockets.disconnect_all_clients()  # whoever came before the check; a page of ours connects again
