"""What a volume file declares about itself, checked before a single voxel is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .provenance import Provenance

MAX_VOXELS = 2**31 - 1
MAX_LENGTH = 1e12
"""Larger numbers [mm] place nothing; refusing them keeps every later product finite."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_AXIS_LETTERS = (("L", "R"), ("P", "A"), ("I", "S"))


@dataclass(frozen=True)
class DeclaredGrid:
    """The grid that a file or DICOM series declares, and the means to read its voxels.

    Args:
        path: The file or folder.
        kind: File type in words.
        size: Voxels along i, j, k.
        affine: Voxel (i, j, k) to world RAS [mm], (4, 4) float64, finite and invertible.
        read: Reads the voxels, [k, j, i], scaled to their physical value.
        provenance: What else the header says and what gave it, what was assumed, and what is doubtful.
        modality: "CT", "MR", ... where the file says so, else None.
        label_names: Names that the file itself gives to label values.
    """

    path: Path
    kind: str
    size: tuple[int, int, int]
    affine: NDArray[np.float64]
    read: Callable[[], NDArray[np.generic]]
    provenance: Provenance = field(default_factory=dict)
    modality: str | None = None
    label_names: Mapping[int, str] = field(default_factory=dict)


def checked_size(path: Path, sizes: Sequence[int]) -> tuple[int, int, int]:
    """The three sizes, or FileError unless they are positive and their product can be held and indexed."""
    if len(sizes) != 3 or any(size < 1 for size in sizes):
        raise FileError(
            f"{path} must hold a grid of three positive sizes, its header declares {' x '.join(map(str, sizes))}."
        )
    if math.prod(sizes) > MAX_VOXELS:
        raise FileError(
            f"{path} declares {' x '.join(map(str, sizes))} voxels, more than the {MAX_VOXELS} that can be read; "
            "crop or resample it first."
        )
    return sizes[0], sizes[1], sizes[2]


def checked_affine(path: Path, affine: NDArray[np.float64], *, origin: str) -> NDArray[np.float64]:
    """The affine, or FileError unless it is finite and invertible."""
    if not (np.abs(affine) < MAX_LENGTH).all():  # false for NaN
        raise FileError(f"{path} must place its voxels by finite numbers, its {origin} says {affine[:3].tolist()}.")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if (lengths < 1e-6).any() or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-4:
        raise FileError(
            f"{path} must have three independent voxel axes, its {origin} says {affine[:3].tolist()}; "
            "write its orientation again with the tool that made it."
        )
    return affine


def affine_from(directions: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 4x4 map whose columns are the steps [mm] along i, j, k and the position of voxel (0, 0, 0)."""
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = directions, origin
    return affine


def orientation_code(affine: NDArray[np.float64]) -> str:
    """Where the voxel axes i, j, k point, by the nearest patient axis: "LAS" is left, anterior, superior."""
    steps = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    letters = []
    for column in steps.T:
        axis = int(np.abs(column).argmax())
        letters.append(_AXIS_LETTERS[axis][int(column[axis] > 0)])
    return "".join(letters)
