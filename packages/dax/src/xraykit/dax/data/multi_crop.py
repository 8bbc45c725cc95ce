"""Two global and several local views of every frame of a batch: what a student and its teacher look at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .draw import MultiCropDraws
from .frame_images import FrameBatch, frames_to_images
from .photometry import change_grey_values
from .preprocessing import standardise
from .settings import MultiCropSettings, PreprocessSettings
from .warp import warp_views


def multi_crops(
    frames: FrameBatch,
    draws: MultiCropDraws,
    settings: MultiCropSettings,
    preprocess: PreprocessSettings | None = None,
) -> list[Tensor]:
    """The views of prepared frames: preprocessed, then cropped and changed as drawn.

    Args:
        frames: Of `pad_frames`, on the device that does the work.
        draws: Of `draw_crops` for them.
        settings: Of the crops.
        preprocess: Lowpass, mean and std are used; None is the default.

    Returns:
        2 global views (B, 1, G, G), then the local ones (B, 1, L, L); float32, in [0, 1] before `mean` and `std` but
        for the overshoot of bicubic resizing where a view was not jittered.

    Gradients: none.
    """
    preprocess = preprocess or PreprocessSettings()
    with torch.no_grad(), torch.autocast(frames.codes.device.type, enabled=False):
        device = frames.codes.device
        deviations, linear = torch.from_numpy(draws.deviations).to(device), torch.from_numpy(draws.linear)
        images = frames_to_images(frames, deviations, linear, lowpass=preprocess.lowpass)
        return [standardise(view, preprocess) for view in crop_images(images, frames.sizes, draws, settings)]


def crop_images(
    images: Tensor, sizes: Sequence[tuple[int, int]], draws: MultiCropDraws, settings: MultiCropSettings
) -> list[Tensor]:
    """As `multi_crops`, of images (B, 1, H, W) in [0, 1], each in the top left corner and 0 beyond its size."""
    edges = (settings.global_size, settings.global_size, settings.local_size)
    crops: list[Tensor] = []
    for drawn, edge in zip(draws.views, edges, strict=False):
        views = warp_views(images, sizes, drawn.boxes, drawn.angles, drawn.flips, edge)
        crops += change_grey_values(views, drawn).transpose(0, 1).contiguous()[:, :, None].unbind(0)
    return crops
