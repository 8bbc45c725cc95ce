"""X-rays of a CT, simulated with the whole physics, whose poses are known: a data set made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Scene, SimulationSettings, Volume, carm_pose, simulate
from xraykit.render.radiographs import RectangularShutter
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, MarchSettings, ScatterSettings

from ..trust.target_points import points_in_view, target_points
from ..xray.shot import Shot
from .datasets.common import EvaluationSubject, XrayWithTruth


@dataclass(frozen=True)
class SimulatedViews:
    """How the C-arm stands and what its images are like.

    Args:
        count: X-rays.
        size: Rows and columns.
        detector: Side of the detector [mm].
        sdd: Source to detector [mm].
        sod: Source to isocentre [mm].
        turn: Views turn by up to this to either side of the AP view [degrees].
        tilt: And by up to this to head or feet [degrees].
        shift: Standard deviation of the isocentre about the middle of the CT, along each axis [mm].
        photons: Per pixel in air; None is no noise.
        scatter_to_primary: Scattered radiation over primary behind the patient.
        shutter: Share of the image that the collimator leaves open, along each side.
        seed: Of poses and noise.

    Raises:
        InputError: A number out of range.
    """

    count: int = 10
    size: int = 256
    detector: float = 400.0
    sdd: float = 1020.0
    sod: float = 750.0
    turn: float = 45.0
    tilt: float = 20.0
    shift: float = 15.0
    photons: float | None = 5000.0
    scatter_to_primary: float = 0.5
    shutter: float = 0.9
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.size < 16:
            raise InputError(f"at least one X-ray of 16 pixels is needed, got {self.count} of {self.size}.")
        if not 0 < self.sod < self.sdd:
            raise InputError(f"sod must lie between 0 and sdd, got sod={self.sod} mm and sdd={self.sdd} mm.")
        if not 0.1 <= self.shutter <= 1:
            raise InputError(f"shutter must leave 0.1 to 1 of the image open, got {self.shutter}.")


@dataclass(frozen=True, eq=False)
class SimulatedDataset:
    """A CT as a data set of one subject: its X-rays are polychromatic, noisy, scattered and collimated.

    They are integrated exactly through the voxels ("siddon"), not as registration integrates. Fiducials are points
    spread over what attenuates and is seen in the first view.

    Args:
        volume: With Hounsfield numbers.
        views: See `SimulatedViews`.
        subject_name: What to call the patient.
    """

    volume: Volume
    views: SimulatedViews = field(default_factory=SimulatedViews)
    subject_name: str = "simulated"

    @property
    def name(self) -> str:
        """What to call it in tables."""
        return "simulated"

    @property
    def subjects(self) -> tuple[str, ...]:
        """The one patient."""
        return (self.subject_name,)

    def subject(self, name: str) -> EvaluationSubject:
        """The patient; X-rays are simulated when they are asked for."""
        views = self.views
        points = points_in_view(target_points(self.volume, count=200), [self.camera], self._poses()[:1])
        return EvaluationSubject(
            name,
            self.volume,
            points,
            tuple(f"point_{n + 1}" for n in range(len(points))),
            tuple(f"{n:03d}" for n in range(views.count)),
            self._xray,
        )

    @property
    def camera(self) -> Camera:
        """Of every X-ray."""
        views = self.views
        return Camera(views.sdd, views.size, views.size, pixel_spacing=views.detector / views.size)

    def _poses(self) -> Tensor:
        """True poses, (count, 4, 4)."""
        views, generator = self.views, torch.Generator().manual_seed(self.views.seed)
        turn, tilt = (2 * torch.rand(2, views.count, dtype=torch.float64, generator=generator) - 1).unbind()
        shift = views.shift * torch.randn(views.count, 3, dtype=torch.float64, generator=generator)
        placed = [
            carm_pose(
                lao_rao=180.0 + views.turn * float(turn[n]),
                cra_cau=views.tilt * float(tilt[n]),
                sod=views.sod,
                isocenter=self.volume.center + shift[n],
            )
            for n in range(views.count)
        ]
        return torch.cat(placed).double()

    def _xray(self, name: str) -> XrayWithTruth:
        number, camera = int(name), self.camera
        pose = self._poses()[number]
        image = simulate(self._scene, camera, pose[None], self._settings, seed=self.views.seed + number)
        valid = image.air[0, 0] > 0.5
        return XrayWithTruth(Shot(image.log_attenuation[0, 0], camera, valid=valid, name=name), pose)

    @cached_property
    def _scene(self) -> Scene:
        return Scene(bodies=(Body.from_volume(self.volume),))

    @property
    def _settings(self) -> SimulationSettings:
        views, rim = self.views, (1 - self.views.shutter) / 2 * self.views.size
        shutter = RectangularShutter(rim, rim, views.size - rim, views.size - rim) if rim >= 1 else None
        return SimulationSettings(
            beam=BeamSettings(shutter=shutter),
            dose=DoseSettings(photons_per_pixel=views.photons),
            scatter=ScatterSettings(scatter_to_primary=views.scatter_to_primary),
            march=MarchSettings(method="siddon"),
            masks=False,
        )
