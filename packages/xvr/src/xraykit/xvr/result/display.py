"""An X-ray and its DRR made ready for the eye: one size, one window, one scale of greys, thin edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import Volume, render
from xraykit.render.geometry import resize_camera

from ..refine.pyramid import footprint, samples_through
from ..refine.structure import Structure
from ..xray.shot import Shot

GreyPicture = NDArray[np.uint8]
Mask = NDArray[np.bool_]
FloatPicture = NDArray[np.float64]

OUTSIDE = 0.25  # brightness of pixels that were not compared
WINDOW = (0.5, 99.5)  # percent of the pixels that say what is black and white
COVERED = 0.02  # of the largest line integral: pixels with less show no anatomy
MARGIN = 1 / 40  # of the longer side: how far around the anatomy pixels are counted with it
SPARE = 0.3  # of the range of greys: what is left below and above it for the rest of the image
TOO_LITTLE = 0.002  # of the pixels: fewer do not say what is black and white
BORDER = 1 / 10  # of the longer side: how far from the border of the exposed field its inner part begins
FAINTEST_EDGE = 0.2  # of the strongest ones
EDGE_BLUR = 1 / 240  # of the longer side, standard deviation


def resized(shot: Shot, longer: int) -> Shot:
    """The shot in square pixels, `longer` along its longer side: image, camera and valid pixels together."""
    _, spacing, _ = shot.camera.tensors(dtype=torch.float64, device="cpu")
    extent = [float(pitch) * n for pitch, n in zip(spacing[0], shot.image.shape, strict=True)]
    size = tuple(max(1, round(longer * side / max(extent))) for side in extent)
    image = torch.nn.functional.interpolate(shot.image[None, None], size, mode="bilinear", antialias=True)[0, 0]
    valid = shot.valid
    if valid is not None:
        shares = torch.nn.functional.interpolate(valid[None, None].float(), size, mode="bilinear", antialias=True)
        valid = shares[0, 0] > 0.5
        valid = valid if bool(valid.any()) else None
    return replace(shot, image=image, camera=resize_camera(shot.camera, height=size[0], width=size[1]), valid=valid)


def render_structures(structures: Sequence[Volume | Structure], shot: Shot, poses: Tensor) -> Tensor:
    """Line integrals of each structure by itself, (K, H, W), at poses (K, 4, 4) seen by the shot's camera."""
    drrs = []
    for structure, pose in zip(structures, poses, strict=True):
        body = structure if isinstance(structure, Structure) else Structure.of(structure)
        volume = body.with_voxels(footprint(shot.camera, pose[None], body.pivot))
        drrs.append(render(volume, shot.camera, pose[None], samples=samples_through(volume))[0, 0])
    return torch.stack(drrs).detach().cpu()


def compared(shot: Shot) -> Mask:
    """Pixels that the registration may compare, (H, W)."""
    if shot.valid is None:
        return np.ones(tuple(shot.image.shape), dtype=bool)
    return shot.valid.cpu().numpy()


def numbers(image: Tensor) -> FloatPicture:
    """The pixels as float64."""
    return image.detach().cpu().double().numpy()


def dimmed(grey: GreyPicture, inside: Mask) -> GreyPicture:
    """The picture, darker where nothing is compared."""
    return np.where(inside, grey, np.round(grey * OUTSIDE)).astype(np.uint8)


def covered(drrs: Tensor) -> Mask:
    """Pixels at which any of the DRRs (K, H, W) shows something, (H, W)."""
    largest = drrs.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    return (drrs > COVERED * largest).any(dim=0).cpu().numpy()


def around(shot: Shot, mask: Mask) -> Mask:
    """The compared pixels in a mask and in a narrow margin around it, (H, W); those of `inner` where these are few.

    They say which values are black and white: elsewhere a raw beam, the rim of an intensifier or the leaves of a
    collimator may be so much brighter that the anatomy is left with a few dark greys.
    """
    near = _grown(mask, MARGIN) & compared(shot)
    return near if _is_enough(near) else inner(shot)


def inner(shot: Shot) -> Mask:
    """The compared pixels away from the border of the exposed field, (H, W); all compared ones where those are few.

    They say which values are black and white as long as nobody knows where the anatomy is, see `around`.
    """
    inside = compared(shot)
    border = _grown(np.pad(~inside, 1, constant_values=True), BORDER)[1:-1, 1:-1]
    return ~border if _is_enough(~border) else inside


def _grown(mask: Mask, margin: float) -> Mask:
    """The mask and what lies within a margin, a share of the longer side, of it in both directions."""
    reach = max(1, round(margin * max(mask.shape)))
    grown = torch.from_numpy(mask)[None].float()
    for kernel, padding in (((2 * reach + 1, 1), (reach, 0)), ((1, 2 * reach + 1), (0, reach))):
        grown = torch.nn.functional.max_pool2d(grown, kernel, stride=1, padding=padding)
    return (grown[0] > 0).numpy()


def _is_enough(mask: Mask) -> bool:
    return bool(mask.sum() > TOO_LITTLE * mask.size)


def xray_window(shot: Shot, where: Mask, percent: tuple[float, float] = WINDOW) -> tuple[float, float]:
    """The X-ray values shown black and white, (low, high): those in a mask, see `around`, and some spare for others.

    With the percentiles (l, h) in the mask, (L, H) of all pixels compared, and the spare s:

        low = max(l - s (h - l), min(l, L)),   high = min(h + s (h - l), max(h, H))
    """
    values = numbers(shot.image)
    (low, high), (lowest, highest) = (np.percentile(values[mask], percent) for mask in (where, compared(shot)))
    spare = SPARE * (high - low)
    low, high = max(low - spare, min(low, lowest)), min(high + spare, max(high, highest))
    return float(low), float(max(high, low + 1e-12))


def greys(values: FloatPicture, window: tuple[float, float]) -> GreyPicture:
    """Pixels from black to white over the window."""
    low, high = window
    return np.round(255 * np.clip((values - low) / (high - low), 0, 1)).astype(np.uint8)


def with_greys_of(drr: FloatPicture, xray: FloatPicture, inside: Mask) -> FloatPicture:
    """The DRR in the X-ray's values: the monotone map after which both have the same histogram inside.

    A detector's curve and the gain and offset of a file are such maps, so what differs afterwards differs in shape.
    """
    shares = np.linspace(0, 1, 257)
    have, want = (np.quantile(values[inside], shares) for values in (drr, xray))
    have = have + np.linspace(0, 1e-9, len(have)) * max(float(np.ptp(have)), 1e-9)
    return np.interp(drr, have, want)


def thin_edges(drr: FloatPicture) -> Mask:
    """Where the DRR changes fastest: ridges of its gradient, one or two pixels wide, (H, W)."""
    smooth = drr
    for _ in range(max(1, round(2 * (EDGE_BLUR * max(drr.shape)) ** 2))):  # each pass adds a variance of 1/2 px^2
        for axis in (0, 1):
            before, after = (np.take(smooth, _neighbours(smooth.shape[axis], step), axis) for step in (-1, 1))
            smooth = (before + 2 * smooth + after) / 4
    down, right = np.gradient(smooth)
    strength = np.hypot(down, right)
    if not strength.max() > 0:
        return np.zeros(drr.shape, dtype=bool)
    padded = np.pad(strength, 1)
    octant = np.round(np.arctan2(down, right) / (np.pi / 4)).astype(int) % 4
    ridge = np.zeros(drr.shape, dtype=bool)
    for k, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead, behind = _shifted(padded, y, x), _shifted(padded, -y, -x)
        ridge |= (octant == k) & (strength >= ahead) & (strength > behind)
    return ridge & (strength > FAINTEST_EDGE * np.percentile(strength[strength > 0], 99))


def _neighbours(count: int, step: int) -> NDArray[np.intp]:
    return np.clip(np.arange(count) + step, 0, count - 1)


def _shifted(padded: FloatPicture, y: int, x: int) -> FloatPicture:
    height, width = padded.shape
    return padded[1 + y : height - 1 + y, 1 + x : width - 1 + x]
