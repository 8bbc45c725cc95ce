"""The page's server: a session of marked pairs on this machine alone."""

from __future__ import annotations

from pathlib import Path

from xraykit.render.web import PageServer

from .endpoints import PairEndpoints
from .pair_session import PairSession

PAGE = Path(__file__).parent / "page"


class PairServer(PageServer):
    """A page that serves a session from a background thread until it is closed. Usable in `with`, which closes it.

    Args:
        session: What it works on.
        port: TCP port; 0 lets the system choose.
        outer: Address at which a proxy shows the page; None is no proxy.

    Raises:
        BackendUnavailableError: starlette or uvicorn is not installed.
        InputError: The port is busy, forbidden or no port number.
    """

    def __init__(self, session: PairSession, *, port: int = 8080, outer: str | None = None) -> None:
        self.session = session
        super().__init__(PAGE, PairEndpoints(session).table, port=port, outer=outer)
