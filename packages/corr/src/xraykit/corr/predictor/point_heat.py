"""Where in one view the point of another may lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..data.xray_input import PreparedXray

AIR = 0.02
"""Mean brightness of a patch below which it shows nothing."""


class Place(NamedTuple):
    """A point of an original image [px], and the probability of its patch."""

    x: float
    y: float
    probability: float


@dataclass(frozen=True, eq=False)
class PointHeat:
    """How probable it is that each patch of a view matches the patch of a point elsewhere.

    Args:
        view: Number of the view.
        xray: Its X-ray.
        probability: (G, G) float32 in [0, 1], over the X-ray's square.
    """

    view: int
    xray: PreparedXray
    probability: Tensor

    def map(self) -> NDArray[np.float32]:
        """The probabilities as (H, W) of the original image, bilinear between the middles of the patches."""
        return self.xray.letterbox.map_to_image(self.probability).clamp(0, 1).numpy()

    def places(self, count: int = 5) -> list[Place]:
        """The best patches that are no neighbours of a better one, best first; patches of the padding do not count.

        Args:
            count: How many at most.
        """
        free = patches_inside(self.xray, self.probability.shape[0])
        values = torch.where(free, self.probability, -1.0)
        grid, found = len(values), []
        centers = patch_centers(self.xray, grid)
        while len(found) < count and bool((values >= 0).any()):
            row, column = divmod(int(values.argmax()), grid)
            x, y = centers[row * grid + column].tolist()
            found.append(Place(x, y, float(values[row, column])))
            values[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = -1.0
        return found


def patch_of(xray: PreparedXray, grid: int, x: float, y: float) -> int:
    """Index i * grid + j of the patch that holds a point of the original image, which must lie in it.

    A point on the right or lower border belongs to the last patch that shows the image.
    """
    point = torch.tensor(xray.letterbox.within(x, y), dtype=torch.float64)
    share = xray.from_original(point) / xray.letterbox.size
    column, row = (min(int(value * grid), grid - 1) for value in share.tolist())
    return row * grid + column


def patch_centers(xray: PreparedXray, grid: int) -> Tensor:
    """(grid^2, 2) float64, the middles of the patches in the original image [px]; those beyond it on its border."""
    steps = (torch.arange(grid, dtype=torch.float64) + 0.5) * xray.letterbox.size / grid
    rows, columns = torch.meshgrid(steps, steps, indexing="ij")
    height, width = xray.size
    points = xray.to_original(torch.stack([columns, rows], -1).reshape(-1, 2))
    return torch.minimum(points.clamp(min=0), torch.tensor([width, height], dtype=torch.float64))


def patches_inside(xray: PreparedXray, grid: int) -> Tensor:
    """(grid, grid) bool: patches of which at least half shows the X-ray."""
    return _means(xray.inside.float(), grid) >= 0.5


def patches_of_anatomy(xray: PreparedXray, grid: int) -> Tensor:
    """(grid, grid) bool: patches inside whose mean brightness is above air."""
    return patches_inside(xray, grid) & (_means(xray.image[0], grid) > AIR)


def _means(values: Tensor, grid: int) -> Tensor:
    return torch.nn.functional.adaptive_avg_pool2d(values[None], grid)[0]
