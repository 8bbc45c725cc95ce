"""Named points of the scene: centroids of organs in space, and where points appear on the detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.projection import project
from ..geometry.torch_modes import full_precision
from .label_names import find_labels
from .volume import Volume


@dataclass(frozen=True, eq=False)
class Landmarks:
    """N named points and their images in B views.

    Args:
        names: One for each point.
        world: Where they are, (N, 3) RAS [mm].
        uv: Where they appear, (B, N, 2) [px], pixel centres at half-integers; without meaning where depth <= 0.
        depth: Distance from the source along the beam axis [mm], (B, N).
        visible: In front of the source and within the image, (B, N).
    """

    names: tuple[str, ...]
    world: Tensor
    uv: Tensor
    depth: Tensor
    visible: Tensor


@full_precision
def project_landmarks(points: Mapping[str, Sequence[float] | Tensor], camera: Camera, pose: Tensor) -> Landmarks:
    """Where named points of the world appear, and whether the detector sees them; see `project`.

    Args:
        points: {name: (x, y, z)} in world RAS [mm].
        camera: Intrinsics.
        pose: Camera to world, (B, 4, 4).

    Raises:
        InputError: A point is not three finite numbers.

    Gradients: of uv and depth to points, pose and intrinsics.
    """
    pose = pose[None] if pose.ndim == 2 else pose
    rows = []
    for name, point in points.items():
        row = torch.as_tensor(point, dtype=torch.float64)  # where it is: most are on the CPU, and nothing waits
        if row.shape != (3,) or not bool(torch.isfinite(row).all()):
            raise InputError(f"landmark {name!r} must be three finite coordinates in mm, got {row.tolist()}.")
        rows.append(row.to(pose.device))
    world = torch.stack(rows) if rows else torch.zeros(0, 3, dtype=torch.float64, device=pose.device)
    seen = project(world, camera, pose.to(torch.float64))
    return Landmarks(tuple(points), world, seen.uv, seen.depth, seen.visible)


@full_precision
def label_centroids(volume: Volume, wanted: Sequence[str] | None = None) -> dict[str, Tensor]:
    """The mean position of each label's (or group's) voxel centres, {name: (3,) RAS [mm] float64}.

    A group's centroid is that of all its voxels together. Names whose labels fill no voxel are left out.

    Args:
        volume: A volume with labels.
        wanted: Names, groups or patterns as in `find_labels`; None takes every label that occurs.

    Raises:
        InputError: The volume has no labels, or a name matches none.
    """
    if volume.labels is None:
        raise InputError("label_centroids needs a volume with a label map, got none; give Volume.from_file labels=seg.")
    sums, count = _moments(volume.labels)
    if wanted is None:
        filled = [int(v) for v in torch.nonzero(count)[:, 0] if int(v) > 0]
        groups = {volume.label_names.get(v, f"label {v}"): (v,) for v in filled}
    else:
        groups = {name: find_labels(volume.label_names, name) for name in wanted}
    centroids = {}
    for name, members in groups.items():
        inside = [v for v in members if v < len(count) and count[v] > 0]
        if inside:
            index = sums[inside].sum(dim=0) / count[inside].sum()
            centroids[name] = volume.affine[:3, :3] @ index + volume.affine[:3, 3]
    return centroids


def _moments(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Sum of the indices (i, j, k) of each label's voxels, (L, 3) float64, and their number (L,), on the CPU."""
    size = int(labels.max()) + 1
    sums, count = torch.zeros(size, 3, dtype=torch.float64), torch.zeros(size, dtype=torch.float64)
    for k, layer in enumerate(labels):
        rows, columns = torch.nonzero(layer, as_tuple=True)
        label = layer[rows, columns].long()
        number = torch.bincount(label, minlength=size).double()
        sums[:, 0] += torch.bincount(label, weights=columns.double(), minlength=size).cpu()
        sums[:, 1] += torch.bincount(label, weights=rows.double(), minlength=size).cpu()
        sums[:, 2] += k * number.cpu()
        count += number.cpu()
    return sums, count
