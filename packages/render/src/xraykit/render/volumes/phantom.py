"""Solids whose X-ray is known in closed form: the oracle of every projector."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.frames import Vector
from ..geometry.torch_modes import full_precision
from .volume import Volume


@full_precision
def line_integrals(solids: Iterable[Solid], camera: Camera, pose: Tensor) -> Tensor:
    r"""Exact X-ray of overlapping solids: sum over solids of mu times the length of each ray inside.

    Every ray is the segment from the source to the centre of a pixel; overlapping solids add up, as they do in
    `voxelise`. All computation is in float64 and shares no code with the projectors it judges.

    Args:
        solids: What is in the beam.
        camera: Intrinsics.
        pose: camera_to_world, (B, 4, 4) or (4, 4), RAS mm.

    Returns:
        Dimensionless line integrals, (B, 1, height, width) float64.

    Gradients:
        To pose and to the tensor fields of camera by autograd; undefined where a ray grazes an edge.
    """
    source, pixels = segments(camera, pose)
    total = torch.zeros(pixels.shape[:-1], dtype=torch.float64)
    for solid in solids:
        total = total + solid.mu * solid.chord(source, pixels)
    return total.unflatten(1, (1, camera.height, camera.width))


def segments(camera: Camera, pose: Tensor) -> tuple[Tensor, Tensor]:
    """Ends of each ray in world mm, float64: sources (B, 1, 3) and pixel centres (B, height * width, 3)."""
    pose = torch.as_tensor(pose).to(device="cpu", dtype=torch.float64).reshape(-1, 4, 4)
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    v, u = torch.meshgrid(
        torch.arange(camera.height, dtype=torch.float64) + 0.5,
        torch.arange(camera.width, dtype=torch.float64) + 0.5,
        indexing="ij",
    )
    x = (u.reshape(1, -1) - centre[:, :1]) * spacing[:, 1:]
    y = (v.reshape(1, -1) - centre[:, 1:]) * spacing[:, :1]
    x, y, z = torch.broadcast_tensors(x, y, sdd[:, None])
    pixels = torch.stack([x, y, z], dim=-1) @ pose[:, :3, :3].mT + pose[:, None, :3, 3]
    return pose[:, None, :3, 3].expand(len(pixels), 1, 3), pixels


@dataclass(frozen=True, eq=False)
class Solid:
    """A homogeneous body in any pose.

    Args:
        mu: Linear attenuation [1/mm].
        center: World position of the body's centre [mm, RAS].
        rotation: Body axes to world, a proper rotation (3, 3); None leaves the axes aligned.
    """

    mu: float = field(default=0.02, kw_only=True)
    center: Vector = field(default=(0.0, 0.0, 0.0), kw_only=True)
    rotation: Tensor | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        axes = self._axes()
        turned = axes.shape == (3, 3) and torch.allclose(axes.mT @ axes, torch.eye(3, dtype=torch.float64), atol=1e-6)
        if not turned or float(torch.linalg.det(axes)) < 0:
            raise InputError(f"rotation must be a 3x3 rotation matrix, got {axes.tolist()}.")
        self.extent()

    def chord(self, start: Tensor, end: Tensor) -> Tensor:
        """Length of each segment start-end inside the body [mm], (...) float64 for ends (..., 3)."""
        length = (end - start).norm(dim=-1)
        enter, leave = self._interval(self.to_body(start), (end - start).to(torch.float64) @ self._axes())
        return length * (leave.clamp(max=1.0) - enter.clamp(min=0.0)).clamp(min=0.0)

    def contains(self, points: Tensor) -> Tensor:
        """Whether each world point (..., 3) lies in the body, (...) bool."""
        raise NotImplementedError

    def extent(self) -> Tensor:
        """Half the size of the body along its own axes [mm], (3,)."""
        raise NotImplementedError

    def to_body(self, points: Tensor) -> Tensor:
        """World points (..., 3) in the body's own axes about its centre [mm]."""
        return (points.to(torch.float64) - torch.as_tensor(self.center, dtype=torch.float64)) @ self._axes()

    def _axes(self) -> Tensor:
        return torch.eye(3, dtype=torch.float64) if self.rotation is None else self.rotation.to(torch.float64)

    def _interval(self, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Box(Solid):
    """A cuboid with edges `size` [mm] along its own x, y, z."""

    size: Vector

    def extent(self) -> Tensor:
        """Half the edges [mm]."""
        return _positive(self.size, "size") / 2

    def contains(self, points: Tensor) -> Tensor:
        """Inside or on a face."""
        return (self.to_body(points).abs() <= self.extent()).all(dim=-1)

    def _interval(self, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        enter, leave = _slab(origin, direction, self.extent())
        return enter.amax(dim=-1), leave.amin(dim=-1)


@dataclass(frozen=True, eq=False)
class Ellipsoid(Solid):
    """An ellipsoid with semi-axes `radii` [mm] along its own x, y, z."""

    radii: Vector

    def extent(self) -> Tensor:
        """The semi-axes [mm]."""
        return _positive(self.radii, "radii")

    def contains(self, points: Tensor) -> Tensor:
        """Inside or on the surface."""
        return (self.to_body(points) / self.extent()).square().sum(dim=-1) <= 1

    def _interval(self, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        return _quadric(origin / self.extent(), direction / self.extent())


@dataclass(frozen=True, eq=False)
class Cylinder(Solid):
    """A circular cylinder of `radius` and `length` [mm] about its own z axis."""

    radius: float
    length: float

    def extent(self) -> Tensor:
        """Radius, radius and half the length [mm]."""
        return _positive((self.radius, self.radius, self.length / 2), "radius and length")

    def contains(self, points: Tensor) -> Tensor:
        """Inside or on the surface."""
        body = self.to_body(points)
        return (body[..., :2].norm(dim=-1) <= self.radius) & (body[..., 2].abs() <= self.length / 2)

    def _interval(self, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
        enter, leave = _quadric(origin[..., :2] / self.radius, direction[..., :2] / self.radius)
        cap_enter, cap_leave = _slab(origin[..., 2:], direction[..., 2:], self.extent()[2:])
        return torch.maximum(enter, cap_enter[..., 0]), torch.minimum(leave, cap_leave[..., 0])


@full_precision
def voxelise(
    solids: Sequence[Solid],
    *,
    spacing: float | Vector = 1.0,
    margin: float = 2.0,
    affine: Tensor | None = None,
    shape: tuple[int, int, int] | None = None,
    supersampling: int = 2,
) -> Volume:
    """The solids on a voxel grid: each voxel holds the mean of the sum of mu over a sub-grid of points.

    Args:
        solids: Bodies; where they overlap their mu add up.
        spacing: Voxel edge, or edges along x, y, z [mm]; unused with affine.
        margin: Empty rim around the bodies [mm]; unused with affine.
        affine: Voxel index to world (4, 4) of a grid of your own; needs shape.
        shape: Its (depth, height, width).
        supersampling: Points per voxel edge, at least 1; the share of a boundary voxel is off by O(1 / points).

    Returns:
        Volume with float32 mu.
    """
    if (affine is None) != (shape is None) or supersampling < 1 or not solids:
        raise InputError(
            "voxelise needs at least one solid, supersampling >= 1, and affine and shape together or neither, "
            f"got {len(solids)} solids, supersampling={supersampling}, affine={affine}, shape={shape}."
        )
    if affine is None or shape is None:
        affine, shape = _grid_around(solids, spacing, margin)
    affine = torch.as_tensor(affine, dtype=torch.float64)
    offsets = (torch.arange(supersampling, dtype=torch.float64) + 0.5) / supersampling - 0.5
    depth, height, width = shape
    mu = torch.zeros(shape, dtype=torch.float64)
    for dk in offsets:
        for dj in offsets:
            for di in offsets:
                axes = [torch.arange(n, dtype=torch.float64) + d for n, d in ((depth, dk), (height, dj), (width, di))]
                index = torch.stack(torch.meshgrid(*axes, indexing="ij")[::-1], dim=-1)
                points = index @ affine[:3, :3].mT + affine[:3, 3]
                for solid in solids:
                    mu += solid.mu * solid.contains(points)
    return Volume((mu / supersampling**3).to(torch.float32), affine)


def _grid_around(
    solids: Sequence[Solid], spacing: float | Vector, margin: float
) -> tuple[Tensor, tuple[int, int, int]]:
    step = _positive((spacing,) * 3 if isinstance(spacing, int | float) else spacing, "spacing")
    reach = [solid._axes().abs() @ solid.extent() for solid in solids]
    centres = [torch.as_tensor(solid.center, dtype=torch.float64) for solid in solids]
    low = torch.stack([c - r for c, r in zip(centres, reach, strict=True)]).amin(dim=0) - margin
    high = torch.stack([c + r for c, r in zip(centres, reach, strict=True)]).amax(dim=0) + margin
    width, height, depth = (math.ceil(n) for n in ((high - low) / step).tolist())
    affine = torch.eye(4, dtype=torch.float64)
    affine[:3, :3] = torch.diag(step)
    grid = torch.tensor([width - 1, height - 1, depth - 1], dtype=torch.float64)
    affine[:3, 3] = (low + high) / 2 - step * grid / 2
    return affine, (depth, height, width)


def _slab(origin: Tensor, direction: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
    parallel = direction.abs() < 1e-300
    safe = torch.where(parallel, 1.0, direction)
    first, second = (-half - origin) / safe, (half - origin) / safe
    outside = torch.where(origin.abs() <= half, -math.inf, math.inf)
    enter = torch.where(parallel, outside, torch.minimum(first, second))
    leave = torch.where(parallel, -outside, torch.maximum(first, second))
    return enter, leave


def _quadric(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Where origin + t direction is inside the unit circle or sphere; an empty interval if never."""
    a = direction.square().sum(dim=-1)
    b = (origin * direction).sum(dim=-1)
    parallel = a < 1e-300
    safe = torch.where(parallel, 1.0, a)
    # Distance of the line from the centre, computed without the cancellation of b^2 - a c for far sources.
    nearest = origin - (b / safe)[..., None] * direction
    gap = 1 - nearest.square().sum(dim=-1)
    hit = (gap > 0) & ~parallel
    half = torch.where(hit, gap, 1.0).sqrt() / safe.sqrt()
    outside = torch.where(origin.square().sum(dim=-1) <= 1, -math.inf, math.inf)
    miss = torch.where(parallel, outside, math.inf)
    return torch.where(hit, -b / safe - half, miss), torch.where(hit, -b / safe + half, -miss)


def _positive(values: Vector, name: str) -> Tensor:
    tensor = torch.as_tensor(values, dtype=torch.float64)
    if tensor.shape != (3,) or not bool((torch.isfinite(tensor) & (tensor > 0)).all()):
        raise InputError(f"{name} must be three positive lengths in mm, got {tensor.tolist()}.")
    return tensor
