"""What a backbone takes for alike: patches coloured by three principal components, one colour code for all X-rays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError

from .projection import PrincipalAxes, principal_axes

BINS = 128
DOMINANT = 1 / 3  # share of all variance in a component that parts foreground from background
MIDDLE = (2.0, 98.0)  # percentiles of a component shown as 0 and 1


@dataclass(frozen=True, eq=False)
class PatchColours:
    """A colour code for patches, fitted to several images, so that a colour means the same in all of them.

    Args:
        first: The component of all patches that tells foreground from background, with its sign turned so that the
            foreground lies above.
        threshold: Of that component; patches above it are foreground.
        hue: Three components of the foreground alone.
        low: Value of each that is 0, (3,).
        high: Value of each that is 1, (3,).
    """

    first: PrincipalAxes
    threshold: float
    hue: PrincipalAxes
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    def foreground(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which patches are foreground, (D, h, w) -> (h, w)."""
        return self.first.project(np.moveaxis(values, 0, -1))[..., 0] > self.threshold

    def paint(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Red, green and blue of each patch, 0 to 1, of foreground and background, (D, h, w) -> (h, w, 3)."""
        rows = self.hue.project(np.moveaxis(values, 0, -1))
        return np.clip((rows - self.low) / np.maximum(self.high - self.low, 1e-12), 0, 1)


def patch_colours(maps: Sequence[NDArray[np.floating]], texture: Sequence[NDArray[np.floating]]) -> PatchColours:
    r"""Fit a colour code to the patches of some images.

    The first principal component of all patches is cut at Otsu's threshold. The side with more texture in the X-ray is
    the foreground, for open beam, collimator and padding are smooth, be they dark or bright. A component with less than
    a third of all variance, as in ResNets, tells something else, and all patches are foreground. Three components of
    the foreground alone, each from its 2nd to its 98th percentile, are red, green and blue.

    Args:
        maps: Of each image, (D, h, w), D >= 3; sizes may differ.
        texture: Of each image, (h, w): the standard deviation of the network's input within each patch.

    Raises:
        InputError: No maps, other channels, not finite, fewer than 8 patches, or a texture of another size.

    Source: Oquab et al. 2023 (DINOv2), section 7.4 and figure 1, there with a threshold chosen by eye.
    """
    if not maps or len({len(one) for one in maps}) != 1 or any(np.ndim(one) != 3 for one in maps):
        raise InputError(f"patch colours need maps (D, h, w) of one D, got {[np.shape(one) for one in maps][:4]}.")
    if [np.shape(one) for one in texture] != [np.shape(one)[1:] for one in maps]:
        raise InputError(
            f"texture must be (h, w) as the maps are, got {[np.shape(one) for one in texture][:4]} for "
            f"{[np.shape(one)[1:] for one in maps][:4]}."
        )
    rows = np.concatenate([np.reshape(one, (len(one), -1)).T for one in maps]).astype(np.float64)
    if min(rows.shape) < 3 or len(rows) < 8:
        raise InputError(f"patch colours need 8 patches or more of 3 channels, got {rows.shape}; leave them out.")
    axes = principal_axes(rows, 1)
    along = axes.project(rows)[:, 0]
    threshold = otsu_threshold(along)
    above = along > threshold
    rough = np.concatenate([np.ravel(one) for one in texture])
    if axes.variances[0] < DOMINANT * rows.var(0, ddof=1).sum():
        threshold, above = -np.inf, np.ones_like(above)
    elif above.any() and not above.all() and rough[above].mean() < rough[~above].mean():
        axes, threshold = PrincipalAxes(axes.mean, -axes.axes, axes.variances), -threshold
        above = -along > threshold
    chosen = rows[above] if above.sum() >= 8 else rows
    hue = principal_axes(chosen, 3)
    low, high = np.percentile(hue.project(chosen), MIDDLE, axis=0)
    return PatchColours(axes, threshold, hue, low, high)


def otsu_threshold(values: NDArray[np.floating]) -> float:
    r"""Where a cut parts values into two classes of the largest variance between them, w0 w1 (m1 - m0)^2.

    Args:
        values: Any shape, finite.

    Returns:
        The border of a bin of 128; values above belong to the upper class. Equal values: that value.

    Source: Otsu 1979, A threshold selection method from gray-level histograms.
    """
    counts, edges = np.histogram(np.ravel(values), bins=BINS)
    if edges[0] == edges[-1] or np.count_nonzero(counts) < 2:
        return float(np.max(values))
    middles = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts)[:-1], counts.sum()
    sums = np.cumsum(counts * middles)
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2
    between = np.nan_to_num(between)
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float(edges[1 + round(best.mean())])  # the middle of an empty gap
