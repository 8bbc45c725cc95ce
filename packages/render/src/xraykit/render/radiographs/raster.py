"""Pictures (PNG, TIFF, JPEG, JPEG 2000, BMP) into radiographs: no tags, so every meaning is a recorded assumption."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, ImageSequence

from ..errors import FileError
from ..storage.brief import brief
from ..storage.picture_damage import PICTURE_DAMAGE
from ..storage.provenance import Found, Origin
from .colour_rule import check_grey, check_opaque
from .deep_colour import deep_grey
from .options import Colour
from .own_description import OURS, own_camera, own_description
from .radiograph import POLARITIES, Polarity, Radiograph
from .rare_tiff import read_rare_tiff

SUFFIXES = (".png", ".tif", ".tiff", ".jpg", ".jpeg", ".jp2", ".j2k", ".bmp")
MOST_PIXELS, PIXELS_PER_BYTE = 1 << 26, 64
"""A file may show more pixels than the first number only where it holds one byte for so many of them."""
GREY_MODES = ("1", "L", "I;16", "I;16B", "I;16L", "I", "F")
TIFF_DESCRIPTION, TIFF_PHOTOMETRIC = 270, 262


def read_raster_radiograph(path: str | Path, *, polarity: Polarity | None = None, colour: Colour = None) -> Radiograph:
    """A PNG, TIFF or JPEG as a radiograph; the pages of a TIFF are frames.

    Colour: a file whose red, green and blue differ by at most 8 of 255 everywhere is grey and becomes its luma
    (0.299 R + 0.587 G + 0.114 B); anything else is refused unless `colour` = "luma". Transparent pixels are refused.
    An EXIF orientation is applied and recorded.

    Args:
        path: The file; 8 or 16 bits, TIFF also with 32 or 64 bits and floating point.
        polarity: What the values mean. None takes what our own TIFF says of itself, else assumes "line_integral" for
            floating point and "log_attenuation" for integers (bone bright, as radiographs are processed for display).
        colour: "luma" turns any colour picture grey.

    Returns:
        The radiograph with pixels in file units; `camera` only from our own TIFF.

    Raises:
        FileError: Missing, damaged, colour or transparent file, NaN, or more pixels than a picture can have.
    """
    path, facts = Path(path), Found()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            description, turned = "", False
            pages = read_rare_tiff(path, most_pixels=_most_pixels(path))
            if pages is None:
                with Image.open(path) as file:
                    description = str(getattr(file, "tag_v2", {}).get(TIFF_DESCRIPTION, ""))
                    turned = file.getexif().get(274, 1) != 1
                    pages = list(_pages(path, file, colour, facts))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise FileError(f"{path} declares more pixels than a radiograph has ({brief(error)}); refused.") from error
    except FileError:
        raise
    except PICTURE_DAMAGE as error:
        raise FileError(f"{path} must be a whole PNG, TIFF or JPEG, got a damaged one ({brief(error)}).") from error
    if len({(page.shape, page.dtype) for page in pages}) != 1:
        raise FileError(f"{path} must hold pages of one size and type, got {len(pages)} that differ; split it.")
    stack = np.stack(pages)
    values = stack.astype(np.float32)
    if not np.isfinite(values).all():
        raise FileError(f"{path} must hold finite pixels, got NaN or infinity; repair the file first.")
    ours = own_description(description, facts)
    if turned:
        facts["orientation"] = Origin("turned", "EXIF Orientation", "applied")
    said, facts["polarity"] = _polarity(polarity, ours, is_float=stack.dtype.kind == "f")
    camera = own_camera(ours, values.shape, facts)
    full_scale = None
    if said == "inverted_intensity":
        full_scale, facts["full_scale"] = assumed_full_scale(values, stack.dtype)
    return Radiograph(
        torch.from_numpy(values), said, camera=camera, full_scale=full_scale, provenance=facts, source=path
    )


def _pages(path: Path, file: Image.Image, colour: Colour, facts: Found) -> Iterator[np.ndarray]:
    """Each page in grey, as viewers show it; what all pages declare is added up before one is unpacked."""
    declared, limit = 0, _most_pixels(path)
    inverts = False
    for page in ImageSequence.Iterator(file):
        declared += page.width * page.height
        if declared > limit:
            raise FileError(
                f"{path} declares more pixels than a radiograph has (over {limit} in {path.stat().st_size} bytes); "
                "refused."
            )
        # Pillow inverts WhiteIsZero of 1 and 8 bits itself and leaves 16 bits as they are stored.
        inverts = page.mode.startswith("I;16") and getattr(page, "tag_v2", {}).get(TIFF_PHOTOMETRIC) == 0
        deep = deep_grey(path, page, colour, facts)
        grey = _grey(path, ImageOps.exif_transpose(page), colour) if deep is None else deep
        yield np.iinfo(grey.dtype).max - grey if inverts else grey
    if inverts:
        facts["photometric"] = Origin("WhiteIsZero", "PhotometricInterpretation (262)", "inverted, as viewers show it")


def _most_pixels(path: Path) -> int:
    return max(MOST_PIXELS, PIXELS_PER_BYTE * path.stat().st_size)


def _grey(path: Path, image: Image.Image, colour: Colour) -> np.ndarray:
    if image.mode in GREY_MODES:
        array = np.asarray(image)
        return array.astype(np.uint8) * 255 if array.dtype == bool else array.astype(array.dtype.newbyteorder("="))
    if "transparency" in image.info or image.mode in ("LA", "PA", "RGBA"):
        image = image.convert("RGBA")
        check_opaque(path, image.getextrema()[3][0] == 255)  # type: ignore[index]
    rgb = image.convert("RGB")
    channels = np.asarray(rgb, dtype=np.int16)
    check_grey(path, int((channels.max(-1) - channels.min(-1)).max()), colour)
    return np.asarray(rgb.convert("L"))


def _polarity(asked: Polarity | None, ours: dict, *, is_float: bool) -> tuple[Polarity, Origin]:
    if asked is None and ours.get("polarity") in POLARITIES:
        return ours["polarity"], Origin(ours["polarity"], OURS)
    return assumed_polarity(asked, is_float=is_float)


def assumed_polarity(asked: Polarity | None, *, is_float: bool) -> tuple[Polarity, Origin]:
    """What the values of a picture without tags mean, and who says so."""
    if asked is not None:
        return asked, Origin(asked, "caller")
    if is_float:
        return "line_integral", Origin("line_integral", "assumed", "floating point without tags")
    note = "a picture without tags: bone bright, processed for display (logarithmic)"
    return "log_attenuation", Origin("log_attenuation", "assumed", note)


def assumed_full_scale(values: np.ndarray, dtype: np.dtype) -> tuple[float, Origin]:
    """The value that stands for zero intensity in a picture without tags, and who says so."""
    full_scale = float(np.iinfo(dtype.name).max) if dtype.kind in "iu" else float(values.max())
    return full_scale, Origin(full_scale, "assumed", f"largest value of {dtype}: zero intensity")
