"""Steps through the frames of a cine run: each as it was left, else where tracking found it, else as the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError, GeometryError, InputError
from xraykit.render.storage import finite_or_none

from ..start.given import GivenStarts
from ..tracking.cine import SynchronousRuns
from ..tracking.prediction import predicted
from ..tracking.result import TrackedFrame
from ..xray.shot import Shot
from .live_rendering import FULL
from .pictures import XrayPicture, xray_picture
from .placement import BEFORE, CLOSE, KIND, TRACKED, PlacedPose, XrayView
from .tracked_poses import TrackedPoses

KEPT = 8  # frames whose images stay in memory

Histories = tuple[list[PlacedPose], ...]


@dataclass(eq=False)
class CineSteps:
    """The frames of V runs at the same moments, one of which is shown.

    Args:
        runs: What there is to step through.
        tracked: What tracking found in them; None is nothing.
    """

    runs: SynchronousRuns
    tracked: TrackedPoses | None = None
    at: int = field(default=0, init=False)
    _left: dict[int, Histories] = field(default_factory=dict, init=False)
    _images: dict[int, list[tuple[Shot, XrayPicture]]] = field(default_factory=dict, init=False)

    @property
    def found(self) -> TrackedFrame | None:
        """What tracking found in the frame shown."""
        return None if self.tracked is None else self.tracked.frames.get(self.runs.runs[0].numbers[self.at])

    def open(self) -> tuple[tuple[Shot, ...], list[str]]:
        """The X-rays of the first frame that can be read, and what is said of those before it.

        Raises:
            InputError: None can be read.
        """
        self.at, images, said = self._readable(0, 1)
        return tuple(shot for shot, _ in images), said

    def begin(self, views: Sequence[XrayView], names: Sequence[str]) -> None:
        """Place the X-rays shown that nobody has moved where tracking found the structure of these labels."""
        known = self._tracked(self.at, names)
        for v, view in enumerate(views):
            if known is not None and len(view.history) == 1:
                view.history[0] = PlacedPose(known[v], TRACKED)

    def go(self, to: object, views: Sequence[XrayView], names: Sequence[str]) -> tuple[list[XrayView], list[str]]:
        """The X-rays of a frame, or of the next one in that direction that can be read, and what was passed over.

        A frame that nobody has placed yet begins where tracking found the structure of these labels, else where the
        anatomy is seen in the frame left.

        Raises:
            InputError: There is no such frame, or none in that direction can be read; then nothing has changed.
        """
        if isinstance(to, bool) or not isinstance(to, int) or not 0 <= to < len(self.runs.labels):
            raise InputError(f"frame must be 0 to {len(self.runs.labels) - 1}, got {to!r}.")
        if to == self.at:
            return list(views), []
        at, images, said = self._readable(to, 1 if to > self.at else -1)
        left = tuple(view.history for view in views)
        if any(len(history) > 1 or history[0].kind not in (BEFORE, TRACKED) for history in left):
            self._left[self.at] = left
        self.at, known = at, self._tracked(at, names)
        histories = self._left.get(at) or tuple(
            [PlacedPose(view.now.pose, BEFORE) if known is None else PlacedPose(known[v], TRACKED)]
            for v, view in enumerate(views)
        )
        parts = zip(images, histories, strict=True)
        return [XrayView(shot, history, picture) for (shot, picture), history in parts], said

    def starts(self, names: Sequence[str], moving: Sequence[int]) -> GivenStarts:
        """Where the frame shown starts by those before it: the motion so far, then the pose of the last, (S, V, 4, 4).

        Args:
            names: Of the structure.
            moving: The views that are registered together.

        Raises:
            InputError: It is the first frame, or nobody has placed the one before.
        """
        before = self._placed(self.at - 1, names)
        if before is None:
            which = f"frame {self.runs.labels[self.at - 1]}" if self.at else "a frame before this one"
            raise InputError(f"the start needs the pose of {which}, got none; step there and register it first.")
        known = [before]
        earlier = self._placed(self.at - 2, names)
        if earlier is not None and all(placed.is_found for placed in (*earlier, *before)):
            known.insert(0, earlier)
        poses = [torch.stack([of_frame[v].pose for v in moving]) for of_frame in known]
        numbers = self.runs.runs[0].numbers
        times = [float(numbers[self.at - n]) for n in range(len(known), 0, -1)]
        kind = CLOSE if all(before[v].is_found for v in moving) else KIND
        return GivenStarts(predicted(poses, times, numbers[self.at]), kind)

    def state(self, names: Sequence[str]) -> dict[str, Any]:
        """The frame shown, as plain values."""
        told = None
        if self.tracked is not None and (frame := self.found) is not None:
            body = self.tracked.body(names)
            verdict, score = frame.verdicts[body], frame.scores[body]
            told = {"verdict": verdict, "score": score, "lost": verdict == "lost", "reasons": list(frame.reasons)}
        label, time = self.runs.labels[self.at], self.runs.times[self.at]
        shown = {"index": self.at, "count": len(self.runs.labels), "label": label, "time": time, "track": told}
        return finite_or_none(shown)

    def _readable(self, index: int, direction: int) -> tuple[int, list[tuple[Shot, XrayPicture]], list[str]]:
        """The first frame from an index on that can be read, its images, and why others were passed over."""
        begun, said = index, list[str]()
        while 0 <= index < len(self.runs.labels):
            try:
                if index not in self._images:
                    shots = self.runs.frame(index).shots
                    self._images[index] = [(shot, xray_picture(shot, FULL)) for shot in shots]
            except (FileError, GeometryError, InputError) as error:
                said.append(f"frame {self.runs.labels[index]} was passed over: {error}")
                index += direction
                continue
            for old in list(self._images)[:-KEPT]:
                del self._images[old]
            return index, self._images[index], said
        where = f"from {self.runs.labels[begun]} {'on' if direction > 0 else 'back'}"
        raise InputError(f"a frame {where} must be readable to be shown, got none: {said[0]}")

    def _placed(self, index: int, names: Sequence[str]) -> list[PlacedPose] | None:
        """Where a frame before was left, or tracking found it."""
        if index < 0:
            return None
        if index in self._left:
            return [history[-1] for history in self._left[index]]
        known = self._tracked(index, names)
        return None if known is None else [PlacedPose(pose, TRACKED) for pose in known]

    def _tracked(self, index: int, names: Sequence[str]) -> Tensor | None:
        return None if self.tracked is None else self.tracked.poses(self.runs.runs[0].numbers[index], names)


def gaps(runs: SynchronousRuns) -> list[str]:
    """What is said of numbers that no frame has: it is missing, or repeats the one before."""
    numbers = runs.runs[0].numbers
    lacking = sorted(set(range(numbers[0], numbers[-1])) - set(numbers))
    if not lacking:
        return []
    shown = ", ".join(map(str, lacking[:12])) + (f" and {len(lacking) - 12} more" if len(lacking) > 12 else "")
    return [f"frames {shown} (counted from 0) are missing, or repeat the one before: steps pass over them."]
