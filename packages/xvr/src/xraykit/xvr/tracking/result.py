"""What following bodies through frames found: a pose and a verdict for each body and frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import rigid_inverse

from .smoothing import smoothed_poses

Verdict = Literal["found", "tracked", "found again", "lost"]
"""Found in the first frame; found where the motion so far foretold; found by a wider search; not found."""


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """One frame: K bodies in V views.

    Args:
        number: Its place in the run, counted from 0.
        label: What it is called.
        time: When it was taken after the first [s], None where nobody says.
        poses: Camera to body, (K, V, 4, 4) float64; NaN of bodies that are lost.
        scores: K fits, see `GroupFit`; NaN where nothing fits at all.
        chances: K chances of success, None where they are not judged.
        verdicts: K of them.
        reasons: Why a body is lost, or was looked for more widely; one sentence each.
        seconds: CPU time.
        doubts: What is hardly true of its X-rays' files and was not said of a frame before; one sentence each.
    """

    number: int
    label: str
    time: float | None
    poses: Tensor
    scores: tuple[float, ...]
    chances: tuple[float | None, ...]
    verdicts: tuple[Verdict, ...]
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Track:
    """K bodies through T frames of V views.

    Args:
        bodies: K names.
        views: V names.
        pivots: The middle of each body in its own frame, (K, 3) float64 [mm].
        radii: Reach of each from there [mm].
        frames: T of them.
        smoothed: Whether poses are smoothed ones.
    """

    bodies: tuple[str, ...]
    views: tuple[str, ...]
    pivots: Tensor
    radii: tuple[float, ...]
    frames: tuple[TrackedFrame, ...]
    smoothed: bool = False

    @property
    def body_to_camera(self) -> Float[Tensor, "times bodies 4 4"]:
        """Where each body lies in the first view's camera [mm]; NaN where it is lost."""
        return torch.stack([rigid_inverse(frame.poses[:, 0]) for frame in self.frames])

    @property
    def numbers(self) -> Float[Tensor, " times"]:
        """Places of the frames in the run, float64."""
        return torch.tensor([frame.number for frame in self.frames], dtype=torch.float64)

    @property
    def times(self) -> Float[Tensor, " times"] | None:
        """When the frames were taken [s], None where nobody says."""
        known = [frame.time for frame in self.frames if frame.time is not None]
        return torch.tensor(known, dtype=torch.float64) if len(known) == len(self.frames) else None

    def lost(self, body: int) -> tuple[str, ...]:
        """The labels of the frames where a body is lost."""
        return tuple(frame.label for frame in self.frames if frame.verdicts[body] == "lost")

    def smooth(self, width: int) -> Track:
        """The same with poses smoothed over `width` frames to either side, see `smoothed_poses`; lost frames stay.

        Views keep their places to each other.

        Raises:
            InputError: A width below 1, or poses that are smoothed already.
        """
        if self.smoothed or width < 1:
            raise InputError(f"smooth what was found over 1 frame or more, got {width} and smoothed={self.smoothed}.")
        frames = list(self.frames)
        raw = self.body_to_camera
        for k, (pivot, radius) in enumerate(zip(self.pivots, self.radii, strict=True)):
            found = smoothed_poses(raw[:, k], self.numbers, width=width + 1, pivot=pivot, radius=radius)
            for n, frame in enumerate(frames):
                between = rigid_inverse(frame.poses[k, 0]) @ frame.poses[k]
                poses = frame.poses.clone()
                poses[k] = rigid_inverse(found[n]) @ between
                frames[n] = replace(frame, poses=poses)
        return replace(self, frames=tuple(frames), smoothed=True)


def of_groups(names: Sequence[tuple[str, ...]]) -> list[slice]:
    """Which of all bodies belong to each group."""
    ends = [sum(map(len, names[: n + 1])) for n in range(len(names))]
    return [slice(end - len(group), end) for end, group in zip(ends, names, strict=True)]
