"""Small pictures of samples for a page: the X-ray as it is displayed, with its masks on request."""

from __future__ import annotations

import base64
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..pictures import families, overlay, to_grey
from .report_survey import SampleFacts
from .samples import XraySample

QUALITY, _SIDE, _FULL = 85, 192, 8.0


def choose(rows: Iterable[SampleFacts], *, each: int) -> list[SampleFacts]:
    """At most `each` samples of every view of every region, drawn by their keys, in the order of region and view."""
    groups: dict[tuple[str, str], list[SampleFacts]] = defaultdict(list)
    for row in rows:
        groups[row.region, row.view].append(row)
    drawn = {name: sorted(group, key=lambda row: _lot(row.key))[:each] for name, group in groups.items()}
    return [row for name in sorted(drawn) for row in drawn[name]]


def thumbnail(sample: XraySample, *, masks: bool) -> str:
    """A JPEG as a data: address, 192 px along its longer side."""
    dark = sample.log_attenuation()[0].clamp(-0.5, _FULL).numpy()
    window = np.quantile(dark, (0.02, 0.995))
    grey = to_grey(dark - dark.min(), window=tuple(window - dark.min()))
    picture: NDArray[np.uint8] = grey
    if masks and sample.names:
        stack = sample.masks.numpy()
        named = {f"{n}": mask for n, mask in enumerate(stack) if mask.any() and sample.kinds[n] == "tool"}
        organs = {
            name: mask for name, mask, kind in zip(sample.names, stack, sample.kinds, strict=True) if kind != "tool"
        }
        picture = overlay(grey, {**families(organs), **named}) if organs or named else grey
    view = sample.record.get("view")
    if isinstance(view, dict) and view.get("mirrored_display") is True:
        picture = np.ascontiguousarray(picture[:, ::-1])
    image = Image.fromarray(picture)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _lot(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
