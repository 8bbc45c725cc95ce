"""From a planned patient to something that can be X-rayed: generated, or read from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...errors import FileError
from ...patient.findings import FindingSettings
from ...patient.generate import PatientSettings, generate_patient
from ...seeds import seed_for, stream
from ...simulation.scene import Body, PlacedTool, Scene
from ...storage.provenance import findings_record
from ...volumes.landmarks import label_centroids
from ...volumes.volume import Volume
from ..plan.config import DatasetConfig
from ..plan.plan import PatientPlan

_AIR_AND_LUNG = -300.0  # HU; tools are laid into what is denser
_TRIED_PLACES = 20_000
_BASIS = ("soft_tissue", "cortical_bone")  # see `equivalents`: an image costs half as much


@dataclass(frozen=True, eq=False)
class PreparedPatient:
    """A patient ready for the beam.

    Args:
        scene: Its body, its implants and its landmarks.
        volume: The voxels of the body.
        places: Points inside the body [mm, world RAS], (N, 3) float64, where a tool may lie.
        description: What is known of the patient, as JSON has it.
    """

    scene: Scene
    volume: Volume
    places: Tensor
    description: Mapping[str, Any]

    @property
    def implants(self) -> tuple[PlacedTool, ...]:
        """Tools that belong to the patient."""
        return self.scene.tools


def make_subject(plan: PatientPlan, config: DatasetConfig) -> PreparedPatient:
    """The patient of a plan, made once for all its images.

    Raises:
        FileError: A volume or label map is missing or damaged.
        InputError: The patient cannot be made as asked.
    """
    scene, description = _generated(plan, config) if plan.file is None else _read(plan.file, plan, config)
    volume = scene.bodies[0].volume
    return PreparedPatient(scene, volume, _places(volume, plan, config), description)


def _generated(plan: PatientPlan, config: DatasetConfig) -> tuple[Scene, Mapping[str, Any]]:
    asked = config.patients.procedural
    seed = seed_for(config.seed, "anatomy", plan.number)
    settings = PatientSettings(size=asked.size, findings=FindingSettings(**asked.findings))
    patient = generate_patient(seed=seed, region=str(plan.region), settings=settings)
    return patient.scene(basis=_BASIS), patient.description


def _read(file: Path, plan: PatientPlan, config: DatasetConfig) -> tuple[Scene, Mapping[str, Any]]:
    asked = config.patients.ct
    volume = Volume.from_file(file, labels=plan.labels, label_names=asked.label_names, **asked.reading)
    if volume.hu is None:
        raise FileError(f"{file} must be a CT with Hounsfield numbers, got none.")
    landmarks = label_centroids(volume) if volume.labels is not None else {}
    name = file.relative_to(asked.folder or file.parent).as_posix()
    record = findings_record(volume.provenance)
    description = {"file": name, **({"as_read": record} if record else {})}
    return Scene((Body.from_volume(volume, basis=_BASIS),), landmarks=landmarks), description


def _places(volume: Volume, plan: PatientPlan, config: DatasetConfig) -> Tensor:
    if volume.hu is None:
        return torch.empty(0, 3, dtype=torch.float64)
    _, height, width = volume.hu.shape
    draws = stream(config.seed, "places", plan.number).integers(volume.hu.numel(), size=_TRIED_PLACES)
    tried = torch.from_numpy(draws)
    inside = tried[volume.hu.reshape(-1)[tried] > _AIR_AND_LUNG]
    rows = inside // width
    voxels = torch.stack([inside % width, rows % height, rows // height], dim=1).double()
    return voxels @ volume.affine[:3, :3].mT + volume.affine[:3, 3]
