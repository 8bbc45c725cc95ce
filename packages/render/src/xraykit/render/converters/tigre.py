"""TIGRE's geometry: distances, offsets and ZYZ angles of a circular cone-beam scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera
from ..geometry.frames import Vector
from ..geometry.rotations import parameters_from, rotation_about, rotation_from
from ..geometry.torch_modes import full_precision
from .detector_steps import view_of_steps
from .pinhole import PeerView, unsettle

PerAngle = float | Sequence[float] | Sequence[Sequence[float]] | Tensor


class TIGREView(NamedTuple):
    """Fields of a TIGRE geometry (its own names, in lower case with _), one row per angle.

    Args:
        angles: ZYZ Euler angles [radians], (B, 3).
        dsd: Source to detector [mm], (B,).
        dso: Source to origin [mm], (B,).
        n_detector: Rows and columns (v, u) [px].
        d_detector: Pixel size (v, u) [mm], (2,).
        off_origin: Centre of the volume minus origin, (z, y, x) [mm], (B, 3).
        off_detector: Centre of the detector off the beam, (v, u) [mm], (B, 2).
    """

    angles: Tensor
    dsd: Tensor
    dso: Tensor
    n_detector: tuple[int, int]
    d_detector: Tensor
    off_origin: Tensor
    off_detector: Tensor


@full_precision
def from_tigre(
    angles: PerAngle,
    *,
    dsd: PerAngle,
    dso: PerAngle,
    n_detector: tuple[int, int],
    d_detector: PerAngle,
    off_origin: PerAngle = (0.0, 0.0, 0.0),
    off_detector: PerAngle = (0.0, 0.0),
    rot_detector: PerAngle = (0.0, 0.0, 0.0),
    cor: PerAngle = 0.0,
    center: Vector = (0.0, 0.0, 0.0),
) -> PeerView:
    r"""The views of a TIGRE geometry (`geo.DSD` is `dsd`, and so on; Python's order z, y, x and v, u).

    With R = Rz(alpha) Ry(theta) Rz(psi), source and pixel (row r, column c, from 0) lie, from the volume's centre, at

        R (DSO, 0, 0) - off + COR (-sin alpha, cos alpha, 0)
        R (-(DSD - DSO), offU + a, offV + b) - off + ...,   a = dU (c - (nU - 1)/2),   b = dV (r - (nV - 1)/2)

    where `rot_detector` turns (0, a, b) first, by Rz(roll) Ry(pitch) Rx(yaw). TIGRE's x, y, z are taken as right,
    front, head. Its columns run along +y and its rows upwards, so its images are always `mirrored`.

    Args:
        angles: [radians], (B,) about z alone, or (B, 3) ZYZ.
        dsd: Source to detector [mm], one number or (B,).
        dso: Source to origin [mm], one number or (B,).
        n_detector: Rows and columns.
        d_detector: Pixel size (v, u) [mm].
        off_origin: (z, y, x) [mm], (3,) or (B, 3).
        off_detector: (v, u) [mm], (2,) or (B, 2).
        rot_detector: (roll, pitch, yaw) [radians], (3,) or (B, 3).
        cor: Centre of rotation [mm], one number or (B,).
        center: World point [mm, RAS] at the volume's centre.

    Returns:
        camera, pose (B, 4, 4) to world RAS, and `mirrored`.

    Raises:
        GeometryError: Shapes that do not fit, a number that is not finite, or a detector not behind the origin.

    Gradients:
        With respect to every tensor argument.
    """
    turns = angles if isinstance(angles, Tensor) else torch.as_tensor(angles, dtype=torch.float64)
    turns = turns.reshape(-1, 1) if turns.ndim < 2 else turns
    if turns.ndim != 2 or turns.shape[-1] not in (1, 3):
        raise GeometryError(f"angles must be (B,) or (B, 3), got shape {tuple(turns.shape)}.")
    turns = torch.nn.functional.pad(turns, (0, 3 - turns.shape[-1]))
    count = len(turns)

    def given(name: str, value: PerAngle, size: int) -> Tensor:
        tensor = torch.as_tensor(value, dtype=turns.dtype, device=turns.device)
        if tensor.numel() not in (size, size * count) or not bool(torch.isfinite(tensor.detach()).all()):
            raise GeometryError(f"{name} must be {size} finite numbers, or as many for each of {count} angles.")
        return tensor.reshape(-1, size).expand(count, size)

    (far, near), (dv, du) = (
        (given("dsd", dsd, 1), given("dso", dso, 1)),
        given("d_detector", d_detector, 2).split(1, -1),
    )
    if not bool(((near > 0) & (far > near)).all()):
        raise GeometryError(
            f"dsd must be larger than dso, and dso positive, got {far.tolist()} and {near.tolist()} mm."
        )
    away, aside = given("off_origin", off_origin, 3).flip(-1), given("off_detector", off_detector, 2)
    roll, pitch, yaw = given("rot_detector", rot_detector, 3).unbind(-1)
    tilt = rotation_about("Z", roll) @ rotation_about("Y", pitch) @ rotation_about("X", yaw)
    turn = rotation_from(turns, parameterization="euler_angles", convention="ZYZ")
    alpha = turns[:, :1]
    eccentric = given("cor", cor, 1) * torch.cat([-alpha.sin(), alpha.cos(), torch.zeros_like(alpha)], dim=-1)
    shift = torch.as_tensor(center, dtype=turns.dtype, device=turns.device).reshape(3) - away + eccentric
    zero = torch.zeros_like(far)
    across, down = (_apply(turn @ tilt, torch.cat(step, dim=-1)) for step in ((zero, du, zero), (zero, zero, dv)))
    middle = _apply(turn, torch.cat([near - far, aside[:, 1:], aside[:, :1]], dim=-1)) + shift
    source = _apply(turn, torch.cat([near, zero, zero], dim=-1)) + shift
    height, width = n_detector
    first = middle - width / 2 * across - height / 2 * down
    return view_of_steps(source, first, across, down, height=height, width=width, name="angles")


@full_precision
def to_tigre(camera: Camera, pose: Tensor, *, center: Vector = (0.0, 0.0, 0.0)) -> TIGREView:
    """TIGRE's numbers for each view; the inverse of `from_tigre`, and of our images flipped left to right.

    The origin is put on the beam beside the volume's centre, so that no detector has to be turned: `off_origin` then
    differs from angle to angle where the beam misses the centre.

    Args:
        camera: Intrinsics; every view has the same pixel size.
        pose: Camera to world RAS, (B, 4, 4) or (4, 4).
        center: World point [mm, RAS] at the centre of the volume.

    Returns:
        angles, distances, sizes and offsets.

    Raises:
        GeometryError: Pixel sizes that differ from view to view, or a centre that is not between source and detector.
    """
    axes, camera = unsettle(camera, pose, mirrored=True)
    sdd, spacing, point = camera.tensors(dtype=axes.dtype, device=axes.device)
    if bool((spacing.detach() != spacing[:1].detach()).any()):
        raise GeometryError(f"a TIGRE geometry has one pixel size, got {spacing.tolist()}; convert view by view.")
    x, y, z, source = axes[:, :3].unbind(dim=-1)
    away = torch.as_tensor(center, dtype=axes.dtype, device=axes.device).reshape(3) - source
    dso = (away * z).sum(dim=-1)
    sdd = sdd.expand(len(axes))
    if not bool(((dso > 0) & (dso < sdd)).all()):
        raise GeometryError(f"center must lie between source and detector, got it {dso.tolist()} mm from the source.")
    turns = parameters_from(torch.stack([-z, x, y], dim=-1), parameterization="euler_angles", convention="ZYZ")
    half = torch.tensor([camera.width / 2, camera.height / 2], dtype=axes.dtype, device=axes.device)
    aside = ((half - point) * spacing.flip(-1)).flip(-1).expand(len(axes), 2)
    off = (away - dso[:, None] * z).flip(-1)
    return TIGREView(turns, sdd, dso, (camera.height, camera.width), spacing[0], off, aside)


def _apply(rotation: Tensor, vectors: Tensor) -> Tensor:
    return (rotation @ vectors[..., None])[..., 0]
