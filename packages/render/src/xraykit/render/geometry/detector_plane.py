"""The pixel centres of a detector: in pixels, and in millimetres on its plane."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .camera import Camera


def pixel_axes(
    height: int, width: int, *, dtype: torch.dtype, device: torch.device | str | None
) -> tuple[Float[Tensor, " {width}"], Float[Tensor, " {height}"]]:
    """The pixel coordinates of column and row centres [px]: u = c + 1/2, (W,), and v = r + 1/2, (H,).

    Args:
        height: Detector rows, H.
        width: Detector columns, W.
        dtype: Of the result, a floating type.
        device: Of the result.
    """
    u = torch.arange(width, dtype=dtype, device=device) + 0.5
    v = torch.arange(height, dtype=dtype, device=device) + 0.5
    return u, v


def detector_axes(
    camera: Camera, *, dtype: torch.dtype, device: torch.device | str
) -> tuple[Float[Tensor, "_ {camera.width}"], Float[Tensor, "_ {camera.height}"], Float[Tensor, " _"]]:
    """Where column and row centres lie in the camera's frame [mm].

        x = (u - c_x) spacing_col,    y = (v - c_y) spacing_row,    z = sdd

    Args:
        camera: Intrinsics; each of its fields is shared or one per view.
        dtype: Of the result, a floating type.
        device: Of the result.

    Returns:
        x (B, W), y (B, H) and z (B,); the B of each is 1 where the fields behind it are shared.

    Gradients: with respect to sdd, pixel_spacing and principal_point.
    """
    sdd, spacing, centre = camera.tensors(dtype=dtype, device=device)
    u, v = pixel_axes(camera.height, camera.width, dtype=dtype, device=device)
    return (u - centre[:, :1]) * spacing[:, 1:], (v - centre[:, 1:]) * spacing[:, :1], sdd
