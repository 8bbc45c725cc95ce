"""The server of a track that is looked at: the app's page without what moves, registers and saves."""

from __future__ import annotations

from typing import Any

from xraykit.render.web import PageServer, RequestBody

from .answers import chosen_names, rendering_answer, xray_answer
from .server import PAGE
from .track_session import TrackSession


class TrackServer(PageServer):
    """A page that shows a track from a background thread until it is closed; it writes nothing. Usable in `with`.

    Args:
        session: What it shows.
        port: TCP port; 0 lets the system choose.
        outer: Address at which a proxy shows the page; None is no proxy.

    Raises:
        BackendUnavailableError: starlette or uvicorn is not installed.
        InputError: The port is busy, forbidden or no port number.
    """

    def __init__(self, session: TrackSession, *, port: int = 8080, outer: str | None = None) -> None:
        self.session = session
        requests = {name: getattr(self, f"_{name}") for name in ("state", "xray", "drr", "structure", "frame")}
        super().__init__(PAGE, requests, port=port, outer=outer)

    def _state(self, body: RequestBody) -> Any:
        return self.session.state()

    def _xray(self, body: RequestBody) -> Any:
        return xray_answer(self.session.view(body.get("view")))

    def _drr(self, body: RequestBody) -> Any:
        index = self.session.views.index(self.session.view(body.get("view")))
        picture = self.session.picture(index, draft=bool(body.get("draft")))
        return rendering_answer(picture, self.session.view_state(index))

    def _structure(self, body: RequestBody) -> Any:
        self.session.choose(chosen_names(body))
        return self.session.state()

    def _frame(self, body: RequestBody) -> Any:
        return {"said": self.session.show_frame(body.get("to")), **self.session.state()}
