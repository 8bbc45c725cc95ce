"""What the page may ask for, as one table of functions from a JSON object to an answer."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from xraykit.render import InputError
from xraykit.render.pictures import colours
from xraykit.render.web import Answer, Request, RequestBody

from ..vocabulary.targets import all_targets
from .marked_mask import MarkedMask
from .mask_session import MaskSession

CHANGES = ("ask", "point", "box", "choose", "candidate", "accept", "rename", "delete", "undo", "redo", "save")
REST = ("state", "open", "picture", "mask", "small", "suggest", "collimate", "save_collimation")
LARGEST = 1e9  # coordinate [px]
MOST_WHOLE = 1_000_000
MOST_SHOWN = 60  # letters of a value in a sentence
SUGGESTIONS = 7
LONGEST_TYPED = 250


class MaskEndpoints:
    """The page's requests, answered by a session. Those that change masks say which X-ray they mean, as `image`.

    Args:
        session: What it works on.
    """

    def __init__(self, session: MaskSession) -> None:
        self._session = session
        self.table: dict[str, Request] = {name: getattr(self, name) for name in REST}
        self.table |= {name: self._change(getattr(self, name)) for name in CHANGES}

    def _change(self, make: Request) -> Request:
        def request(body: RequestBody) -> Any:
            image = self._number(body, "image", least=0)
            if image != self._session.number:
                raise InputError(f"X-ray {self._session.number + 1} is open by now, got a change of {image + 1}.")
            said = make(body)
            return {**self.state(body), "said": said or ""}

        return request

    def state(self, body: RequestBody) -> Any:
        """Everything besides pictures."""
        session, history = self._session, self._session.history
        image, now = session.image, history.now
        shades = colours(max(1, history.last_number))
        return {
            "image": session.number,
            "name": session.files[session.number].name,
            "images": [self._listed(n) for n in range(len(session.files))],
            "size": None if image is None else image.size,
            "spacing": None if image is None else image.spacing,
            "fault": session.faults.get(session.number),
            "masks": [_mask(mask, shades[mask.number - 1]) for mask in now.masks],
            "chosen": now.chosen,
            "steps": history.steps,
            "saved": history.is_saved,
            "folder": session.annotations.folder.name,
            "notes": list(session.all_notes),
            "words": len(all_targets()),
        }

    def open(self, body: RequestBody) -> Any:
        """Go to X-ray `image`."""
        self._session.open(self._number(body, "image", least=0))
        return self.state(body)

    def picture(self, body: RequestBody) -> Any:
        """The picture of the X-ray that is open, PNG; nothing where it cannot be read."""
        image = self._session.image
        return Answer(b"" if image is None else image.picture, "image/png")

    def mask(self, body: RequestBody) -> Any:
        """Mask `mask` as it looked at `stamp`, PNG, white and transparent; nothing if it looks otherwise by now."""
        image, found = self._session.image, self._stamped(body)
        if image is None or found is None or found.answer is None:
            return Answer(b"")
        return Answer(image.mask_picture(found.answer), "image/png")

    def small(self, body: RequestBody) -> Any:
        """Candidate `candidate` of a mask, in the same way, small."""
        image, found, number = self._session.image, self._stamped(body), self._number(body, "candidate", least=0)
        if image is None or found is None or found.answer is None or number >= len(found.answer.confidences):
            return Answer(b"")
        return Answer(image.candidate_picture(found.answer, number), "image/png")

    def suggest(self, body: RequestBody) -> Any:
        """Known words near to `text`, as a list."""
        return list(self._session.sam.suggest(_text(body, "text")[:LONGEST_TYPED], SUGGESTIONS))

    def ask(self, body: RequestBody) -> str:
        """Find what `texts` ask for, a mask each; what is said of words that were passed over."""
        texts = body.get("texts")
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise InputError(f"texts must be a list of texts, got {_shown(texts)}.")
        return self._session.ask(texts)

    def point(self, body: RequestBody) -> None:
        """A click at `x`, `y`, `inside` what is meant or not."""
        self._session.point((_real(body, "x"), _real(body, "y")), inside=_flag(body, "inside"))

    def box(self, body: RequestBody) -> None:
        """A box, `left`, `top`, `right`, `bottom`."""
        left, top, right, bottom = (_real(body, edge) for edge in ("left", "top", "right", "bottom"))
        self._session.draw_box((left, top, right, bottom))

    def choose(self, body: RequestBody) -> None:
        """Points go to `mask`, or with null to another."""
        self._session.choose(None if body.get("mask") is None else self._number(body, "mask"))

    def candidate(self, body: RequestBody) -> None:
        """The chosen mask takes candidate `candidate`, from 0."""
        self._session.take_candidate(self._number(body, "candidate", least=0))

    def accept(self, body: RequestBody) -> None:
        """Mask `mask` is `accepted` or not."""
        self._session.accept(self._number(body, "mask"), accepted=_flag(body, "accepted"))

    def rename(self, body: RequestBody) -> None:
        """Mask `mask` is called `name`."""
        self._session.rename(self._number(body, "mask"), _text(body, "name"))

    def delete(self, body: RequestBody) -> None:
        """Take mask `mask` away."""
        self._session.delete(self._number(body, "mask"))

    def undo(self, body: RequestBody) -> None:
        """Take the last change back."""
        self._session.undo()

    def redo(self, body: RequestBody) -> None:
        """Make it again."""
        self._session.redo()

    def save(self, body: RequestBody) -> str:
        """Write the accepted masks."""
        return self._session.save()

    def collimate(self, body: RequestBody) -> Any:
        """The collimation box of mask `mask` with `margin`: box [px], and size [mm] or null."""
        box = self._session.collimation(self._number(body, "mask"), _real(body, "margin"))
        return {"box": [box.left, box.top, box.right, box.bottom], "size_mm": box.size_mm}

    def save_collimation(self, body: RequestBody) -> Any:
        """Write it; the file's name."""
        return self._session.save_collimation(self._number(body, "mask"), _real(body, "margin")).name

    def _listed(self, number: int) -> dict[str, Any]:
        history = self._session.histories[number]
        return {
            "name": self._session.files[number].name,
            "masks": len(history.now.masks),
            "saved": history.is_saved,
            "kept": number in self._session.kept,
            "fault": number in self._session.faults,
        }

    def _stamped(self, body: RequestBody) -> MarkedMask | None:
        number, stamp = self._number(body, "mask"), self._number(body, "stamp", least=0)
        masks = self._session.history.now.masks
        return next((mask for mask in masks if (mask.number, mask.stamp) == (number, stamp)), None)

    @staticmethod
    def _number(body: RequestBody, key: str, *, least: int = 1) -> int:
        number = body.get(key)
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= MOST_WHOLE:
            raise InputError(f"{key} must be a whole number from {least}, got {_shown(number)}.")
        return number


def _mask(mask: MarkedMask, colour: tuple[int, int, int]) -> dict[str, Any]:
    answer = mask.answer
    return {
        "number": mask.number,
        "stamp": mask.stamp,
        "name": mask.name,
        "text": mask.text,
        "points": [[*point, label] for point, label in zip(mask.points, mask.labels, strict=True)],
        "box": mask.box,
        "colour": "#{:02x}{:02x}{:02x}".format(*colour),
        "accepted": mask.is_accepted,
        "visible": answer is not None and answer.visible,
        "confidence": None if answer is None else round(answer.confidence, 3),
        "candidates": [] if answer is None else [round(float(one), 3) for one in answer.confidences],
        "candidate": 0 if answer is None else answer.best,
    }


def _text(body: RequestBody, key: str) -> str:
    text = body.get(key)
    if not isinstance(text, str):
        raise InputError(f"{key} must be text, got {_shown(text)}.")
    return text


def _real(body: RequestBody, key: str) -> float:
    number = body.get(key)
    if not _is_number(number):
        raise InputError(f"{key} must be a number, got {_shown(number)}.")
    return float(number)


def _flag(body: RequestBody, key: str) -> bool:
    flag = body.get(key)
    if not isinstance(flag, bool):
        raise InputError(f"{key} must be true or false, got {_shown(flag)}.")
    return flag


def _is_number(value: Any) -> TypeGuard[float]:
    real = isinstance(value, int | float) and not isinstance(value, bool)
    return real and abs(value) <= LARGEST and math.isfinite(value)


def _shown(value: object) -> str:
    """A value for a sentence: short, and without letters that cannot be printed."""
    text = ascii(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."
