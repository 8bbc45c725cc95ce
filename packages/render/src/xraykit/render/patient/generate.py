"""Procedural patients: a seed and a region in; a CT with labels, landmarks and implants out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import InputError
from ..simulation.scene import Body, PlacedTool, Scene
from ..volumes.label_names import label_table
from ..volumes.volume import Volume
from .anatomy import landmarks, paint_anatomy
from .body.figure import Figure
from .body.joint_angles import sample_posture
from .body.physique import Sex, sample_physique
from .body.regions import find_region
from .body.skeleton import SIDES, Side, Skeleton
from .canvas import Canvas
from .findings import Findings, FindingSettings, sample_findings
from .implants import place_implants
from .texture import add_texture

_DEFAULT_FINDINGS = FindingSettings()


@dataclass(frozen=True)
class PatientSettings:
    """What is asked of a patient; what is None is drawn at random.

    Args:
        size: Voxels of the grid as the edge of a cube, 32 to 512; the region's box is cut into about size^3 voxels.
        sex: Female or male.
        age: Years, 18 to 95.
        side: The side of a region that has one.
        findings: How often fractures, scoliosis, wear, contrast agent and implants occur.

    Raises:
        InputError: A value out of range.
    """

    size: int = 256
    sex: Sex | None = None
    age: int | None = None
    side: Side | None = None
    findings: FindingSettings = _DEFAULT_FINDINGS

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 512:
            raise InputError(f"size must be 32 to 512 voxels, got {self.size}.")
        if self.sex not in (None, "female", "male"):
            raise InputError(f"sex must be 'female' or 'male', got {self.sex!r}.")
        if self.age is not None and not 18 <= self.age <= 95:
            raise InputError(f"age must be 18 to 95 years, got {self.age}.")
        if self.side not in (None, "right", "left"):
            raise InputError(f"side must be 'right' or 'left', got {self.side!r}.")


@dataclass(frozen=True, eq=False)
class Patient:
    """A procedural patient.

    Args:
        volume: CT with hu, mu, uint8 labels and label_names; RAS mm.
        landmarks: Named points in the volume, {name: (3,) float64 RAS mm}.
        tools: Implants that belong to the patient.
        description: Seed, region, side, build, posture, findings, as JSON-able values.
    """

    volume: Volume
    landmarks: Mapping[str, Tensor]
    tools: tuple[PlacedTool, ...] = ()
    description: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def scene(self, **options: Any) -> Scene:
        """The patient with implants as a `Scene`; options are those of `Body.from_volume`."""
        body = Body.from_volume(self.volume, **options)
        return Scene(bodies=(body,), tools=self.tools, landmarks=dict(self.landmarks))


def generate_patient(*, seed: int, region: str, settings: PatientSettings = PatientSettings()) -> Patient:
    """A random adult's region as a CT with labels.

    Every solid is a signed distance in the frame of its bone, placed by build, posture and findings, painted with its
    share of each voxel, and given fine structure. Equal arguments give equal bits; every part draws its own numbers, so
    the same person's knee and hip agree.

    Args:
        seed: Of the person; 0 or more.
        region: A name of `REGIONS`.
        settings: Grid, person and findings.

    Raises:
        InputError: An unknown region, or a seed below 0.
    """
    where = find_region(region)
    if seed < 0:
        raise InputError(f"seed must be 0 or more, got {seed}.")
    side = settings.side or SIDES[int(_rng(seed, "side").integers(2))]
    physique = sample_physique(_rng(seed, "physique"), sex=settings.sex, age=settings.age)
    findings = sample_findings(_rng(seed, "findings"), settings.findings, where, side, physique)
    posture = sample_posture(_rng(seed, "posture"), region, scoliosis=findings.scoliosis)
    skeleton = Skeleton(physique, posture, displaced=findings.displaced)
    low, high = where.box(skeleton, side)
    spacing = float(np.cbrt(np.prod(high - low)) / settings.size)
    canvas = Canvas(low, high, spacing)
    names = label_table("procedural")
    figure = Figure(
        canvas,
        skeleton,
        {name: value for value, name in names.items()},
        fractures=findings.fractures,
        deformed=findings.deformed,
        osteophytes=findings.osteophytes,
        contrast=findings.contrast,
    )
    paint_anatomy(figure, where.parts, seed)
    volume = _volume(canvas, names, _rng(seed, "texture"))
    tools = place_implants(figure, findings, where, side, _rng(seed, "implants"))
    points = _inside(landmarks(figure, where.parts, seed) | findings.landmarks(figure), low, high)
    description = {
        "seed": seed,
        "region": region,
        "side": side if where.sided else None,
        "spacing": spacing,
        **physique.record(),
        "posture": posture.record(),
        "findings": findings.record(),
        "implants": [tool.name for tool in tools],
    }
    return Patient(volume, points, tools, MappingProxyType(description))


def _volume(canvas: Canvas, names: Mapping[int, str], rng: np.random.Generator) -> Volume:
    """The painted grid as a volume."""
    hu = add_texture(torch.from_numpy(canvas.hu), canvas.spacing, rng).clamp_(-1000, 3000)
    affine = torch.diag(torch.tensor([canvas.spacing] * 3 + [1.0], dtype=torch.float64))
    affine[:3, 3] = torch.from_numpy(np.asarray(canvas.low, dtype=np.float64))
    labels = torch.from_numpy(canvas.labels)
    present = torch.bincount(labels.reshape(-1), minlength=256).nonzero()[:, 0].tolist()
    named = {value: names[value] for value in present if value in names}
    return Volume.from_hu(hu, affine, labels=labels, label_names=named)


def _inside(points: Mapping[str, NDArray[np.float64]], low: NDArray, high: NDArray) -> dict[str, Tensor]:
    """The landmarks that lie in the grid, in the order of their names."""
    kept = {name: p for name, p in sorted(points.items()) if bool(np.all((p >= low) & (p <= high)))}
    return {name: torch.from_numpy(np.array(p, dtype=np.float64)) for name, p in kept.items()}


def _rng(seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, *purpose.encode()])


__all__ = ["Findings", "Patient", "PatientSettings", "generate_patient"]
