"""The distance from slice to slice of a stack: even, even but for the rounding of the tags, or uneven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .dicom_slices import Slice


def even_step(path: Path, slices: list[Slice]) -> NDArray[np.float64] | None:
    """The step between neighbours [mm, LPS], None where it changes along the stack.

    Args:
        path: For messages.
        slices: Two or more, sorted along their normal.

    Raises:
        FileError: A slice is doubled or out of line.
    """
    positions = np.stack([piece.position for piece in slices])
    gaps, usual = _gaps(path, slices)
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    if np.abs(gaps - usual).max() > max(0.02 * usual, 2e-3):
        return _rounded_step(positions, gaps)
    offline = np.linalg.norm(positions - positions[0] - np.arange(len(slices))[:, None] * step, axis=1)
    if offline.max() > max(0.05 * usual, 2e-3):
        raise FileError(
            f"{path} must hold slices along one straight line, {slices[int(offline.argmax())].path.name} lies "
            f"{offline.max():.3g} mm off it."
        )
    return step


def uneven(path: Path, slices: list[Slice]) -> FileError:
    """The sentence about a stack that has no even step."""
    gaps, usual = _gaps(path, slices)
    worst = int(np.argmax(np.abs(gaps - usual)))
    return FileError(
        f"{path} must hold evenly spaced slices, most are {usual:.4g} mm apart but {slices[worst].path.name} and "
        f"{slices[worst + 1].path.name} are {gaps[worst]:.4g} mm apart; slices are missing or the scan is uneven: "
        "fetch them, or have what is there interpolated along the stack, --resample-slices (resample_slices=True)."
    )


def even_places(path: Path, slices: list[Slice]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where an uneven stack is to be read: the step [mm, LPS] (3,), and places between the slices, (n,).

    The step is the smallest gap, shortened so that the last place is the last slice; place 2.25 lies a quarter of the
    way from slice 2 to slice 3.

    Raises:
        FileError: A slice is doubled, or the slices do not lie on one straight line.
    """
    positions = np.stack([piece.position for piece in slices])
    gaps, _ = _gaps(path, slices)
    whole = positions[-1] - positions[0]
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    offline = np.linalg.norm(positions - positions[0] - (along / along[-1])[:, None] * whole, axis=1)
    if offline.max() > max(0.05 * float(gaps.min()), 2e-3):
        raise FileError(
            f"{path} must hold slices along one straight line, {slices[int(offline.argmax())].path.name} lies "
            f"{offline.max():.3g} mm off it."
        )
    count = int(np.ceil(along[-1] / gaps.min() - 1e-3))
    places = np.interp(np.linspace(0, along[-1], count + 1), along, np.arange(len(slices), dtype=np.float64))
    return whole / count, places


def _gaps(path: Path, slices: list[Slice]) -> tuple[NDArray[np.float64], float]:
    """The distances along the normal, and the usual one; FileError where two slices share a place."""
    gaps = np.diff(np.stack([piece.position for piece in slices]) @ slices[0].normal)
    doubled = gaps <= 1e-3
    if doubled.any():
        pair = int(np.argmin(gaps))
        one, two = slices[pair], slices[pair + 1]
        which = f"{one.path.name} and {two.path.name}"
        if one.path == two.path:
            which = f"frames {one.frame} and {two.frame} of {one.path.name}, counted from 0"
        share = int((np.append(doubled, False) | np.append(False, doubled)).sum())
        raise FileError(
            f"{path} must hold each slice once, {share} slices share a position, for instance {which}; keep one phase "
            "or reconstruction."
        )
    return gaps, float(np.sort(gaps)[(len(gaps) - 1) // 2])  # the lower median: one of two may be the wrong one


def _rounded_step(positions: NDArray[np.float64], gaps: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The step of an even stack whose positions were rounded to a decimal unit q, None if it is no such stack.

    Rounding moves each coordinate by at most q / 2, so gaps differ by one q at most; with gaps of 2 q and more, a
    missing slice shows as a larger one.
    """
    unit = next((10.0**-n for n in range(4) if np.abs(positions * 10**n - np.round(positions * 10**n)).max() < 1e-4), 0)
    if not unit or gaps.min() < 1.5 * unit or gaps.max() - gaps.min() > 1.8 * unit:
        return None
    if gaps.max() > 1.6 * gaps.min():
        return None
    steps = np.arange(len(positions)) - (len(positions) - 1) / 2
    step = steps @ (positions - positions.mean(0)) / (steps @ steps)
    off = np.abs(positions - positions.mean(0) - steps[:, None] * step).max()
    return step if off <= 0.75 * unit else None
