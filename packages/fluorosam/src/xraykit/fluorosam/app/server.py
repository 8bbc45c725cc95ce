"""The page's server: a session of masks on this machine alone."""

from __future__ import annotations

from pathlib import Path

from xraykit.render.web import PageServer

from .endpoints import MaskEndpoints
from .mask_session import MaskSession

PAGE = Path(__file__).parent / "page"


class MaskServer(PageServer):
    """A page that serves a session from a background thread until it is closed. Usable in `with`, which closes it.

    Args:
        session: What it works on.
        port: TCP port; 0 lets the system choose.
        outer: Address at which a proxy shows the page; None is no proxy.

    Raises:
        BackendUnavailableError: starlette or uvicorn is not installed.
        InputError: The port is busy, forbidden or no port number.
    """

    def __init__(self, session: MaskSession, *, port: int = 8080, outer: str | None = None) -> None:
        self.session = session
        super().__init__(PAGE, MaskEndpoints(session).table, port=port, outer=outer)
