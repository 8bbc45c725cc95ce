"""A flat detector in space, as source, first corner and pixel steps: what corners, ASTRA and TIGRE have in common."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera
from .pinhole import PeerView, settle, unsettle

_SQUARE = 1e-4


def view_of_steps(
    source: Tensor, first: Tensor, across: Tensor, down: Tensor, *, height: int, width: int, name: str
) -> PeerView:
    """The view whose pixel (u, v) lies at x(u, v) = first + u across + v down in world RAS.

    Args:
        source: Focal spot [mm], (B, 3).
        first: Corner where the first pixel of the image begins, u = v = 0 [mm], (B, 3).
        across: Step from one column to the next [mm], (B, 3).
        down: Step from one row to the next [mm], (B, 3), square to `across`.
        height: Rows.
        width: Columns.
        name: What errors should name.

    Raises:
        GeometryError: Steps that are zero or not square to each other by more than 1e-4, or a source in the plane of
            the detector.

    Gradients: to every tensor.
    """
    column, row = (torch.linalg.vector_norm(step, dim=-1, keepdim=True) for step in (across, down))
    if not bool((torch.minimum(column, row).detach() > 0).all()):
        raise GeometryError(f"{name} must span a detector, got pixels without size: {column.tolist()}, {row.tolist()}.")
    x, y = across / column, down / row
    lean = (x * y).sum(dim=-1).detach().abs()
    if bool((lean > _SQUARE).any()):
        raise GeometryError(
            f"{name} must have rows square to columns, got a cosine of {float(lean.max()):.3g} between them; "
            "resample the image to square corners first."
        )
    y = torch.nn.functional.normalize(y - (x * y).sum(dim=-1, keepdim=True) * x, dim=-1)
    to_first = first - source
    z = torch.linalg.cross(x, y)
    depth = (to_first * z).sum(dim=-1, keepdim=True)
    if not bool(
        (depth.detach().abs() > 1e-9 * torch.linalg.vector_norm(to_first.detach(), dim=-1, keepdim=True)).all()
    ):
        raise GeometryError(f"{name} must have its source off the detector's plane, got one in it.")
    z = z * torch.sign(depth.detach())
    foot = [-(to_first * axis).sum(dim=-1, keepdim=True) / step for axis, step in ((x, column), (y, row))]
    axes = torch.eye(4, dtype=source.dtype, device=source.device).repeat(len(source), 1, 1)
    axes = torch.cat([torch.stack([x, y, z, source], dim=-1), axes[:, 3:]], dim=1)
    camera = Camera(
        sdd=depth[:, 0].abs(),
        height=height,
        width=width,
        pixel_spacing=torch.cat([row, column], dim=-1),
        principal_point=torch.cat(foot, dim=-1),
    )
    return settle(axes, camera, name=name)


def steps_of_view(camera: Camera, pose: Tensor, *, mirrored: bool = False) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The inverse of `view_of_steps`: source, first, across, down in world RAS [mm], (B, 3) each."""
    axes, camera = unsettle(camera, pose, mirrored=mirrored)
    sdd, spacing, centre = camera.tensors(dtype=axes.dtype, device=axes.device)
    x, y, z, source = axes[:, :3].unbind(dim=-1)
    across, down = spacing[:, 1:] * x, spacing[:, :1] * y
    first = source + sdd[:, None] * z - centre[:, :1] * across - centre[:, 1:] * down
    return source, first, across, down
