"""The intrinsic matrix K, cameras cropped and resized, and images resampled from one camera to another."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import GeometryError
from .camera import Camera, Pair
from .checks import common_batch
from .projection import pixel_centers
from .torch_modes import full_precision

_TOLERANCE = 1e-3


def intrinsic_matrix(
    camera: Camera, *, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> Float[Tensor, "batch 3 3"]:
    """K (B, 3, 3) with depth * (u, v, 1) = K (x, y, z) for camera-frame points.

    K = [[sdd / s_col, 0, c_x], [0, sdd / s_row, c_y], [0, 0, 1]] in pixels whose centres are at half-integers: a
    matrix from software that puts pixel centres at integers (OpenCV does) needs 0.5 added to c_x and c_y.
    """
    return _matrix(*_focal_and_center(camera, dtype or torch.get_default_dtype(), device))


@full_precision
def camera_from_intrinsic(
    intrinsic: Float[Tensor, "*batch 3 3"],
    *,
    height: int,
    width: int,
    pixel_spacing: Pair | None = None,
    sdd: float | Float[Tensor, ""] | Float[Tensor, " #views"] | None = None,
) -> Camera:
    """The camera with a given K, scaled by what K does not hold: the pixel spacing or the distance.

    Args:
        intrinsic: K, (3, 3) or (B, 3, 3) [px], pixel centres at half-integers, last row 0 0 1, no skew.
        height: Detector rows.
        width: Detector columns.
        pixel_spacing: (row, column) [mm] or one number; then sdd = K[0, 0] * column spacing.
        sdd: Source-to-detector distance [mm]; then spacing = (sdd / K[1, 1], sdd / K[0, 0]).

    Raises:
        GeometryError: Both or neither of pixel_spacing and sdd are given, K is no such matrix, or K and the spacing
            imply distances along rows and columns that differ by more than 0.1 %.

    Gradients: to K and to pixel_spacing or sdd.
    """
    if (pixel_spacing is None) == (sdd is None):
        raise GeometryError(
            f"exactly one of pixel_spacing and sdd must be given, got pixel_spacing={pixel_spacing} and sdd={sdd}."
        )
    _check_intrinsic(intrinsic)
    matrix = intrinsic.reshape(-1, 3, 3)
    focal, centre = torch.stack([matrix[:, 0, 0], matrix[:, 1, 1]], dim=-1), matrix[:, :2, 2]
    if sdd is not None:
        distance = torch.as_tensor(sdd, dtype=matrix.dtype, device=matrix.device).reshape(-1)
        spacing = (distance[:, None] / focal).flip(-1)
        return Camera(sdd=distance, height=height, width=width, pixel_spacing=spacing, principal_point=centre)
    probe = Camera(sdd=1.0, height=height, width=width, pixel_spacing=pixel_spacing)  # type: ignore[arg-type]
    spacing = probe.tensors(dtype=matrix.dtype, device=matrix.device)[1]
    distance = focal * spacing.flip(-1)
    if bool(((distance[:, 0] - distance[:, 1]).abs() > _TOLERANCE * distance.amax(-1)).any()):
        raise GeometryError(
            f"K and pixel_spacing must imply one sdd, got {distance.tolist()} mm along rows and columns; "
            "correct the spacing, or give sdd instead."
        )
    return Camera(sdd=distance[:, 0], height=height, width=width, pixel_spacing=spacing, principal_point=centre)


def crop_camera(camera: Camera, *, top: int, left: int, height: int, width: int) -> Camera:
    """The camera of image[top : top + height, left : left + width]; a window beyond the image pads it."""
    x, y = _pair(_center(camera))
    return replace(camera, height=height, width=width, principal_point=_join(x - left, y - top))


def resize_camera(camera: Camera, *, height: int, width: int) -> Camera:
    """The camera of the same detector area divided into height x width pixels.

    The borders of the image stay where they are, so continuous coordinates scale by width'/width and height'/height
    (centres at half-integers make that exact); the spacing changes by the inverse.
    """
    resized = replace(camera, height=height, width=width)  # refuses sizes that are none
    down, across = resized.height / camera.height, resized.width / camera.width
    row, column = _pair(camera.pixel_spacing)
    x, y = _pair(_center(camera))
    return replace(
        resized, pixel_spacing=_join(row / down, column / across), principal_point=_join(x * across, y * down)
    )


def rescale_camera(camera: Camera, factor: float) -> Camera:
    """`resize_camera` to `factor` times as many rows and columns, rounded; the detector area stays exactly the same."""
    if not 0 < factor < float("inf"):
        raise GeometryError(f"factor must be positive and finite, got factor={factor}.")
    height, width = max(1, round(camera.height * factor)), max(1, round(camera.width * factor))
    return resize_camera(camera, height=height, width=width)


@full_precision
def homography(
    new: Camera, old: Camera, *, dtype: torch.dtype | None = None, device: torch.device | str = "cpu"
) -> Float[Tensor, "batch 3 3"]:
    """H (B, 3, 3) = K_new K_old^-1: where a pixel (u, v, 1) of `old` lies in `new`.

    Both cameras must share the pose: then each ray keeps its value and only its pixel changes.
    """
    return _matrix(*_scale_and_shift(new, old, dtype or torch.get_default_dtype(), device))


@full_precision
def resample(
    image: Float[Tensor, "#batch channels {old.height} {old.width}"], *, old: Camera, new: Camera
) -> Float[Tensor, "batch channels {new.height} {new.width}"]:
    """The image that camera `new` would have taken, interpolated from the one that `old` took at the same pose.

    Pixel centres (c + 1/2, r + 1/2) of `new` are carried to `old` by K_old K_new^-1 and read there bilinearly, with
    zeros outside. Values are kept (line integrals belong to rays, not to pixels). Reducing an image much in size
    samples it without averaging.

    Args:
        image: (B, C, H, W), floating point, H and W those of `old`.
        old: The camera that took `image`.
        new: The camera to imitate, from the same source position and with the same axes.

    Returns:
        (B, C, H', W'), H' and W' those of `new`; B grows to the batch of the cameras where the image has 1.

    Raises:
        GeometryError: The image does not fit `old`, or batch sizes differ.

    Gradients: to the image, and to the intrinsics of both cameras.
    """
    if image.ndim != 4 or image.shape[-2:] != (old.height, old.width) or not image.is_floating_point():
        raise GeometryError(
            f"image must be floating point (B, C, {old.height}, {old.width}) as taken by the old camera, "
            f"got {image.dtype} of shape {tuple(image.shape)}."
        )
    scale, shift = _scale_and_shift(old, new, image.dtype, image.device)
    batch = common_batch(image=len(image), cameras=len(scale))
    centres = pixel_centers(new, dtype=image.dtype, device=image.device)
    grid = 2 * (centres * scale[:, None, None] + shift[:, None, None]) / centres.new_tensor([old.width, old.height]) - 1
    return torch.nn.functional.grid_sample(
        image.expand(batch, -1, -1, -1),
        grid.expand(batch, -1, -1, -1),
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )


def _focal_and_center(camera: Camera, dtype: torch.dtype, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Focal lengths and principal point along (x, y) [px], each (B, 2)."""
    sdd, spacing, centre = camera.tensors(dtype=dtype, device=device)
    focal, centre = torch.broadcast_tensors(sdd[:, None] / spacing.flip(-1), centre)
    return focal, centre


def _scale_and_shift(new: Camera, old: Camera, dtype: torch.dtype, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """K_new K_old^-1 without the zeros: (u, v) of `new` = scale * (u, v) of `old` + shift, each (B, 2)."""
    (focal, centre), (old_focal, old_centre) = (_focal_and_center(camera, dtype, device) for camera in (new, old))
    common_batch(new=len(focal), old=len(old_focal))
    scale = focal / old_focal
    return scale, centre - scale * old_centre


def _matrix(scale: Tensor, shift: Tensor) -> Tensor:
    """[[s_x, 0, t_x], [0, s_y, t_y], [0, 0, 1]] (B, 3, 3)."""
    (s_x, s_y), (t_x, t_y) = scale.unbind(-1), shift.unbind(-1)
    zero, one = torch.zeros_like(s_x), torch.ones_like(s_x)
    rows = [[s_x, zero, t_x], [zero, s_y, t_y], [zero, zero, one]]
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def _check_intrinsic(intrinsic: Tensor) -> None:
    if intrinsic.ndim not in (2, 3) or intrinsic.shape[-2:] != (3, 3) or not intrinsic.is_floating_point():
        raise GeometryError(
            f"K must be floating point (3, 3) or (B, 3, 3), got {intrinsic.dtype} of shape {tuple(intrinsic.shape)}."
        )
    matrix = intrinsic.detach().reshape(-1, 3, 3).to("cpu", torch.float64)
    if not bool(torch.isfinite(matrix).all()):
        raise GeometryError(f"K must be finite, got {matrix.tolist()}.")
    focal = matrix[:, :2, :2].diagonal(dim1=-2, dim2=-1)
    if not bool((matrix[:, 2] == matrix.new_tensor([0.0, 0.0, 1.0])).all()) or not bool((focal > 0).all()):
        raise GeometryError(
            f"K must have the last row 0 0 1 and positive focal lengths, got {matrix.tolist()}; "
            "scale it by K[2, 2], and turn the camera frame where a focal length is negative."
        )
    skew = torch.maximum(matrix[:, 0, 1].abs(), matrix[:, 1, 0].abs())
    if bool((skew > 1e-6 * focal.amax(-1)).any()):
        raise GeometryError(f"K must have no skew, got K[0, 1]={matrix[:, 0, 1].tolist()}; resample the image first.")


def _center(camera: Camera) -> Pair:
    return (camera.width / 2, camera.height / 2) if camera.principal_point is None else camera.principal_point


def _pair(value: Pair) -> tuple[float | Tensor, float | Tensor]:
    """The two entries of a pair that may be one number; tensors (..., 2) stay differentiable."""
    if isinstance(value, Tensor):
        single = value.ndim == 0 or value.shape[-1] != 2
        return (value.reshape(()), value.reshape(())) if single else (value[..., 0], value[..., 1])
    if isinstance(value, (int, float)):
        return float(value), float(value)
    first, second = value
    return float(first), float(second)


def _join(first: float | Tensor, second: float | Tensor) -> Pair:
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        return torch.stack([first, second], dim=-1)
    return float(first), float(second)
