"""3x4 projection matrices: compose one from (Camera, pose), decompose one into them."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera, Pair, Scalar
from ..geometry.checks import check_choice
from ..geometry.frames import Vector, swap_ras_lps_pose
from ..geometry.intrinsics import intrinsic_matrix
from ..geometry.rigid import rigid_inverse, rigid_matrix
from ..geometry.torch_modes import full_precision
from .pinhole import PeerView, as_batch, camera_from_k, settle, unsettle

World = Literal["RAS", "LPS"]
PixelCenter = Literal["half", "integer"]


@full_precision
def to_projection_matrix(
    camera: Camera,
    pose: Tensor,
    *,
    world: World = "RAS",
    pixel_center: PixelCenter = "half",
    mirrored: bool = False,
) -> Tensor:
    r"""The matrix that sends homogeneous world points to homogeneous pixels.

    P = K [R | t],  (w u, w v, w) = P (x, y, z, 1), where w is the depth in front of the source [mm].

    Args:
        camera: Intrinsics.
        pose: Camera to world RAS, (B, 4, 4) or (4, 4).
        world: The world in which the points are given.
        pixel_center: "half": the first pixel's centre is (0.5, 0.5), as everywhere in xraykit; "integer": it is
            (0, 0), as in OpenCV, VTK and most calibration software.
        mirrored: Project onto the left-right flipped image (see `PeerView`).

    Returns:
        (B, 3, 4) [px * mm, px * mm, mm].

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    K, motion = intrinsic_and_motion(camera, pose, world=world, pixel_center=pixel_center, mirrored=mirrored)
    return K @ motion


@full_precision
def from_projection_matrix(
    matrix: Tensor,
    *,
    height: int,
    width: int,
    sdd: Scalar | None = None,
    pixel_spacing: Pair | None = None,
    world: World = "RAS",
    pixel_center: PixelCenter = "half",
    in_front: Vector | None = None,
    skew_tolerance: float = 1e-4,
) -> PeerView:
    r"""The view of a projection matrix, by RQ decomposition of its left 3x3 block.

    P and -P project alike, but one of them sees the patient in front of the source and the other behind it, and a
    pinhole that sees mirror images in front equals a proper one that looks backwards. So the sign has to be known.

    Args:
        matrix: World points [mm] to homogeneous pixels, (B, 3, 4) or (3, 4), at any scale.
        height: Image rows.
        width: Image columns.
        sdd: Source to detector [mm]; the matrix only knows sdd / pixel_spacing, so give this or `pixel_spacing`.
        pixel_spacing: (row, column) [mm].
        world: The world of the points.
        pixel_center: Where the first pixel's centre lies, see `to_projection_matrix`.
        in_front: A point of `world` that the camera sees, for instance `volume.center`; None trusts the sign of the
            matrix, that is, the third homogeneous coordinate is positive in front of the source.
        skew_tolerance: Largest skew over focal length to ignore.

    Returns:
        camera, pose (B, 4, 4) to world RAS, and whether the matrix shows the image mirrored.

    Raises:
        GeometryError: The matrix is singular, skewed, disagrees with pixel_spacing by more than 1e-3, or
            `in_front` lies in the source's own plane; not exactly one of sdd and pixel_spacing is given.

    Gradients:
        With respect to the matrix.

    Source: Hartley and Zisserman, Multiple View Geometry, 2nd ed., section 6.2.
    """
    P = as_batch(matrix, "matrix", (3, 4))
    if in_front is not None:
        depth = P[:, 2, :3] @ torch.as_tensor(in_front).to(P) + P[:, 2, 3]
        if bool((depth.detach() == 0).any()):
            raise GeometryError(f"in_front must not lie in the plane of the source, got {in_front}.")
        P = P * depth.detach().sign()[:, None, None]
    K, right, down, forward = _rq(P[:, :, :3], skew_tolerance)
    source = -torch.linalg.solve(P[:, :, :3], P[:, :, 3])
    axes = rigid_matrix(torch.stack([right, down, forward], dim=-1), source)
    if check_choice(world, "world", ("RAS", "LPS")) == "LPS":
        axes = swap_ras_lps_pose(axes)
    K = shift_intrinsic(K, pixel_center)
    camera = camera_from_k(K, height=height, width=width, sdd=sdd, pixel_spacing=pixel_spacing)
    return settle(axes, camera, name="matrix")


def intrinsic_and_motion(
    camera: Camera, pose: Tensor, *, world: World, pixel_center: PixelCenter, mirrored: bool
) -> tuple[Tensor, Tensor]:
    """K (B, 3, 3) and [R | t] (B, 3, 4) from world to camera; arguments as of `to_projection_matrix`."""
    axes, camera = unsettle(camera, pose, mirrored=mirrored)
    if check_choice(world, "world", ("RAS", "LPS")) == "LPS":
        axes = swap_ras_lps_pose(axes)
    K = shift_intrinsic(intrinsic_matrix(camera, dtype=axes.dtype, device=axes.device), pixel_center, back=True)
    return K.expand(len(axes), 3, 3), rigid_inverse(axes)[:, :3]


def shift_intrinsic(K: Tensor, pixel_center: PixelCenter, *, back: bool = False) -> Tensor:
    """K (B, 3, 3) of that convention, with the first pixel's centre moved to (0.5, 0.5); or the way back."""
    shift = {"half": 0.0, "integer": 0.5}[check_choice(pixel_center, "pixel_center", ("half", "integer"))]
    return K + (-shift if back else shift) * K.new_tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])


def _rq(M: Tensor, skew_tolerance: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """K (B, 3, 3) and the camera axes x, y, z (B, 3) with M = scale * K [x y z]': Gram-Schmidt from the last row up."""
    size = M.detach().norm(dim=-1).prod(dim=-1)
    if not bool((torch.linalg.det(M.detach()).abs() > 1e-12 * size).all()):
        raise GeometryError(f"the left 3x3 block of matrix must be invertible, got {M.tolist()}.")
    m1, m2, forward = (M / M[:, 2:].norm(dim=-1, keepdim=True)).unbind(dim=1)
    cx, cy = ((m * forward).sum(dim=-1, keepdim=True) for m in (m1, m2))
    fy = (m2 - cy * forward).norm(dim=-1, keepdim=True)
    down = (m2 - cy * forward) / fy
    skew = (m1 * down).sum(dim=-1, keepdim=True)
    fx = (m1 - cx * forward - skew * down).norm(dim=-1, keepdim=True)
    if bool((skew.detach().abs() > skew_tolerance * fx.detach()).any()):
        raise GeometryError(
            f"matrix must have no skew, got skew / fx = {(skew / fx).flatten().tolist()}; "
            "resample the image to square corners, or raise skew_tolerance."
        )
    right = (m1 - cx * forward - skew * down) / fx
    zero, one = torch.zeros_like(fx), torch.ones_like(fx)
    K = torch.stack([torch.cat(row, -1) for row in ([fx, zero, cx], [zero, fy, cy], [zero, zero, one])], dim=1)
    return K, right, down, forward
