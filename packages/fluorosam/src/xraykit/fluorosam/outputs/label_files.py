"""Masks as one indexed picture, a number a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xraykit.render import InputError
from xraykit.render.pictures import colours
from xraykit.render.storage import write_atomically

from .named_mask import NamedMask, check_masks

MOST_LABELS = 255


def label_image(masks: Sequence[NamedMask], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W): 0 where there is nothing, else the number of a mask, from 1 in their order.

    Where masks overlap the smallest shows, so that a rib is not lost in the lung.

    Raises:
        InputError: A mask of another size, or more than 255.
    """
    check_masks(masks, size)
    if len(masks) > MOST_LABELS:
        raise InputError(f"a label file holds {MOST_LABELS} masks, got {len(masks)}; ask for fewer at a time.")
    labels = np.zeros(size, dtype=np.uint8)
    for number in sorted(range(len(masks)), key=lambda n: -masks[n].area):
        labels[masks[number].mask] = number + 1
    return labels


def label_table(masks: Sequence[NamedMask]) -> list[dict[str, Any]]:
    """What the numbers of `label_image` mean: value, name, target and colour [r, g, b]."""
    shades = colours(len(masks))
    return [
        {"value": number, "name": one.name, "target": one.target, "colour": list(shade)}
        for number, (one, shade) in enumerate(zip(masks, shades, strict=True), start=1)
    ]


def save_label_image(path: str | Path, masks: Sequence[NamedMask], size: tuple[int, int]) -> Path:
    """Write `label_image` as an indexed PNG in the colours of the overlay.

    Raises:
        InputError: As `label_image`. OutputError: The file cannot be written.
    """
    picture = Image.frombytes("P", (size[1], size[0]), label_image(masks, size).tobytes())
    picture.putpalette([0, 0, 0, *(value for shade in colours(len(masks)) for value in shade)])
    return write_atomically(path, lambda file: picture.save(file, format="PNG"))
