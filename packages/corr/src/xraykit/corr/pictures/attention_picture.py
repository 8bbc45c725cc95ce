"""What a classifier of studies looked at, as colour over its X-rays, with and without guidance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.pictures import montage

EDGE = 320  # [px] of a panel
SHADE, OPACITY = 0.75, 0.75
COLOUR = (255, 120, 40)
LEAST_PEAK = 0.25


class AttentionLook(NamedTuple):
    """What one classifier looked at in a study."""

    name: str
    """Such as "guided" """
    maps: Tensor
    """(V, G, G), see `StudyClassifier.attention_maps`"""


def draw_attention(
    images: Tensor, looks: Sequence[AttentionLook], *, views: Sequence[str] = (), title: str = ""
) -> NDArray[np.uint8]:
    """The X-rays of a study as each classifier looked at them, side by side.

    Evenly spread attention has no colour: colour is what a patch gets above the mean of all patches, over the most that
    any patch of any panel gets (at least a quarter of the mean), so that panels can be compared. Below stands how much
    of the attention a view got, and its largest value as a multiple of the mean.

    Args:
        images: (V, 1, S, S) in [0, 1].
        looks: One or more.
        views: Names of the views.
        title: Above all.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: No look, or maps of other views.
    """
    if not looks or any(look.maps.ndim != 3 or len(look.maps) != len(images) for look in looks):
        raise InputError(f"a picture of attention needs maps (V, G, G) of {len(images)} views, got others.")
    above = [look.maps / look.maps.mean().clamp_min(1e-12) - 1 for look in looks]
    peak = max(LEAST_PEAK, *(float(values.max()) for values in above))
    pictures, captions = [], []
    for look, values in zip(looks, above, strict=True):
        for view, image in enumerate(images):
            pictures.append(_tinted(image[0].numpy(), values[view].numpy() / peak))
            name = views[view] if view < len(views) else f"view {view + 1}"
            share = 100 * float(look.maps[view].sum() / look.maps.sum().clamp_min(1e-12))
            most = 1 + float(values[view].max())
            captions.append(f"{look.name}: {name}, {share:.0f} % of the attention, up to {most:.2f} of the mean")
    return montage(pictures, captions, title=title)


def _tinted(image: NDArray[np.float32], values: NDArray[np.floating]) -> NDArray[np.uint8]:
    grey = Image.fromarray((image * 255).round().astype(np.uint8)).resize((EDGE, EDGE), Image.Resampling.BICUBIC)
    heat = Image.fromarray(values.astype(np.float32)).resize((EDGE, EDGE), Image.Resampling.BILINEAR)
    picture = np.repeat(np.asarray(grey, dtype=np.float64)[..., None], 3, axis=2) * SHADE
    share = OPACITY * np.clip(np.asarray(heat), 0, 1)[..., None]
    return np.round(picture * (1 - share) + np.array(COLOUR) * share).astype(np.uint8)
