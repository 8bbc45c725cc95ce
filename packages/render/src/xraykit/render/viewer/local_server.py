"""A viser server for who knows its token: loopback only, the port asked for, no sharing, no foreign pages."""

from __future__ import annotations

import contextlib
import io
import secrets
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..extras import require
from ..web.guard import is_own_page
from ..web.outer import OuterAddress, outer_address
from ..web.port import HOST, check_port

if TYPE_CHECKING:
    from viser import ViserServer

REFUSED = 1008  # websocket close code: policy violation


def local_server(port: int, *, label: str, token: str, outer: str | None = None) -> ViserServer:
    """A running server on 127.0.0.1.

    viser itself would take the next free port if this one is busy, would let any page open in the browser and any
    user of this machine listen to it and steer it, and can publish itself through a tunnel at the request of a
    client. A patient's CT is no matter for that.

    Args:
        port: TCP port; 0 lets the system choose.
        label: Shown at the head of the control panel.
        token: The secret of `page_url`, without which nobody is sent or heard anything.
        outer: Address at which a proxy shows the page, see `outer_address`; None is no proxy.

    Raises:
        BackendUnavailableError: viser is not installed.
        InputError: The port is busy, forbidden or no port number, or the outer address is none.
    """
    viser = require("viser", extra="view", what="the viewer")
    outer_address(outer, port=port)
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
    _refuse_strangers(server, token, outer_address(outer, port=server.get_port()))
    return server


def page_url(server: ViserServer, token: str, outer: str | None = None) -> str:
    """Where the page is; the page takes the address of its websocket, and with it the token, from its own."""
    proxy = outer_address(outer, port=server.get_port())
    place = f"http://{HOST}:{server.get_port()}/" if proxy is None else proxy.url
    return f"{place}?websocket={place.replace('http', 'ws', 1)}{token}"


def stop(server: ViserServer) -> None:
    """Close the server and its connections, quietly."""
    with contextlib.redirect_stdout(io.StringIO()):
        server.stop()


def _refuse_strangers(server: ViserServer, token: str, outer: OuterAddress | None) -> None:
    """Close connections without the token, or from a page from elsewhere, before they are sent or heard anything."""
    from websockets.exceptions import ConnectionClosed  # viser stands on it

    sockets = server._websock_server

    @sockets.on_client_connect
    async def check(client: Any) -> None:
        connection = sockets._live_connections[client.client_id]
        path = "" if connection.request is None else connection.request.path
        headers = {} if connection.request is None else connection.request.headers
        own = is_own_page(headers.get("Origin"), host=headers.get("Host", ""), outer=outer)
        if own and secrets.compare_digest(path.encode(), f"/{token}".encode()):
            return
        await connection.close(REFUSED, "only the page at the address that the terminal shows may watch the viewer")
        with contextlib.suppress(ConnectionClosed):
            while True:  # what came before the end would be heard after it
                await connection.recv()

    sockets.disconnect_all_clients()  # whoever came before the check; a page of ours connects again
