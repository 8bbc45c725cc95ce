"""Compare and render only where the anatomy projects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera, Volume
from xraykit.render.geometry import box_corners, crop_camera, project


class Window(NamedTuple):
    """A rectangle of pixels."""

    top: int
    left: int
    height: int
    width: int

    def camera(self, camera: Camera) -> Camera:
        """The camera of the rectangle."""
        return crop_camera(camera, **self._asdict())

    def of(self, image: Tensor) -> Tensor:
        """The rectangle of an image (.., H, W)."""
        return image[..., self.top : self.top + self.height, self.left : self.left + self.width]


def anatomy_window(
    structures: Sequence[Volume], camera: Camera, poses: Tensor, *, margin: float = 0.1, smallest: int = 24
) -> Window:
    """The part of the image onto which the structures' grids project from any of the poses, with a margin.

    Args:
        structures: K volumes; trimmed ones (see `trimmed`) give tight windows.
        camera: Of the whole image.
        poses: (B, K, 4, 4).
        margin: Of the window's size, on each side.
        smallest: Fewest rows and columns.
    """
    height, width = camera.height, camera.width
    spots = []
    for k, structure in enumerate(structures):
        corners = box_corners(structure.shape, structure.affine).double()
        seen = project(corners, camera, poses[:, k].double())
        if bool((seen.depth <= 0).any()):
            return Window(0, 0, height, width)
        spots.append(seen.uv.reshape(-1, 2))
    joined = torch.cat(spots)
    low, high = joined.amin(0), joined.amax(0)
    spare = margin * (high - low)
    left, right = _span(float(low[0] - spare[0]), float(high[0] + spare[0]), width, smallest)
    top, bottom = _span(float(low[1] - spare[1]), float(high[1] + spare[1]), height, smallest)
    return Window(top, left, bottom - top, right - left)


def trimmed(volume: Volume, *, border: int = 1) -> Volume:
    """The volume without the empty slices around what attenuates; world coordinates stay what they are."""
    occupied = volume.mu != 0
    if not bool(occupied.any()):
        return volume
    bounds = []
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        where = occupied.any(dim=others[1]).any(dim=others[0]).nonzero()[:, 0]
        bounds.append((max(0, int(where[0]) - border), min(volume.shape[axis], int(where[-1]) + 1 + border)))
    part = tuple(slice(*bound) for bound in bounds)
    affine = volume.affine.clone()
    first = torch.tensor([bound[0] for bound in reversed(bounds)], dtype=torch.float64)
    affine[:3, 3] += affine[:3, :3] @ first
    return Volume(volume.mu[part].clone(), affine, mu_scale=volume.mu_scale)


def _span(low: float, high: float, size: int, smallest: int) -> tuple[int, int]:
    """Whole pixels from low to high inside the image, at least `smallest` of them (or all there are)."""
    first, last = max(0, math.floor(low)), min(size, math.ceil(high))
    if last - first < smallest:
        middle = min(max((low + high) / 2, 0), size)
        first = max(0, min(round(middle - smallest / 2), size - smallest))
        last = min(size, first + smallest)
    return first, last
