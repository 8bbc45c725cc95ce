"""What the page works on: the views, their matches, and the pairs marked so far, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from xraykit.render import InputError

from ..predictor.matches import Matches
from .marked_pair import MarkedPair, ordered_pair, refuse_repeat
from .marked_sample import MarkedSample

STEPS = 1000  # that can be undone


class PairSession:
    """Pairs that are marked, changed, undone and saved. Safe to use from several threads.

    Args:
        matches: The views in the order of the sample, and their matches.
        sample: Where pairs come from and go to.
        notes: What was assumed, for the page.

    Raises:
        InputError: An image of another size than the file says, or one of several frames.
    """

    def __init__(self, matches: Matches, sample: MarkedSample, notes: Sequence[str] = ()) -> None:
        sample.check_sizes(matches.xrays)
        self.matches, self.sample, self.notes = matches, sample, tuple(notes)
        self.pairs: tuple[MarkedPair, ...] = tuple(sample.pairs)
        self._saved = self.pairs
        self._history: list[tuple[MarkedPair, ...]] = []
        self._lock = threading.RLock()

    @property
    def is_saved(self) -> bool:
        """Whether the file holds the pairs as they are."""
        return self.pairs == self._saved

    @property
    def steps(self) -> int:
        """How many changes can be undone."""
        return len(self._history)

    def add(self, first: int, a: tuple[float, float], second: int, b: tuple[float, float], **rest: Any) -> MarkedPair:
        """Mark two points.

        Args:
            first: View of `a`.
            a: Point, x right and y down in the original image [px].
            second: View of `b`.
            b: Point.
            rest: is_match, radius, name, see `MarkedPair`.

        Raises:
            InputError: A point outside its image, one view twice, or points that are marked already.
        """
        for view, point in ((first, a), (second, b)):
            self._check_inside(view, point)
        pair = ordered_pair(first, a, second, b, **rest)
        with self._lock:
            refuse_repeat(pair, self.pairs)
            self._change((*self.pairs, pair))
        return pair

    def mark(self, number: int, *, is_match: bool) -> None:
        """Say of a pair that it is a match, or none.

        Raises:
            InputError: No such pair.
        """
        with self._lock:
            self._check(number)
            changed = (pair.marked(is_match) if n == number else pair for n, pair in enumerate(self.pairs))
            self._change(tuple(changed))

    def delete(self, number: int) -> None:
        """Take a pair away.

        Raises:
            InputError: No such pair.
        """
        with self._lock:
            self._check(number)
            self._change((*self.pairs[:number], *self.pairs[number + 1 :]))

    def undo(self) -> None:
        """Take the last change back; nothing where there is none."""
        with self._lock:
            if self._history:
                self.pairs = self._history.pop()

    def save(self) -> str:
        """Write the pairs, and return the sample's id; see `MarkedSample.save`."""
        with self._lock:
            name = self.sample.save(self.matches.xrays, self.pairs)
            self._saved = self.pairs
            return name

    def _change(self, pairs: tuple[MarkedPair, ...]) -> None:
        if pairs == self.pairs:
            return
        self._history = [*self._history[1 - STEPS :], self.pairs]
        self.pairs = pairs

    def _check(self, number: int) -> None:
        if not 0 <= number < len(self.pairs):
            raise InputError(f"there are {len(self.pairs)} pairs, got number {number + 1}.")

    def _check_inside(self, view: int, point: tuple[float, float]) -> None:
        count = len(self.matches.xrays)
        if not 0 <= view < count:
            raise InputError(f"view must be 0 to {count - 1}, got {view}.")
        height, width = self.matches.xrays[view].size
        if not (0 <= point[0] <= width and 0 <= point[1] <= height):
            name, size = self.matches.xrays[view].name, f"{width} px wide and {height} px high"
            raise InputError(f"the point must lie in {name}, {size}, got x {point[0]:g}, y {point[1]:g}.")
