"""X-rays at the resolution of a CT in thick slices, along the direction in which the slices are seen stacked."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xraykit.render import Camera, Volume
from xraykit.render.geometry import project

from .pyramid import footprint

THICK = 2.75  # mm: in thinner slices answers are right to 0.1 mm as they are
LONG = 1.5  # times the other edges of a voxel, which is then a slice's and not that of a coarse grid
WIDEST = 1 / 16  # of the image's shorter side: no patient's slices are blurred by more, only a start's at the source
WITHIN = 0.95  # of the blur's weight that must fall on valid pixels


def slice_blur(volume: Volume, camera: Camera, poses: Tensor, center: Tensor) -> Tensor | None:
    r"""By how much a DRR of thick slices is blurrier than the X-ray, as a covariance in the image.

    A CT holds means over slices, and a DRR goes linearly from one to the next: along the slices' axis the patient is
    convolved with a box and a triangle of their spacing t, a kernel of variance t^2 / 12 + t^2 / 6 = t^2 / 4. Line
    integrals of a convolved volume are convolved line integrals, along the axis as the image shows it. A voxel as wide
    as a pixel at the patient, p, is what pixels are made for; what slices add to that is

        S = (t^2 - p^2) / 4 mean(d d'),    d = the step in the image per millimetre along the axis, at `center`.

    Args:
        volume: The CT or a structure of it; its slices lie across the axis of the largest spacing.
        camera: Of the image at this scale.
        poses: Camera to world of the candidates, (B, 4, 4), over which d d' is averaged.
        center: Where the patient is, world RAS [mm], (3,).

    Returns:
        S (2, 2) of (column, row) [px^2]. None where slices are not thick, see `THICK` and `LONG`, or no thicker than p.

    Source: derived here; sizes and gain in docs/xvr.md.
    """
    thickness, axis = (float(value) for value in volume.spacing.max(0))
    others = sorted(volume.spacing.tolist())[1]
    pixel = footprint(camera, poses, center)
    if thickness <= max(THICK, LONG * others, pixel):
        return None
    along = volume.affine[:3, int(axis)].double() / thickness
    ends = torch.stack([center.double() - along / 2, center.double() + along / 2])
    seen = project(ends, camera, poses.double().reshape(-1, 4, 4)).uv
    step = seen[:, 1] - seen[:, 0]
    found = (thickness**2 - pixel**2) / 4 * (step[:, :, None] * step[:, None]).mean(0)
    widest = WIDEST * min(camera.height, camera.width)
    return found * min(1.0, widest**2 / max(float(found.trace()), 1e-12))


def blurred(image: Tensor, valid: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The image (H, W) under a Gaussian of that covariance [px^2], and the pixels (H, W) of which it tells.

    Only valid pixels are averaged; one stays valid if at least `WITHIN` of the Gaussian's weight lies on such. Where
    none would, the image stays as it is.
    """
    height, width = image.shape
    spare = math.ceil(4 * math.sqrt(float(covariance.trace())))
    size = (height + spare, width + spare)  # what the transform wraps around falls there
    down, right = torch.fft.fftfreq(size[0])[:, None], torch.fft.rfftfreq(size[1])
    (xx, xy), (_, yy) = covariance.tolist()
    gain = torch.exp(-2 * math.pi**2 * (xx * right**2 + 2 * xy * right * down + yy * down**2))
    both = torch.stack([torch.where(valid, image, torch.zeros(())), valid.to(image)])
    spread = torch.fft.irfft2(torch.fft.rfft2(both, s=size) * gain, s=size)[:, :height, :width]
    kept = valid & (spread[1] > WITHIN)
    return (spread[0] / spread[1].clamp_min(WITHIN / 2), kept) if bool(kept.any()) else (image, valid)
