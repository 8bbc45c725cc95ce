"""A warp: the rigid map from the template's world to the patient's, read from and written to ITK transforms."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import FileError, Volume
from xraykit.render.converters import read_itk_transform, write_itk_transform
from xraykit.render.geometry import full_precision, rigid_matrix

ENDINGS = (".tfm", ".txt", ".mat", ".h5")
TOLERANCE = 1e-3


def read_warp(path: str | Path, volume: Volume, *, invert: bool = False) -> Tensor:
    """The warp in a transform file of ITK, ANTs or Slicer (.tfm, .txt, .mat, .h5).

    The file must come from a registration with the template as fixed and the CT as moving image: what resamples the
    CT onto the template. ITK files hold LPS points, so the warp is F M F with F = diag(-1, -1, 1), whatever the voxel
    axes of either image (oblique, LAS). An affine file is replaced by the closest rigid motion, see `rigid_part`.

    Args:
        path: The file.
        volume: The patient's CT.
        invert: The file was made the other way round (CT fixed, template moving).

    Returns:
        (4, 4) float64, template RAS to patient RAS [mm], rigid.

    Raises:
        FileError: No file, none that ITK reads, not linear, or one that mirrors.

    Warns:
        UserWarning: The transform scaled or sheared by more than 0.1 percent.
    """
    matrix = read_itk_transform(path, direction="moving_to_fixed" if invert else "fixed_to_moving")
    if float(torch.linalg.det(matrix[:3, :3])) < 0:
        raise FileError(f"{path} must hold a motion, got a transform that mirrors left and right; align again.")
    stretch = torch.linalg.svdvals(matrix[:3, :3])
    if float((stretch - 1).abs().max()) > TOLERANCE:
        warnings.warn(
            f"{path} stretches by {', '.join(f'{s:.4f}' for s in stretch.tolist())} along its axes; X-ray geometry "
            "needs a rigid motion, so the closest one is used.",
            stacklevel=2,
        )
    return rigid_part(matrix, volume.center)


def write_warp(path: str | Path, warp: Tensor) -> None:
    """Write a warp (4, 4) for ITK, ANTs and Slicer: template fixed, CT moving (`write_itk_transform`)."""
    write_itk_transform(path, warp, direction="fixed_to_moving")


@full_precision
def rigid_part(matrix: Tensor, center: Tensor) -> Tensor:
    """The rigid motion closest to an affine map M (4, 4) that takes the same point to `center`.

    R is the closest rotation in the Frobenius norm, and x -> R (x - M^-1 c) + c.

    Args:
        matrix: Template world to patient world, positive determinant.
        center: c, the middle of the patient's CT [mm], (3,).

    Returns:
        (4, 4) float64.

    Source: as xvr treats its warps.
    """
    matrix, center = matrix.double(), center.double()
    u, _, vt = torch.linalg.svd(matrix[:3, :3])
    R = u @ vt
    source = torch.linalg.solve(matrix[:3, :3], center - matrix[:3, 3])
    return rigid_matrix(R, center - R @ source)
