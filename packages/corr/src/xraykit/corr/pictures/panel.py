"""One X-ray of a picture of several: scaled into a box, and where its points lie there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..data.xray_input import PreparedXray

LONGEST = 480  # [px] of a panel's longer side
SHADE = 0.8  # of the greys, so that colours stand out


@dataclass(frozen=True)
class ViewPanel:
    """An X-ray at the size of a picture.

    Args:
        xray: The X-ray.
        longest: Of the longer side [px].
    """

    xray: PreparedXray
    longest: int = LONGEST

    @property
    def scale(self) -> float:
        """Pixels of the panel per pixel of the original."""
        return self.longest / max(self.xray.size)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width [px]."""
        height, width = (max(1, round(side * self.scale)) for side in self.xray.size)
        return height, width

    def grey(self) -> NDArray[np.float64]:
        """(H, W, 3) in 0 to 255, a little darker than the X-ray."""
        height, width = self.shape
        image = Image.fromarray(self.xray.grey).resize((width, height), Image.Resampling.BOX)
        return np.repeat(np.asarray(image, dtype=np.float64)[..., None], 3, axis=2) * SHADE

    def point(self, x: float, y: float) -> tuple[float, float]:
        """A point of the original, inside the panel even if it lies on its border."""
        height, width = self.shape
        return min(max(x * self.scale, 0.0), width - 1.0), min(max(y * self.scale, 0.0), height - 1.0)
