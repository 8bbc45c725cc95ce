"""What the page may ask for, as one table of functions from a JSON object to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xraykit.render import InputError
from xraykit.render.web import Request, RequestBody

from .answers import chosen_names, rendering_answer, xray_answer
from .files import load_result, save_view
from .pose_sliders import Move
from .session import Session
from .state import session_state, view_state

NAMES = ("state", "xray", "drr", "undo", "reset", "structure", "initialise", "refine", "frame", "save", "load")


class Endpoints:
    """The page's requests, answered by a session.

    Args:
        session: What it works on.
        folder: Where results are saved, and nowhere else.
        inputs: Files as the user named them, for the record.
    """

    def __init__(self, session: Session, *, folder: Path, inputs: Mapping[str, Any]) -> None:
        self._session, self._folder, self._inputs = session, folder, inputs
        self.table: dict[str, Request] = {name: getattr(self, name) for name in NAMES}
        self.table.update(session.worker.requests)

    def state(self, body: RequestBody) -> Any:
        """Everything besides pictures."""
        return session_state(self._session)

    def xray(self, body: RequestBody) -> Any:
        """The picture of X-ray `view`."""
        return xray_answer(self._session.view(body.get("view")))

    def drr(self, body: RequestBody) -> Any:
        """The rendering of X-ray `view` after a `move`, and where its sliders stand, in a header."""
        session, index = self._session, body.get("view")
        view = session.view(index)
        if body.get("move"):
            session.move(session.views.index(view), _move(body["move"]), gesture=str(body.get("gesture", ""))[:64])
        picture = session.picture(session.views.index(view), draft=bool(body.get("draft")))
        return rendering_answer(picture, view_state(session, view))

    def undo(self, body: RequestBody) -> Any:
        """One placement back."""
        self._session.undo(_index(body))
        return session_state(self._session)

    def reset(self, body: RequestBody) -> Any:
        """Back to the start."""
        self._session.reset(_index(body))
        return session_state(self._session)

    def structure(self, body: RequestBody) -> Any:
        """Choose labels or groups by `names`."""
        self._session.choose(chosen_names(body))
        return session_state(self._session)

    def initialise(self, body: RequestBody) -> Any:
        """Look for a first guess by `method`."""
        return self._session.initialise(_index(body), str(body.get("method"))).state()

    def refine(self, body: RequestBody) -> Any:
        """Register X-ray `view`, or all `joint`ly; `follow` starts from the frame before."""
        options = {name: bool(body.get(name)) for name in ("joint", "follow")}
        return self._session.refine(_index(body), **options).state()

    def frame(self, body: RequestBody) -> Any:
        """Show frame `to` of a cine run, or the next one in that direction that can be read."""
        return {"said": self._session.show_frame(body.get("to")), **session_state(self._session)}

    def save(self, body: RequestBody) -> Any:
        """Write the result of X-ray `view`."""
        path = save_view(self._session, _index(body), self._folder, self._inputs)
        return {"path": str(path)}

    def load(self, body: RequestBody) -> Any:
        """Take over the poses of a result, given as `text`."""
        text = body.get("text")
        if not isinstance(text, str):
            raise InputError("load needs the text of a result.")
        return {"views": load_result(self._session, text.encode()), **session_state(self._session)}


def _index(body: RequestBody) -> int:
    index = body.get("view")
    return index if isinstance(index, int) else -1


def _move(move: object) -> Move:
    parts = move if isinstance(move, dict) else {}
    tables = {key: parts.get(key, {}) for key in ("set", "add")}
    lists = {"drag": parts.get("drag", [0.0, 0.0]), "turn": parts.get("turn", [0.0, 0.0, 0.0])}
    if not all(isinstance(t, dict) for t in tables.values()) or not all(isinstance(v, list) for v in lists.values()):
        raise InputError(f"a move must hold set, add (objects), drag and turn (lists), got {move!r}.")
    drag, turn = (tuple(value) for value in lists.values())
    return Move(set=tables["set"], add=tables["add"], drag=drag, turn=turn, zoom=parts.get("zoom", 1.0))  # type: ignore[arg-type]
