"""One picture of one X-ray: as the network sees it, where the network looks, and what it takes for alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from xraykit.render.pictures import INK, PAPER, montage

from .attention import enlarged, heat_overlay, most_attended

PANEL, HEADS, GAP = 336, 6, 10
LONGEST_TITLE = 72


def xray_sheet(
    image: NDArray[np.floating],
    *,
    name: str = "",
    attention: NDArray[np.floating] | None = None,
    has_heads: bool = True,
    colours: NDArray[np.floating] | None = None,
    foreground: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """The X-ray, its attention and the colours of its patches side by side, with single heads below.

    Args:
        image: As the network sees it before it is standardised, (S, S) in [0, 1].
        name: Stands above.
        attention: Of `attention_maps`, (M, h, w): the mean, then heads; None leaves it out.
        has_heads: Whether the mean is of heads (else it is the size of a map), for the caption.
        colours: Of `PatchColours.paint`, (h, w, 3) in [0, 1]; None leaves them out.
        foreground: Which patches are painted, (h, w) bool; the others show the X-ray. None paints all.

    Returns:
        (H, W, 3) uint8.
    """
    grey = _resized(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8), PANEL)
    size = " x ".join(map(str, np.shape(image)))
    panels, captions = [np.repeat(grey[..., None], 3, 2)], [f"the network's input, {size} pixels"]
    if attention is not None:
        panels.append(_outlined(heat_overlay(grey, attention[0]), attention[0]))
        what = f"CLS attention, mean of {len(attention) - 1} heads" if has_heads else "size of the last map's vectors"
        captions.append(f"{what}; 60 % of it inside the line")
    if colours is not None:
        painted = np.ones(colours.shape[:2], dtype=bool) if foreground is None else foreground
        panels.append(_painted(grey, colours, painted))
        captions.append("patches: three principal components of the foreground as red, green, blue")
    title = name if len(name) <= LONGEST_TITLE else "..." + name[3 - LONGEST_TITLE :]
    rows = [montage(panels, captions, title=title)]
    if attention is not None and len(attention) > 2:
        rows += _head_rows(grey, attention[1:], width=rows[0].shape[1])
    width = max(row.shape[1] for row in rows)
    return np.concatenate([_widened(row, width) for row in rows])


def _head_rows(grey: NDArray[np.uint8], heads: NDArray, *, width: int) -> list[NDArray[np.uint8]]:
    columns = min(HEADS, len(heads))
    edge = min(PANEL, (width - GAP * (columns + 1)) // columns)
    small = _resized(grey, edge)
    tiles = [heat_overlay(small, head) for head in heads]
    names = [f"head {n}" for n in range(1, len(tiles) + 1)]
    return [montage(tiles[n : n + columns], names[n : n + columns]) for n in range(0, len(tiles), columns)]


def _outlined(picture: NDArray[np.uint8], attention: NDArray) -> NDArray[np.uint8]:
    """With a line around the patches that hold most of the attention."""
    chosen = most_attended(attention) if attention.sum() > 0 else np.zeros(attention.shape, dtype=bool)
    inside = enlarged(chosen.astype(float), picture.shape[:2]) > 0.5
    padded = np.pad(inside, 1, mode="edge")
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    outlined = picture.copy()
    outlined[inside & ~core] = INK
    return outlined


def _painted(grey: NDArray[np.uint8], colours: NDArray, foreground: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Colours of patches with the X-ray's light and shade; where no patch is painted, the X-ray, darkened."""
    paint = _resized(np.round(colours * 255).astype(np.uint8), PANEL, smooth=False)
    inside = _resized(foreground.astype(np.uint8), PANEL, smooth=False) > 0
    light = 0.35 + 0.65 * grey / 255
    dark = np.repeat(grey[..., None], 3, 2) * 0.5
    return np.round(np.where(inside[..., None], paint * light[..., None], dark)).astype(np.uint8)


def _resized(picture: NDArray[np.uint8], edge: int, *, smooth: bool = True) -> NDArray[np.uint8]:
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(picture).resize((edge, edge), how))


def _widened(row: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    more = np.full((row.shape[0], width - row.shape[1], 3), PAPER, dtype=np.uint8)
    return np.concatenate([row, more], 1)
