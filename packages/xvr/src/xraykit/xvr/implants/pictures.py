"""The X-ray with the shadows of the implants found, and with those of their rivals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render.meshes import thickness
from xraykit.render.pictures import beside_legend, overlay

from ..result.display import around, resized
from ..result.pictures import xray_greys
from ..xray.shot import Shot
from .implant import Implant

LONGER_SIDE = 768


def implant_overlay(shot: Shot, implants: Sequence[Implant], poses: Tensor) -> NDArray[np.uint8]:
    """Outlines of K implants at poses (K, 4, 4), camera to mesh, on the X-ray, with their names; (H, W, 3)."""
    small = resized(shot, LONGER_SIDE)
    masks = {
        implant.name: (thickness([implant.mesh], small.camera, pose[None])[0, 0] > 0).numpy()
        for implant, pose in zip(implants, poses, strict=True)
    }
    grey = xray_greys(small, around(small, np.any(list(masks.values()), axis=0)))
    return beside_legend(overlay(grey, masks, opacity=0.12), list(masks))
