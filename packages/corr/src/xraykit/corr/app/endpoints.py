"""What the page may ask for, as one table of functions from a JSON object to an answer."""

from __future__ import annotations

import io
from typing import Any, TypeGuard

import numpy as np
from PIL import Image

from xraykit.render import InputError
from xraykit.render.web import Answer, Request, RequestBody

from ..data.json_fields import MOST_WHOLE, shown
from ..predictor.view_letters import view_letter
from .pair_session import PairSession

NAMES = ("state", "xray", "heat", "add", "mark", "delete", "undo", "save")
LONGEST = 2048  # [px] of the picture that travels
FINE = 65535  # probability 1
LARGEST = 1e9  # coordinate or radius [px]


class PairEndpoints:
    """The page's requests, answered by a session.

    Args:
        session: What it works on.
    """

    def __init__(self, session: PairSession) -> None:
        self._session = session
        self.table: dict[str, Request] = {name: getattr(self, name) for name in NAMES}

    def state(self, body: RequestBody) -> Any:
        """Everything besides pictures and heat."""
        session = self._session
        matches, sample = session.matches, session.sample
        return {
            "grid": matches.grid,
            "views": [_view(number, xray) for number, xray in enumerate(matches.xrays)],
            "overlap": [
                {"views": [a, b], "score": round(score, 3), "doubt": matches.doubts.get((a, b))}
                for (a, b), score in matches.overlap.items()
            ],
            "pairs": [
                {"views": p.views, "a": p.a, "b": p.b, "match": p.is_match, "radius": p.radius, "name": p.name}
                for p in session.pairs
            ],
            "file": sample.path.name,
            "sample": {"id": sample.id, "patient": sample.patient, "split": sample.split},
            "saved": session.is_saved,
            "undo": session.steps,
            "notes": list(session.notes),
        }

    def xray(self, body: RequestBody) -> Any:
        """The picture of view `view`, PNG."""
        grey = Image.fromarray(self._session.matches.xrays[self._number(body, "view")].grey)
        grey.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
        stream = io.BytesIO()
        grey.save(stream, format="PNG", compress_level=1)
        return Answer(stream.getvalue(), "image/png")

    def heat(self, body: RequestBody) -> Any:
        """All probabilities between views `first` and `second`: L x L little-endian 16-bit numbers, 65535 is 1."""
        matrix = self._session.matches.between(self._number(body, "first"), self._number(body, "second"))
        return Answer(np.round(matrix.numpy() * FINE).astype("<u2").tobytes(), "application/octet-stream")

    def add(self, body: RequestBody) -> Any:
        """Mark the points `a` and `b`, each {view, x, y}, as a `match` or not, with `radius` and `name`."""
        (first, a), (second, b) = _point(body, "a"), _point(body, "b")
        radius, name = body.get("radius"), body.get("name", "")
        if (radius is not None and not _is_number(radius)) or not isinstance(name, str):
            raise InputError(f"radius must be a number and name text, got {shown(radius)} and {shown(name)}.")
        rest = {"is_match": _is_match(body), "radius": radius, "name": name.strip()}
        self._session.add(first, a, second, b, **rest)
        return self.state(body)

    def mark(self, body: RequestBody) -> Any:
        """Make pair `pair` a `match` or none."""
        self._session.mark(self._number(body, "pair"), is_match=_is_match(body))
        return self.state(body)

    def delete(self, body: RequestBody) -> Any:
        """Take pair `pair` away."""
        self._session.delete(self._number(body, "pair"))
        return self.state(body)

    def undo(self, body: RequestBody) -> Any:
        """Take the last change back."""
        self._session.undo()
        return self.state(body)

    def save(self, body: RequestBody) -> Any:
        """Write the file."""
        self._session.save()
        return self.state(body)

    def _number(self, body: RequestBody, key: str) -> int:
        number = body.get(key)
        most = MOST_WHOLE if key == "pair" else len(self._session.matches.xrays) - 1
        if not _is_whole(number) or not 0 <= number <= most:
            raise InputError(f"{key} must be a whole number from 0, got {shown(number)}.")
        return number


def _view(number: int, xray: Any) -> dict[str, Any]:
    box = xray.letterbox
    return {
        "letter": view_letter(number),
        "name": xray.name,
        "size": [box.height, box.width],
        "square": [box.left, box.top, box.side],
    }


def _point(body: RequestBody, key: str) -> tuple[int, tuple[float, float]]:
    point = body.get(key)
    view, x, y = (point.get(name) if isinstance(point, dict) else None for name in ("view", "x", "y"))
    if not _is_whole(view) or not _is_number(x) or not _is_number(y):
        raise InputError(f"{key} must have a view, x and y, got {shown(point)}.")
    return view, (float(x), float(y))


def _is_match(body: RequestBody) -> bool:
    match = body.get("match", True)
    if not isinstance(match, bool):
        raise InputError(f"match must be true or false, got {shown(match)}.")
    return match


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_WHOLE


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST
