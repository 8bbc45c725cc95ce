"""Canonical intrinsics: any X-ray as the network's own detector would have seen it, by one homography."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xraykit.render import Camera
from xraykit.render.geometry import homography, resample

from ..xray.shot import Shot
from .frame import NetworkFrame

LARGEST = 4096


def canonical_image(shot: Shot, frame: NetworkFrame) -> Tensor:
    """The X-ray seen through the network's camera, (1, 1, N, N) from 0 (least) to 1 (most attenuation).

    Both cameras share source and axes, so u' = K' K^-1 u: one resampling moves the principal point to the middle,
    exchanges the source to detector distance and crops or pads to the square field of view, whatever the shape of
    the X-ray. Where the X-ray has no pixel, or no valid one, the result is 0 like bare beam.

    Args:
        shot: The X-ray.
        frame: The network's frame.

    Returns:
        As the source sees it (never mirrored: `network_input` does that). N is the network's height times the whole
        number that keeps the X-ray's resolution; `network_input` averages down to the height.
    """
    image = shot.image.float()
    inside = image if shot.valid is None else image[shot.valid]
    image = (image - inside.min()) / (inside.max() - inside.min())
    if shot.valid is not None:
        image = torch.where(shot.valid, image, 0.0)
    return resample(image[None, None], old=shot.camera, new=canonical_camera(shot.camera, frame))


def canonical_camera(camera: Camera, frame: NetworkFrame) -> Camera:
    """The network's camera in pixels about as fine as those of `camera`: a whole multiple of its height, up to 4096."""
    pitch = homography(camera, frame.camera(), dtype=torch.float64)  # pixels of `camera` per pixel of the network
    ratio = float(torch.maximum(pitch[:, 0, 0], pitch[:, 1, 1]).max())
    factor = max(1, min(math.ceil(ratio - 1e-6), LARGEST // frame.height))
    return frame.camera(frame.height * factor)
