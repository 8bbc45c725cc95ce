"""Rotation, crop, resize and flips as one: only pixels of the crop are turned, and each view is resampled once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .bicubic import kernel_weights, resized


def warp_views(
    images: Tensor,
    sizes: Sequence[tuple[int, int]],
    boxes: NDArray[np.int64],
    angles: NDArray[np.float64],
    flips: NDArray[np.bool_],
    size: int,
) -> Tensor:
    r"""V views of each of B images.

    The image is turned by the angle about its middle (bilinear, 0 beyond the image), cropped to the box, resized to
    size x size with the antialiased bicubic kernel whose support ends at the box, and flipped. This equals the
    operations one after another, but turns the pixels of the box alone. Bicubic values are not clipped.

    On a GPU all views are resampled by two products with matrices of the kernel's weights, W_rows I W_columns^T; on a
    CPU one by one with the few weights that are not zero.

    Args:
        images: (B, 1, H, W), each in the top left corner, 0 beyond it.
        sizes: Height and width of each image [px].
        boxes: (B, V, 4), see `ViewDraws`; they lie inside the images.
        angles: (B, V) counter-clockwise [degrees].
        flips: (B, V, 2).
        size: Edge of a view [px].

    Returns:
        (B, V, size, size).
    """
    if images.device.type == "cpu":
        return _one_by_one(images, sizes, boxes, angles, flips, size)
    return warp_by_products(images, sizes, boxes, angles, flips, size)


def _one_by_one(
    images: Tensor,
    sizes: Sequence[tuple[int, int]],
    boxes: NDArray[np.int64],
    angles: NDArray[np.float64],
    flips: NDArray[np.bool_],
    size: int,
) -> Tensor:
    views = images.new_empty(*boxes.shape[:2], size, size)
    for sample, view in np.ndindex(boxes.shape[:2]):
        height, width = sizes[sample]
        image = images[sample : sample + 1, :, :height, :width]
        box, angle = boxes[sample, view].tolist(), float(angles[sample, view])
        top, left, rows, columns = box
        if angle:
            window = F.grid_sample(image, rotated_grid(angle, box, (height, width)), align_corners=False)[0, 0]
        else:
            window = image[0, 0, top : top + rows, left : left + columns]
        mirror, overturn = flips[sample, view].tolist()
        views[sample, view] = resized(window, size, mirror=mirror, overturn=overturn)
    return views


def rotated_grid(angle: float, box: Sequence[int], size: tuple[int, int]) -> Tensor:
    """Where the pixels of the box lie before the rotation: (1, rows, columns, 2) for `grid_sample`."""
    top, left, rows, columns = box
    height, width = size
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x = torch.arange(columns, dtype=torch.float32) + (left + 0.5 - width / 2)
    y = torch.arange(rows, dtype=torch.float32)[:, None] + (top + 0.5 - height / 2)
    grid = torch.empty(1, rows, columns, 2)
    torch.sub(x * (2 * cosine / width), y * (2 * sine / width), out=grid[0, ..., 0])
    torch.add(x * (2 * sine / height), y * (2 * cosine / height), out=grid[0, ..., 1])
    return grid


def warp_by_products(
    images: Tensor,
    sizes: Sequence[tuple[int, int]],
    boxes: NDArray[np.int64],
    angles: NDArray[np.float64],
    flips: NDArray[np.bool_],
    size: int,
) -> Tensor:
    """As `warp_views`, without a loop over views."""
    device = images.device
    batch, count = boxes.shape[:2]
    place = torch.from_numpy(boxes).to(device, torch.float32)
    flip = torch.from_numpy(flips).to(device)
    if not angles.any():
        height, width = images.shape[-2:]
        by_rows = kernel_weights(place[..., 0], place[..., 2], flip[..., 1], size, height)
        rows = (by_rows.reshape(batch, count * size, height) @ images[:, 0]).reshape(batch, count, size, width)
        return rows @ kernel_weights(place[..., 1], place[..., 3], flip[..., 0], size, width).mT
    windows = _rotated_windows(images, sizes, boxes, angles)
    start = torch.zeros_like(place[..., 0])
    by_rows = kernel_weights(start, place[..., 2], flip[..., 1], size, windows.shape[-2])
    by_columns = kernel_weights(start, place[..., 3], flip[..., 0], size, windows.shape[-1])
    return by_rows @ windows @ by_columns.mT


def _rotated_windows(
    images: Tensor, sizes: Sequence[tuple[int, int]], boxes: NDArray[np.int64], angles: NDArray[np.float64]
) -> Tensor:
    """The boxes of the rotated images, each in the top left corner of (B, V, rows, columns)."""
    device, (batch, count) = images.device, boxes.shape[:2]
    rows, columns = int(boxes[..., 2].max()), int(boxes[..., 3].max())
    middle = np.asarray(sizes, dtype=np.float64)[:, None] / 2  # (B, 1, 2), row and column
    radians = np.radians(angles)
    numbers = np.stack(
        [*np.moveaxis(boxes[..., :2] + 0.5 - middle, -1, 0), np.cos(radians), np.sin(radians)]
    )  # (4, B, V)
    top, left, cosine, sine = torch.from_numpy(numbers).to(device, torch.float32)[..., None, None]
    y = torch.arange(rows, device=device)[:, None] + top
    x = torch.arange(columns, device=device) + left
    center = torch.from_numpy(middle).to(device, torch.float32)[..., None, None]
    height, width = images.shape[-2:]
    grid_x = (cosine * x - sine * y + center[:, :, 1]) * (2 / width) - 1
    grid_y = (sine * x + cosine * y + center[:, :, 0]) * (2 / height) - 1
    grid = torch.stack([grid_x, grid_y], -1).reshape(batch, count * rows, columns, 2)
    return F.grid_sample(images, grid, align_corners=False).reshape(batch, count, rows, columns)
