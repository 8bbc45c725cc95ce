"""A track of implants or bones to be looked at: its frames, with each body where it was found. Nothing is moved."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.storage import finite_or_none

from ..tracking.result import TrackedFrame
from .cine_steps import CineSteps
from .live_rendering import FULL, Drawing, LiveRendering
from .pictures import xray_picture
from .placement import BEFORE, PlacedPose, XrayView, view_of
from .tracked_bodies import DrawnBody

ALL = "all bodies"


@dataclass(eq=False)
class TrackSession:
    """What the page shows of a track whose bodies have no CT in common.

    Args:
        frames: The runs that were followed, with what tracking found in them.
        bodies: What was followed, in the order of the track.
        notes: What was assumed when the page was opened.

    Raises:
        InputError: No frame can be read.
    """

    frames: CineSteps
    bodies: Sequence[DrawnBody]
    notes: Sequence[str] = ()
    chosen: tuple[str, ...] = field(default=(), init=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    def __post_init__(self) -> None:
        shots, said = self.frames.open()
        self.notes = (*said, *self.notes)
        nowhere = PlacedPose(torch.eye(4, dtype=torch.float64), BEFORE)
        self.views = [XrayView(shot, [nowhere], xray_picture(shot, FULL)) for shot in shots]
        self.live = LiveRendering()

    def view(self, index: object) -> XrayView:
        """The X-ray of a number.

        Raises:
            InputError: There is none.
        """
        return view_of(self.views, index)

    def choose(self, names: Sequence[str]) -> None:
        """Show these bodies alone; none is all of them.

        Raises:
            InputError: No such body.
        """
        known = [body.name for body in self.bodies]
        strange = [name for name in names if name not in known]
        if strange:
            raise InputError(f"bodies must be among {', '.join(known)}, got {strange[0]!r}.")
        self.chosen = tuple(name for name in known if name in names)

    def show_frame(self, to: object) -> list[str]:
        """Show another frame, see `CineSteps.go`, and say what was passed over on the way.

        Raises:
            InputError: There is no such frame, or none in that direction can be read.
        """
        with self._lock:
            self.views, said = self.frames.go(to, self.views, ())
            return said

    def picture(self, index: int, *, draft: bool) -> tuple[bytes, str] | None:
        """The bodies shown, where they were found in the frame shown, as a file and its type; see `LiveRendering`."""

        def seen() -> tuple[XrayView, Drawing]:
            with self._lock:
                placed = [(self.bodies[k], poses[index]) for k, poses in self._found()]
                return self.view(index), lambda camera, draft: _sum(placed, camera, draft)

        return self.live.picture(seen, draft=draft)

    def state(self) -> dict[str, Any]:
        """Everything the page shows besides pictures, in the form of `session_state`."""
        with self._lock:
            frame, names = self.frames.found, [body.name for body in self.bodies]
            track = None if frame is None else self._told(frame)
            return {
                "looking": True,
                "views": [self.view_state(index) for index in range(len(self.views))],
                "structure": {
                    "chosen": list(self.chosen), "title": " + ".join(self.chosen) or ALL, "whole": ALL,
                    "groups": names if len(names) > 1 else [], "labels": [],
                },
                "frames": finite_or_none({**self.frames.state(()), "track": track}),
                "starters": [],
                "job": None,
                "notes": list(self.notes),
            }  # fmt: skip

    def view_state(self, index: int) -> dict[str, Any]:
        """One X-ray, which hands do not move, in the form of `state.view_state`."""
        shot = self.view(index).shot
        return {
            "name": shot.name, "notes": list(shot.notes), "sliders": None, "edges": {},
            "placed": "track", "undo": 0, "found": None,
        }  # fmt: skip

    def close(self) -> None:
        """Nothing runs."""

    def _shown(self) -> list[int]:
        return [k for k, body in enumerate(self.bodies) if body.name in self.chosen or not self.chosen]

    def _found(self) -> list[tuple[int, Tensor]]:
        """The bodies shown that were found in the frame shown, with their poses (V, 4, 4)."""
        frame = self.frames.found
        return [] if frame is None else [(k, frame.poses[k]) for k in self._shown() if frame.verdicts[k] != "lost"]

    def _told(self, frame: TrackedFrame) -> dict[str, Any]:
        """What tracking says of the bodies shown."""
        shown = self._shown()
        if len(shown) == 1:
            verdict, score = frame.verdicts[shown[0]], frame.scores[shown[0]]
        else:
            parts = (f"{self.bodies[k].name} {frame.verdicts[k]} ({frame.scores[k]:.2f})" for k in shown)
            verdict, score = ", ".join(parts).replace(" (nan)", ""), None
        lost = any(frame.verdicts[k] == "lost" for k in shown)
        return {"verdict": verdict, "score": score, "lost": lost, "reasons": list(frame.reasons)}


def _sum(placed: Sequence[tuple[DrawnBody, Tensor]], camera: Camera, draft: bool) -> Tensor:
    """What all of them do to the beam; zeros where there is none."""
    drawn = [body.draw(camera, pose, draft) for body, pose in placed]
    return torch.stack([torch.zeros(camera.height, camera.width), *drawn]).sum(0)
