"""What the page works on: the CT, the X-rays, where each is seen from, and what was done to that, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.web import Job, JobCancelledError, JobRunner

from ..start.given import GivenStarts
from ..start.settings import StartSettings
from ..xray.input_files import InputFiles
from ..xray.shot import Shot
from .cine_steps import CineSteps
from .live_rendering import FULL, LiveRendering, volume_at
from .pictures import xray_picture
from .placement import OPENED, PlacedPose, RefinedViews, XrayView, starts_of, view_of
from .pose_sliders import Move, Sliders, moved, sliders_of
from .structures import ShownStructure, offered_structures, registered, structure

if TYPE_CHECKING:
    from ..procedure import XrayRegistration

BY_HAND = "by hand"

StarterProgress = Callable[[str, float | None, Tensor | None], None]
"""Called by a starter now and then with a message, a share done or None, and the best pose so far or None; may raise
to stop it."""
Starter = Callable[[Shot, Volume, Tensor, StarterProgress], Tensor]
"""From an X-ray, a body, the pose (4, 4) at hand and `StarterProgress` to a first guess of the pose, (4, 4)."""
Refiner = Callable[..., "XrayRegistration"]
"""`register_xrays` of procedure.py with its settings."""


@dataclass(eq=False)
class Session:
    """All that the page shows and does.

    Args:
        volume: The CT.
        shots: The X-rays, at least one.
        starts: Where each is seen from at first, (V, 4, 4).
        starters: Ways to a first guess, by name.
        refine_with: `register_xrays` with its settings, or what stands for it in tests.
        notes: What was assumed when the page was opened.
        opening: Where the command would start: so does a refinement of X-rays that nobody has moved. None starts it
            from where they are seen, as for those that were moved.
        frames: The cine runs whose frame is shown, where the X-rays are frames of some; None is single X-rays.

    Raises:
        InputError: No X-ray, or not one start for each.
    """

    volume: Volume
    shots: Sequence[Shot]
    starts: Tensor
    starters: Mapping[str, Starter]
    refine_with: Refiner
    notes: Sequence[str] = ()
    opening: StartSettings | None = None
    frames: CineSteps | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False)

    def __post_init__(self) -> None:
        if not self.shots or tuple(self.starts.shape) != (len(self.shots), 4, 4):
            came = f"{len(self.shots)} X-rays and starts of shape {tuple(self.starts.shape)}"
            raise InputError(f"a session needs one or more X-rays with a start (4, 4) for each, got {came}.")
        self.views = [
            XrayView(shot, [PlacedPose(start.double().cpu(), OPENED)], xray_picture(shot, FULL))
            for shot, start in zip(self.shots, self.starts, strict=True)
        ]
        self.structure: ShownStructure = structure(self.volume)
        self.offered = offered_structures(self.volume)
        self.worker = JobRunner()
        self.live = LiveRendering()
        if self.frames is not None:
            self.frames.begin(self.views, self.structure.names)

    def view(self, index: object) -> XrayView:
        """The X-ray of a number.

        Raises:
            InputError: There is none.
        """
        return view_of(self.views, index)

    def sliders(self, index: int) -> Sliders:
        """Where the sliders of an X-ray stand."""
        return sliders_of(self.view(index).now.pose, self.structure.isocenter)

    def move(self, index: int, move: Move, *, gesture: str) -> None:
        """Move an X-ray's pose by hand; moves of one gesture are undone together. Ignored while a job moves it."""
        with self._lock:
            view = self.view(index)
            if self._moves(index):
                return
            placement = PlacedPose(moved(view.now.pose, self.structure.isocenter, view.shot.camera, move), BY_HAND)
            if gesture and gesture == view.gesture:
                view.history[-1] = placement
            else:
                view.place(placement)
            view.gesture = gesture

    def undo(self, index: int) -> None:
        """Back to the placement before, if there is one."""
        with self._lock:
            view = self.view(index)
            if len(view.history) > 1 and not self._moves(index):
                view.history.pop()
                view.gesture = ""

    def reset(self, index: int) -> None:
        """Back to the first placement; undo brings back what was there."""
        with self._lock:
            view = self.view(index)
            if len(view.history) > 1 and not self._moves(index):
                view.place(view.history[0])
                view.gesture = ""

    def take_over(self, poses: Mapping[int, PlacedPose]) -> None:
        """Place X-rays by their numbers, all or none.

        Raises:
            InputError: A job is moving one of them, and would put its own pose in the place of the new one.
        """
        with self._lock:
            if any(map(self._moves, poses)):
                raise InputError("poses stay while their X-ray is being registered; wait for it or cancel it.")
            for index, placed in poses.items():
                view = self.view(index)
                view.place(placed)
                view.gesture = ""

    def choose(self, names: Sequence[str]) -> None:
        """Render and register these labels or groups alone; none is the whole CT.

        Raises:
            InputError: No such label, or a job is running.
        """
        if not all(isinstance(name, str) for name in names):
            raise InputError(f"structures are chosen by name, got {list(names)!r}.")
        with self._lock:
            if self.worker.running:
                raise InputError("the structure stays while a task is running; wait for it or cancel it.")
            self.structure = structure(self.volume, tuple(dict.fromkeys(names)))
            if self.frames is not None:
                self.frames.begin(self.views, self.structure.names)

    def show_frame(self, to: object) -> list[str]:
        """Show another frame of a cine run, see `CineSteps.go`, and say what was passed over on the way.

        Raises:
            InputError: There is no such frame, none in that direction can be read, or a job is running.
        """
        with self._lock:
            if self.frames is None:
                raise InputError("frames belong to cine runs, got single X-rays; open the page with a run.")
            if self.worker.running:
                raise InputError("the frame stays while a task is running; wait for it or cancel it.")
            self.views, said = self.frames.go(to, self.views, self.structure.names)
            return said

    def picture(self, index: int, *, draft: bool) -> tuple[bytes, str] | None:
        """The rendering of an X-ray's pose now, as a file and its type; see `LiveRendering`."""
        view = self.view(index)
        return self.live.picture(lambda: (view, volume_at(view.now.pose, self.structure.shown)), draft=draft)

    def initialise(self, index: int, method: str) -> Job:
        """Look for a first guess of an X-ray's pose, in the background.

        Raises:
            InputError: No such method, or a job is running.
        """
        view = self.view(index)
        if method not in self.starters:
            raise InputError(f"initialise by one of {', '.join(self.starters) or 'nothing here'}, got {method!r}.")
        starter, body = self.starters[method], self.structure.rigid.volume

        def task(job: Job) -> None:
            def progress(message: str, share: float | None, pose: Tensor | None) -> None:
                job.report(message=message, share=share)

            found = starter(view.shot, body, view.now.pose, progress)
            job.check()
            with self._lock:
                view.place(PlacedPose(found.double().cpu(), method))

        with self._lock:
            return self.worker.start(method, task, about=index)

    def refine(self, index: int, *, joint: bool = False, follow: bool = False) -> Job:
        """Register an X-ray from where it is, in the background; jointly, all X-rays keep their relative geometry.

        `follow` starts a frame of a cine run from the frames before it instead, see `CineSteps.starts`.

        The page's pose follows the optimiser. Cancelling leaves it where the optimiser was, or where the first try
        ended during a second one; undo brings it back. Jointly, another X-ray that was likelier right before stays.

        Raises:
            InputError: A job is running, or the frame before has no pose to start from.
        """
        self.view(index)
        with self._lock:
            moving = tuple(range(len(self.views))) if joint else (index,)
            views, chosen = [self.views[i] for i in moving], self.structure
            if follow and self.frames is not None:
                starts = self.frames.starts(self.structure.names, moving)
            else:
                starts = starts_of([view.now for view in views], self.opening)

            def task(job: Job) -> None:
                self._refine(job, views, moving, chosen, starts, index)

            job = self.worker.start("refine", task, about=index)
            for view in views:
                view.place(replace(view.now, kind="refine", found=None))
                view.gesture = ""
            return job

    def cancel(self) -> None:
        """Ask the running job to stop."""
        self.worker.cancel()

    def close(self) -> None:
        """Stop what runs."""
        self.worker.close()

    def _refine(
        self,
        job: Job,
        views: list[XrayView],
        moving: tuple[int, ...],
        chosen: ShownStructure,
        starts: GivenStarts | None,
        asked: int,
    ) -> None:
        shots, settled = [view.shot for view in views], False
        tried: list[Tensor] = []  # where the first try ended, once a second begins

        def put(poses: Tensor, found: RefinedViews | None = None) -> None:
            with self._lock:
                for view, pose in zip(views, poses, strict=True):
                    view.history[-1] = PlacedPose(pose.detach().double().cpu(), "refine", found)

        def report(step: Any) -> None:
            job.report(scale=step.scale, similarity=float(step.similarity), seconds=step.seconds)
            put(step.poses[0])

        def tell(sentence: str) -> None:
            job.check()
            tried[:] = [view.now.pose for view in views]
            job.steps.append({"message": sentence})

        try:
            result = self.refine_with(
                shots,
                self.volume,
                structures=registered(self.volume, chosen),
                starts=starts,
                files=InputFiles(xrays=tuple(Path(str(shot.source)) for shot in shots if shot.source is not None)),
                report=report,
                tell=tell,
            )
            job.check()
            put(result.record.poses[0], RefinedViews(result, moving, chosen))
            settled = True
            self._keep_likelier(job, [view for view, number in zip(views, moving, strict=True) if number != asked])
        except JobCancelledError:
            settled = True
            if tried:
                put(torch.stack(tried))
            raise
        finally:
            if not settled:  # it failed: back to where it began
                with self._lock:
                    for view in views:
                        view.history.pop()

    def _keep_likelier(self, job: Job, others: list[XrayView]) -> None:
        """Put the other X-rays of a joint refinement back that were likelier right before it, and say so."""
        with self._lock:
            for view in others:
                before, now = (placed.chance for placed in view.history[-2:])
                if before > now:
                    view.history.pop()
                    job.steps.append({"message": f"{view.shot.name} stays where it was, which is likelier right"})

    def _moves(self, index: int) -> bool:
        """Whether a job is moving this X-ray."""
        job = self.worker.job
        return job is not None and job.running and (job.kind == "refine" or job.about == index)
