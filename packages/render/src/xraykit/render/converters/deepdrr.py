"""DeepDRR: an intrinsic matrix, a world-to-camera frame transform, and a patient placed in the world."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera, Pair, Scalar
from ..geometry.frames import swap_ras_lps_pose
from ..geometry.intrinsics import intrinsic_matrix
from ..geometry.rigid import check_pose, rigid_inverse
from ..geometry.torch_modes import full_precision
from .pinhole import as_batch, camera_from_k, rigid_or_identity, unsettle
from .projection_matrix import World


class DeepDRRView(NamedTuple):
    """DeepDRR's numbers: the intrinsic matrix (B, 3, 3) [px], the extrinsic one (B, 4, 4) [mm], and what K omits."""

    index_from_camera2d: Tensor
    camera3d_from_world: Tensor
    sdd: Tensor
    height: int
    width: int


@full_precision
def from_deepdrr(
    index_from_camera2d: Tensor,
    camera3d_from_world: Tensor,
    *,
    height: int,
    width: int,
    sdd: Scalar | None = None,
    pixel_spacing: Pair | None = None,
    world_from_anatomical: Tensor | None = None,
    anatomical: World = "RAS",
) -> tuple[Camera, Tensor]:
    r"""The camera and pose of a DeepDRR `CameraProjection`.

    camera_to_world = A (camera3d_from_world world_from_anatomical)^-1, with A = diag(-1, -1, 1) for LPS anatomy.
    DeepDRR's camera has x along image columns, y along rows and z from source to detector, as ours, and its rays
    pass through pixel centres at half-integers.

    Args:
        index_from_camera2d: Intrinsic matrix K [px], (B, 3, 3).
        camera3d_from_world: Extrinsic matrix [mm], (B, 4, 4).
        height: Rows.
        width: Columns.
        sdd: Source to detector [mm]; give this or `pixel_spacing`, since K holds only their quotient.
        pixel_spacing: (row, column) [mm].
        world_from_anatomical: Where the volume stands in DeepDRR's world, (4, 4), rigid; None is the identity.
        anatomical: Frame of the volume's anatomy; DeepDRR knows both.

    Returns:
        camera, pose (B, 4, 4) to patient RAS.

    Raises:
        GeometryError: A matrix is not what its name says, or K flips an axis. InputError: unknown `anatomical`.

    Gradients:
        With respect to every tensor argument.
    """
    K = as_batch(index_from_camera2d, "index_from_camera2d", (3, 3))
    camera = camera_from_k(K, height=height, width=width, sdd=sdd, pixel_spacing=pixel_spacing)
    extrinsic = check_pose(as_batch(camera3d_from_world, "camera3d_from_world", (4, 4)), name="camera3d_from_world")
    placement = rigid_or_identity(world_from_anatomical, "world_from_anatomical", extrinsic)
    pose = rigid_inverse(extrinsic @ placement)
    return camera, swap_ras_lps_pose(pose) if _is_lps(anatomical) else pose


@full_precision
def to_deepdrr(
    camera: Camera, pose: Tensor, *, world_from_anatomical: Tensor | None = None, anatomical: World = "RAS"
) -> DeepDRRView:
    """DeepDRR's matrices for a view; the inverse of `from_deepdrr`.

    Args:
        camera: Intrinsics.
        pose: Camera to patient RAS, (B, 4, 4) or (4, 4).
        world_from_anatomical: As in `from_deepdrr`.
        anatomical: As in `from_deepdrr`.

    Returns:
        The matrices by DeepDRR's names, sdd (B,) [mm], height, width.

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    axes, camera = unsettle(camera, pose)
    if _is_lps(anatomical):
        axes = swap_ras_lps_pose(axes)
    K = intrinsic_matrix(camera, dtype=axes.dtype, device=axes.device)
    extrinsic = rigid_inverse(rigid_or_identity(world_from_anatomical, "world_from_anatomical", axes) @ axes)
    sdd = camera.tensors(dtype=axes.dtype, device=axes.device)[0]
    n = len(axes)
    return DeepDRRView(K.expand(n, 3, 3), extrinsic, sdd.expand(n), camera.height, camera.width)


def _is_lps(anatomical: str) -> bool:
    if anatomical not in ("RAS", "LPS"):
        raise InputError(f"anatomical must be RAS or LPS, got {anatomical!r}.")
    return anatomical == "LPS"
