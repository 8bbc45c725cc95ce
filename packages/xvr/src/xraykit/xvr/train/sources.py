"""Where batches of views come from: patients rendered on the fly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from xraykit.render import Camera, Volume
from xraykit.render.views import PoseRange

from .patients import Patients
from .poses import draw
from .rendered_patient import RenderedPatient
from .rendered_views import Views, drawn_views, together

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
        together: Patients who share a batch, in equal parts as far as it can be divided.
        aligned: All CTs lie in one world, from which poses count; else each pose counts from its CT's centre.
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
        together: int = 1,
        aligned: bool = False,
    ) -> None:
        self.patients, self.poses, self.camera, self.batch = patients, poses, camera, batch
        self.bone, self.seed, self.rank = bone, seed, rank
        self.together, self.aligned = together, aligned
        self._placed: dict[int, tuple[RenderedPatient, RenderedPatient]] = {}
        self.grid = patients.held_out.grid

    def views(self, step: int, device: torch.device, *, with_organs: bool) -> tuple[Views, RenderedPatient | None]:
        """Batch number `step`: its poses follow from seed, rank and number, its contrast from torch's state.

        Of several patients, `grid` is the first one's and there is none to render again.
        """
        present = [self._patient(step, place, device) for place in range(self.together)]
        self.grid = present[0].grid
        key = (self.seed, TRAINING, self.rank, step)
        poses = draw(self.poses, self.grid.center, self.batch, key, self.camera)
        seen = [
            self._seen(patient, pose, with_organs=with_organs)
            for patient, pose in zip(present, poses.tensor_split(self.together), strict=True)
        ]
        return (seen[0], present[0]) if self.together == 1 else (together(seen), None)

    def _seen(self, patient: RenderedPatient, pose: Tensor, *, with_organs: bool) -> Views:
        """Views from poses about the first patient's centre, which stand about this one's."""
        moved = pose.clone()
        moved[:, :3, 3] += patient.grid.center - self.grid.center
        seen = drawn_views(patient, self.camera, moved, bone=self.bone, with_organs=with_organs)
        return seen if self.aligned else seen._replace(pose=pose.to(seen.pose))

    def _patient(self, step: int, place: int, device: torch.device) -> RenderedPatient:
        original = self.patients.at(step, place)
        if place not in self._placed or self._placed[place][0] is not original:
            self._placed[place] = (original, original.to(device))
        return self._placed[place][1]

    def state_dict(self) -> dict[str, Any]:
        """Nothing: batch numbers say it all."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to do."""
