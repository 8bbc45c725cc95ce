"""Where batches come from: patients rendered on the fly, or images of a data set."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from xraykit.render import Camera, Volume
from xraykit.render.views import PoseRange

from .patients import Patients
from .pictures import Views, drawn_views
from .poses import draw
from .rendered_patient import RenderedPatient
from .stored import StoredViews

TRAINING, HELD_OUT = 1, 2
"""Purposes of draws, told apart in their keys."""


class Source(Protocol):
    """Where batches come from. `grid` is the CT that poses refer to."""

    grid: Volume

    def views(self, step: int, device: torch.device, *, with_organs: bool) -> tuple[Views, RenderedPatient | None]:
        """Batch number `step`, and the patient to render again, if there is one."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What batch numbers do not say."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on there."""
        ...


class Rendered:
    """Patients seen from poses of a range.

    Args:
        patients: Whom.
        poses: From where, about the centre of each CT.
        camera: With which detector.
        batch: Images at a time.
        bone: Range of bone multipliers.
        seed: Of the poses.
        rank: This process's number.
    """

    def __init__(
        self,
        patients: Patients,
        *,
        poses: PoseRange,
        camera: Camera,
        batch: int,
        bone: tuple[float, float],
        seed: int,
        rank: int = 0,
    ) -> None:
        self.patients, self.poses, self.camera, self.batch = patients, poses, camera, batch
        self.bone, self.seed, self.rank = bone, seed, rank
        self._placed: tuple[RenderedPatient, RenderedPatient] | None = None
        self.grid = patients.held_out.grid

    def views(self, step: int, device: torch.device, *, with_organs: bool) -> tuple[Views, RenderedPatient]:
        """Batch number `step`: its poses follow from seed, rank and number, its contrast from torch's state."""
        original = self.patients.at(step)
        if self._placed is None or self._placed[0] is not original:
            self._placed = (original, original.to(device))
        patient = self._placed[1]
        self.grid = patient.grid
        pose = draw(self.poses, patient.grid.center, self.batch, (self.seed, TRAINING, self.rank, step))
        return drawn_views(patient, self.camera, pose, bone=self.bone, with_organs=with_organs), patient

    def state_dict(self) -> dict[str, Any]:
        """Nothing: batch numbers say it all."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing to do."""


class Stored:
    """Images of a data set job, whose poses count in the world of its patients."""

    def __init__(self, views: StoredViews) -> None:
        self.stored = views
        self.grid = Volume(torch.zeros(1, 1, 1), torch.eye(4, dtype=torch.float64))

    def views(self, step: int, device: torch.device, *, with_organs: bool) -> tuple[Views, None]:
        """The next batch; there is no patient to render again."""
        batch = self.stored.next()
        return Views(batch.image.to(device), batch.pose.to(device), batch.kept.to(device)), None

    def state_dict(self) -> dict[str, Any]:
        """Where the data set is read."""
        return self.stored.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on there."""
        self.stored.load_state_dict(state)
