"""K, R and t: intrinsics in pixels, and world to camera, as computer vision and XMALab state a camera."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera, Pair, Scalar
from ..geometry.checks import check_choice
from ..geometry.frames import swap_ras_lps_pose
from ..geometry.rigid import rigid_matrix
from ..geometry.torch_modes import full_precision
from .pinhole import PeerView, as_batch, camera_from_k, settle
from .projection_matrix import PixelCenter, World, intrinsic_and_motion, shift_intrinsic


class KRT(NamedTuple):
    """Intrinsic matrix (B, 3, 3) [px], rotation (B, 3, 3) and translation (B, 3) [mm] from world to camera."""

    intrinsic: Tensor
    rotation: Tensor
    translation: Tensor


@full_precision
def from_krt(
    intrinsic: Tensor,
    rotation: Tensor,
    translation: Tensor,
    *,
    height: int,
    width: int,
    sdd: Scalar | None = None,
    pixel_spacing: Pair | None = None,
    world: World = "RAS",
    pixel_center: PixelCenter = "integer",
) -> PeerView:
    """The view of x = R X + t, seen at w (u, v, 1) = K x, with v counted down from the top.

    Args:
        intrinsic: K [px], (3, 3) or (B, 3, 3).
        rotation: R, (3, 3) or (B, 3, 3); one that reflects makes the view `mirrored`.
        translation: t [mm], (3,) or (B, 3).
        height: Image rows.
        width: Image columns.
        sdd: Source to detector [mm]; K only knows sdd / pixel_spacing. With neither, sdd is 1.5 times the distance of
            the world's origin from the source: all that it decides is what lies behind the detector.
        pixel_spacing: (row, column) [mm].
        world: The world of X.
        pixel_center: "integer" as in OpenCV and XMALab, or "half", see `to_projection_matrix`.

    Returns:
        camera, pose (B, 4, 4) to world RAS, and `mirrored`.

    Raises:
        GeometryError: K has skew or negative focal lengths, R is not orthonormal, both sdd and pixel_spacing are given,
            or neither and the source is the origin.

    Gradients:
        With respect to every tensor.
    """
    K, R = as_batch(intrinsic, "intrinsic", (3, 3)), as_batch(rotation, "rotation", (3, 3))
    t = as_batch(torch.as_tensor(translation).reshape(-1, 1, 3), "translation", (1, 3))[:, 0]
    if len({len(K), len(R), len(t)} - {1}) > 1:
        raise GeometryError(f"intrinsic, rotation, translation must agree, got {len(K)}, {len(R)}, {len(t)} views.")
    views = max(len(K), len(R), len(t))
    K, R, t = K.expand(views, 3, 3), R.to(K).expand(views, 3, 3), t.to(K).expand(views, 3)
    if sdd is None and pixel_spacing is None:
        sdd = away = 1.5 * torch.linalg.vector_norm(t.detach(), dim=-1)
        if not bool((away > 0).all()):
            raise GeometryError(
                "sdd or pixel_spacing must be given where the world's origin is the source, got neither."
            )
    K = shift_intrinsic(K, pixel_center)
    camera = camera_from_k(K, height=height, width=width, sdd=sdd, pixel_spacing=pixel_spacing)
    axes = rigid_matrix(R.mT, -(R.mT @ t[..., None])[..., 0])
    if check_choice(world, "world", ("RAS", "LPS")) == "LPS":
        axes = swap_ras_lps_pose(axes)
    return settle(axes, camera, name="rotation")


@full_precision
def to_krt(
    camera: Camera, pose: Tensor, *, world: World = "RAS", pixel_center: PixelCenter = "integer", mirrored: bool = False
) -> KRT:
    """K, R and t of a view; the inverse of `from_krt`, which needs `sdd` (or `pixel_spacing`) besides.

    Args:
        camera: Intrinsics.
        pose: Camera to world RAS, (B, 4, 4) or (4, 4).
        world: The world of X.
        pixel_center: As for `from_krt`.
        mirrored: For the left-right flipped image; then R reflects.

    Returns:
        intrinsic (B, 3, 3), rotation (B, 3, 3), translation (B, 3).

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    K, motion = intrinsic_and_motion(camera, pose, world=world, pixel_center=pixel_center, mirrored=mirrored)
    return KRT(K, motion[..., :3], motion[..., 3])
