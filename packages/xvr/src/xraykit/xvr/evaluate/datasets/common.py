"""What every data set gives: subjects with a CT and fiducials, and X-rays with their true poses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from xraykit.render import Camera, FileError, InputError, Radiograph, Volume
from xraykit.render.geometry import check_pose

from ...xray.shot import Shot


@dataclass(frozen=True, eq=False)
class XrayWithTruth:
    """One X-ray and where it was taken from.

    Args:
        shot: The image as the source sees the detector, bone bright, with its camera.
        pose: True camera to world RAS of the subject's volume [mm], (4, 4) float64.
        structure_poses: The same for further rigid structures that have a true pose of their own, by name.
        mirrored: Whether the file shows the image flipped left to right; `shot` is flipped back.
    """

    shot: Shot
    pose: Tensor
    structure_poses: Mapping[str, Tensor] = field(default_factory=dict)
    mirrored: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "pose", check_pose(self.pose[None].double(), name=f"pose of {self.shot.name}")[0])
        object.__setattr__(self, "structure_poses", MappingProxyType(dict(self.structure_poses)))


@dataclass(frozen=True, eq=False)
class EvaluationSubject:
    """One patient or specimen of a data set.

    Args:
        name: As the data set calls it.
        volume: The CT in the world of its file, with labels and their names where there are any.
        fiducials: World RAS [mm], (N, 3) float64.
        fiducial_names: N names.
        xrays: Names of the X-rays.
        load: Reads one of them.
        template_warp: The file with the transform to the template of the published networks, if there is one.
        notes: What was assumed while reading, one sentence each.
    """

    name: str
    volume: Volume
    fiducials: Tensor
    fiducial_names: tuple[str, ...]
    xrays: tuple[str, ...]
    load: Callable[[str], XrayWithTruth] = field(repr=False)
    template_warp: Path | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        points = self.fiducials
        if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0 or not bool(torch.isfinite(points).all()):
            raise FileError(
                f"{self.name} must have fiducials (N, 3), finite, at least one, got shape {tuple(points.shape)}."
            )
        if len(self.fiducial_names) != len(points):
            raise FileError(f"{self.name} must name {len(points)} fiducials, got {len(self.fiducial_names)}.")

    def xray(self, name: str) -> XrayWithTruth:
        """One X-ray with its true pose, read when asked.

        Raises:
            InputError: No such X-ray. FileError: it is damaged or incomplete.
        """
        if name not in self.xrays:
            raise InputError(f"{self.name} has the X-rays {_some(self.xrays)}, got {name!r}.")
        return self.load(name)


class Dataset(Protocol):
    """A data set: its name, its subjects, and a way to read one."""

    @property
    def name(self) -> str:
        """What to call it in tables."""
        ...

    @property
    def subjects(self) -> tuple[str, ...]:
        """Names of the subjects that are there."""
        ...

    def subject(self, name: str) -> EvaluationSubject:
        """One of them."""
        ...


def shot_from_intensity(
    pixels: Tensor,
    camera: Camera,
    *,
    name: str,
    mirrored: bool,
    crop: int = 0,
    subtract_background: bool = False,
    notes: tuple[str, ...] = (),
) -> Shot:
    """The shot of intensities as a data set stores them.

    Flips a mirrored image, cuts the border, and takes -ln(I / I0) with I0 the 99.5th percentile; zeros count as half
    the smallest positive intensity.

    Args:
        pixels: (H, W) as stored, bone dark.
        camera: Of the image that the source sees: already settled where `mirrored`.
        name: Of the shot.
        mirrored: The stored image is flipped left to right.
        crop: Pixels cut off at each border.
        subtract_background: Count from the most frequent value and cut off what is below (subtraction angiography).
        notes: Kept in the shot.

    Raises:
        FileError: No positive finite intensity.
    """
    image = pixels.to(torch.float32)
    if not bool(torch.isfinite(image).all()) or not bool((image > 0).any()):
        raise FileError(f"{name} must hold finite intensities above zero, got NaN or nothing; get the file again.")
    image = image.flip(-1) if mirrored else image
    height, width = image.shape
    radiograph = Radiograph(image[None], "intensity", camera=one_camera(camera))
    radiograph = radiograph.crop(top=crop, left=crop, height=height - 2 * crop, width=width - 2 * crop)
    positive = radiograph.pixels[radiograph.pixels > 0]
    bright = float(torch.quantile(positive[:: max(1, positive.numel() // 1_000_000)], 0.995))
    floor = min(0.5, max(1e-6, 0.5 * float(positive.min()) / bright))
    integrals = radiograph.to_line_integrals(unattenuated=bright, floor=floor).pixels[0]
    if subtract_background:
        counts, borders = torch.histogram(integrals, bins=256)
        fullest = int(counts.argmax())
        integrals = (integrals - float(borders[fullest : fullest + 2].mean())).clamp_min(0)
    if mirrored:
        notes = (*notes, "the stored image is mirrored and was flipped left to right")
    cropped = radiograph.camera
    return Shot(integrals, cropped if cropped is not None else camera, name=name, notes=notes)


def one_camera(camera: Camera) -> Camera:
    """The same camera with plain numbers in place of tensors of one view."""
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    return replace(
        camera,
        sdd=float(sdd[0]),
        pixel_spacing=tuple(spacing[0].tolist()),
        principal_point=tuple(centre[0].tolist()),
    )


def check_subject(name: str, known: tuple[str, ...], place: object) -> str:
    """The name, once it is one of those known.

    Raises:
        InputError: It is not.
    """
    if name not in known:
        raise InputError(f"{place} has the subjects {_some(known)}, got {name!r}.")
    return name


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "") if names else "(none)"
