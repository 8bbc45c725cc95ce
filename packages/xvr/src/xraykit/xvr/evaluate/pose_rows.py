"""One row for each registration: where it started, what it found, and all that is needed to judge it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import Camera, InputError
from xraykit.render.evaluation import input_digest

from .datasets.common import EvaluationSubject, XrayWithTruth

FILE_NAME = "poses.json"


@dataclass(frozen=True)
class PoseRow:
    """What a method made of one structure in one X-ray, and the truth. Errors follow from it alone.

    Args:
        method: What registered.
        dataset: Where the X-ray is from.
        subject: Whose it is.
        xray: Its name.
        structure: The rigid structure; "" is the whole patient.
        level: Of the start errors drawn, NaN where the start came from elsewhere.
        similarity: At the end, NaN where nothing was refined.
        seconds: Of the registration.
        inputs: SHA-256 of the X-ray as it was registered.
        start: Camera to world, 16 numbers by rows [mm].
        found: The same at the end.
        truth: The same in truth.
        camera: sdd [mm], height, width [px], pixel spacing of rows and columns [mm], principal point x and y [px].
        center: What the poses of the published networks refer to, the volume's centre, world RAS [mm].
        fiducials: x, y, z of each, world RAS [mm].
    """

    method: str
    dataset: str
    subject: str
    xray: str
    structure: str
    level: float
    similarity: float
    seconds: float
    inputs: str
    start: tuple[float, ...]
    found: tuple[float, ...]
    truth: tuple[float, ...]
    camera: tuple[float, ...]
    center: tuple[float, ...]
    fiducials: tuple[float, ...]

    def __post_init__(self) -> None:
        sizes = {"start": 16, "found": 16, "truth": 16, "camera": 7, "center": 3}
        wrong = [name for name, size in sizes.items() if len(getattr(self, name)) != size]
        if wrong or not self.fiducials or len(self.fiducials) % 3:
            raise InputError(f"a row must have whole poses, camera, center and fiducials, got others: {wrong}.")

    def intrinsics(self) -> Camera:
        """The camera."""
        sdd, height, width, row, column, x, y = self.camera
        return Camera(sdd, int(height), int(width), pixel_spacing=(row, column), principal_point=(x, y))


@dataclass(frozen=True, eq=False)
class FoundPose:
    """What a registration made of one structure in one X-ray.

    Args:
        start: Camera to world (4, 4) that it began with.
        pose: Camera to world (4, 4) at the end.
        similarity: At the end, NaN where nothing was refined.
        seconds: Of the registration.
    """

    start: Tensor
    pose: Tensor
    similarity: float
    seconds: float


def pose_row(
    subject: EvaluationSubject,
    xray: XrayWithTruth,
    found: FoundPose,
    *,
    method: str,
    dataset: str,
    structure: str = "",
    level: float = math.nan,
) -> PoseRow:
    """The row of one registration.

    Args:
        subject: Whose fiducials and volume centre count.
        xray: The X-ray with its true pose; that of `structure` where it has one of its own.
        found: Where it began and ended.
        method: As in `PoseRow`, like the rest.
        dataset: See there.
        structure: See there.
        level: See there.
    """
    shot = xray.shot
    sdd, spacing, principal = shot.camera.tensors(dtype=torch.float64, device="cpu")
    seen = [shot.image] if shot.valid is None else [shot.image, shot.valid]
    return PoseRow(
        method=method,
        dataset=dataset,
        subject=subject.name,
        xray=shot.name,
        structure=structure,
        level=level,
        similarity=found.similarity,
        seconds=found.seconds,
        inputs=input_digest(*(part.cpu().numpy().tobytes() for part in seen)),
        start=_numbers(found.start),
        found=_numbers(found.pose),
        truth=_numbers(xray.structure_poses.get(structure, xray.pose)),
        camera=(float(sdd[0]), shot.camera.height, shot.camera.width, *spacing[0].tolist(), *principal[0].tolist()),
        center=_numbers(subject.volume.center),
        fiducials=_numbers(subject.fiducials),
    )


def _numbers(values: Tensor) -> tuple[float, ...]:
    return tuple(values.double().flatten().tolist())
