"""A structure that is being annotated: what was asked for it so far, and the answer to that."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xraykit.render import InputError

from ..predictor.prompt import Prompt
from ..predictor.segmentation import Segmentation
from ..vocabulary.recognition import resolve

MOST_LETTERS = 250  # of a name
XY = tuple[float, float]
BoxXY = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class MarkedMask:
    """One structure of one X-ray. What is asked may grow; each answer is made of the one before.

    Args:
        number: Which it is, 1 for the first that was begun in the X-ray; never given again.
        name: What it is called in the files.
        text: The words it was asked for with; None if there were none.
        points: Clicks, x right and y down in pixels of the X-ray.
        labels: Of each point, 1 inside and 0 outside.
        box: Left, top, right, bottom; None if none was drawn.
        answer: Of the network, with the candidate that is chosen; None before the first.
        is_accepted: Whether a person said that it is right.
        stamp: Grows with every new look of the mask, so that a picture of it is known to be old.
    """

    number: int
    name: str
    text: str | None = None
    points: tuple[XY, ...] = ()
    labels: tuple[int, ...] = ()
    box: BoxXY | None = None
    answer: Segmentation | None = None
    is_accepted: bool = False
    stamp: int = 0

    @property
    def prompt(self) -> Prompt:
        """All that is asked, with the answer so far as the mask to begin with."""
        points, labels = (self.points, self.labels) if self.points else (None, None)
        return Prompt(self.text, points, labels, self.box, self.answer)

    @property
    def target(self) -> str | None:
        """What its name means in the vocabulary; None for a name that it does not know."""
        if self.answer is not None and self.name == self.text:
            return self.answer.target
        try:
            return resolve(self.name).name
        except InputError:
            return None

    def with_point(self, point: XY, *, inside: bool) -> MarkedMask:
        """With one click more, not answered yet."""
        return replace(self, points=(*self.points, point), labels=(*self.labels, int(inside)))

    def with_box(self, box: BoxXY) -> MarkedMask:
        """With this box in place of any other; what was found before it counts no more."""
        return replace(self, box=box, answer=None)

    def answered(self, answer: Segmentation, *, stamp: int) -> MarkedMask:
        """With an answer, which nobody accepted yet."""
        return replace(self, answer=answer, is_accepted=False, stamp=stamp)

    def with_candidate(self, number: int, *, stamp: int) -> MarkedMask:
        """With another of the network's candidates as the answer; a person who takes it says that it is visible.

        Raises:
            InputError: No such candidate.
        """
        count = 0 if self.answer is None else len(self.answer.confidences)
        if self.answer is None or not 0 <= number < count:
            raise InputError(f"the candidate must be 1 to {count}, got {number + 1}.")
        there = bool((self.answer.low_candidates[number] > 0).any())
        return self.answered(replace(self.answer, best=number, visible=there), stamp=stamp)

    def accepted(self, accepted: bool) -> MarkedMask:
        """Accepted or not.

        Raises:
            InputError: There is nothing to accept.
        """
        if accepted and (self.answer is None or not self.answer.visible):
            raise InputError(f"a mask must show something to be accepted, got none of {self.name!r}; click on it.")
        return replace(self, is_accepted=accepted)

    def renamed(self, name: str) -> MarkedMask:
        """Under another name.

        Raises:
            InputError: No name, a very long one, or one that cannot be written.
        """
        return replace(self, name=checked_name(name))


def checked_name(name: str) -> str:
    """A name with single spaces.

    Raises:
        InputError: No name, a very long one, or one with letters that cannot be written.
    """
    clean = " ".join(name.split())
    if not clean or len(clean) > MOST_LETTERS or not clean.isprintable():
        raise InputError(f"a name must have 1 to {MOST_LETTERS} printable letters, got {clean[:60]!r}.")
    return clean
