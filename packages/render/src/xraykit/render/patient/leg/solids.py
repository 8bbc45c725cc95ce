"""Lofts: solids between outlines that are stacked along an axis, of which the bones of the leg are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..body.figure import Figure
from ..body.frames import AffineFrame, Matrix
from ..body.skeleton import Side
from ..canvas import Array, Coordinates, Region, three_dimensional

Section = tuple[float, ...]
"""Height z, centre x and y, then the radii towards +x, +x+y, +y, -x+y, -x, -x-y, -y, +x-y [mm]."""

_ANGLES = 512


def seen(region: Region, motion: Matrix) -> Region:
    """The same voxels in the coordinates of a body that was described at the origin and then moved by motion."""
    return Region(region.window, *AffineFrame(motion).to_local(*region.axes))


def oval(z: float, x: float, y: float, lateral: float, front: float, medial: float, back: float) -> Section:
    """An outline of four quarter ellipses about (x, y) at height z."""

    def corner(a: float, b: float) -> float:
        return a * b / float(np.hypot(a, b)) * 2**0.5

    quarters = (lateral, front, medial, back)
    diagonal = [corner(a, b) for a, b in zip(quarters, (*quarters[1:], lateral), strict=True)]
    return (z, x, y, *(r for pair in zip(quarters, diagonal, strict=True) for r in pair))


def loft(region: Region, sections: Sequence[Section], *, smooth: float = 6.0, rounding: float = 0.0) -> Array:
    r"""First-order distance (rho - R) / sqrt(1 + (R_theta / R)^2 + R_z^2) to a solid of given outlines about z.

    Args:
        region: Where.
        sections: Outlines by ascending height; the solid ends at the outermost.
        smooth: Length over which corners between the heights are rounded [mm].
        rounding: Radius of the edges of its ends [mm].
    """
    from ...kernels.numba_cpu import painting  # numba, on first use

    axes = [three_dimensional(axis) for axis in region.axes]
    out = np.empty(np.broadcast_shapes(*(axis.shape for axis in axes)), dtype=np.float32)
    painting.loft(*axes, *_table(sections, smooth), np.float32(rounding), out)
    return out


def _table(sections: Sequence[Section], smooth: float) -> tuple[float, float, Array, Array, Array, Array]:
    """Centres, radii by height and angle, and 1 / sqrt(1 + slope^2), on a grid of a millimetre."""
    knots = np.array(sections, dtype=np.float64)
    count = max(int(np.ceil(knots[-1, 0] - knots[0, 0])), 2) + 1
    z = np.linspace(knots[0, 0], knots[-1, 0], count)
    step = float(z[1] - z[0])
    rows = np.stack([np.interp(z, knots[:, 0], column) for column in knots.T[1:]], axis=1)
    half = int(np.ceil(smooth / step / 2))
    bell = np.hanning(2 * half + 3)[1:-1]
    rows = np.pad(rows, ((half, half), (0, 0)), mode="edge")
    rows = np.stack([np.convolve(c, bell / bell.sum(), mode="valid") for c in rows.T], axis=1)
    radius = _round_about(rows[:, 2:])
    along, about = np.gradient(radius, step, axis=0), np.gradient(radius, 2 * np.pi / _ANGLES, axis=1)
    slope = 1 / np.sqrt(1 + np.square(along) + np.square(about / radius))
    x, y, radius, slope = (a.astype(np.float32) for a in (rows[:, 0], rows[:, 1], radius, slope))
    return float(z[0]), step, x, y, radius, slope


def _round_about(radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radii at all angles from those at eight, by the trigonometric polynomial through them."""
    spectrum = np.fft.rfft(radii, axis=1)
    spectrum[:, -1] /= 2
    return np.maximum(np.fft.irfft(spectrum, _ANGLES, axis=1) * _ANGLES / radii.shape[1], 0.5)


def landmark_in_frame(
    figure: Figure, side: Side, source: str, target: str, point: tuple[float, float, float]
) -> Coordinates:
    """A point of one bone's frame in the coordinates of another's; names without the side."""
    world = figure.landmark(f"{source}_{side}", point)
    matrix = np.linalg.inv(figure.skeleton.frames[f"{target}_{side}"].matrix)
    return matrix[:3, :3] @ world + matrix[:3, 3]
