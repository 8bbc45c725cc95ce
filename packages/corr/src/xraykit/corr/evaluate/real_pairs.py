"""Real pairs of X-rays with known cameras: how much of what is predicted lies where it can be true."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import InputError

from ..data.xray_input import PreparedXray
from ..ground_truth.projection import change_projection
from ..predictor.point_heat import patches_of_anatomy
from ..scores.epipolar import epipolar_band
from ..scores.priors import patch_means, thinner_patch

WHOLE = "anatomy"
"""The part that is all patches with anatomy"""
COVERED, TOUCHED = 0.5, 0.05
"""Of a patch, from which on it is asked for, and counts as hit"""


@dataclass(frozen=True, eq=False)
class RealPair:
    """Two X-rays taken at the same time, and what is certain of them.

    Args:
        name: Of the pair.
        subject: Whose.
        xrays: As a network sees them.
        projections: World to shares of each original, (2, 3, 4), see `pinhole_projection`.
        masks: What is in both, such as an implant's component: booleans (H, W) of both originals.
    """

    name: str
    subject: str
    xrays: tuple[PreparedXray, PreparedXray]
    projections: Tensor
    masks: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.bool_]]] = field(default_factory=dict)

    def band(self, grid: int) -> Tensor:
        """Which patches of the squares can meet, (L, L) bool; see `epipolar_band`."""
        changes = torch.stack([xray.letterbox.share_change() for xray in self.xrays])
        moved = change_projection(self.projections, changes)
        return epipolar_band(moved[0], moved[1], grid)


@dataclass(frozen=True)
class RealPairRow:
    """How a predictor did on the patches of one part of a pair, both views in turn.

    Args:
        pair: Its name.
        subject: Whose.
        predictor: What predicted.
        part: "anatomy", or the name of a mask: patches that it covers by half at least.
        patches: How many there are.
        answered: Share of them for which anything is predicted.
        in_band: Mean over these of the share of what is predicted that lies in the true epipolar band.
        in_mask: Of the share that lies in patches which the mask touches in the other view; NaN for all anatomy.
    """

    pair: str
    subject: str
    predictor: str
    part: str
    patches: int
    answered: float
    in_band: float
    in_mask: float


def pinhole_projection(
    intrinsic: NDArray[np.float64],
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
    size: tuple[int, int],
) -> Tensor:
    """World to shares of an image, (3, 4) float64, of a calibration K (R X + t) in pixels from the top left corner.

    Args:
        intrinsic: K (3, 3) [px].
        rotation: R (3, 3).
        translation: t (3,) [mm].
        size: Height and width of the image [px].
    """
    height, width = size
    shares = np.diag([1 / width, 1 / height, 1.0])
    return torch.from_numpy(shares @ intrinsic @ np.column_stack([rotation, translation]))


def prior_matrices(pair: RealPair, grid: int, mean: Tensor | None = None) -> dict[str, Tensor]:
    """Predictions without anatomy, (L, L) each, by name.

    "same place" is what a matcher finds that takes the border of the field, or a stain, for anatomy.

    Args:
        pair: What is predicted.
        grid: Patches a side.
        mean: Mean true correspondence of a training, with L = grid^2; None leaves its two rows out.

    Raises:
        InputError: A mean of another grid.
    """
    if mean is not None and tuple(mean.shape) != (grid**2, grid**2):
        raise InputError(f"the mean correspondence must be of a grid of {grid} patches, got {tuple(mean.shape)}.")
    thick = patch_means(torch.stack([xray.image[0] for xray in pair.xrays]), grid)
    lesser = thinner_patch(thick[0], thick[1])
    found = {"anything": torch.ones(grid**2, grid**2), "same place": torch.eye(grid**2), "lesser thickness": lesser}
    if mean is not None:
        found |= {"mean C": mean, "mean C x lesser thickness": mean * lesser}
    return found | {"true pose's band x lesser thickness": pair.band(grid) * lesser}


def real_pair_rows(pair: RealPair, predictions: Mapping[str, Tensor]) -> list[RealPairRow]:
    """Rows of all predictors of one pair: of all anatomy, and of each mask.

    Args:
        pair: The pair.
        predictions: (L, L), 0 or more, by name.

    Raises:
        InputError: Predictions of several grids, or a mask that is not as large as its X-ray.
    """
    sides = {math.isqrt(each.shape[-1]) for each in predictions.values()}
    if len(sides) != 1 or any(each.ndim != 2 or each.shape[0] != each.shape[1] for each in predictions.values()):
        raise InputError("predictions of a pair must be (L, L) of one patch grid.")
    grid = sides.pop()
    band = pair.band(grid)
    seen = [patches_of_anatomy(xray, grid).flatten() for xray in pair.xrays]
    rows = []
    covers = {name: [_cover(pair.xrays[v], masks[v], grid) for v in (0, 1)] for name, masks in pair.masks.items()}
    for name, predicted in predictions.items():
        allowed = predicted.double() * (seen[0][:, None] & seen[1])
        for part in (WHOLE, *covers):
            cover = covers.get(part)
            asked = seen if cover is None else [each >= COVERED for each in cover]
            targets = None if cover is None else [each >= TOUCHED for each in cover]
            rows.append(RealPairRow(pair.name, pair.subject, name, part, *_shares(allowed, band, asked, targets)))
    return rows


def _shares(
    predicted: Tensor, band: Tensor, asked: Sequence[Tensor], targets: Sequence[Tensor] | None
) -> tuple[int, float, float, float]:
    """Patches, answered ones, and mean shares in the band and in the targets, from either view to the other."""
    in_band, in_mask, patches = [], [], 0
    for view, (matrix, meets) in enumerate(((predicted, band), (predicted.mT, band.mT))):
        lines, allowed = matrix[asked[view]], meets[asked[view]]
        patches += len(lines)
        mass = lines.sum(1)
        lines, allowed, mass = lines[mass > 0], allowed[mass > 0], mass[mass > 0]
        in_band.append((lines * allowed).sum(1) / mass)
        if targets is not None:
            in_mask.append(lines[:, targets[1 - view]].sum(1) / mass)
    banded = torch.cat(in_band)
    answered = len(banded) / patches if patches else math.nan
    inside = float(torch.cat(in_mask).mean()) if in_mask and len(banded) else math.nan
    return patches, answered, float(banded.mean()) if len(banded) else math.nan, inside


def _cover(xray: PreparedXray, mask: NDArray[np.bool_], grid: int) -> Tensor:
    """How much of each patch a mask covers, (L,)."""
    square, _ = xray.letterbox.resized(torch.from_numpy(mask.astype(np.float32)))
    return torch.nn.functional.adaptive_avg_pool2d(square[None], grid).flatten()
