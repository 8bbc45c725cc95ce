"""DiffDRR and xvr: poses E = [R | R t] about the volume's centre, an orientation, a detector that may be flipped."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera, Scalar
from ..geometry.frames import Vector
from ..geometry.rigid import rigid_matrix, se3_exp, se3_log
from ..geometry.rotations import parameters_from, rotation_from
from ..geometry.torch_modes import full_precision
from .pinhole import PeerView, as_batch, settle, unsettle

Orientation = Literal["AP", "PA"] | None

# Columns: where DiffDRR's camera x, y (up) and z (towards the detector) point before E turns them. PA is a reflection.
_REORIENT = {
    "AP": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (0.0, 1.0, 0.0)),
    "PA": ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
    None: ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}


class DiffDRRView(NamedTuple):
    """DiffDRR's numbers. `extrinsic` is E; the rest are arguments of `diffdrr.drr.DRR` and `diffdrr.data.read`."""

    extrinsic: Tensor
    orientation: Orientation
    reverse_x_axis: bool
    sdd: Scalar
    height: int
    width: int
    delx: Scalar
    dely: Scalar
    x0: Scalar
    y0: Scalar


@full_precision
def from_diffdrr(
    extrinsic: Tensor,
    *,
    orientation: Orientation,
    reverse_x_axis: bool,
    sdd: Scalar,
    height: int,
    width: int,
    delx: Scalar,
    dely: Scalar | None = None,
    x0: Scalar = 0.0,
    y0: Scalar = 0.0,
    center: Vector = (0.0, 0.0, 0.0),
) -> PeerView:
    r"""The view of a DiffDRR (or xvr) pose and detector.

    camera_to_world = Translate(center) E O diag(-1 if reverse_x_axis else 1, -1, 1): DiffDRR's camera has y up, and
    O is the orientation matrix. Its determinant is -1 for "PA", so DiffDRR's image is ours for AP (or None) with
    reverse_x_axis and for PA without, and our image flipped left to right in the two other cases (`mirrored`).

    Args:
        extrinsic: E, camera mount to world, (B, 4, 4): `RigidTransform.matrix`.
        orientation: As given to `diffdrr.data.read`.
        reverse_x_axis: As given to `diffdrr.drr.DRR`.
        sdd: Source to detector [mm].
        height: Rows.
        width: Columns.
        delx: Column spacing [mm].
        dely: Row spacing [mm]; None is `delx`.
        x0: The *constructor's* horizontal offset [mm] (the property `detector.x0` is its negative).
        y0: The constructor's vertical offset [mm].
        center: Where the centre of the volume lies in our world [mm, RAS], `volume.center`: DiffDRR moves it to the
            origin. (0, 0, 0) for a volume read with `center_volume=False`.

    Returns:
        camera, pose (B, 4, 4) and `mirrored`.

    Raises:
        GeometryError: E is not rigid. InputError: unknown orientation.

    Gradients:
        With respect to every tensor argument.

    Source: measured on diffdrr 0.6.1, see tests/peers/test_converters_diffdrr.py.
    """
    E = as_batch(extrinsic, "extrinsic", (4, 4))
    axes = E @ _detector_axes(orientation, reverse_x_axis, E)
    axes = torch.cat([axes[:, :, :3], axes[:, :, 3:] + _column(center, E)], dim=-1)
    numbers = (delx, delx if dely is None else dely, x0, y0)
    delx_, dely_, x0_, y0_ = (torch.as_tensor(n, dtype=E.dtype, device=E.device).reshape(-1) for n in numbers)
    cx = width / 2 + (1.0 if reverse_x_axis else -1.0) * x0_ / delx_
    cy = height / 2 + y0_ / dely_
    camera = Camera(sdd, height, width, pixel_spacing=_pair(dely_, delx_), principal_point=_pair(cx, cy))
    return settle(axes, camera, name="extrinsic")


@full_precision
def to_diffdrr(
    camera: Camera,
    pose: Tensor,
    *,
    orientation: Orientation,
    mirrored: bool = False,
    center: Vector = (0.0, 0.0, 0.0),
) -> DiffDRRView:
    """DiffDRR's pose and detector for a view; the inverse of `from_diffdrr`.

    E is always a proper rigid motion, so `orientation` and `mirrored` together decide reverse_x_axis: without
    mirroring it is true for "AP" and None, false for "PA".

    Args:
        camera: Intrinsics.
        pose: Camera to world, (B, 4, 4) or (4, 4).
        orientation: The orientation that the DiffDRR subject is read with.
        mirrored: Ask DiffDRR for the left-right flipped image.
        center: As in `from_diffdrr`.

    Returns:
        The numbers by name; shared ones as floats, (B,) tensors otherwise.

    Gradients:
        With respect to the pose and the camera's tensors (where a result is a tensor).
    """
    reverse_x_axis = (orientation == "PA") == mirrored
    axes, camera = unsettle(camera, pose, mirrored=mirrored)
    sdd, spacing, centre = camera.tensors(dtype=axes.dtype, device=axes.device)
    sign = 1.0 if reverse_x_axis else -1.0
    axes = torch.cat([axes[:, :, :3], axes[:, :, 3:] - _column(center, axes)], dim=-1)
    x0 = sign * (centre[:, 0] - camera.width / 2) * spacing[:, 1]
    y0 = (centre[:, 1] - camera.height / 2) * spacing[:, 0]
    shared = [_shared(n) for n in (sdd, spacing[:, 1], spacing[:, 0], x0, y0)]
    E = axes @ _detector_axes(orientation, reverse_x_axis, axes).mT
    return DiffDRRView(E, orientation, reverse_x_axis, shared[0], camera.height, camera.width, *shared[1:])


@full_precision
def diffdrr_extrinsic(
    rotation: Tensor, translation: Tensor, *, parameterization: str = "euler_angles", convention: str = "ZXY"
) -> Tensor:
    """DiffDRR's E from its pose parameters: [R | R t], so `translation` counts in the turned mount.

    Args:
        rotation: (B, n) as in `rotation_from` (Euler angles [rad]), or the rotation part of "se3_log_map".
        translation: (B, 3) [mm]; for se3_log_map the translation part of the logarithm, which is not rotated.
        parameterization: A name in `PARAMETERIZATIONS`, or "se3_log_map".
        convention: Axes of the Euler angles; xvr uses ZXY (LAO/RAO, cranio-caudal, in-plane).

    Returns:
        (B, 4, 4) [mm].
    """
    if parameterization == "se3_log_map":
        return se3_exp(torch.cat([translation, rotation], dim=-1))
    R = rotation_from(rotation, parameterization=parameterization, convention=convention)
    return rigid_matrix(R, (R @ translation[..., None])[..., 0])


@full_precision
def diffdrr_parameters(
    extrinsic: Tensor, *, parameterization: str = "euler_angles", convention: str = "ZXY"
) -> tuple[Tensor, Tensor]:
    """DiffDRR's rotation (B, n) and translation (B, 3) of an E (B, 4, 4); the inverse of `diffdrr_extrinsic`."""
    if parameterization == "se3_log_map":
        logarithm = se3_log(extrinsic)
        return logarithm[..., 3:], logarithm[..., :3]
    R = extrinsic[..., :3, :3]
    translation = (R.mT @ extrinsic[..., :3, 3:])[..., 0]
    return parameters_from(R, parameterization=parameterization, convention=convention), translation


def _detector_axes(orientation: Orientation, reverse_x_axis: bool, like: Tensor) -> Tensor:
    if orientation not in _REORIENT:
        raise InputError(f"orientation must be 'AP', 'PA' or None, got {orientation!r}.")
    axes = torch.eye(4, dtype=like.dtype, device=like.device)
    signs = like.new_tensor([-1.0 if reverse_x_axis else 1.0, -1.0, 1.0])
    axes[:3, :3] = like.new_tensor(_REORIENT[orientation]) * signs
    return axes


def _column(center: Vector, like: Tensor) -> Tensor:
    return torch.nn.functional.pad(torch.as_tensor(center).to(like).reshape(3), (0, 1)).reshape(4, 1)


def _pair(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack(torch.broadcast_tensors(first, second), dim=-1)


def _shared(values: Tensor) -> Scalar:
    """One float when every view has the same constant, the tensor when they differ or carry a gradient."""
    if values.requires_grad or not bool((values == values[0]).all()):
        return values
    return float(values[0])
