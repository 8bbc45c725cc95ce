"""Colour pictures of 16 bits a channel, which Pillow narrows to 8: it unpacks them twice, once for each byte."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile

from ..storage.provenance import DOUBT, Found, Origin
from .colour_rule import check_grey, check_opaque
from .options import Colour

COLOUR_MODES = ("RGB", "RGBA", "LA", "CMYK")
_TIFF_BITS, _TIFF_PLANES = 258, 284
_APART = 2  # planes one after the other
_NATIVE = "L" if sys.byteorder == "little" else "B"
_OTHER_BYTE = {"L": "B", "B": "L"}
_ORDERS = {b"II": "L", b"MM": "B"}
_GREY_AND_OPACITY = "LA;16B"
_HEAD = 4096  # bytes of a file within which JPEG 2000 declares its depth


def deep_grey(path: Path, page: Image.Image, colour: Colour, facts: Found) -> np.ndarray | None:
    """Luma (rows, columns), uint16, of a page with 16-bit channels, turned as its EXIF says; None for any other page.

    luma = (299 R + 587 G + 114 B) / 1000, rounded. Where Pillow reaches 8 bits alone (JPEG 2000, CMYK, several pages,
    packed planes of TIFF), the loss becomes the doubt `bits`, and None is given as well.

    Raises:
        FileError: Transparent pixels, or colours without `colour` = "luma".
    """
    if page.mode not in COLOUR_MODES or not _is_deep(path, page):
        return None
    channels = _channels(path, page)
    if channels is None:
        facts["bits"] = Origin(
            8, DOUBT, "of 16 bits a channel 8 are left; save the picture as 16-bit grey to keep them"
        )
        return None
    check_opaque(path, channels.shape[-1] == 3 or channels[..., -1].min() == 65535)
    if channels.shape[-1] == 2:
        return channels[..., 0]
    rgb = channels[..., :3]
    check_grey(path, int((rgb.max(-1) - rgb.min(-1)).max()) // 257, colour)
    red, green, blue = (rgb[..., n].astype(np.uint32) for n in range(3))
    return ((299 * red + 587 * green + 114 * blue + 500) // 1000).astype(np.uint16)


def _is_deep(path: Path, page: Image.Image) -> bool:
    if page.format == "TIFF":
        bits = getattr(page, "tag_v2", {}).get(_TIFF_BITS, (8,))
        return min(bits if isinstance(bits, tuple) else (bits,)) == 16
    if page.format not in ("PNG", "JPEG2000"):
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if page.format == "PNG":
        return head[24:25] == b"\x10"  # bit depth in IHDR
    from ..storage.codestream import codestream_of  # with pydicom, which other pictures can do without

    said = codestream_of(head)
    return said is not None and said.bits > 8


def _channels(path: Path, page: Image.Image) -> np.ndarray | None:
    """uint16 (rows, columns, channels), None where the lower bytes are out of reach."""
    if page.format not in ("PNG", "TIFF") or page.mode == "CMYK" or getattr(page, "n_frames", 1) != 1:
        return None
    halves = []
    for is_high in (True, False):
        with Image.open(path) as image:
            is_grey = [tile.args for tile in image.tile] == [_GREY_AND_OPACITY]
            tiles = [_tile(image, tile, is_high=is_high) for tile in image.tile if _is_shown(image, tile)]
            image.tile = [tile for tile in tiles if tile is not None]
            if not tiles or len(image.tile) != len(tiles):
                return None
            halves.append(np.asarray(ImageOps.exif_transpose(image)))
        if is_grey:
            return halves[0].view(">u2").astype(np.uint16)
    return halves[0].astype(np.uint16) << 8 | halves[1]


def _is_shown(image: ImageFile, tile: Any) -> bool:
    """False for a plane of samples without meaning."""
    return len(tile.args[0]) > 1 or isinstance(tile.args, str) or tile.args[0].upper() in image.mode


def _tile(image: ImageFile, tile: Any, *, is_high: bool) -> Any:
    """The part of a file with the raw mode that gives the high or the low byte of each number; None: there is none."""
    said = tile.args if isinstance(tile.args, str) else tile.args[0]
    tags = getattr(image, "tag_v2", None)
    if said == _GREY_AND_OPACITY:
        return tile._replace(args="RGBA")  # two numbers of 16 bits are four of 8
    if tags is not None and tags.get(_TIFF_PLANES) == _APART:
        if tile.codec_name != "raw":
            return None  # the decoder of packed planes chooses for itself
        said = f"{said};16{_ORDERS[tags.prefix]}"
    bands, depth, order = said.partition(";16")
    order = _NATIVE if order == "N" else order
    if not depth or order not in _OTHER_BYTE:
        return None
    mode = f"{bands.replace('a', 'A')};16{order if is_high else _OTHER_BYTE[order]}"
    return tile._replace(args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:]))
