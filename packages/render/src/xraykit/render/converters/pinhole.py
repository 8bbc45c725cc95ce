"""What all converters share: handedness, and cameras from an intrinsic matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera, Pair, Scalar
from ..geometry.checks import common_batch
from ..geometry.intrinsics import camera_from_intrinsic
from ..geometry.rigid import check_pose


class PeerView(NamedTuple):
    """A peer's view in our terms.

    Our poses are proper rigid motions, so our image is the detector as seen from the source. Some peers show it
    from the other side: then `mirrored` is true and

        peer image = our image flipped left to right,    u_peer = width - u_ours,    v_peer = v_ours.

    Hand `mirrored` back to the matching `to_...` function to get the peer's own numbers again.
    """

    camera: Camera
    pose: Tensor
    mirrored: bool


def settle(axes: Tensor, camera: Camera, *, name: str) -> PeerView:
    """The proper view behind a peer's detector axes.

    Args:
        axes: (B, 4, 4) to world RAS; columns are the direction in which image columns count up, the direction in
            which rows count up, source to detector, and the source. Orthonormal, left- or right-handed.
        camera: Intrinsics of the peer's own image.
        name: The argument that errors should name.

    Raises:
        GeometryError: The axes are not orthonormal, or a batch mixes mirrored and unmirrored views.
    """
    left_handed = torch.linalg.det(axes[:, :3, :3].detach()) < 0
    mirrored = bool(left_handed.all())
    if mirrored != bool(left_handed.any()):
        raise GeometryError(
            f"{name} must be mirrored for all views or for none, got mirrored={left_handed.tolist()}; split the batch."
        )
    if mirrored:
        axes, camera = _flip(axes, camera)
    return PeerView(camera, check_pose(axes, name=name), mirrored)


def unsettle(camera: Camera, pose: Tensor, *, mirrored: bool = False) -> tuple[Tensor, Camera]:
    """The inverse of `settle`: a peer's axes (B, 4, 4), B that of the camera where the pose has 1, and its camera.

    Raises:
        GeometryError: The pose is no proper rigid motion, or its batch does not fit the camera's.
    """
    pose = check_pose(as_batch(pose, "pose", (4, 4)))
    sizes = [len(tensor) for tensor in camera.tensors(dtype=pose.dtype, device=pose.device)]
    batch = common_batch(pose=len(pose), camera=max(sizes))
    axes = pose.expand(batch, 4, 4)
    return _flip(axes, camera) if mirrored else (axes, camera)


def camera_from_k(
    intrinsic: Tensor, *, height: int, width: int, sdd: Scalar | None = None, pixel_spacing: Pair | None = None
) -> Camera:
    """`camera_from_intrinsic`, but K is kept to the letter where row and column spacing imply unlike sdd."""
    camera = camera_from_intrinsic(intrinsic, height=height, width=width, sdd=sdd, pixel_spacing=pixel_spacing)
    if pixel_spacing is None:
        return camera
    return camera_from_intrinsic(intrinsic, height=height, width=width, sdd=camera.sdd)


def as_batch(matrix: Tensor, name: str, size: tuple[int, int]) -> Tensor:
    """A matrix, or a batch of them, as floating-point (B, rows, columns)."""
    tensor = torch.as_tensor(matrix)
    if tensor.ndim not in (2, 3) or tuple(tensor.shape[-2:]) != size or not tensor.is_floating_point():
        raise GeometryError(
            f"{name} must be floating point {size} or (B, {size[0]}, {size[1]}), got {tensor.dtype} of shape "
            f"{tuple(tensor.shape)}."
        )
    if not bool(torch.isfinite(tensor.detach()).all()):
        raise GeometryError(f"{name} must be finite, got {tensor.tolist()}.")
    return tensor.reshape(-1, *size)


def rigid_or_identity(matrix: Tensor | None, name: str, like: Tensor) -> Tensor:
    """An optional rigid placement (B, 4, 4), in dtype and device of `like`; None is the identity (1, 4, 4)."""
    if matrix is None:
        return torch.eye(4, dtype=like.dtype, device=like.device)[None]
    return check_pose(as_batch(matrix, name, (4, 4)).to(like), name=name)


def _flip(axes: Tensor, camera: Camera) -> tuple[Tensor, Camera]:
    """The same detector with its columns counted from the other side."""
    point = camera.principal_point
    if isinstance(point, Tensor):
        point = torch.stack([camera.width - point[..., 0], point[..., 1]], dim=-1)
    elif point is not None and not isinstance(point, (int, float)):
        point = (camera.width - point[0], point[1])
    return axes * axes.new_tensor([-1.0, 1.0, 1.0, 1.0]), replace(camera, principal_point=point)
