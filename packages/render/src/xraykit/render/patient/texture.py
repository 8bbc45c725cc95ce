"""Fine structure on a painted body: trabeculae in spongy bone, mottled muscle and fat, grain in lungs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

TRABECULA = 1.3
"""Correlation length of the trabecular pattern [mm]."""


def add_texture(hu: Tensor, spacing: float, rng: np.random.Generator) -> Tensor:
    r"""The body with fine structure, (D, H, W) HU.

        spongy bone (100 to 650 HU):  hu + 0.30 (hu + 50) fine
        soft tissue (-150 to 110):    hu + 7 coarse + 5 fine
        lung (-950 to -600):          hu + 25 coarse + 20 fine

    with unit Gaussian fields, fine of 1.3 mm and coarse of 9 mm correlation length; shares fade at the borders. Sides
    of bones and air keep their values, so no surface is roughened.

    Args:
        hu: What was painted.
        spacing: Voxel edge [mm].
        rng: Random numbers; equal states give equal bits.
    """
    from ..kernels.numba_cpu.painting import texture  # numba, on first use

    shape = tuple(hu.shape)
    fine, coarse = noise(shape, TRABECULA / spacing, rng), noise(shape, 9.0 / spacing, rng)
    textured = hu.to(torch.float32, copy=True).contiguous()
    texture(*(field.contiguous().reshape(-1).numpy() for field in (textured, fine, coarse)))
    return textured


def fat_streaks(shape: Sequence[int], spacing: float, degree: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """By how many HU fat between the fibres lowers each voxel of muscle, (D, H, W).

        80 degree max(n - 1, 0)

    of a unit Gaussian field n of correlation length 12 mm along the body and 2.5 mm across it.
    """
    field = noise(shape, np.divide((12.0, 2.5, 2.5), spacing), rng)
    return field.sub_(1).clamp_(min=0).mul_(80 * degree).numpy()


def noise(shape: Sequence[int], length: ArrayLike, rng: np.random.Generator) -> Tensor:
    """A Gaussian field of variance one and a correlation length in voxels, one or one per axis, (D, H, W)."""
    step = np.broadcast_to(np.maximum(length, 1.0), 3)
    coarse = [max(int(np.ceil(n / s)) + 1, 2) for n, s in zip(shape, step, strict=True)]
    field = torch.from_numpy(rng.standard_normal(coarse, dtype=np.float32))
    if np.any(step > 1.0):
        field = torch.nn.functional.interpolate(
            field[None, None], size=tuple(shape), mode="trilinear", align_corners=True
        )[0, 0]
        field = field / field.std()
    return field[tuple(slice(0, n) for n in shape)]
