"""Grey pictures for the page: the X-ray once, the rendering for every pose, both on one square-pixel grid."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from xraykit.render import Camera
from xraykit.render.geometry import resample, resize_camera

from ..result.display import GreyPicture, greys, inner, numbers, xray_window
from ..xray.shot import Shot

PERCENTILES = (1.0, 99.5)  # half-covered pixels along the border of a resampled X-ray are not among them
COVERED = 0.02  # of the largest line integral: less is air
OUTSIDE = 0.1  # brightness of pixels of the X-ray that are not compared
QUALITY = 90
QUANTILES = (0.05, 0.95)
FAINT = 24.0  # greys
LEAST_SPAN = 0.25  # of the upper quantile, between both: metal that lets nothing through has no span of its own


def display_camera(camera: Camera, size: int) -> Camera:
    """The camera of the same detector area in (nearly) square pixels, `size` along its longer side."""
    _, spacing, _ = camera.tensors(dtype=torch.float64, device="cpu")
    extent = np.array([camera.height, camera.width]) * spacing[0].numpy()
    height, width = (max(1, round(size * side / extent.max())) for side in extent)
    return resize_camera(camera, height=height, width=width)


class XrayPicture(NamedTuple):
    """The X-ray for the eye: `grey` (H, W), and which of its pixels are compared."""

    grey: GreyPicture
    valid: NDArray[np.bool_]


def xray_picture(shot: Shot, size: int) -> XrayPicture:
    """The X-ray `size` pixels long, the pixels that are not compared nearly black.

    Greys are spent on what lies away from the border of the exposed field, see `xray_window` and `inner`.
    """
    camera = display_camera(shot.camera, size)
    shape = (camera.height, camera.width)
    image = shot.image[None, None].float()
    if camera.height < shot.camera.height:
        shown = torch.nn.functional.interpolate(image, shape, mode="area")[0, 0]
    else:
        shown = resample(image, old=shot.camera, new=camera)[0, 0]
    valid = torch.ones(shape, dtype=torch.bool)
    if shot.valid is not None:
        kept = torch.nn.functional.interpolate(shot.valid[None, None].float(), shape)[0, 0] > 0.5
        valid = kept if bool(kept.any()) else valid
    small = replace(shot, image=shown, camera=camera, valid=valid)
    grey, seen = greys(numbers(shown), xray_window(small, inner(small), PERCENTILES)), valid.cpu().numpy()
    return XrayPicture(np.where(seen, grey, grey * OUTSIDE).astype(np.uint8), seen)


def rendering_picture(image: Tensor, xray: XrayPicture) -> GreyPicture:
    """Line integrals (H, W) in the greys of the X-ray's picture, of any size; black where nothing attenuates.

    Two quantiles of the pixels that the anatomy covers become the greys that the X-ray has at those quantiles there,
    so that the two pictures are alike where the pose is right, and the greys do not depend on how right it is.
    """
    values = image.detach().cpu().float().numpy()
    covered = values > COVERED * values.max()
    size = values.shape[::-1]
    valid = np.asarray(Image.fromarray(xray.valid).resize(size, Image.Resampling.NEAREST))
    common = covered & valid if (covered & valid).any() else covered
    if not common.any():
        return np.zeros(values.shape, np.uint8)
    beneath = np.asarray(Image.fromarray(xray.grey).resize(size, Image.Resampling.BILINEAR))
    low, high = np.quantile(values[common], QUANTILES)
    dark, bright = np.quantile(beneath[common], QUANTILES)
    if bright - dark < FAINT:  # the X-ray shows nothing there
        dark, bright = 32.0, 224.0
    low = min(low, (1 - LEAST_SPAN) * high)
    shown = dark + (values - low) * (bright - dark) / max(high - low, 1e-12)
    return (np.clip(shown, 1, 255) * covered).round().astype(np.uint8)


def encoded(grey: GreyPicture, kind: Literal["jpeg", "png"]) -> bytes:
    """The picture as a file: JPEG while it moves, PNG once it rests."""
    stream = io.BytesIO()
    options = {"quality": QUALITY} if kind == "jpeg" else {"compress_level": 1}
    Image.fromarray(grey).save(stream, format=kind.upper(), **options)
    return stream.getvalue()
