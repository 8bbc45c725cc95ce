"""ITK and Slicer transform files (.tfm, .txt, .mat, .h5): linear maps from one image's world to another's."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ..errors import FileError, GeometryError, InputError
from ..geometry.frames import swap_ras_lps_transform
from ..storage.atomic_write import write_atomically

Direction = Literal["fixed_to_moving", "moving_to_fixed"]
_WRITABLE = (".tfm", ".txt", ".mat", ".h5", ".hdf5", ".hdf")


def read_itk_transform(path: str | Path, *, direction: Direction) -> Tensor:
    """The 4x4 RAS map in an ITK transform file.

    The file maps LPS points of the fixed image (resampling's output) to the moving one (its input); Slicer calls that
    "from parent". What comes out maps RAS points in the direction asked for: F M F, or its inverse. A rigid result
    takes a pose along: `read_itk_transform(path, direction="moving_to_fixed") @ pose` is the same camera in the
    fixed image's world. The map acts on physical points, so the voxel grids (LAS, oblique) play no part.

    Args:
        path: A file that ITK reads, holding a linear 3D transform or a composite of such.
        direction: "fixed_to_moving" as stored (Slicer: transform from parent); "moving_to_fixed" for its inverse
            (Slicer: transform to parent, what the Transforms module shows).

    Returns:
        (4, 4) float64 [mm], RAS to RAS.

    Raises:
        FileError: The file is missing, no transform, not three-dimensional, not linear, or not finite and invertible.
        InputError: Unknown direction.
    """
    import SimpleITK

    _check_direction(direction)
    path = Path(path)
    if not path.is_file():
        raise FileError(f"an ITK transform file was expected at {path}, got nothing there; check the path.")
    try:
        transform = SimpleITK.ReadTransform(str(path))
    except RuntimeError as error:
        raise FileError(f"{path} must be a transform that ITK reads, got one it refuses; export it again.") from error
    if transform.GetDimension() != 3 or not transform.IsLinear():
        raise FileError(
            f"{path} must hold a linear 3D transform, got {transform.GetName()} in {transform.GetDimension()}D; "
            "export the rigid or affine part alone."
        )
    matrix = torch.eye(4, dtype=torch.float64)
    corners = [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)]
    images = torch.tensor([transform.TransformPoint(corner) for corner in corners], dtype=torch.float64)
    matrix[:3, 3] = images[0]
    matrix[:3, :3] = (images[1:] - images[0]).T
    if not bool(torch.isfinite(matrix).all()) or abs(float(torch.linalg.det(matrix))) < 1e-9:
        raise FileError(f"{path} must hold a finite, invertible transform, got {matrix.tolist()}.")
    matrix = swap_ras_lps_transform(matrix)
    return matrix if direction == "fixed_to_moving" else torch.linalg.inv(matrix)


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
    matrix = matrix.detach().cpu().double()
    last = matrix.new_tensor([0.0, 0.0, 0.0, 1.0])
    legal = tuple(matrix.shape) == (4, 4) and bool(torch.isfinite(matrix).all()) and bool((matrix[3] == last).all())
    if not legal or abs(float(torch.linalg.det(matrix))) < 1e-9:
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
