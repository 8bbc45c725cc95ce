"""A mask as FluoroSeg writes it: polygons, or run lengths alone, with entry and exit depths, or with path lengths."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.dataset import decode_run_lengths, encode_run_lengths

MaskArray = NDArray[np.bool_]
_MOST_LAYERS, _MOST_CORNERS = 256, 100_000


@dataclass(frozen=True, eq=False)
class FluoroSegMask:
    """What one annotation shows.

    Args:
        mask: (H, W) bool.
        depths: For each layer where rays enter or leave, its mask (H, W) and its depths (N,) over the mask's pixels,
            row by row [mm]; empty where the file has none.
        path_lengths: (N,) over the mask's pixels, row by row [mm], or None.
    """

    mask: MaskArray
    depths: tuple[tuple[MaskArray, NDArray[np.float16]], ...] = ()
    path_lengths: NDArray[np.float16] | None = None


def decode_fluoroseg_mask(segmentation: object, size: tuple[int, int], *, place: str) -> FluoroSegMask:
    """The mask of an annotation's `segmentation`.

    A list is polygons, each x1, y1, x2, y2, ... in pixels, pixel borders at whole numbers; the mask is all of them
    together. A table is run lengths by its keys: {size, counts}; {size, counts, hits}, lists with a mask and its depths
    for each layer, the first of which is the mask; {size, counts, travel}. Counts are COCO's, as text or as numbers;
    hits and travel are base64 of float16 values over the mask's pixels, row by row.

    Args:
        segmentation: As JSON says it.
        size: (H, W) of the image.
        place: Where it stands, for messages.

    Raises:
        FileError: Anything else, or runs that do not fill the image.
    """
    try:
        if isinstance(segmentation, list):
            return FluoroSegMask(_polygons(segmentation, size))
        if not isinstance(segmentation, Mapping):
            raise InputError(f"expected polygons or run lengths, got {str(segmentation)[:40]!r}")
        if segmentation.get("size") != list(size):
            raise InputError(f"expected run lengths of {list(size)} pixels, got {str(segmentation.get('size'))[:40]}")
        return _by_keys(segmentation, size)
    except (InputError, FileError) as error:
        raise FileError(f"{place}: {str(error).rstrip('.')}; make the file again.") from error


def fluoroseg_segmentation(mask: Tensor, path_lengths: Tensor | None = None) -> dict[str, Any]:
    """A mask as run lengths, with path lengths where there are some; `decode_fluoroseg_mask` reads it back.

    Args:
        mask: (H, W) bool.
        path_lengths: (H, W) [mm]; kept as float16.

    Raises:
        InputError: Another shape or type, or no pixels.
    """
    runs = encode_run_lengths(mask.cpu().numpy())
    if path_lengths is None:
        return runs
    values = path_lengths[mask].to(torch.float16).cpu().numpy().astype("<f2")
    return {**runs, "travel": base64.b64encode(values.tobytes()).decode("ascii")}


def _by_keys(given: Mapping[str, Any], size: tuple[int, int]) -> FluoroSegMask:
    keys = frozenset(given)
    if keys == {"size", "counts"}:
        return FluoroSegMask(_runs(given["counts"], size))
    if keys == {"size", "counts", "travel"}:
        mask = _runs(given["counts"], size)
        return FluoroSegMask(mask, path_lengths=_values(given["travel"], mask, "travel"))
    if keys == {"size", "counts", "hits"}:
        counts, hits = given["counts"], given["hits"]
        if not (isinstance(counts, list) and isinstance(hits, list) and 0 < len(counts) == len(hits) <= _MOST_LAYERS):
            raise InputError("expected counts and hits to be lists, one of each a layer")
        layers = tuple(_layer(runs, values, size) for runs, values in zip(counts, hits, strict=True))
        return FluoroSegMask(layers[0][0], layers)
    raise InputError(f"expected size, counts and either hits or travel, got {', '.join(sorted(map(str, keys)))[:80]}")


def _layer(runs: object, values: object, size: tuple[int, int]) -> tuple[MaskArray, NDArray[np.float16]]:
    mask = _runs(runs, size)
    return mask, _values(values, mask, "hits")


def _runs(counts: object, size: tuple[int, int]) -> MaskArray:
    """A mask of COCO's run lengths, down the columns: text, or numbers as they are."""
    if isinstance(counts, str):
        return decode_run_lengths(counts, size)
    height, width = size
    whole = isinstance(counts, list) and all(type(run) is int and 0 <= run <= height * width for run in counts)
    if not isinstance(counts, list) or not whole or sum(counts) != height * width:
        raise InputError(f"the runs of a mask must fill its {height} x {width} pixels, got {str(counts)[:60]}")
    return np.repeat(np.arange(len(counts)) % 2 == 1, counts).reshape(width, height).T


def _values(text: object, mask: MaskArray, name: str) -> NDArray[np.float16]:
    try:
        if not isinstance(text, str):
            raise ValueError("no text")
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{name} must be base64, got {str(text)[:40]!r}") from error
    count = int(mask.sum())
    if len(content) != 2 * count:
        raise InputError(f"{name} must have {count} values of two bytes, one a pixel, got {len(content)} bytes")
    return np.frombuffer(content, dtype="<f2").astype(np.float16)


def _polygons(polygons: Sequence[object], size: tuple[int, int]) -> MaskArray:
    mask = np.zeros(size, dtype=np.bool_)
    for polygon in polygons:
        corners = np.asarray(polygon, dtype=np.float64) if _is_polygon(polygon) else np.empty(0)
        if corners.size < 6 or not np.isfinite(corners).all():
            raise InputError(f"a polygon must be three corners x, y or more, got {str(polygon)[:60]}")
        mask |= _filled(corners.reshape(-1, 2), size)
    return mask


def _is_polygon(polygon: object) -> bool:
    return (
        isinstance(polygon, list)
        and len(polygon) % 2 == 0
        and len(polygon) <= 2 * _MOST_CORNERS
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in polygon)
    )


def _filled(corners: NDArray[np.float64], size: tuple[int, int]) -> MaskArray:
    """Pixels whose centres lie inside a polygon by the even-odd rule, row by row."""
    mask = np.zeros(size, dtype=np.bool_)
    x0, y0 = corners.T
    x1, y1 = np.roll(corners, -1, axis=0).T
    centres = np.arange(size[1]) + 0.5
    first, last = int(max(0, np.floor(y0.min()))), int(min(size[0], np.ceil(y0.max())))
    for row in range(first, last):
        y = row + 0.5
        crossing = (y0 <= y) != (y1 <= y)
        x = np.sort(x0[crossing] + (y - y0[crossing]) / (y1[crossing] - y0[crossing]) * (x1[crossing] - x0[crossing]))
        mask[row] = np.searchsorted(x, centres, side="right") % 2 == 1
    return mask
