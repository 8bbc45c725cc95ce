"""One frame of the viewer: the X-ray of a state, as the detector gets it and as the monitor shows it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..errors import InputError
from ..pictures.edge_letters import EdgeLetters, directions_at_edges
from ..pictures.grey_and_overlay import overlay, to_grey
from ..rendering.options import Backend
from ..rendering.rendering import label_masks, render
from ..volumes.volume import Volume
from .state import ViewerState

MONITOR = 512  # pixels along the edge of the picture on the monitor
PERCENTILES = (1.0, 99.7)
COVERED = 0.02  # of the largest line integral
ColourPicture = NDArray[np.uint8]


class ViewerFrame(NamedTuple):
    """What one state looks like.

    `image` (size, size) line integrals; `detector` (size, size, 3) the picture as projected; `monitor` the same for
    reading: larger, mirrored if the state says so, lettered; `seconds` spent on the projection and on the pictures.
    """

    image: NDArray[np.floating]
    detector: ColourPicture
    monitor: ColourPicture
    pose: Tensor
    window: tuple[float, float]
    seconds: tuple[float, float]


class Renderer:
    """Turns states into frames of one volume.

    Args:
        volume: The patient, on the device that renders.
        samples: Samples per ray.
        backend: As in `render`.
    """

    def __init__(self, volume: Volume, *, samples: int, backend: Backend) -> None:
        self.volume, self.samples = volume, samples
        self.backend: Backend = backend
        self._highlighted: tuple[str, Volume] | None = None

    def frame(self, state: ViewerState) -> ViewerFrame:
        """The X-ray of a state.

        Raises:
            GeometryError: The state describes no X-ray set-up.
            InputError: The volume has no label of the highlighted name.
        """
        begun = time.perf_counter()
        camera, pose = state.camera, state.pose(self.volume.center)
        rays = render(self.volume, camera, pose, samples=self.samples, backend=self.backend)
        image = rays[0, 0].cpu().float().numpy()
        mask = None
        if state.highlight is not None:
            only = self._only(state.highlight)
            mask = label_masks(only, camera, pose, backend=self.backend)[0, 1].cpu().numpy()
        projected = time.perf_counter()
        window = state.window or auto_window(image)
        grey = to_grey(image, window=window, style=state.style)
        detector = np.repeat(grey[..., None], 3, axis=2) if mask is None else overlay(grey, {"": mask})
        monitor = on_monitor(detector, directions_at_edges(pose, mirrored=state.mirrored), mirrored=state.mirrored)
        return ViewerFrame(image, detector, monitor, pose, window, (projected - begun, time.perf_counter() - projected))

    def _only(self, name: str) -> Volume:
        """The volume with one label left, as label 1."""
        if self._highlighted is None or self._highlighted[0] != name:
            mask = label_mask(self.volume, name)
            self._highlighted = name, replace(self.volume, labels=mask.to(torch.uint8))
        return self._highlighted[1]


def label_mask(volume: Volume, name: str) -> Tensor:
    """Where a label is, (D, H, W) bool.

    Raises:
        InputError: The volume has no labels, none of this name, or none of its voxels.
    """
    if volume.labels is None:
        raise InputError(f"{name!r} can be shown where the volume has labels, got none; read it with labels=SEG.")
    values = torch.tensor(volume.find_labels(name), device=volume.device)
    mask = torch.isin(volume.labels, values.to(volume.labels.dtype))
    if not bool(mask.any()):
        raise InputError(f"{name!r} must be a label that some voxel has, got one without; choose another.")
    return mask


def auto_window(image: NDArray[np.floating]) -> tuple[float, float]:
    """Line integrals to show as black and white: percentiles of the pixels that the patient covers."""
    covered = image[image > COVERED * image.max()]
    low, high = np.percentile(covered, PERCENTILES) if covered.size else (0.0, 1.0)
    return float(low), float(high)


def on_monitor(picture: ColourPicture, letters: EdgeLetters, *, mirrored: bool, size: int = MONITOR) -> ColourPicture:
    """The picture at reading size (size, size, 3), flipped if mirrored, with the patient's directions at its edges."""
    shown = Image.fromarray(np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture)
    shown = shown.resize((size, size), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(shown)
    font, middle, edge = ImageFont.load_default(size // 18), size / 2, size * 0.02
    places = {
        "lm": (edge, middle, letters.left),
        "rm": (size - edge, middle, letters.right),
        "ma": (middle, edge, letters.top),
        "md": (middle, size - edge, letters.bottom),
    }
    for anchor, (x, y, text) in places.items():
        draw.text((x, y), text, fill=(255, 209, 102), font=font, anchor=anchor, stroke_width=2, stroke_fill=(0, 0, 0))
    return np.asarray(shown)
