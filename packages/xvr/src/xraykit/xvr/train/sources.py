"""Where batches of views come from: patients rendered on the fly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch

from xraykit.render import Camera, Volume
from xraykit.render.views import PoseRange

from .patients import Patients
from .poses import draw
from .rendered_patient import RenderedPatient
from .rendered_views import Views, drawn_views

TRAINING, HELD_OUT = 1, 2
"""Purposes of draws, told apart in their keys."""


class ViewSource(Protocol):
    """Where batches of views come from. `grid` is the CT that poses refer to."""

    grid: Volume

    def views(self, step: int, device: torch.device, *, with_organs: bool) -> tuple[Views, RenderedPatient | None]:
        """Batch number `step`, and the patient to render again, if there is one."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What batch numbers do not say."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on there."""
        ...


class RenderedViews:
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

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to do."""
