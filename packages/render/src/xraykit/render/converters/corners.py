"""Source and detector corners: where the focal spot and the image's corners are, as calibration frames measure them."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera
from ..geometry.checks import check_choice
from ..geometry.frames import swap_ras_lps_points
from ..geometry.torch_modes import full_precision
from .detector_steps import steps_of_view, view_of_steps
from .pinhole import PeerView, as_batch
from .projection_matrix import World


class SourceAndCorners(NamedTuple):
    """Focal spot (B, 3) and outer corners of the image (B, 4, 3) [mm]: top left, top right, bottom left and right."""

    source: Tensor
    corners: Tensor


@full_precision
def from_source_and_corners(
    source: Tensor, corners: Tensor, *, height: int, width: int, world: World = "RAS", tolerance: float = 0.1
) -> PeerView:
    """The view of a focal spot and a flat rectangular detector.

    Args:
        source: Focal spot [mm], (3,) or (B, 3).
        corners: Outer corners of the image [mm] (of the outermost pixels, not their centres) in the order top left,
            top right, bottom left, and, if known, bottom right, as one sees the image; (3, 3), (4, 3) or a batch.
        height: Image rows.
        width: Image columns.
        world: The world of the points.
        tolerance: How far the fourth corner may lie from where the others put it [mm].

    Returns:
        camera, pose (B, 4, 4) to world RAS, and whether the corners show the image from behind (`mirrored`).

    Raises:
        GeometryError: Shapes that do not fit, corners of no rectangle, or a source in the detector's plane.

    Gradients:
        With respect to source and the first three corners.
    """
    n = corners.shape[-2] if corners.ndim >= 2 else 0
    if n not in (3, 4):
        raise GeometryError(f"corners must be (B, 3, 3) or (B, 4, 3), got shape {tuple(corners.shape)}.")
    points = as_batch(corners, "corners", (n, 3))
    spot = as_batch(source.reshape(-1, 1, 3) if source.shape[-1:] == (3,) else source, "source", (1, 3))[:, 0]
    if check_choice(world, "world", ("RAS", "LPS")) == "LPS":
        points, spot = swap_ras_lps_points(points), swap_ras_lps_points(spot)
    if len({len(points), len(spot)} - {1}) > 1:
        raise GeometryError(f"source and corners must be of equally many views, got {len(spot)} and {len(points)}.")
    views = max(len(points), len(spot))
    points, spot = points.expand(views, n, 3), spot.to(points).expand(views, 3)
    first, right, below = points[:, 0], points[:, 1], points[:, 2]
    if n == 4:
        off = float(torch.linalg.vector_norm((right + below - first - points[:, 3]).detach(), dim=-1).max())
        if off > tolerance:
            raise GeometryError(
                f"corners must be a rectangle: top left, top right, bottom left, bottom right, got "
                f"a fourth one {off:.3g} mm off; check the order."
            )
    steps = {"across": (right - first) / width, "down": (below - first) / height}
    return view_of_steps(spot, first, **steps, height=height, width=width, name="corners")


@full_precision
def to_source_and_corners(
    camera: Camera, pose: Tensor, *, world: World = "RAS", mirrored: bool = False
) -> SourceAndCorners:
    """Focal spot and image corners of a view; the inverse of `from_source_and_corners`.

    Args:
        camera: Intrinsics.
        pose: Camera to world RAS, (B, 4, 4) or (4, 4).
        world: The world of the points.
        mirrored: Corners of the left-right flipped image (see `PeerView`).

    Returns:
        source (B, 3), corners (B, 4, 3) [mm].

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    source, first, across, down = steps_of_view(camera, pose, mirrored=mirrored)
    right, below = camera.width * across, camera.height * down
    corners = torch.stack([first, first + right, first + below, first + right + below], dim=1)
    if check_choice(world, "world", ("RAS", "LPS")) == "LPS":
        source, corners = swap_ras_lps_points(source), swap_ras_lps_points(corners)
    return SourceAndCorners(source, corners)
