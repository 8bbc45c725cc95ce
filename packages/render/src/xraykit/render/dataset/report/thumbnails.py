"""Small pictures of samples for a page: the X-ray as it is displayed, with its masks on request."""

from __future__ import annotations

import base64
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from ...pictures.grey_and_overlay import overlay, to_grey
from ...pictures.labelled import joined_families
from ..read.xray_sample import XraySample
from .survey import SampleFacts

QUALITY, _SIDE, _QUANTILES = 88, 192, (0.01, 0.995)


def choose(rows: Iterable[SampleFacts], *, each: int) -> list[SampleFacts]:
    """At most `each` samples of every view of every region, drawn by their keys, in the order of region and view."""
    groups: dict[tuple[str, str], list[SampleFacts]] = defaultdict(list)
    for row in rows:
        groups[row.region, row.view].append(row)
    drawn = {name: sorted(group, key=lambda row: _lot(row.key))[:each] for name, group in groups.items()}
    return [row for name in sorted(drawn) for row in drawn[name]]


def thumbnail(sample: XraySample, *, masks: bool) -> str:
    """A JPEG as a data: address, 192 px along its longer side; what the collimator covers is black."""
    dark, seen = sample.log_attenuation(), sample.open_field
    values = dark[0][seen] if seen.any() else dark
    low, high = np.quantile(values.numpy(), _QUANTILES)
    scale = min(1.0, _SIDE / max(dark.shape[-2:]))
    size = (max(1, round(dark.shape[-2] * scale)), max(1, round(dark.shape[-1] * scale)))
    small = adaptive_avg_pool2d(torch.where(seen, dark, torch.tensor(low))[None], size)[0, 0]
    picture: NDArray[np.uint8] = to_grey(small - float(low), window=(0.0, max(float(high - low), 1e-3)))
    if masks and sample.names:
        picture = overlay(picture, _masks(sample, size), opacity=0.25)
    view = sample.record.get("view")
    if isinstance(view, dict) and view.get("mirrored_display") is True:
        picture = np.ascontiguousarray(picture[:, ::-1])
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _masks(sample: XraySample, size: tuple[int, int]) -> dict[str, NDArray[np.bool_]]:
    """The masks at the picture's size, organs joined into families, tools on top."""
    stack = adaptive_avg_pool2d(sample.masks[None].float(), size)[0].numpy() >= 0.5
    tools = [name for name, kind in zip(sample.names, sample.kinds, strict=True) if kind == "tool"]
    return joined_families(dict(zip(sample.names, stack, strict=True)), tools=tools)


def _lot(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
