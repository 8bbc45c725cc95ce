"""The app's server: a session on a page of this machine, its results below one folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xraykit.render.storage import check_result_folder
from xraykit.render.web import PageServer

from .endpoints import Endpoints
from .files import LIMIT
from .session import Session

PAGE = Path(__file__).parent / "page"


class AppServer(PageServer):
    """A page that serves a session from a background thread until it is closed. Usable in `with`, which closes it.

    Args:
        session: What it works on; closed with the page.
        folder: Where results are saved; made if it is missing.
        port: TCP port; 0 lets the system choose.
        outer: Address at which a proxy shows the page; None is no proxy.
        inputs: Files as the user named them, for the record.

    Raises:
        BackendUnavailableError: starlette or uvicorn is not installed.
        InputError: The port is busy, forbidden or no port number.
        OutputError: The folder cannot be written.
    """

    def __init__(
        self,
        session: Session,
        *,
        folder: str | Path,
        port: int = 8080,
        inputs: Mapping[str, Any] | None = None,
        outer: str | None = None,
    ) -> None:
        folder = Path(folder).resolve()
        check_result_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.session = session
        requests = Endpoints(session, folder=folder, inputs=inputs or {}).table
        super().__init__(PAGE, requests, port=port, largest_body=2 * LIMIT, outer=outer)

    def close(self) -> None:
        """Stop serving and what runs."""
        super().close()
        self.session.close()
