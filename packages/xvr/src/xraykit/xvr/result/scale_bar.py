"""A scale bar: how long a round length at the depth of the anatomy is in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from xraykit.render import Camera

LENGTHS = (100, 50, 20, 10, 5, 2, 1)  # mm
LONGEST = 0.3  # of the picture's width


@dataclass(frozen=True)
class ScaleBar:
    """A bar of `px` pixels that stands for `mm`; 0 mm is none."""

    mm: int
    px: int

    def __str__(self) -> str:
        """What a caption says of it."""
        return f"; bar {self.mm} mm in the patient" if self.mm else ""

    def drawn_on(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture (H, W, 3) with the bar at its lower left."""
        if not self.mm:
            return picture
        canvas = Image.fromarray(picture)
        draw = ImageDraw.Draw(canvas)
        y, white, black = picture.shape[0] - 14, (255, 255, 255), (0, 0, 0)
        draw.rectangle((11, y - 1, 13 + self.px, y + 4), fill=black)
        draw.rectangle((12, y, 12 + self.px, y + 3), fill=white)
        font = ImageFont.load_default(13)
        draw.text((14, y - 19), f"{self.mm} mm", fill=white, font=font, stroke_width=2, stroke_fill=black)
        return np.asarray(canvas)


def scale_bar(camera: Camera, pose: Tensor, point: Tensor) -> ScaleBar:
    """The longest round bar within 30 % of the image's width, for lengths at the depth of a point.

        px = mm sdd / (depth spacing)

    Args:
        camera: Intrinsics of the picture.
        pose: camera_to_world, (4, 4).
        point: World point [mm], (3,); behind the source there is no bar.
    """
    pose, point = (tensor.detach().cpu().double() for tensor in (pose, point))
    depth = float((point - pose[:3, 3]) @ pose[:3, 2])
    sdd, spacing, _ = camera.tensors(dtype=pose.dtype, device="cpu")
    px_per_mm = float(sdd[0] / spacing[0, 1]) / depth if depth > 1.0 else 0.0
    fitting = [mm for mm in LENGTHS if 0 < mm * px_per_mm <= LONGEST * camera.width]
    return ScaleBar(fitting[0], round(fitting[0] * px_per_mm)) if fitting else ScaleBar(0, 0)
