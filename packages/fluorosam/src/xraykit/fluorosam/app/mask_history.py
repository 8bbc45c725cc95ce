"""The masks of one X-ray, and how they came about: every change can be taken back and made again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xraykit.render import InputError

from .marked_mask import MarkedMask

STEPS = 200  # that can be undone


@dataclass(frozen=True, eq=False)
class MaskState:
    """The masks at one moment, and the number of the one that clicks go to; None: a click begins another."""

    masks: tuple[MarkedMask, ...] = ()
    chosen: int | None = None

    def find(self, number: int | None) -> MarkedMask:
        """The mask of a number.

        Raises:
            InputError: There is none.
        """
        found = next((mask for mask in self.masks if mask.number == number), None)
        if found is None:
            raise InputError(f"there is no mask {'chosen' if number is None else number}; choose one of the list.")
        return found

    def put(self, *masks: MarkedMask) -> MaskState:
        """With these in place of those of their numbers, or after all others; the last of them is chosen."""
        fresh = {mask.number: mask for mask in masks}
        old = tuple(fresh.pop(mask.number, mask) for mask in self.masks)
        return MaskState((*old, *fresh.values()), masks[-1].number)

    def without(self, number: int) -> MaskState:
        """With one less."""
        return MaskState(tuple(mask for mask in self.masks if mask.number != number))


class MaskHistory:
    """Where the masks of one X-ray stand, and how to go back and forth.

    Attributes:
        now: The masks.
        last_number: The highest number given so far.
    """

    def __init__(self) -> None:
        self.now = MaskState()
        self.last_number = 0
        self._past: list[MaskState] = []
        self._future: list[MaskState] = []
        self._saved: tuple[MarkedMask, ...] = ()
        self.was_saved = False

    @property
    def steps(self) -> tuple[int, int]:
        """How many changes can be undone, and made again."""
        return len(self._past), len(self._future)

    @property
    def is_saved(self) -> bool:
        """Whether the files hold the masks as they are."""
        return self.now.masks == self._saved

    def free_number(self) -> int:
        """A number that no mask had."""
        self.last_number += 1
        return self.last_number

    def change(self, masks: MaskState) -> None:
        """Make a change that can be undone."""
        self._past = [*self._past[1 - STEPS :], self.now]
        self._future = []
        self.now = masks

    def choose(self, number: int | None) -> None:
        """Say which mask clicks go to; no change of the masks.

        Raises:
            InputError: There is none of that number.
        """
        if number is not None:
            self.now.find(number)
        self.now = replace(self.now, chosen=number)

    def undo(self) -> None:
        """Take the last change back; nothing where there is none."""
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()

    def redo(self) -> None:
        """Make a change again that was taken back; nothing where there is none."""
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()

    def mark_saved(self) -> None:
        """Remember that the files hold this."""
        self._saved, self.was_saved = self.now.masks, True
