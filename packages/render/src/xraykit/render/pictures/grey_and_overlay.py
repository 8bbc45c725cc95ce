"""From line integrals to pictures: windowing, local contrast, colour masks with a legend, montages, PNG files."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from ..errors import InputError
from ..geometry.checks import check_choice
from ..radiographs.radiograph import DisplayStyle
from ..storage.atomic_write import write_atomically

Grey = NDArray[np.uint8]
"""A grey picture, (height, width)."""
FIRST_COLOURS = (
    (86, 180, 233),
    (214, 39, 40),
    (230, 159, 0),
    (204, 121, 167),
    (0, 158, 115),
    (240, 228, 66),
    (148, 103, 189),
    (140, 240, 140),
    (255, 127, 80),
    (160, 196, 255),
)
INK = (230, 234, 240)
PAPER = (18, 21, 26)


def to_grey(
    image: ArrayLike,
    *,
    window: tuple[float, float] | None = None,
    percentiles: tuple[float, float] = (1.0, 99.5),
    detail: float = 0.0,
    style: DisplayStyle = "bone_bright",
    mirrored: bool = False,
) -> Grey:
    """An X-ray as a picture for the eye.

    Args:
        image: Line integrals, (H, W); a torch tensor on the CPU works too.
        window: Values shown as black and white; None takes percentiles of the pixels that the
            patient covers (above 2 percent of the maximum); all others are shown as bare beam.
        percentiles: Lower and upper, in percent.
        detail: 0 shows the values as they are; above, structures finer than a twelfth of the picture gain contrast
            by this factor, as processing in clinical machines does. The picture is then no measurement.
        style: "bone_bright" (film) or "bone_dark" (fluoroscopy: bright is much radiation).
        mirrored: Flip left to right for display (`View.mirrored_display`).

    Returns:
        (H, W) uint8.

    Raises:
        InputError: The image is not (H, W) or holds no finite value, or style is unknown.
    """
    values = np.asarray(image, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).any():
        raise InputError(f"a picture needs a finite (H, W) image, got shape {values.shape}.")
    check_choice(style, "style", get_args(DisplayStyle))
    values = np.nan_to_num(values, nan=np.nanmin(values))
    body = values > 0.02 * values.max()
    if detail > 0:
        values = values + detail * (values - _smooth(values, body, radius=max(values.shape) // 24)) * body
    low, high = window or (np.percentile(values[body], percentiles) if body.any() else (0.0, 1.0))
    shown = np.clip((values - low) / max(high - low, 1e-12), 0, 1) * body
    if style == "bone_dark":
        shown = 1 - shown
    grey = np.round(shown * 255).astype(np.uint8)
    return np.ascontiguousarray(grey[:, ::-1]) if mirrored else grey


def _smooth(values: NDArray, inside: NDArray, *, radius: int) -> NDArray:
    """Mean over a soft disc of about `radius` px, counting only pixels inside."""
    total, weight = values * inside, inside.astype(np.float64)
    for _ in range(3):
        for axis in (0, 1):
            total, weight = _box(total, radius, axis), _box(weight, radius, axis)
    return total / np.maximum(weight, 1e-9)


def _box(values: NDArray, radius: int, axis: int) -> NDArray:
    padding = [(radius + 1, radius) if a == axis else (0, 0) for a in (0, 1)]
    sums = np.cumsum(np.pad(values, padding), axis=axis)
    width = 2 * radius + 1
    count = values.shape[axis]
    return (np.take(sums, range(width, width + count), axis) - np.take(sums, range(count), axis)) / width


def colours(n: int) -> list[tuple[int, int, int]]:
    """Well-spread colours as (r, g, b), the same for the same n; the first ten can be told apart at a glance."""
    step = 0.618033988749895  # golden ratio: neighbours in the list are far apart on the colour circle
    shades = [colorsys.hls_to_rgb((0.03 + k * step) % 1, (0.6, 0.68, 0.52)[k % 3], 0.85) for k in range(n)]
    return [*FIRST_COLOURS, *((round(r * 255), round(g * 255), round(b * 255)) for r, g, b in shades)][:n]


def overlay(
    grey: Grey, masks: Mapping[str, NDArray[np.bool_]], *, opacity: float = 0.35, outline: bool = True
) -> NDArray[np.uint8]:
    """Colour masks over a picture, mixed where they overlap, each with its outline.

    Args:
        grey: (H, W) uint8.
        masks: Named (H, W) masks in the frame of grey; colours follow the order, as in `legend`.
        opacity: Share of colour inside one mask, 0 to 1.
        outline: Draw the border of each mask in its full colour.

    Returns:
        (H, W, 3) uint8.
    """
    picture = np.repeat(grey[..., None].astype(np.float64), 3, axis=2)
    tint, count = np.zeros_like(picture), np.zeros(grey.shape)
    palette = colours(len(masks))
    for colour, (name, mask) in zip(palette, masks.items(), strict=True):
        if np.shape(mask) != grey.shape:
            raise InputError(f"mask {name!r} must have the shape of the picture {grey.shape}, got {np.shape(mask)}.")
        tint += np.asarray(mask)[..., None] * np.array(colour)
        count += mask
    share = (opacity * (count > 0))[..., None]
    picture = picture * (1 - share) + share * tint / np.maximum(count, 1)[..., None]
    if outline:
        for colour, mask in zip(palette, masks.values(), strict=True):
            picture[_border(np.asarray(mask, dtype=bool))] = colour
    return np.round(picture).astype(np.uint8)


def _border(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask, 1)
    core = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~core


def legend(names: Sequence[str], *, width: int = 200, size: int = 13, columns: int = 1) -> NDArray[np.uint8]:
    """Colour squares with names, in the colours that `overlay` gives the same order, (height, width, 3) uint8."""
    rows = -(-len(names) // columns)
    pitch = size + 6
    canvas = Image.new("RGB", (width, max(1, rows) * pitch + 8), PAPER)
    draw = ImageDraw.Draw(canvas)
    for n, (name, colour) in enumerate(zip(names, colours(len(names)), strict=True)):
        x, y = 8 + (n // max(1, rows)) * (width // columns), 4 + (n % max(1, rows)) * pitch
        draw.rectangle((x, y + 2, x + size - 2, y + size), fill=colour)
        draw.text((x + size + 6, y), name, fill=INK, font=_font(size))
    return np.asarray(canvas)


def montage(
    pictures: Sequence[NDArray[np.uint8]],
    captions: Sequence[str] | None = None,
    *,
    title: str = "",
    size: int = 14,
    gap: int = 10,
) -> NDArray[np.uint8]:
    """Pictures side by side, captions below (wrapped to the picture's width), a title above; (H, W, 3) uint8.

    A title of several lines (see `wrap`) takes room for each, so that pictures of one size need titles of as many.
    """
    captions = captions if captions is not None else [""] * len(pictures)
    if len(captions) != len(pictures) or not pictures:
        raise InputError(f"a montage needs one caption per picture, got {len(captions)} and {len(pictures)}.")
    wrapped = [wrap(c, width=p.shape[1], size=size) for c, p in zip(captions, pictures, strict=True)]
    above, large = title.splitlines(), round(size * 1.4)
    head = size * 2 + gap + (len(above) - 1) * (large + 5) if title else 0
    foot = max(map(len, wrapped)) * (size + 5) + (gap if any(captions) else 0)
    height = max(p.shape[0] for p in pictures)
    width = sum(p.shape[1] for p in pictures) + gap * (len(pictures) + 1)
    canvas = Image.new("RGB", (width, height + head + foot + 2 * gap), PAPER)
    draw = ImageDraw.Draw(canvas)
    for n, line in enumerate(above):
        draw.text((gap, gap + n * (large + 5)), line, fill=INK, font=_font(large))
    x = gap
    for picture, lines in zip(pictures, wrapped, strict=True):
        canvas.paste(Image.fromarray(picture).convert("RGB"), (x, head + gap))
        for n, line in enumerate(lines):
            draw.text((x, head + 2 * gap + height + n * (size + 5)), line, fill=INK, font=_font(size))
        x += picture.shape[1] + gap
    return np.asarray(canvas)


def wrap(text: str, *, width: int, size: int) -> list[str]:
    """The text in lines no wider than `width` px at font size `size`, broken between words and at newlines."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and _font(size).getlength(longer) > width:
                lines.append(line)
                longer = word
            line = longer
        lines.append(line)
    return lines


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def save_png(path: str | Path, picture: NDArray[np.uint8]) -> Path:
    """Write a picture, (H, W) or (H, W, 3) uint8, so that the file is there in full or not at all.

    Raises:
        OutputError: The folder is missing or not writable.
    """
    image = Image.fromarray(picture)
    return write_atomically(path, lambda file: image.save(file, format="PNG"))
