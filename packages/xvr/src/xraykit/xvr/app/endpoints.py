"""What the page may ask for, as one table of functions from a JSON object to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xraykit.render import InputError, XraykitError

from .files import LIMIT, load_result, save_view
from .guard import Guard
from .pictures import encoded
from .pose_sliders import Move
from .session import Session
from .state import job_state, session_state, view_state

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

PAGE = Path(__file__).parent / "page"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
NAMES = (
    *("state", "xray", "drr", "undo", "reset", "structure"),
    *("initialise", "refine", "job", "cancel", "save", "load"),
)
Body = dict[str, Any]


class Endpoints:
    """The page's requests, answered by a session.

    Args:
        session: What it works on.
        folder: Where results are saved, and nowhere else.
        inputs: Files as the user named them, for the record.
    """

    def __init__(self, session: Session, *, folder: Path, inputs: Mapping[str, Any]) -> None:
        self._session, self._folder, self._inputs = session, folder, inputs
        self.table: dict[str, Callable[[Body], Any]] = {name: getattr(self, name) for name in NAMES}

    def state(self, body: Body) -> Any:
        """Everything besides pictures."""
        return session_state(self._session)

    def xray(self, body: Body) -> Any:
        """The picture of X-ray `view`."""
        return encoded(self._session.view(body.get("view")).picture.grey, "png"), "image/png", {}

    def drr(self, body: Body) -> Any:
        """The rendering of X-ray `view` after a `move`, and where its sliders stand, in a header."""
        session, index = self._session, body.get("view")
        view = session.view(index)
        if body.get("move"):
            session.move(session.views.index(view), _move(body["move"]), gesture=str(body.get("gesture", ""))[:64])
        picture = session.picture(session.views.index(view), draft=bool(body.get("draft")))
        headers = {"X-View": json.dumps(view_state(session, view))}
        return (*(picture or (b"", "")), headers)

    def undo(self, body: Body) -> Any:
        """One placement back."""
        self._session.undo(_index(body))
        return session_state(self._session)

    def reset(self, body: Body) -> Any:
        """Back to the start."""
        self._session.reset(_index(body))
        return session_state(self._session)

    def structure(self, body: Body) -> Any:
        """Choose labels or groups by `names`."""
        names = body.get("names")
        if not isinstance(names, list):
            raise InputError(f"names must be a list, got {names!r}.")
        self._session.choose(names)
        return session_state(self._session)

    def initialise(self, body: Body) -> Any:
        """Look for a first guess by `method`."""
        return job_state(self._session.initialise(_index(body), str(body.get("method"))))

    def refine(self, body: Body) -> Any:
        """Register X-ray `view`, or all `joint`ly."""
        return job_state(self._session.refine(_index(body), joint=bool(body.get("joint"))))

    def job(self, body: Body) -> Any:
        """How the task stands, with the steps from number `since` on."""
        job = self._session.worker.job
        since = body.get("since", 0)
        if job is None or not isinstance(since, int):
            return None
        state = job_state(job)
        return {**state, "steps": state["steps"][max(0, since) :]}

    def cancel(self, body: Body) -> Any:
        """Stop the task."""
        self._session.cancel()
        return None

    def save(self, body: Body) -> Any:
        """Write the result of X-ray `view`."""
        path = save_view(self._session, _index(body), self._folder, self._inputs)
        return {"path": str(path)}

    def load(self, body: Body) -> Any:
        """Take over the poses of a result, given as `text`."""
        text = body.get("text")
        if not isinstance(text, str):
            raise InputError("load needs the text of a result.")
        return {"views": load_result(self._session, text.encode()), **session_state(self._session)}


def web_app(endpoints: Endpoints, *, token: str) -> ASGIApp:
    """The page's files at /, its requests at /api/NAME, guarded."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, Response
    from starlette.routing import Route

    def answer(name: str, raw: bytes) -> Response:
        try:
            result = endpoints.table[name](_object(raw))
        except XraykitError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        if isinstance(result, tuple):
            content, kind, headers = result
            return Response(content, 200 if content else 204, headers, kind or None)
        return JSONResponse(result)

    def api(name: str) -> Route:
        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(answer, name, await request.body())

        return Route(f"/api/{name}", endpoint, methods=["POST"])

    def static(path: str, file: Path) -> Route:
        content = file.read_bytes()

        async def endpoint(request: Request) -> Response:
            return Response(content, media_type=TYPES[file.suffix])

        return Route(path, endpoint)

    files = [static("/", PAGE / "page.html")]
    files += [static(f"/{file.name}", file) for file in sorted(PAGE.iterdir()) if file.suffix in TYPES]
    return Guard(Starlette(routes=[*files, *map(api, endpoints.table)]), token=token, limit=2 * LIMIT)


def _object(raw: bytes) -> Body:
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError) as error:
        raise InputError(f"a request must be JSON, got something else ({error}).") from error
    if not isinstance(body, dict):
        raise InputError(f"a request must be a JSON object, got {type(body).__name__}.")
    return body


def _index(body: Body) -> int:
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
