"""X-rays at the resolution of a CT: a DRR is blurred by voxels as an X-ray is by pixels, and mostly by more."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xraykit.render import Camera, Volume
from xraykit.render.geometry import project

LEAST = 0.3  # px^2, the trace: detectors blur by as much, which nothing tells
WIDEST = 1 / 16  # of the image's shorter side: no patient's voxels are blurred by more, only a start's at the source
WITHIN = 0.95  # of the blur's weight that must fall on valid pixels


def at_resolution(
    image: Tensor, valid: Tensor, volume: Volume, camera: Camera, poses: Tensor, center: Tensor, shrunk: float
) -> tuple[Tensor, Tensor]:
    """An image (H, W) and its valid pixels (H, W) under what `missing_blur` says of them, if anything."""
    blur = missing_blur(volume, camera, poses, center, shrunk)
    return (image, valid) if blur is None else blurred(image, valid, blur)


def missing_blur(volume: Volume, camera: Camera, poses: Tensor, center: Tensor, shrunk: float) -> Tensor | None:
    r"""By how much a DRR is blurrier than the X-ray, as a covariance in the image.

    A CT holds means over voxels, and a DRR goes linearly from one to the next: along each axis the patient is convolved
    with a box and a triangle of the spacing t, a kernel of variance t^2 / 12 + t^2 / 6 = t^2 / 4. Line integrals of a
    convolved volume are convolved line integrals, along the axes as the image shows them. A pixel of the X-ray is the
    mean over itself, of variance 1/12; of one that was shrunk by f < 1 (antialiased, with a triangle of its own new
    pixels) the variance is 1/6 + f^2 / 12. The DRR itself samples points. So it is blurrier by

        S = sum_a t_a^2 / 4 mean(d_a d_a') - v I,    d_a = the image's step per millimetre along axis a, at `center`,

    and where that is negative in a direction by nothing.

    Args:
        volume: As it is rendered at this scale.
        camera: Of the image at this scale.
        poses: Camera to world of the candidates, (B, 4, 4), over which d d' is averaged.
        center: Where the patient is, world RAS [mm], (3,).
        shrunk: f, pixels of this scale's image over those of the X-ray; 1 is the X-ray as it is.

    Returns:
        S (2, 2) of (column, row) [px^2]; None where its trace is below `LEAST`.

    Source: derived here; sizes and gain in docs/xvr.md.
    """
    edges = volume.affine[:3, :3].double()
    units = edges / edges.norm(dim=0)
    ends = center.double() + torch.cat([units.mT, -units.mT]) / 2
    seen = project(ends, camera, poses.double().reshape(-1, 4, 4)).uv
    steps = (seen[:, :3] - seen[:, 3:]) * volume.spacing.double()[:, None]
    own = 1 / 12 if shrunk >= 1 else 1 / 6 + shrunk**2 / 12
    excess = (steps.mT @ steps).mean(0) / 4 - own * torch.eye(2, dtype=torch.float64)
    sizes, directions = torch.linalg.eigh(excess)
    found = directions @ torch.diag(sizes.clamp_min(0)) @ directions.mT
    size = float(found.trace())
    if not LEAST < size < math.inf:
        return None
    return found * min(1.0, (WIDEST * min(camera.height, camera.width)) ** 2 / size)


def blurred(image: Tensor, valid: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The image (H, W) under a Gaussian of that covariance [px^2], and the pixels (H, W) of which it tells.

    Only valid pixels are averaged; one stays valid if at least `WITHIN` of the Gaussian's weight lies on such. Where
    less than half of them would, the image stays as it is.
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
    return (
        (spread[0] / spread[1].clamp_min(WITHIN / 2), kept)
        if 2 * int(kept.sum()) > int(valid.sum())
        else (image, valid)
    )
