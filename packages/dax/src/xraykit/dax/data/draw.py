"""The random numbers of a batch of views: for each sample a stream of its own, whoever draws it and with whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .settings import MultiCropSettings
from .views import ANGLE, BLUR_SIGMA, DEVIATIONS, FLIP, JITTER, LINEAR, SHARPNESS, STRENGTH, VIEW_TABLE, ViewKind

TRIES = 10  # for a crop that fits in; then the middle
NAMES = (
    *("top", "left", "rotate", "angle", "mirror", "overturn", "jitter", "brightness"),
    *("contrast", "order", "blur", "sigma", "sharpen", "factor", "solarize"),
)
COLUMNS = len(NAMES) + TRIES  # uniform numbers of a view


@dataclass(frozen=True, eq=False)
class ViewDraws:
    """What happens to V views of each of B frames; arrays (B, V), a neutral value where nothing happens."""

    boxes: NDArray[np.int64]
    """(B, V, 4): top, left, height, width [px of the frame]"""
    angles: NDArray[np.float64]
    """Counter-clockwise [degrees]; 0 is not turned"""
    flips: NDArray[np.bool_]
    """(B, V, 2): left to right, top to bottom"""
    jittered: NDArray[np.bool_]
    brightness: NDArray[np.float64]
    contrast: NDArray[np.float64]
    contrast_first: NDArray[np.bool_]
    blur_sigma: NDArray[np.float64]
    """[px]; 0 is not blurred"""
    sharpness: NDArray[np.float64]
    """Factor; NaN is not changed"""
    solarized: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class MultiCropDraws:
    """Everything random in the views of B frames."""

    deviations: NDArray[np.float64]
    """(B,): k of the clip"""
    linear: NDArray[np.bool_]
    """(B,): intensity stays linear"""
    views: tuple[ViewDraws, ...]
    """First global, second global and, if there are any, local views"""


def draw_crops(
    settings: MultiCropSettings,
    sizes: Sequence[tuple[int, int]],
    *,
    seed: int,
    places: Sequence[tuple[int, int]],
    deviations: float = 3.0,
) -> MultiCropDraws:
    r"""The draws of frames, each from the stream of (seed, epoch, number); see `VIEW_TABLE` for the distributions.

    A crop is a square of area s H W, s uniform in the scale, its place uniform among those inside the frame. After ten
    that do not fit in a frame that is not square, the largest square in the middle is taken.

    Args:
        settings: Of the crops.
        sizes: Height and width of each frame [px].
        seed: 0 or more.
        places: (epoch, number in its store) of each frame.
        deviations: k of the clip where augmentation A does not draw it.
    """
    kinds = VIEW_TABLE[settings.augmentation]
    counts = (1, 1, settings.local_crops)
    numbers = np.stack([_stream(seed, *place).random((1 + sum(counts), COLUMNS)) for place in places])
    clip, linear = np.full(len(numbers), float(deviations)), np.zeros(len(numbers), dtype=bool)
    if settings.augmentation == "B":
        clip, linear = _between(numbers[:, 0, 0], DEVIATIONS), numbers[:, 0, 1] < LINEAR
    views, start = [], 1
    for kind, count, scale in zip(
        kinds, counts, (settings.global_scale, settings.global_scale, settings.local_scale), strict=True
    ):
        if count:
            views.append(_views(numbers[:, start : start + count], kind, scale, np.asarray(sizes)))
        start += count
    return MultiCropDraws(clip, linear, tuple(views))


def _views(numbers: NDArray, kind: ViewKind, scale: tuple[float, float], sizes: NDArray) -> ViewDraws:
    u = {name: numbers[..., column] for column, name in enumerate(NAMES)}
    return ViewDraws(
        boxes=_boxes(numbers[..., len(NAMES) :], u["top"], u["left"], scale, sizes),
        angles=np.where(u["rotate"] < kind.rotate, _between(u["angle"], (-ANGLE, ANGLE)), 0.0),
        flips=np.stack([u["mirror"] < FLIP, u["overturn"] < FLIP], -1),
        jittered=u["jitter"] < JITTER,
        brightness=_between(u["brightness"], STRENGTH),
        contrast=_between(u["contrast"], STRENGTH),
        contrast_first=u["order"] < 0.5,
        blur_sigma=np.where(u["blur"] < kind.blur, _between(u["sigma"], BLUR_SIGMA), 0.0),
        sharpness=np.where(u["sharpen"] < kind.sharpen, _between(u["factor"], SHARPNESS), np.nan),
        solarized=u["solarize"] < kind.solarize,
    )


def _boxes(
    tries: NDArray, vertical: NDArray, horizontal: NDArray, scale: tuple[float, float], sizes: NDArray
) -> NDArray[np.int64]:
    """(B, V, 4) of the first of the tries (B, V, TRIES) that fits."""
    heights, widths = sizes[:, :1], sizes[:, 1:]
    sides = np.rint(np.sqrt(_between(tries, scale) * (heights * widths)[..., None])).astype(np.int64)
    fits = (sides > 0) & (sides <= np.minimum(heights, widths)[..., None])
    first = fits.argmax(-1)[..., None]
    side = np.take_along_axis(sides, first, -1)[..., 0]
    largest = np.broadcast_to(np.minimum(heights, widths), side.shape)
    found = fits.any(-1)
    top = np.where(found, (vertical * (heights - side + 1)).astype(np.int64), (heights - largest) // 2)
    left = np.where(found, (horizontal * (widths - side + 1)).astype(np.int64), (widths - largest) // 2)
    side = np.where(found, side, largest)
    return np.stack([top, left, side, side], -1)


def _between(uniform: NDArray, bounds: tuple[float, float]) -> NDArray:
    return bounds[0] + (bounds[1] - bounds[0]) * uniform


def _stream(seed: int, epoch: int, index: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch, index))))
