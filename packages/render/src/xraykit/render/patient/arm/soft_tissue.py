"""The flesh of an arm: its muscles and the fat on them run together into one body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ..body.figure import Figure, Flesh
from ..body.skeleton import Side
from ..canvas import FAR, Array, Canvas, smooth_union
from .muscles import muscle_layers

COARSE = 2.4
"""Distance of the points at which flesh is evaluated, at most, where voxels are smaller [mm]."""


def soft_tissue(figure: Figure, side: Side, seed: int) -> list[Flesh]:
    """The flesh of one arm as a single body: seams between its own parts are narrower than those between limbs.

    Smooth as it is, it is evaluated at every second or third voxel and interpolated.
    """
    canvas, step = figure.canvas, max(1, int(COARSE / figure.canvas.spacing))
    coarse = Canvas(canvas.low, canvas.low + canvas.spacing * (canvas.count - 1), step * canvas.spacing)
    layers = muscle_layers(replace(figure, canvas=coarse), side, seed)
    windows = [layer[0].window for layer, _ in layers]
    low = [min(w[d].start for w in windows) for d in range(3)]
    high = [max(w[d].stop for w in windows) for d in range(3)]
    region = coarse.at((slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2])))
    muscle, skin = region.empty_field(), region.empty_field()
    for (part, distance, fat), seam in layers:
        inner = region.inner(part.window)
        muscle[inner] = smooth_union(muscle[inner], distance, seam)
        skin[inner] = smooth_union(skin[inner], distance - np.float32(fat), seam)
    first = [min(step * a, n - 1) for a, n in zip(low, canvas.hu.shape, strict=True)]
    last = [min(step * (b - 1) + 1, n) for b, n in zip(high, canvas.hu.shape, strict=True)]
    fine = canvas.at((slice(first[0], last[0]), slice(first[1], last[1]), slice(first[2], last[2])))
    muscle, skin = (_refined(field, step, fine.empty_field().shape) for field in (muscle, skin))
    return [Flesh(fine, muscle, np.where(muscle < FAR, muscle - skin, np.float32(0)))]


def _refined(field: Array, step: int, shape: tuple[int, ...]) -> Array:
    """The field at every voxel from its values at every step-th, cut to the grid."""
    size = [step * (n - 1) + 1 for n in field.shape]
    values = torch.nn.functional.interpolate(
        torch.from_numpy(field)[None, None], size=size, mode="trilinear", align_corners=True
    )
    return values[0, 0, : shape[0], : shape[1], : shape[2]].numpy()
