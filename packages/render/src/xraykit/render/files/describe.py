"""What a volume file says about itself, line by line, for `xraykit render info`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..storage.declared_grid import DeclaredGrid, orientation_code
from ..storage.provenance import Origin, Row, rows
from .label_files import LabelMap, read_labels
from .plausibility import grid_doubts, voxel_doubts
from .volumes import declared_grid, read_finite


def describe_volume(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    modality: str | None = None,
    series: str | None = None,
    resample_slices: bool = False,
    voxel_spacing: Sequence[float] | None = None,
    voxels: bool = True,
) -> list[Row]:
    """Rows of (field, value, origin): facts first, then what was assumed, then doubts; see `volume_provenance`."""
    return rows(
        volume_provenance(
            path, labels=labels, modality=modality, series=series, resample_slices=resample_slices,
            voxel_spacing=voxel_spacing, voxels=voxels,
        )
    )  # fmt: skip


def volume_provenance(
    path: str | Path,
    *,
    labels: str | Path | None = None,
    modality: str | None = None,
    series: str | None = None,
    resample_slices: bool = False,
    voxel_spacing: Sequence[float] | None = None,
    voxels: bool = True,
) -> Mapping[str, Origin]:
    """Field to origin: type, size, spacing, orientation, shear, world extent, range, labels, assumptions and doubts.

    Args:
        path: Any file or folder that `Volume.from_file` reads.
        labels: A label map on the same grid, whose labels are listed.
        modality: "CT" or "MR", overruling the file; None follows it.
        series: Which volume, where a DICOM folder holds several; as for `read_volume`.
        resample_slices: As for `read_volume`.
        voxel_spacing: As for `read_volume`.
        voxels: Whether to read the voxels for their range; the header alone takes milliseconds.

    Raises:
        FileError: As for `read_volume`.
    """
    grid = declared_grid(path, series=series, resample_slices=resample_slices, voxel_spacing=voxel_spacing)
    found = {"file type": Origin(grid.kind, "content"), **_geometry(grid), **grid.provenance}
    if modality is not None:
        found["modality"] = Origin(modality, "caller", "overrules the file")
    elif "modality" not in found:
        given = Origin(grid.modality, "Modality") if grid.modality else Origin("CT", "default", "the file names none")
        found["modality"] = given
    if voxels:
        values = read_finite(grid)
        unit = "intensity" if found["modality"].value == "MR" else "HU"
        found[f"{unit} range"] = Origin(f"{values.min():g} to {values.max():g}", "voxels")
        found |= {} if modality == "MR" else voxel_doubts(grid, values)
    found |= grid_doubts(grid)
    if labels is not None:
        found |= _labels(Path(labels), read_labels(labels, grid))
    elif grid.label_names:
        found["label names"] = Origin(len(grid.label_names), "header")
    return found


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


def _geometry(grid: DeclaredGrid) -> dict[str, Origin]:
    spacing = np.linalg.norm(grid.affine[:3, :3], axis=0)
    edges = np.array(list(product(*((-0.5, n - 0.5) for n in grid.size)))) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    low, high = edges.min(0), edges.max(0)
    extent = ", ".join(f"{axis} {low[n]:.1f} to {high[n]:.1f}" for n, axis in enumerate("xyz"))
    return {
        "size": Origin(" x ".join(map(str, grid.size)), "i x j x k voxels"),
        "spacing [mm]": Origin(" x ".join(f"{value:.6g}" for value in spacing), "affine"),
        "orientation": Origin(orientation_code(grid.affine), "affine; where i, j, k point"),
        "obliqueness [deg]": Origin(f"{obliqueness(grid.affine):.3g}", "affine"),
        "shear [deg]": Origin(f"{shear(grid.affine):.3g}", "affine"),
        "extent [mm]": Origin(extent, "affine; outer voxel faces in world RAS"),
        "centre [mm]": Origin(", ".join(f"{value:.2f}" for value in edges.mean(0)), "affine, world RAS"),
    }


def _labels(path: Path, mask: LabelMap) -> dict[str, Origin]:
    present = np.unique(mask.voxels)
    shown = ", ".join(
        f"{value} {mask.names[value]}" if value in mask.names else str(value) for value in present.tolist()
    )
    return {
        "labels present": Origin(int(np.count_nonzero(present)), path.name),
        "label values": Origin(shown, "voxels and header names"),
        **mask.provenance,
    }
