"""The opening of a collimator or a shutter, in pixels of the image: rectangle, circle or polygon."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.detector_plane import pixel_axes


@dataclass(frozen=True)
class RectangularShutter:
    """An opening between columns left and right and rows top and bottom [px; pixel (0, 0) spans 0 to 1]."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (self.left < self.right and self.top < self.bottom):
            raise InputError(f"a rectangular shutter needs left < right and top < bottom, got {self}.")

    def outside(self, u: Tensor, v: Tensor) -> Tensor:
        """Signed distance to the opening's border [px], negative inside."""
        du = torch.maximum(self.left - u, u - self.right)
        dv = torch.maximum(self.top - v, v - self.bottom)
        return torch.maximum(du, dv).clamp(max=0.0) + torch.hypot(du.clamp(min=0.0), dv.clamp(min=0.0))


@dataclass(frozen=True)
class CircularShutter:
    """A round opening of `radius` around (x, y) [px]."""

    x: float
    y: float
    radius: float

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise InputError(f"radius must be positive, got {self.radius} px.")

    def outside(self, u: Tensor, v: Tensor) -> Tensor:
        """Signed distance to the opening's border [px], negative inside."""
        return torch.hypot(u - self.x, v - self.y) - self.radius


@dataclass(frozen=True)
class PolygonalShutter:
    """An opening with the corners (x, y) [px] in either order; it may be concave but must not cross itself."""

    corners: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.corners) < 3:
            raise InputError(f"a polygonal shutter needs at least 3 corners, got {len(self.corners)}.")

    def outside(self, u: Tensor, v: Tensor) -> Tensor:
        """Signed distance to the opening's border [px], negative inside."""
        u, v = torch.broadcast_tensors(u, v)
        squared = torch.full_like(u, math.inf)
        crossings = torch.zeros_like(u)
        for (ax, ay), (bx, by) in zip(self.corners, (*self.corners[1:], self.corners[0]), strict=True):
            ex, ey = bx - ax, by - ay
            share = (((u - ax) * ex + (v - ay) * ey) / max(ex**2 + ey**2, 1e-30)).clamp(0.0, 1.0)
            squared = torch.minimum(squared, (u - ax - share * ex) ** 2 + (v - ay - share * ey) ** 2)
            if ay != by:
                spans = (v >= min(ay, by)) & (v < max(ay, by))
                crossings = crossings + (spans & (u < ax + (v - ay) / ey * ex))
        return squared.sqrt() * torch.where(crossings % 2 == 1, -1.0, 1.0)


Shutter = RectangularShutter | CircularShutter | PolygonalShutter


def shutter_mask(
    shutter: Shutter,
    camera: Camera,
    *,
    penumbra: float = 1.0,
    leakage: float = 0.0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Float[Tensor, "1 1 {camera.height} {camera.width}"]:
    """Share of the beam that a collimator or shutter lets through in each pixel, (1, 1, H, W).

    Args:
        shutter: The opening, in pixel coordinates of the image (x right, y down, as `project` gives them).
        camera: Gives the image its size.
        penumbra: Width of the ramp from open to closed [px], at least 1 so that edges do not alias.
        leakage: What comes through the closed part, 0 to 1.
        dtype: Of the result.
        device: Of the result.

    Raises:
        InputError: penumbra or leakage outside its range.
    """
    if not (math.isfinite(penumbra) and penumbra >= 1):
        raise InputError(f"penumbra must be 1 px or more, got {penumbra}.")
    if not 0 <= leakage <= 1:
        raise InputError(f"leakage must lie in 0 to 1, got {leakage}.")
    u, v = pixel_axes(camera.height, camera.width, dtype=dtype, device=device)
    is_open = (0.5 - shutter.outside(u, v[:, None]) / penumbra).clamp(0.0, 1.0)
    return (leakage + (1 - leakage) * is_open)[None, None]
