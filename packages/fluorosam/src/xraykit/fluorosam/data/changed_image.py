"""One stored X-ray as a training sees it: how it is framed, and the network's input that is made of it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render.views import STANDARD_VIEWS

from ..network.config import InputConfig
from ..vocabulary.mirror_images import is_one_sided
from .appearance import change_appearance, change_tone
from .framing import Framing, draw_framing, framed_maps, seen_box
from .segmentation_store import SegmentationStore
from .settings import FramingSettings, SegmentationChanges
from .windows import three_windows


def draw_image_framing(
    store: SegmentationStore, number: int, settings: FramingSettings, rng: np.random.Generator
) -> Framing:
    """A framing of image `number`; a patient whose one-sided organs are seen is not mirrored.

    Args:
        store: The images.
        number: Of the image.
        settings: What may be drawn.
        rng: Random numbers; always as many of them are taken.
    """
    view = STANDARD_VIEWS.get(store.view(number))
    return draw_framing(
        settings,
        rng,
        shown=store.shown(number),
        edge=store.edge,
        size=store.image_size,
        may_mirror=not any(map(is_one_sided, store.annotation_names(number))),
        display_mirrored=view is not None and view.mirrored_display,
    )


def seen_image(
    store: SegmentationStore,
    number: int,
    framing: Framing,
    changes: SegmentationChanges,
    windows: InputConfig,
    rng: np.random.Generator,
) -> Tensor:
    """Image `number` as a framing shows it and the network sees it, (3, S, S) in [-1, 1], 0 in the padding.

    Args:
        store: The images.
        number: Of the image.
        framing: How it lies.
        changes: Of its grey scale and its look.
        windows: How windows are found and shown.
        rng: Random numbers.
    """
    with torch.autocast("cpu", enabled=False):  # batches may be made inside a step of lower precision
        return _seen(store, number, framing, changes, windows, rng)


def _seen(
    store: SegmentationStore,
    number: int,
    framing: Framing,
    changes: SegmentationChanges,
    windows: InputConfig,
    rng: np.random.Generator,
) -> Tensor:
    top, left, bottom, right = seen_box(framing, store.shown(number), store.edge)
    grey = change_tone(store.image(number)[top:bottom, left:right], changes.tone, rng)
    found = three_windows(-grey, samples=windows.samples)
    found = 1 - found if windows.inverted else found
    outside = float(rng.random() < 0.5)
    found = framed_maps(found, framing, edge=store.edge, outside=outside, corner=(top, left))
    found = change_appearance(found, changes.appearance, rng)
    rows, columns = framing.shown
    return F.pad(found * 2 - 1, (0, framing.size - columns, 0, framing.size - rows))
