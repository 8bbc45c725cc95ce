"""ITK and Slicer transform files (.tfm, .txt, .mat, .h5): linear maps from one image's world to another's."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import FileError, GeometryError, InputError
from ..geometry.arrays import tensor_of
from ..geometry.checks import are_independent
from ..geometry.frames import swap_ras_lps_transform
from ..storage.atomic_write import write_atomically
from ..storage.brief import brief
from ..storage.declared_grid import MAX_LENGTH
from .itk_files import StoredTransform, read_stored_transforms
from .itk_kinds import KINDS, linear_map

Direction = Literal["fixed_to_moving", "moving_to_fixed"]
_WRITABLE = (".tfm", ".txt", ".mat", ".h5", ".hdf5", ".hdf")
_NAME = re.compile(r"(?P<kind>[A-Za-z0-9]{1,60})_(float|double)_(?P<into>\d{1,2})_(?P<out>\d{1,2})")


def read_itk_transform(path: str | Path, *, direction: Direction) -> Tensor:
    """The 4x4 RAS map in an ITK transform file.

    The file maps LPS points of the fixed image (resampling's output) to the moving one (its input); Slicer calls that
    "from parent". What comes out maps RAS points in the direction asked for: F M F, or its inverse. A rigid result
    takes a pose along: `read_itk_transform(path, direction="moving_to_fixed") @ pose` is the same camera in the
    fixed image's world. The map acts on physical points, so the voxel grids (LAS, oblique) play no part.

    Args:
        path: Text, MATLAB 4, HDF5, or elastix's TransformParameters.0.txt with those that it begins with beside it,
            told by its first bytes; it holds a linear 3D transform or a composite of such. It is parsed here: ITK's own
            readers run off the end of damaged files.
        direction: "fixed_to_moving" as stored (Slicer: transform from parent); "moving_to_fixed" for its inverse
            (Slicer: transform to parent, what the Transforms module shows).

    Returns:
        (4, 4) float64 [mm], RAS to RAS.

    Raises:
        FileError: The file is missing, over 1 MiB, no transform, cut off or damaged, not three-dimensional, not
            linear, or not finite and invertible.
        InputError: Unknown direction.
    """
    _check_direction(direction)
    path = Path(path)
    matrix = torch.from_numpy(_chained(path, read_stored_transforms(path)))
    if not bool(torch.isfinite(matrix).all()) or not are_independent(matrix[:3, :3]):
        raise FileError(f"{path} must hold a finite, invertible transform, got {brief(matrix.tolist())}.")
    matrix = swap_ras_lps_transform(matrix)
    matrix = matrix if direction == "fixed_to_moving" else torch.linalg.inv(matrix)
    if not bool((matrix.abs() <= MAX_LENGTH).all()):  # false for NaN
        raise FileError(f"{path} must hold a transform of a patient in mm, got numbers beyond {MAX_LENGTH:g}.")
    return matrix


def _chained(path: Path, found: list[StoredTransform]) -> NDArray[np.float64]:
    """The one transform, or the product of a composite's: the last that the file names acts first."""
    composite = found[0].name.startswith("CompositeTransform_")
    parts = found[1:] if composite else found
    if not composite and len(parts) > 1:
        raise FileError(f"{path} must hold one transform or a composite, got {len(parts)} side by side; export one.")
    matrix = np.eye(4)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused
        for part in parts:
            matrix = matrix @ _matrix(path, part)
    return matrix


def _matrix(path: Path, stored: StoredTransform) -> NDArray[np.float64]:
    named = _NAME.fullmatch(stored.name)
    kind = KINDS.get(named["kind"]) if named else None
    if named is None or kind is None or (named["into"], named["out"]) != ("3", "3"):
        what = f"{named['kind']} in {named['into']}D" if named else brief(stored.name, limit=60)
        raise FileError(f"{path} must hold a linear 3D transform, got {what}; export the rigid or affine part alone.")
    if len(stored.parameters) != kind.parameters or len(stored.fixed) not in kind.fixed:
        raise FileError(
            f"{path} must give {kind.parameters} parameters and {' or '.join(map(str, kind.fixed))} fixed ones of "
            f"{named['kind']}, got {len(stored.parameters)} and {len(stored.fixed)}; it is damaged."
        )
    try:
        return linear_map(kind, stored.parameters, stored.fixed)
    except ValueError as error:
        raise FileError(f"{path} must hold a rotation in {named['kind']}, got {error}; it is damaged.") from error


def write_itk_transform(path: str | Path, matrix: Tensor, *, direction: Direction) -> None:
    """Write a 4x4 RAS map as an ITK affine transform, which Slicer, ANTs and SimpleITK read.

    Args:
        path: Ends in .tfm or .txt (text), .mat (MATLAB) or .h5 (HDF5, Slicer's default).
        matrix: RAS to RAS [mm], (4, 4), finite and invertible.
        direction: Which way `matrix` maps; the file always holds fixed to moving, in LPS.

    Raises:
        InputError: Unknown direction or ending. GeometryError: `matrix` is no invertible affine map.
        OutputError: The file cannot be written; nothing is left behind.
    """
    import SimpleITK

    _check_direction(direction)
    path = Path(path)
    if path.suffix.lower() not in _WRITABLE:
        raise InputError(f"an ITK transform file must end in {', '.join(_WRITABLE)}, got {path.name}.")
    matrix = tensor_of(matrix).detach().cpu().double()
    last = matrix.new_tensor([0.0, 0.0, 0.0, 1.0])
    legal = tuple(matrix.shape) == (4, 4) and bool(torch.isfinite(matrix).all()) and bool((matrix[3] == last).all())
    if not legal or not are_independent(matrix[:3, :3]):
        raise GeometryError(f"matrix must be a finite, invertible 4x4 with last row 0 0 0 1, got {matrix.tolist()}.")
    lps = swap_ras_lps_transform(matrix if direction == "fixed_to_moving" else torch.linalg.inv(matrix))
    transform = SimpleITK.AffineTransform(lps[:3, :3].flatten().tolist(), lps[:3, 3].tolist())
    with tempfile.TemporaryDirectory(prefix="xraykit-") as folder:
        draft = Path(folder) / f"transform{path.suffix.lower()}"
        SimpleITK.WriteTransform(transform, str(draft))
        content = draft.read_bytes()
    write_atomically(path, lambda file: file.write(content))


def _check_direction(direction: str) -> None:
    if direction not in ("fixed_to_moving", "moving_to_fixed"):
        raise InputError(f"direction must be fixed_to_moving or moving_to_fixed, got {direction!r}.")
