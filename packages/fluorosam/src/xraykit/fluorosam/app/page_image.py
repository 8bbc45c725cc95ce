"""An X-ray as the page works on it: encoded, with its picture and its pixels' size."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from xraykit.render import Radiograph, read_radiograph

from ..outputs.mask_picture import xray_picture
from ..predictor.fluoro_sam import EmbeddedXray, FluoroSam
from ..predictor.segmentation import Segmentation
from ..predictor.settings import XrayFileSettings
from ..predictor.xray_input import OpenedXray, open_xray

LONGEST = 2048  # [px] of a picture that travels
SMALL = 96  # [px] of a candidate's picture


@dataclass(frozen=True, eq=False)
class PageImage:
    """An X-ray that is open.

    Args:
        embedded: Ready for prompts.
        picture: PNG, bone bright, the longer side at most `LONGEST`.
        spacing: Row and column spacing at the detector [mm]; None where the file does not say it.
        is_dicom: Whether its file is DICOM.
    """

    embedded: EmbeddedXray
    picture: bytes
    spacing: tuple[float, float] | None
    is_dicom: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Height and width [px]."""
        return self.embedded.xray.size

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed, and what is doubtful."""
        return (*self.embedded.xray.notes, *self.embedded.xray.doubts)

    def mask_picture(self, answer: Segmentation) -> bytes:
        """A mask as PNG of the picture's size: white where it is, transparent elsewhere."""
        mask = answer.logits > 0 if answer.visible else torch.zeros(self.size, dtype=torch.bool)
        return _alpha_png(mask, LONGEST)

    def candidate_picture(self, answer: Segmentation, number: int) -> bytes:
        """A candidate as small PNG, in the same way."""
        square, low = answer.square, answer.low_candidates[number]
        rows, columns = (max(1, round(shown * low.shape[-1] / square.size)) for shown in square.shown)
        return _alpha_png(low[:rows, :columns] > 0, SMALL)


def open_page_image(sam: FluoroSam, path: Path, reading: XrayFileSettings) -> PageImage:
    """Read an X-ray and encode it.

    Raises:
        FileError: It is missing, damaged, or no X-ray. InputError: As `open_xray`.
    """
    radiograph = read_radiograph(path, polarity=reading.polarity, colour=reading.colour)
    xray = open_xray(radiograph, reading)
    embedded = sam.embed(xray)
    return PageImage(
        embedded,
        _grey_png(xray),
        _spacing(radiograph),
        radiograph.modality is not None,
    )


def _spacing(radiograph: Radiograph) -> tuple[float, float] | None:
    origin = radiograph.provenance.get("pixel_spacing")
    if origin is None or not isinstance(origin.value, tuple | list) or len(origin.value) != 2:
        return None
    return float(origin.value[0]), float(origin.value[1])


def _grey_png(xray: OpenedXray) -> bytes:
    picture = Image.fromarray(xray_picture(xray))
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    return _png(picture)


def _alpha_png(mask: Tensor, longest: int) -> bytes:
    alpha = Image.fromarray(mask.numpy().astype(np.uint8) * 255)
    alpha.thumbnail((longest, longest), Image.Resampling.BOX)
    white = Image.new("L", alpha.size, 255)
    return _png(Image.merge("LA", (white, alpha)))


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
