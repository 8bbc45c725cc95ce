"""Whether a volume can be a patient's CT: what speaks against it, in words that say what may have happened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..storage.declared_grid import DeclaredGrid
from ..storage.provenance import DOUBT, Found, Origin

_AIR = -500.0  # HU; every CT with lung, bowel gas or a margin has voxels below
_LOWEST, _HIGHEST = -5000.0, 32000.0  # HU; scanners pad with -3024 and end at 30710
_LEAST_SPAN = 50.0  # HU between air and anything else; values scaled to 0..1 or 0..10 stay below
_MASKED = 0.5


_SIDE = (3.0, 2500.0)  # mm; a small crop to a whole body


def grid_doubts(grid: DeclaredGrid) -> Found:
    """What is implausible about the size of a volume: a unit that is not what it says, or a spacing that was lost."""
    sides = np.linalg.norm(grid.affine[:3, :3], axis=0) * grid.size
    if _SIDE[0] <= float(sides.max()) <= _SIDE[1]:
        return {}
    note = "mm along i, j, k: no patient is of this size; is the spacing given in another unit?"
    return {"extent": Origin(tuple(float(side) for side in sides), DOUBT, note)}


def voxel_doubts(grid: DeclaredGrid, hu: NDArray[np.float32]) -> Found:
    """What is implausible about the voxels [k, j, i] of a CT; nothing is said about other modalities."""
    if (grid.modality or "CT") != "CT":
        return {}
    low, high = float(hu.min()), float(hu.max())
    shown = f"{low:g} to {high:g}"
    if low == high:
        return {"voxels": Origin(shown, DOUBT, "all voxels are the same, so there is nothing to see")}
    if high - low < _LEAST_SPAN:
        note = "the values span too little for Hounsfield numbers; were they scaled to 0..1 or are they labels?"
        return {"voxels": Origin(shown, DOUBT, note)}
    if high > _HIGHEST:
        note = (
            "Hounsfield numbers of scanners end at 30710; was the rescale applied twice, or never, or do the voxels "
            "have a sign that nobody states?"
        )
        return {"voxels": Origin(shown, DOUBT, note)}
    if low < _LOWEST:
        note = "Hounsfield numbers of scanners begin at -3024; what lies below may be padding, and counts as air"
        return {"voxels": Origin(shown, DOUBT, note)}
    if low > _AIR:
        note = f"no air: the lowest value is {low:g} and air is -1000 HU, so these may be no Hounsfield numbers"
        if low >= 0:
            note += " (stored with an offset of 1000 or 1024, or masked with 0)"
        return {"voxels": Origin(shown, DOUBT, note)}
    share = _share_of_zeros(hu)
    if share > _MASKED:
        note = (
            f"{100 * share:.0f} % of the outermost voxels are exactly 0 HU, which is water; was the CT masked with 0?"
        )
        return {"voxels": Origin(shown, DOUBT, note)}
    return {}


def _share_of_zeros(hu: NDArray[np.float32]) -> float:
    faces = [face for axis in range(3) for face in (hu.take(0, axis), hu.take(-1, axis))]
    return sum(int(np.count_nonzero(face == 0)) for face in faces) / sum(face.size for face in faces)
