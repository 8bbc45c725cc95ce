"""ASTRA's cone_vec geometry: twelve numbers per projection."""

from __future__ import annotations

import torch
from torch import Tensor

from ..geometry.camera import Camera
from ..geometry.frames import Vector
from ..geometry.torch_modes import full_precision
from .detector_steps import steps_of_view, view_of_steps
from .pinhole import PeerView, as_batch


@full_precision
def from_astra(
    vectors: Tensor, *, det_row_count: int, det_col_count: int, isocenter: Vector = (0.0, 0.0, 0.0)
) -> PeerView:
    """The views of ASTRA's cone-beam vectors, `geom["Vectors"]` of "cone_vec" (`astra.geom_2vec` makes them of "cone").

    Each row holds source, centre of the detector, step from column to column and step from row to row. ASTRA's own
    x, y, z are taken as right, front, head; "cone" has v along +z, so its rows count upwards and its images are
    `mirrored` (and turned by 180 degrees). An image is the slice [:, angle, :] of ASTRA's stack.

    Args:
        vectors: (B, 12) or (12,), in mm: where a voxel of the volume is 1 unit, times the voxel size.
        det_row_count: `DetectorRowCount`.
        det_col_count: `DetectorColCount`.
        isocenter: World point [mm, RAS] at ASTRA's origin, the centre of its volume unless a window says otherwise.

    Returns:
        camera, pose (B, 4, 4) to world RAS, and `mirrored`.

    Raises:
        GeometryError: Not twelve finite numbers a row, steps of no rectangular pixel, or a source in the plane of the
            detector.

    Gradients:
        With respect to the vectors.
    """
    rows = as_batch(torch.atleast_2d(torch.as_tensor(vectors))[:, None], "vectors", (1, 12))[:, 0]
    source, centre, across, down = rows.split(3, dim=-1)
    shift = torch.as_tensor(isocenter, dtype=rows.dtype, device=rows.device).reshape(3)
    first = centre - det_col_count / 2 * across - det_row_count / 2 * down
    size = {"height": det_row_count, "width": det_col_count}
    return view_of_steps(source + shift, first + shift, across, down, **size, name="vectors")


@full_precision
def to_astra(camera: Camera, pose: Tensor, *, isocenter: Vector = (0.0, 0.0, 0.0), mirrored: bool = False) -> Tensor:
    """ASTRA's vectors for each view; the inverse of `from_astra`.

    Args:
        camera: Intrinsics.
        pose: Camera to world RAS, (B, 4, 4) or (4, 4).
        isocenter: World point [mm, RAS] to serve as ASTRA's origin.
        mirrored: Ask for the left-right flipped image. ASTRA takes either, so the default keeps our image.

    Returns:
        (B, 12) [mm].

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    source, first, across, down = steps_of_view(camera, pose, mirrored=mirrored)
    shift = torch.as_tensor(isocenter, dtype=source.dtype, device=source.device).reshape(3)
    centre = first + camera.width / 2 * across + camera.height / 2 * down
    across, down = across.expand_as(source), down.expand_as(source)
    return torch.cat([source - shift, centre - shift, across, down], dim=-1)
