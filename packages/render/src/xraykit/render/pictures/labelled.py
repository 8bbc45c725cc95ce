"""An X-ray with its masks in colour and their names beside it; too many labels are joined into families."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from .grey_and_overlay import Grey, legend, montage, overlay

MOST_COLOURS = 24  # beyond, neighbours in the legend can no longer be told apart
COLUMN, ROW = 220, 19  # [px] of the legend

Masks = Mapping[str, NDArray[np.bool_]]


def labelled_picture(
    grey: Grey, masks: Masks, *, tools: Collection[str] = (), mirrored: bool = False
) -> NDArray[np.uint8]:
    """Masks over an X-ray, each with its outline, and a legend on the right as high as the picture.

    Args:
        grey: (H, W) uint8, as projected.
        masks: Named (H, W) masks in the frame of grey, each with a pixel; none leaves the legend out. More than
            MOST_COLOURS are joined into families.
        tools: Names among them that stand for themselves and come last.
        mirrored: Flip the picture, not the legend, left to right for display.

    Returns:
        (H', W', 3) uint8; just the picture, (H, W, 3), without masks.
    """
    if len(masks) > MOST_COLOURS:
        masks = joined_families(masks, tools=tools)
    picture = overlay(grey, masks)
    picture = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
    return beside_legend(picture, list(masks)) if masks else picture


def beside_legend(picture: NDArray[np.uint8], names: Sequence[str]) -> NDArray[np.uint8]:
    """The picture with a legend of as many columns as its height asks for."""
    columns = -(-len(names) // max(1, picture.shape[0] // ROW))
    return montage([picture, legend(names, width=COLUMN * columns, columns=columns)])


def joined_families(masks: Masks, *, tools: Collection[str] = ()) -> dict[str, NDArray[np.bool_]]:
    """The masks with sides, numbers and lobes of one organ joined (rib_left_3 to rib), in order of appearance.

    Args:
        masks: By name.
        tools: Names among them that are no organs: they stay as they are, after all others, in this order.
    """
    joined: dict[str, NDArray[np.bool_]] = {}
    for name, mask in masks.items():
        if name in tools:
            continue
        family = re.sub(r"(_(upper|middle|lower)_lobe)?(_(left|right))?(_[A-Z]?\d+)?$", "", name)
        joined[family] = joined[family] | mask if family in joined else mask
    return joined | {name: masks[name] for name in tools if name in masks}
