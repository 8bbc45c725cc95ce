"""Pictures of a probe's report as PNG bytes: confusions, scores with intervals, and what was found on images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xraykit.render.extras import require

from .comparison import ScoredBackbone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUTH, FOUND = "#56b4e9", "#e69f00"  # apart for every kind of colour vision, and on grey
MARKERS = ("o", "x", "+", "s")


@dataclass(frozen=True, eq=False)
class OverlayImage:
    """An image with truth and findings on it.

    Args:
        image: (S, S) uint8.
        caption: Under it.
        truth: The true mask, (S, S) bool, or None.
        found: The found mask, or None.
        truth_points: M objects of K points each, (M, K, 2) as (u, v) [px], joined by a line; NaN is left out.
        found_points: The same of what was found.
    """

    image: NDArray[np.uint8]
    caption: str
    truth: NDArray[np.bool_] | None = None
    found: NDArray[np.bool_] | None = None
    truth_points: NDArray[np.floating] | None = None
    found_points: NDArray[np.floating] | None = None


def overlay_picture(images: Sequence[OverlayImage], *, columns: int = 4) -> bytes:
    """Images side by side: truth blue, what was found orange; masks as outlines, points joined within an object.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
    """
    rows = -(-len(images) // columns)
    figure = _figure(2.6 * min(columns, len(images)), 2.9 * rows)
    for place, one in enumerate(images, 1):
        axes = figure.add_subplot(rows, min(columns, len(images)), place)
        height, width = one.image.shape
        axes.imshow(one.image, cmap="gray", vmin=0, vmax=255, extent=(0, width, height, 0), interpolation="nearest")
        for mask, points, colour, marker in (
            (one.truth, one.truth_points, TRUTH, MARKERS[0]),
            (one.found, one.found_points, FOUND, MARKERS[1]),
        ):
            if mask is not None and mask.any():
                axes.contour(
                    np.arange(width) + 0.5,
                    np.arange(height) + 0.5,
                    mask.astype(float),
                    [0.5],
                    colors=colour,
                    linewidths=1,
                )
            for line in () if points is None else points:
                axes.plot(
                    line[:, 0], line[:, 1], color=colour, linewidth=1, marker=marker, markersize=4, fillstyle="none"
                )
        axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
        axes.set_xlabel(one.caption, fontsize=8)
    return _png(figure)


def confusion_picture(confusion: NDArray[np.int64], names: Sequence[str], *, title: str) -> bytes:
    """Cases of each true class (rows) found as each class (columns), shaded by their share of the row.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
    """
    side = 0.62 * len(names) + 2.0
    figure = _figure(side + 0.6, side)
    axes = figure.add_subplot()
    shares = confusion / np.maximum(confusion.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(confusion), strict=True):
        colour = "white" if shares[row, column] > 0.6 else "#1c2733"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", fontsize=8, color=colour)
    readable = [name.replace("_", " ") for name in names]
    axes.set_xticks(range(len(names)), readable, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(names)), readable, fontsize=8)
    axes.set(xlabel="found", ylabel="truth")
    axes.set_title(title, fontsize=10)
    return _png(figure)


def score_picture(scores: Sequence[ScoredBackbone], *, xlabel: str) -> bytes:
    """A dot for each backbone, with its 95 % interval.

    Raises:
        BackendUnavailableError: matplotlib is not installed.
    """
    figure = _figure(6.4, 0.34 * len(scores) + 1.0)
    axes = figure.add_subplot()
    for place, one in enumerate(scores):
        axes.plot([one.low, one.high], [place, place], color="#3f7cac", linewidth=2, solid_capstyle="round")
        axes.plot([one.score], [place], marker="o", color="#1c2733", markersize=5)
    axes.set_yticks(range(len(scores)), [one.name for one in scores], fontsize=8)
    axes.set(ylim=(len(scores) - 0.5, -0.5), xlabel=xlabel)
    axes.grid(alpha=0.3, axis="x")
    return _png(figure)


def require_pictures() -> None:
    """Raise BackendUnavailableError now, before any work, where matplotlib is not installed."""
    _figure(1, 1)


def _figure(width: float, height: float) -> Figure:
    made: Any = require("matplotlib.figure", extra="evaluate", distribution="xraykit-dax", what="a probe's report")
    return made.Figure(figsize=(width, height), layout="constrained")


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()
