"""The rendering that follows hands: small while it moves, in full at rest, and only the newest request counts."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from xraykit.render import Camera, Volume, render
from xraykit.render.geometry import crop_camera

from .pictures import display_camera, encoded, rendering_picture
from .placement import XrayView

FULL, SMALLEST, LARGEST = 640, 96, 384  # px of the longer side: at rest, and bounds while it moves
FIRST = 256.0  # px of the first draft
BUDGET = 0.06  # seconds for one picture while it moves
SAMPLES, FEW_SAMPLES = 400, 200
BAND = 80  # rows that are rendered at once at rest

Drawing = Callable[[Camera, bool], Tensor]
"""From a camera, and whether it is for a draft, to line integrals (H, W), or what stands for them, on the CPU."""


class LiveRendering:
    """Renders one request at a time; those that a newer one overtakes while they wait are left out.

    `newest` counts requests.
    """

    def __init__(self) -> None:
        self.newest = 0
        self.busy, self._counting = threading.Lock(), threading.Lock()
        self._draft = FIRST

    def picture(self, seen: Callable[[], tuple[XrayView, Drawing]], *, draft: bool) -> tuple[bytes, str] | None:
        """The rendering of a view's pose as a file and its type; None where a newer request overtook this one.

        A draft is as large as can be had in `BUDGET` seconds; all else is rendered in bands, to be given up between
        them when hands move on.

        Args:
            seen: Says, once it is this request's turn, which view to render, and what draws it.
            draft: JPEG for a pose that moves; else PNG, in full.
        """
        with self._counting:
            self.newest += 1
            ticket = self.newest
        with self.busy:
            view, drawing = seen()
            size = round(self._draft) if draft else FULL
            begun = time.perf_counter()
            camera = display_camera(view.shot.camera, size)
            bands, rows = [], size if draft else BAND
            for top in range(0, camera.height, rows):
                if ticket != self.newest:
                    return None
                band = crop_camera(camera, top=top, left=0, height=min(rows, camera.height - top), width=camera.width)
                bands.append(drawing(band, draft))
            picture = encoded(rendering_picture(torch.cat(bands), view.picture), "jpeg" if draft else "png")
            if draft:
                factor = (BUDGET / max(time.perf_counter() - begun, 1e-3)) ** 0.5
                self._draft = min(max(self._draft * min(max(factor, 0.7), 1.2), SMALLEST), LARGEST)
        return picture, "image/jpeg" if draft else "image/png"


def volume_at(pose: Tensor, volume: Volume) -> Drawing:
    """What draws a volume at a pose (4, 4), camera to world."""
    return lambda camera, draft: line_integrals(volume, camera, pose, draft=draft)


def line_integrals(volume: Volume, camera: Camera, pose: Tensor, *, draft: bool) -> Tensor:
    """The rendering (H, W) on the CPU; zeros where the view passes the anatomy by."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no ray meets")
        return render(volume, camera, pose[None], samples=FEW_SAMPLES if draft else SAMPLES)[0, 0].cpu()
