"""What a volume file says about itself, line by line, for `xraykit render info`."""

from __future__ import annotations

from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..storage.declared_grid import DeclaredGrid, Fact
from .label_grid import as_labels, onto_grid
from .volumes import declared_grid, read_finite

_AXIS_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))


def describe_volume(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    series: str | None = None,
    resample_slices: bool = False,
    voxels: bool = True,
) -> list[Fact]:
    """Rows of (field, value, origin): type, size, spacing, orientation, shear, world extent, range, labels.

    Args:
        path: Any file or folder that `Volume.from_file` reads.
        labels: A label map on the same grid, whose labels are listed.
        series: Which volume, where a DICOM folder holds several; as for `read_volume`.
        resample_slices: As for `read_volume`.
        voxels: Whether to read the voxels for their range; the header alone takes milliseconds.

    Raises:
        FileError: As for `read_volume`.
    """
    grid = declared_grid(path, series=series, resample_slices=resample_slices)
    rows = [Fact("file type", grid.kind, "content"), *_geometry(grid), *grid.facts]
    if not any(fact.field == "modality" for fact in grid.facts):
        rows.append(Fact("modality", grid.modality or "CT", "Modality" if grid.modality else "assumed"))
    if voxels:
        values = read_finite(grid)
        unit = "intensity" if grid.modality == "MR" else "HU"
        rows.append(Fact(f"{unit} range", f"{values.min():g} to {values.max():g}", "voxels"))
    if labels is not None:
        rows += _labels(grid, declared_grid(labels))
    elif grid.label_names:
        rows.append(Fact("label names", f"{len(grid.label_names)}", "header"))
    return rows


def orientation_code(affine: NDArray[np.float64]) -> str:
    """Where the voxel axes i, j, k point, by the nearest patient axis: "LAS" is left, anterior, superior."""
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    letters = []
    for column in steps.T:
        axis = int(np.abs(column).argmax())
        letters.append(_AXIS_LETTERS[axis][int(column[axis] > 0)])
    return "".join(letters)


def obliqueness(affine: NDArray[np.float64]) -> float:
    """The largest angle between a voxel axis and its nearest patient axis [degrees]; 0 for an upright grid."""
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    off_axis = [np.linalg.norm(np.delete(column, np.abs(column).argmax())) for column in steps.T]
    return float(np.degrees(np.arcsin(np.clip(off_axis, 0.0, 1.0))).max())


def shear(affine: NDArray[np.float64]) -> float:
    """How far two voxel axes are from being perpendicular, at most [degrees]; 0 unless the grid is sheared."""
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = [abs(steps[:, a] @ steps[:, b]) for a, b in combinations(range(3), 2)]
    return float(np.degrees(np.arcsin(min(max(cosines), 1.0))))


def _geometry(grid: DeclaredGrid) -> list[Fact]:
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    edges = np.array(list(product(*((-0.5, n - 0.5) for n in grid.size)))) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    low, high = edges.min(0), edges.max(0)
    extent = ", ".join(f"{axis} {low[n]:.1f} to {high[n]:.1f}" for n, axis in enumerate("xyz"))
    return [
        Fact("size", " x ".join(map(str, grid.size)), "i x j x k voxels"),
        Fact("spacing [mm]", " x ".join(f"{value:.6g}" for value in spacing), "affine"),
        Fact("orientation", orientation_code(grid.affine), "affine; where i, j, k point"),
        Fact("obliqueness [deg]", f"{obliqueness(grid.affine):.3g}", "affine"),
        Fact("shear [deg]", f"{shear(grid.affine):.3g}", "affine"),
        Fact("extent [mm]", extent, "affine; outer voxel faces in world RAS"),
        Fact("centre [mm]", ", ".join(f"{value:.2f}" for value in edges.mean(0)), "affine, world RAS"),
    ]


def _labels(grid: DeclaredGrid, mask: DeclaredGrid) -> list[Fact]:
    present = np.unique(as_labels(mask, onto_grid(mask, grid)(mask.read())))
    shown = ", ".join(
        f"{value} {mask.label_names[value]}" if value in mask.label_names else str(value) for value in present.tolist()
    )
    return [
        Fact("labels present", str(np.count_nonzero(present)), mask.path.name),
        Fact("label values", shown, "voxels and header names"),
    ]
