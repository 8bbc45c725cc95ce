"""The X-ray camera: a point source, a flat detector, and the pixel grid on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import GeometryError

Scalar = float | Tensor
Pair = float | Sequence[float] | Tensor


@dataclass(frozen=True, eq=False)
class Camera:
    r"""Intrinsics of a cone-beam X-ray set-up.

    Frame (Hartley-Zisserman): the source is the origin, x runs right along a detector row, y runs down along
    a column, z runs from the source to the detector. A point (x, y, z) is seen at

        u = sdd / s_col * x / z + c_x,    v = sdd / s_row * y / z + c_y      [px]

    and pixel (row r, column c) covers [c, c+1] x [r, r+1], so its centre is at (u, v) = (c + 1/2, r + 1/2).

    Args:
        sdd: Source-to-detector distance [mm], positive. A tensor () or (B,) makes it differentiable.
        height: Detector rows, positive.
        width: Detector columns, positive.
        pixel_spacing: Pixel pitch at the detector as (row, column) [mm], or one number for square pixels;
            a tensor (2,) or (B, 2) makes it differentiable.
        principal_point: Foot of the perpendicular from the source, as (x, y) [px]; None is the image centre
            (width / 2, height / 2). A tensor (2,) or (B, 2) makes it differentiable.

    Raises:
        GeometryError: A size, distance or spacing is not positive and finite.
    """

    sdd: Scalar
    height: int
    width: int
    pixel_spacing: Pair = 1.0
    principal_point: Pair | None = None

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            value = getattr(self, name)
            if isinstance(value, bool) or int(value) != value or value < 1:
                raise GeometryError(f"{name} must be a positive whole number of pixels, got {name}={value}.")
            object.__setattr__(self, name, int(value))
        _require(self.sdd, "sdd", positive=True)
        _require(self.pixel_spacing, "pixel_spacing", positive=True)
        if self.principal_point is not None:
            _require(self.principal_point, "principal_point", positive=False)

    @property
    def sdd_mm(self) -> float:
        """The source-to-detector distance as a number [mm], without gradient; of several cameras that of the first."""
        return float(torch.as_tensor(self.sdd).detach().reshape(-1)[0])

    def tensors(
        self, *, dtype: torch.dtype, device: torch.device | str
    ) -> tuple[Float[Tensor, " cameras"], Float[Tensor, "spacings 2"], Float[Tensor, "centres 2"]]:
        """The intrinsics as tensors sdd (B,), pixel_spacing (B, 2), principal_point (B, 2), with B = 1 when shared."""
        sdd = torch.as_tensor(self.sdd, dtype=dtype, device=device).reshape(-1)
        spacing = torch.as_tensor(self.pixel_spacing, dtype=dtype, device=device)
        spacing = spacing.reshape(-1, 1).expand(-1, 2) if spacing.numel() == 1 else spacing.reshape(-1, 2)
        centre = (self.width / 2, self.height / 2) if self.principal_point is None else self.principal_point
        return sdd, spacing, torch.as_tensor(centre, dtype=dtype, device=device).reshape(-1, 2)


def _require(value: object, name: str, *, positive: bool) -> None:
    tensor = torch.as_tensor(value).detach()
    sizes = {"sdd": "a number or (B,)"}.get(name, "(2,) or (B, 2)")
    fits = tensor.ndim <= 1 if name == "sdd" else tensor.ndim == 0 or tensor.shape[-1] == 2
    if not fits or (name == "principal_point" and tensor.ndim == 0):
        raise GeometryError(f"{name} must be {sizes}, got shape {tuple(tensor.shape)}.")
    if not bool(torch.isfinite(tensor).all()) or (positive and not bool((tensor > 0).all())):
        kind = "positive and finite" if positive else "finite"
        raise GeometryError(f"{name} must be {kind}, got {name}={tensor.tolist()}.")
