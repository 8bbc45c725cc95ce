"""nanodrr: inverse intrinsic matrices, the source-to-detector distance, and camera-to-world matrices."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..geometry.camera import Camera, Scalar
from ..geometry.intrinsics import intrinsic_matrix
from ..geometry.torch_modes import full_precision
from .pinhole import PeerView, as_batch, camera_from_k, settle, unsettle


class NanoDRRView(NamedTuple):
    """nanodrr's numbers: k_inv (B, 3, 3), sdd (B,), rt_inv (B, 4, 4), and the detector's size."""

    k_inv: Tensor
    sdd: Tensor
    rt_inv: Tensor
    height: int
    width: int


@full_precision
def from_nanodrr(k_inv: Tensor, sdd: Scalar, rt_inv: Tensor, *, height: int, width: int) -> PeerView:
    r"""The view of a nanodrr camera.

    nanodrr's frame (x right, y down, z to the detector, half-integer pixel centres) and world (RAS, not re-centred)
    are ours: camera_to_world = rt_inv and K = k_inv^-1. Only its "PA" orientation is a reflection (`mirrored`).

    Args:
        k_inv: Inverse intrinsic matrices, (B, 3, 3).
        sdd: Source to detector [mm], a number or (B,).
        rt_inv: Camera to world, (B, 4, 4), as made by `make_rt_inv`.
        height: Rows.
        width: Columns.

    Returns:
        camera, pose (B, 4, 4) and `mirrored`.

    Raises:
        GeometryError: k_inv holds skew or flips an axis, or rt_inv is not orthonormal.

    Gradients:
        With respect to every tensor argument.
    """
    k = torch.linalg.inv(as_batch(k_inv, "k_inv", (3, 3)))
    camera = camera_from_k(k, height=height, width=width, sdd=sdd)
    return settle(as_batch(rt_inv, "rt_inv", (4, 4)), camera, name="rt_inv")


@full_precision
def to_nanodrr(camera: Camera, pose: Tensor, *, mirrored: bool = False) -> NanoDRRView:
    """Nanodrr's numbers for a view; the inverse of `from_nanodrr`.

    Args:
        camera: Intrinsics.
        pose: Camera to world, (B, 4, 4) or (4, 4).
        mirrored: Ask for the left-right flipped image, which nanodrr expresses as a reflection in rt_inv.

    Returns:
        k_inv (B, 3, 3), sdd (B,) [mm], rt_inv (B, 4, 4), height, width.

    Gradients:
        With respect to the pose and the camera's tensors.
    """
    axes, camera = unsettle(camera, pose, mirrored=mirrored)
    k = intrinsic_matrix(camera, dtype=axes.dtype, device=axes.device)
    sdd = camera.tensors(dtype=axes.dtype, device=axes.device)[0]
    n = len(axes)
    return NanoDRRView(torch.linalg.inv(k).expand(n, 3, 3), sdd.expand(n), axes, camera.height, camera.width)
